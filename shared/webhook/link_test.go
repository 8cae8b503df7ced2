package webhook_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	jsonv2 "github.com/go-json-experiment/json"

	"github.com/nethouse-academy/albato/shared/webhook"
)

const (
	token  = "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789-_Qk9Qw"
	rawURL = "https://h.albato.ru/wh/38/1lfXyZ9/" + token + "/"
)

func TestLinkIsMaskedToAHint(t *testing.T) {
	for name, tc := range map[string]struct{ raw, want string }{
		"usual":            {rawURL, "https://h.albato.ru/wh/38/1lf…/…k9Qw/"},
		"no last slash":    {strings.TrimSuffix(rawURL, "/"), "https://h.albato.ru/wh/38/1lf…/…k9Qw"},
		"old form":         {"https://h.albato.com/h/38/" + token + "%253D", "https://h.albato.com/h/38/…k9Qw"},
		"short token":      {"https://h.albato.ru/wh/38/secret", "https://h.albato.ru/wh/38/…"},
		"short middle":     {"https://h.albato.ru/abcd/" + token, "https://h.albato.ru/…/…k9Qw"},
		"many segments":    {"https://h.albato.ru/a/b/c/d/e/f/g", "https://h.albato.ru/a/b/c/…/…"},
		"query":            {"https://h.albato.ru/wh/38?key=secret", "https://h.albato.ru/wh/…?…"},
		"user information": {"https://user:secret@h.albato.ru/wh/", "https://h.albato.ru/…/"},
		"fragment":         {"https://h.albato.ru/wh/#secret", "https://h.albato.ru/…/"},
		"no path":          {"https://h.albato.ru", "https://h.albato.ru"},
		"not a URL":        {"secret secret", "…"},
		"control":          {"https://h.albato.ru/\x00secret", "…"},
		"empty":            {"", "…"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := webhook.Link(tc.raw).String(); got != tc.want {
				t.Errorf("String() = %q, want %q", got, tc.want)
			}
			if got := webhook.Link(tc.raw).Reveal(); got != tc.raw {
				t.Errorf("Reveal() = %q, want it byte for byte", got)
			}
		})
	}
}

// Every way a value gets into a text by accident.
func TestLinkAndSecretNeverShowThemselves(t *testing.T) {
	link, secret := webhook.Link(rawURL), webhook.NewSecret()
	type holder struct {
		Link    webhook.Link
		Secret  webhook.Secret
		Pointer *webhook.Link
		List    []webhook.Secret
	}
	h := holder{link, secret, &link, []webhook.Secret{secret}}

	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%d", "%o", "%t", "%U", "%c", "%10.90s"} {
		fmt.Fprintf(&out, verb+"\n"+verb+"\n"+verb+"\n", link, secret, h)
	}
	fmt.Fprintln(&out, link, secret, h, &h, fmt.Errorf("posting to %w", fmt.Errorf("%s", link)))
	for _, handler := range []slog.Handler{slog.NewJSONHandler(&out, nil), slog.NewTextHandler(&out, nil)} {
		slog.New(handler).Info("x", "link", link, "secret", secret, "holder", h, "list", h.List)
	}
	for _, marshal := range []func(any) ([]byte, error){
		json.Marshal, func(v any) ([]byte, error) { return jsonv2.Marshal(v) },
	} {
		b, err := marshal(h)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(b)
	}
	for _, secretPart := range []string{
		token, token[:8], fmt.Sprintf("%x", token[:8]), fmt.Sprintf("%X", token[:8]), fmt.Sprintf("% x", token[:8]),
		secret.Reveal()[6:20], fmt.Sprintf("%x", secret.Reveal()[6:12]), fmt.Sprint([]byte(token[:4]))[1:9],
	} {
		if strings.Contains(out.String(), secretPart) {
			t.Errorf("the output shows %q:\n%s", secretPart, out.String())
		}
	}
}

func TestLinkDecodesFromJSON(t *testing.T) {
	var v struct {
		Link   webhook.Link
		Secret webhook.Secret
	}
	in := []byte(`{"Link":"` + rawURL + `","Secret":"whsec_x"}`)
	for _, unmarshal := range []func([]byte, any) error{
		json.Unmarshal, func(b []byte, v any) error { return jsonv2.Unmarshal(b, v) },
	} {
		v.Link, v.Secret = "", ""
		if err := unmarshal(in, &v); err != nil || v.Link.Reveal() != rawURL || v.Secret.Reveal() != "whsec_x" {
			t.Errorf("got %q, %q, error %v", v.Link.Reveal(), v.Secret.Reveal(), err)
		}
	}
}
