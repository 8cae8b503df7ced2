package webhook_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/nethouse-academy/albato/shared/webhook"
)

func answer(t *testing.T, raw string) string {
	link, _ := rawServer(t, func(c net.Conn) {
		readRequest(c)
		_, _ = c.Write([]byte(raw))
	})
	return link
}

func TestFailuresAreClassified(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := "http://" + closed.Addr().String() + "/x"
	_ = closed.Close()
	unencrypted := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer unencrypted.Close()
	plain := strings.Replace(unencrypted.URL, "http://", "https://", 1) + "/x"
	untrusted, pool := tlsServer(t, false, func(http.ResponseWriter, *http.Request) {})
	wrongName := strings.Replace(untrusted, "127.0.0.1", "localhost", 1)

	trusting := func(o *webhook.Options) { o.RootCAs = pool }
	unknown := func(o *webhook.Options) {
		o.Rules.AllowedHosts = []string{"nowhere.test"}
		o.Resolver = nameServer(t)
	}
	for name, tc := range map[string]struct {
		link, want string
		options    func(*webhook.Options)
	}{
		"nobody listens":          {nobody, webhook.CodeRefused, nil},
		"no such name":            {"https://nowhere.test/x", webhook.CodeDNS, unknown},
		"certificate not trusted": {untrusted, webhook.CodeTLS, nil},
		"certificate of another":  {wrongName, webhook.CodeTLS, trusting},
		"plain HTTP under https":  {plain, webhook.CodeTLS, nil},
		"closed without answer":   {answer(t, ""), webhook.CodeConnection, nil},
		"closed in the headers":   {answer(t, "HTTP/1.1 200 OK\r\nA: b"), webhook.CodeConnection, nil},
		"not HTTP":                {answer(t, "220 smtp.example ESMTP\r\n\r\n"), webhook.CodeInvalidResponse, nil},
		"broken header":           {answer(t, "HTTP/1.1 200 OK\r\n: : :\r\n\r\n"), webhook.CodeInvalidResponse, nil},
		"two lengths":             {answer(t, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"), webhook.CodeInvalidResponse, nil},
		"switched protocols":      {answer(t, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"), webhook.CodeInvalidResponse, nil},
	} {
		t.Run(name, func(t *testing.T) {
			res := newClient(t, tc.options).Post(t.Context(), request(tc.link))
			if res.Code != tc.want || res.Err == nil || res.Delivered() || res.OurFault() {
				t.Errorf("%+v, want %s", res, tc.want)
			}
		})
	}
}

// An error of a library may repeat the address it could not reach; ours must not repeat the link.
func TestErrorsAndLogsDoNotRepeatTheLinkOrTheAnswer(t *testing.T) {
	secret := "tokentokentokentoken"
	for _, link := range []string{
		answer(t, "garbage "+secret), answer(t, ""), "http://127.0.0.1:1/", "https://127.0.0.1:1/", "https://other.example/",
		answer(t, "HTTP/1.1 500 No\r\nContent-Length: 20\r\n\r\n"+secret),
	} {
		res := newClient(t, nil).Post(t.Context(), request(strings.TrimSuffix(link, "wh/38/x/")+"wh/38/"+secret+"/"))
		var out bytes.Buffer
		slog.New(slog.NewJSONHandler(&out, nil)).Info("attempt", "result", res)
		if strings.Contains(out.String(), secret) {
			t.Errorf("the log shows it: %s", &out)
		}
		if res.Err != nil && strings.Contains(res.Err.Error(), "/wh/38") {
			t.Errorf("the error shows the link: %v", res.Err)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	var value string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", value)
		w.WriteHeader(http.StatusTooManyRequests)
	}))
	defer s.Close()
	c := newClient(t, func(o *webhook.Options) { o.Now = func() time.Time { return now } })
	for in, want := range map[string]time.Duration{
		"": 0, "0": 0, "120": 2 * time.Minute, " 7 ": 7 * time.Second,
		"Mon, 23 Nov 2026 08:01:30 GMT": 90 * time.Second, "Mon, 23 Nov 2026 07:00:00 GMT": 0,
		"-5": 0, "1.5": 0, "soon": 0, "١٢": 0,
		"99999999999999999999999": 7 * 24 * time.Hour, "9223372036854775807": 7 * 24 * time.Hour,
		"Mon, 23 Nov 2099 08:00:00 GMT": 7 * 24 * time.Hour,
	} {
		value = in
		if res := c.Post(t.Context(), request(s.URL+"/x")); res.RetryAfter != want || res.Code != "http_429" {
			t.Errorf("%q: %v, want %v", in, res.RetryAfter, want)
		}
	}
}

func TestKeptAnswerIsShortValidText(t *testing.T) {
	var body string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }))
	defer s.Close()
	c := newClient(t, nil)
	for name, tc := range map[string]struct{ body, want string }{
		"short":          {`{"status":"ok"}`, `{"status":"ok"}`},
		"empty":          {"", ""},
		"exactly a KiB":  {strings.Repeat("a", 1024), strings.Repeat("a", 1024)},
		"long":           {strings.Repeat("a", 5000), strings.Repeat("a", 1024)},
		"cut in a rune":  {"a" + strings.Repeat("я", 4000), "a" + strings.Repeat("я", 511)},
		"cut in a emoji": {"ab" + strings.Repeat("😀", 4000), "ab" + strings.Repeat("😀", 255)},
		"three of four":  {"a" + strings.Repeat("😀", 4000), "a" + strings.Repeat("😀", 255)},
		"not UTF-8":      {"a\xff\xfeb", "a\uFFFDb"},
		"only bad bytes": {strings.Repeat("\xffa", 2000), strings.Repeat("\uFFFDa", 256)},
	} {
		body = tc.body
		res := c.Post(t.Context(), request(s.URL+"/x"))
		if got := string(res.Response); got != tc.want || !utf8.ValidString(got) || len(got) > 1024 {
			t.Errorf("%s: %d bytes %.40q, want %d bytes %.40q", name, len(got), got, len(tc.want), tc.want)
		}
	}
}

func TestEveryCodeIsExplainedInRussian(t *testing.T) {
	seen := map[string]string{}
	for _, code := range []string{
		webhook.CodeTimeout, webhook.CodeDNS, webhook.CodeRefused, webhook.CodeTLS, webhook.CodeConnection,
		webhook.CodeBlocked, webhook.CodeInvalidResponse, webhook.CodeInterrupted, webhook.CodeInternal,
		"http_302", "http_400", "http_401", "http_404", "http_408", "http_410", "http_413", "http_429", "http_500", "http_418",
	} {
		text := webhook.Explain(code)
		if !strings.HasSuffix(text, ".") || !strings.ContainsAny(text, "авеио") {
			t.Errorf("%s: %q", code, text)
		}
		if other, twice := seen[text]; twice {
			t.Errorf("%s and %s have the same words", code, other)
		}
		seen[text] = code
	}
	if webhook.Explain("") != "" || webhook.Explain("http_x") == "" || webhook.Explain("new code") == "" {
		t.Error("no code has no words; an unknown one has some")
	}
	if text := webhook.Explain("http_404"); !strings.Contains(text, fmt.Sprint(404)) {
		t.Errorf("%q does not name the status", text)
	}
}
