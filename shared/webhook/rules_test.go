package webhook_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/nethouse-academy/albato/shared/webhook"
)

var (
	public = webhook.Rules{AllowedHosts: []string{"h.albato.ru", "h.albato.com"}}
	local  = webhook.Rules{AllowedHosts: public.AllowedHosts, AllowLoopback: true}
)

func TestRulesAccept(t *testing.T) {
	for _, raw := range []string{
		rawURL,
		strings.TrimSuffix(rawURL, "/"),
		"https://h.albato.com/wh/38/1lfXyZ9/" + token + "/",
		"https://h.albato.ru/h/38/" + token + "%253D",
		"https://h.albato.ru/wh/38/a%2Fb/",
		"https://H.Albato.RU/wh/38/x",
		"HTTPS://h.albato.ru/wh/38/x",
		"https://h.albato.ru/wh/38/x?a=b&c=%D1%8F",
		"https://h.albato.ru/wh/38/x?",
		"https://h.albato.ru",
		"https://h.albato.ru?a=b",
		"https://h.albato.ru/" + strings.Repeat("a", 512-len("https://h.albato.ru/")),
	} {
		if err := public.Check(raw); err != nil {
			t.Errorf("Check(%q) = %v", raw, err)
		}
	}
	for _, raw := range []string{
		"http://127.0.0.1:8080/albato/x/?status=500", "http://localhost/", "http://LOCALHOST:9/x",
		"https://127.0.0.1/x", "http://[::1]:8080/x", "http://127.255.0.3:1/x", rawURL,
	} {
		if err := local.Check(raw); err != nil {
			t.Errorf("on a local run Check(%q) = %v", raw, err)
		}
	}
}

func TestRulesRefuseWithAMessageOfTheirOwn(t *testing.T) {
	for _, tc := range []struct {
		name, raw, want string
	}{
		{"empty", "", "Вставьте ссылку"},
		{"blank", " \n ", "Вставьте ссылку"},
		{"space before", " " + rawURL, "пробел"},
		{"newline after", rawURL + "\n", "пробел"},
		{"no-break space", rawURL + "\u00a0", "пробел"},
		{"zero width space", rawURL + "\u200b", "пробел"},
		{"NUL", "https://h.albato.ru/\x00", "недопустимые символы"},
		{"delete", "https://h.albato.ru/\x7f", "недопустимые символы"},
		{"cyrillic", "https://h.albato.ru/ссылка", "недопустимые символы"},
		{"invalid UTF-8", "https://h.albato.ru/\xff", "недопустимые символы"},
		{"quote", `https://h.albato.ru/"x"`, "недопустимые символы"},
		{"backslash", `https://h.albato.ru/\evil`, "недопустимые символы"},
		{"too long", "https://h.albato.ru/" + strings.Repeat("a", 512), "слишком длинная"},
		{"words", "albato", "не похоже на ссылку"},
		{"no host", "https:///wh/38", "не похоже на ссылку"},
		{"opaque", "https:h.albato.ru/wh", "не похоже на ссылку"},
		{"bad escape", "https://h.albato.ru/%zz", "не похоже на ссылку"},
		{"http", "http://h.albato.ru/wh/38", "https://"},
		{"ftp", "ftp://h.albato.ru/wh/38", "https://"},
		{"user", "https://user@h.albato.ru/wh", "имени пользователя"},
		{"empty user", "https://@h.albato.ru/wh", "имени пользователя"},
		{"host as user", "https://h.albato.ru@evil.example/wh", "имени пользователя"},
		{"fragment", rawURL + "#x", "знака #"},
		{"empty fragment", rawURL + "#", "знака #"},
		{"port", "https://h.albato.ru:8443/wh", "порта"},
		{"the usual port", "https://h.albato.ru:443/wh", "порта"},
		{"bare colon", "https://h.albato.ru:/wh", "порта"},
		{"other host", "https://example.com/wh", "другой сайт"},
		{"subdomain", "https://x.h.albato.ru/wh", "другой сайт"},
		{"suffix", "https://h.albato.ru.evil.example/wh", "другой сайт"},
		{"dot at the end", "https://h.albato.ru./wh", "другой сайт"},
		{"encoded host", "https://h%2ealbato.ru/wh", "не похоже на ссылку"},
		{"loopback", "https://127.0.0.1/wh", "другой сайт"},
		{"loopback over http", "http://127.0.0.1:8080/wh", "https://"},
		{"localhost", "https://localhost/wh", "другой сайт"},
		{"metadata", "https://169.254.169.254/latest", "другой сайт"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := public.Check(tc.raw)
			var le *webhook.LinkError
			if !errors.As(err, &le) {
				t.Fatalf("Check(%q) = %v, want a LinkError", tc.raw, err)
			}
			if !strings.Contains(le.Message, tc.want) {
				t.Errorf("message %q, want %q in it", le.Message, tc.want)
			}
			if strings.Contains(le.Message, token) || strings.Contains(le.Message, "evil") {
				t.Errorf("the message %q repeats the link", le.Message)
			}
		})
	}
}

// The local run allows this machine by its plain names, and nothing else changes.
func TestLoopbackRuleIsNarrow(t *testing.T) {
	for _, raw := range []string{
		"http://h.albato.ru/x", "http://10.0.0.1/x", "http://169.254.169.254/x", "http://0.0.0.0/x", "http://[::]/x",
		"http://2130706433/x", "http://0x7f.1/x", "http://127.1/x", "http://0177.0.0.1/x",
		"http://[::ffff:127.0.0.1]/x", "http://[::1%25lo]/x", "http://localhost.evil.example/x", "http://localhost./x",
		"ftp://127.0.0.1/x", "http://user@127.0.0.1/x", "http://127.0.0.1:0/x", "http://127.0.0.1:70000/x",
		"http://127.0.0.1:/x", "http://127.0.0.1/x#y", "https://h.albato.ru:8443/x",
	} {
		if local.Check(raw) == nil {
			t.Errorf("Check(%q) = nil, want it refused", raw)
		}
	}
}
