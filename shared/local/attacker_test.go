package local_test

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/nethouse-academy/albato/shared/local"
	"github.com/nethouse-academy/albato/shared/local/localtest"
)

// raw sends a request line and headers as they are, which no HTTP client would.
func raw(t *testing.T, s *localtest.Stack, request string) (*http.Response, string) {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(localtest.Patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, strings.ReplaceAll(request, "\n", "\r\n")+"\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	method, _, _ := strings.Cut(request, " ")
	response, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: method})
	if err != nil {
		t.Fatalf("%q: %v", request, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("%q: %v", request, err)
	}
	return response, string(body)
}

// However an address is spelled, it does not lead around the check of whose account it names: what comes out is the
// caller's own, or nothing.
func TestNoSpellingOfAPathOpensAnotherAccount(t *testing.T) {
	const key = "key-of-the-academy-0123456789abcdef0123456789abc"
	s := localtest.Start(t, local.Options{APIKey: key})
	a := furnish(s, "a")
	furnish(s, "b")
	before := snapshot(s)
	f := newForger(t, key)
	tokens := map[string]string{"b": f.sign(jwt.SigningMethodHS256, f.key, f.claims("b", nil)), "b/../a": f.sign(jwt.SigningMethodHS256, f.key, f.claims("b/../a", nil)),
		"nobody": "x"}
	paths := []string{
		"/v1/accounts/b/../a/connections", "/v1/accounts/b/%2e%2e/a/connections", "/v1/accounts/b%2F..%2Fa/connections", "/v1/accounts/b%252F..%252Fa/connections",
		"/v1/accounts/b/connections/../../a/connections", "/v1/accounts/b/connections/..%2f..%2fa/connections", "/v1/accounts//a/connections", "//v1/accounts/a/connections",
		"/v1//accounts/a/connections", "/v1/accounts/a//connections", "/v1/accounts/a/connections/", "/v1/accounts/a/connections//", "/v1/accounts/./a/connections",
		"/./v1/accounts/a/connections", "/V1/accounts/a/connections", "/v1/Accounts/a/connections", "/v1/accounts/A/connections", "/v1/accounts/a/Connections",
		"/v1/accounts/a;b/connections", "/v1/accounts/b;/../a/connections", "/v1/accounts/a%00/connections", "/v1/accounts/%61/connections", "/v1/accounts/a%20/connections",
		"/v1/accounts/b\\..\\a/connections", "/v1/accounts/b%5c..%5ca/connections", "/v1/events/../accounts/a/connections", "/page/../v1/accounts/a/connections",
		"/healthz/../v1/accounts/a/connections", "/v1/accounts/b/connections/" + a["connection"], "/v1/accounts/b/connections/%2e%2e/%2e%2e/a/connections/" + a["connection"],
		"/v1/accounts/b/connections/" + a["connection"] + "/deliveries/" + a["delivery"], "/v1/accounts/b/connections?account=a", "/v1/accounts/b/connections?account_id=a",
		"/v1/accounts/a,b/connections", "/v1/accounts/b/connections#/../a", "http://a/v1/accounts/a/connections", "/v1/accounts/a/connections%3F",
	}
	private := []string{a["connection"], a["delivery"], a["token"], `"account_id":"a"`}
	for _, method := range []string{"GET", "HEAD", "get", "DELETE", "POST", "PATCH", "OPTIONS", "TRACE", "PROPFIND"} {
		for _, path := range paths {
			for name, token := range tokens {
				response, body := raw(t, s, fmt.Sprintf("%s %s HTTP/1.1\nHost: localhost\nAuthorization: Bearer %s\nX-HTTP-Method-Override: GET\nX-Original-URL: /v1/accounts/a/connections\n"+
					"X-Rewrite-URL: /v1/accounts/a/connections\nX-Forwarded-Prefix: /v1/accounts/a\nConnection: close\nContent-Length: 0", method, path, token))
				if response.StatusCode < 300 || response.StatusCode >= 500 {
					t.Errorf("%s %s with the token of %s: %s %s", method, path, name, response.Status, body)
				}
				for _, word := range private {
					if strings.Contains(body, word) {
						t.Errorf("%s %s with the token of %s shows %s", method, path, name, body)
					}
				}
			}
		}
	}
	if after := snapshot(s); after != before {
		t.Errorf("something changed:\n%s\nwas\n%s", after, before)
	}
}

// A value that is repeated in an answer or sent on stays one value: no header and no line begins within it.
func TestNothingIsInjectedIntoHeaders(t *testing.T) {
	s := localtest.Start(t, local.Options{})
	path := "/v1/accounts/a/connections/" + s.Connect("a", s.Link("x"), "order_update")
	for _, evil := range []string{"a\r\nX-Evil: 1", "a\nX-Evil: 1", "a\x00b", "a\u2028b", "a b", `a"b`, "é"} {
		escaped := strings.NewReplacer("\r", "%0d", "\n", "%0a", " ", "%20", "\x00", "%00", `"`, "%22").Replace(evil)
		for _, target := range []string{"/v1/accounts/" + escaped + "/connections", path + "/deliveries?cursor=" + escaped, path + "/deliveries?" + escaped + "=1", "/page/" + escaped + "/" + escaped} {
			r := s.Do("GET", target, nil, "X-Request-Id", strings.Map(func(c rune) rune {
				if c < ' ' {
					return '%'
				}
				return c
			}, evil))
			if r.Header.Get("X-Evil") != "" || r.Status < 400 || r.Status >= 500 {
				t.Errorf("%q: %d %v", target, r.Status, r.Header)
			}
			if id := r.Header.Get("X-Request-Id"); strings.ContainsAny(id, "%\" \x00") || id == "" {
				t.Errorf("%q: request id %q", target, id)
			}
		}
		// An id of an event becomes a part of what is sent; the event's other texts only of the body.
		for _, name := range []string{"id", "account_id", "occurred_at"} {
			body := map[string]any{"id": "e", "account_id": "a", "occurred_at": "2026-11-23T08:00:00Z", "data": map[string]any{"action": "order_update", "order": map[string]any{"id": 1}}}
			body[name] = evil
			if r := s.Do("POST", "/v1/events", body); r.Status != 422 {
				t.Errorf("%s %q: %d %s", name, evil, r.Status, r.Body)
			}
		}
	}
	s.Must(202, "POST", "/v1/events", map[string]any{"id": "e", "account_id": "a", "occurred_at": "2026-11-23T08:00:00Z",
		"data": map[string]any{"action": "order_update", "order": map[string]any{"id": "1\u2028X-Evil: 1"}, "evil\r\nX-Evil: 1": "\r\nX-Evil: 1"}}, nil)
	for name := range s.Arrivals("x", 1)[0].Headers {
		if strings.Contains(name, "evil") {
			t.Errorf("the receiver got a header %s", name)
		}
	}
}

// What every answer carries, whoever asks, and what none does: nobody's browser may read the API from another origin.
func TestSecurityHeaders(t *testing.T) {
	s := localtest.Start(t, local.Options{Parameters: map[string]string{"FrameAncestors": "https://academy.example"}})
	path := "/v1/accounts/a/connections/" + s.Connect("a", s.Link("x"), "order_update")
	const api = "default-src 'none'; frame-ancestors 'none'"
	for _, c := range []struct{ method, path, csp, cache string }{
		{"GET", "/page", "", "no-cache"}, {"HEAD", "/page", "", "no-cache"}, {"GET", "/page?from=mail", "", "no-cache"},
		{"GET", "/healthz", api, "no-store"}, {"GET", "/v1/triggers", api, "public, max-age=300"}, {"GET", "/openapi.json", api, "public, max-age=300"},
		{"GET", path, api, "no-store"}, {"HEAD", path, api, "no-store"}, {"GET", path + "/deliveries", api, "no-store"}, {"POST", path + "/secret/rotate", api, "no-store"},
		{"POST", "/v1/accounts/a/page-sessions", api, "no-store"}, {"POST", "/v1/events", api, "no-store"}, {"GET", "/nowhere", api, "no-store"},
		{"GET", "/v1/accounts/a/nowhere", api, "no-store"}, {"PUT", path, api, "no-store"}, {"OPTIONS", path, api, "no-store"}, {"OPTIONS", "/v1/events", api, "no-store"},
		{"OPTIONS", "/page", api, "no-store"}, {"DELETE", "/v1/accounts/$", api, "no-store"},
	} {
		t.Run(c.method+" "+c.path, func(t *testing.T) {
			r := s.Do(c.method, c.path, nil, "Origin", "https://evil.example", "Access-Control-Request-Method", "DELETE", "Access-Control-Request-Headers", "authorization")
			for name := range r.Header {
				if strings.HasPrefix(name, "Access-Control-") {
					t.Errorf("%s: %s", name, r.Header.Get(name))
				}
			}
			for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Strict-Transport-Security": "max-age=31536000", "Cache-Control": c.cache} {
				if got := r.Header.Values(name); len(got) != 1 || got[0] != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
			csp := r.Header.Get("Content-Security-Policy")
			if c.csp != "" && csp != c.csp {
				t.Errorf("policy %q, want %q", csp, c.csp)
			}
			if c.csp == "" {
				pagePolicy(t, csp)
			}
			if r.Header.Get("Set-Cookie") != "" || r.Header.Get("Server") != "" || r.Header.Get("X-Powered-By") != "" {
				t.Errorf("headers %v", r.Header)
			}
		})
	}
}

// pagePolicy holds the page's policy to what it is for: no inline script or style, nothing from elsewhere, framed by the
// Academy alone.
func pagePolicy(t *testing.T, csp string) {
	t.Helper()
	directives := map[string]string{}
	for d := range strings.SplitSeq(csp, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(d), " ")
		directives[name] = value
	}
	for name, want := range map[string]string{"default-src": "'none'", "script-src": "'self'", "style-src": "'self'", "img-src": "'self'", "connect-src": "'self'",
		"base-uri": "'none'", "form-action": "'none'", "frame-ancestors": "https://academy.example"} {
		if directives[name] != want {
			t.Errorf("%s %q, want %q", name, directives[name], want)
		}
	}
	if strings.Contains(csp, "unsafe") || strings.Contains(csp, "*") || strings.Contains(csp, "data:") {
		t.Errorf("policy %q", csp)
	}
}

// A cursor belongs to the list that gave it: another connection's, another list's and one made by hand are the caller's
// fault, and show nothing.
func TestForeignCursorsAreRefused(t *testing.T) {
	s := localtest.Start(t, local.Options{})
	own, foreign := "/v1/accounts/a/connections/"+s.Connect("a", s.Link("own"), "order_update"), "/v1/accounts/b/connections/"+s.Connect("b", s.Link("foreign"), "order_update")
	for _, path := range []string{own, foreign} {
		for range 3 {
			s.Must(200, "POST", path+"/test", map[string]any{"action": "order_update"}, nil)
		}
	}
	var page struct {
		NextCursor string `json:"next_cursor"`
		Deliveries []struct{ ID string }
	}
	s.Must(200, "GET", foreign+"/deliveries?limit=1", nil, &page)
	theirs, id := page.NextCursor, strings.TrimPrefix(page.Deliveries[0].ID, "dlv_")
	s.Must(200, "GET", own+"/deliveries?limit=1", nil, &page)
	if theirs == "" || page.NextCursor == "" || theirs == page.NextCursor {
		t.Fatalf("cursors %q and %q", theirs, page.NextCursor)
	}
	s.Must(200, "GET", own+"/deliveries?limit=1&cursor="+url.QueryEscape(page.NextCursor), nil, nil)
	span := func(cursor string) map[string]any {
		return map[string]any{"from": "2026-11-01T00:00:00Z", "to": "2099-01-01T00:00:00Z", "cursor": cursor, "dry_run": true}
	}
	forged := []string{theirs, theirs[:len(theirs)-1], theirs + "A", "DELIVERY#" + id, id, base64.RawURLEncoding.EncodeToString([]byte("DELIVERY#" + id)),
		base64.StdEncoding.EncodeToString([]byte(`{"pk":{"S":"CONNECTION#x"},"sk":{"S":"DELIVERY#` + id + `"}}`)), "AAAA", "\x00", strings.Repeat("A", 4000)}
	for _, cursor := range forged {
		s.Must(422, "GET", own+"/deliveries?limit=1&cursor="+url.QueryEscape(cursor), nil, nil)
		s.Must(422, "POST", own+"/replay", span(cursor), nil)
	}
	s.Must(422, "POST", own+"/replay", span(page.NextCursor), nil) // the journal's own, at another list
}

// What cannot be an account's id has no page, even for who may open one for everybody.
func TestNoSessionForWhatIsNoAccount(t *testing.T) {
	s := localtest.Start(t, local.Options{})
	for _, account := range []string{"$", "a%20b", "%D1%91", "a%2Fb", "a%00", "%0a", strings.Repeat("x", 65), "a,b", "a@example.com", "+79990000000", "%22"} {
		for _, body := range []any{nil, map[string]any{"ttl_seconds": 60}} {
			s.Must(404, "POST", "/v1/accounts/"+account+"/page-sessions", body, nil)
		}
	}
	s.Must(201, "POST", "/v1/accounts/"+strings.Repeat("x", 64)+"/page-sessions", nil, nil)
	for _, ttl := range []string{"-1", "0", "59", "86401", "9223372036854775807", "-9223372036854775808", "1e18", "3600.5", `"3600"`, "9223372037"} {
		s.Must(422, "POST", "/v1/accounts/a/page-sessions", `{"ttl_seconds":`+ttl+`}`, nil)
	}
}
