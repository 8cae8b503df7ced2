package main

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/nethouse-academy/albato/shared/apigw"
	"github.com/nethouse-academy/albato/shared/event"
)

var testConfig = config{
	AllowedHosts: []string{"h.albato.ru", "h.albato.com"}, FrameAncestors: "'self' https://academy.example",
	RegistrationURL: "https://albato.ru/?partner=1&x=2", Version: "v1.2.3",
}

// handlers keeps the handlers that were made: compressing all assets takes its time under the race detector.
var handlers = map[string]*handler{}

func serveTest(t *testing.T, c config, method, target string, header ...string) *http.Response {
	t.Helper()
	key := fmt.Sprint(c)
	h := handlers[key]
	if h == nil {
		var err error
		if h, err = newHandler(c); err != nil {
			t.Fatal(err)
		}
		handlers[key] = h
	}
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.routes().ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestPageHeaders(t *testing.T) {
	r := serveTest(t, testConfig, http.MethodGet, "/page?from=academy")
	for name, want := range map[string]string{
		"Content-Type":           "text/html; charset=utf-8",
		"Cache-Control":          "no-cache",
		"Referrer-Policy":        "no-referrer",
		"X-Content-Type-Options": "nosniff",
	} {
		if got := r.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	directives := map[string]string{}
	for d := range strings.SplitSeq(r.Header.Get("Content-Security-Policy"), "; ") {
		name, value, _ := strings.Cut(d, " ")
		directives[name] = value
	}
	for name, want := range map[string]string{
		"default-src": "'none'", "script-src": "'self'", "style-src": "'self'", "img-src": "'self'", "connect-src": "'self'",
		"base-uri": "'none'", "form-action": "'none'", "require-trusted-types-for": "'script'", "trusted-types": "'none'",
		"frame-ancestors": "'self' https://academy.example",
	} {
		if directives[name] != want {
			t.Errorf("policy %s: %q, want %q", name, directives[name], want)
		}
		delete(directives, name)
	}
	if len(directives) > 0 {
		t.Errorf("the policy has more: %v", directives)
	}
}

func TestPageIsFilledIn(t *testing.T) {
	c := testConfig
	c.AllowLoopback = true
	html := body(t, serveTest(t, c, http.MethodGet, "/page"))
	for _, want := range []string{
		`href="https://albato.ru/?partner=1&amp;x=2"`, `data-hosts="h.albato.ru h.albato.com localhost"`, `<html lang=ru>`,
	} {
		if !strings.Contains(html, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if strings.Contains(html, "{{") || strings.Contains(html, "ZgotmplZ") {
		t.Error("the page has unfilled places")
	}
	if html := body(t, serveTest(t, testConfig, http.MethodGet, "/page")); strings.Contains(html, "localhost") {
		t.Error("the page takes links to this machine outside of the local run")
	}
}

var addresses = regexp.MustCompile(`(?:href|src)="(page/[^"]+)"`)

// What the page names is there, may be kept for ever, and is named by its content.
func TestAssetsOfThePage(t *testing.T) {
	html := body(t, serveTest(t, testConfig, http.MethodGet, "/page"))
	named := map[string]bool{}
	for _, m := range addresses.FindAllStringSubmatch(html, -1) {
		named[filepath.Base(m[1])] = true
		r := serveTest(t, testConfig, http.MethodGet, "/"+m[1])
		if r.StatusCode != http.StatusOK || r.Header.Get("Cache-Control") != forever {
			t.Errorf("%s: %s, %s", m[1], r.Status, r.Header.Get("Cache-Control"))
		}
		if r.Header.Get("Content-Type") != contentTypes[filepath.Ext(m[1])] || r.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: headers %v", m[1], r.Header)
		}
	}
	for name := range readAssets(t) {
		if name != document && !named[name] {
			t.Errorf("%s is embedded, but the page does not name it", name)
		}
	}
}

func TestEntityTags(t *testing.T) {
	html := body(t, serveTest(t, testConfig, http.MethodGet, "/page"))
	for _, target := range []string{"/page", "/" + addresses.FindStringSubmatch(html)[1]} {
		first := serveTest(t, testConfig, http.MethodGet, target)
		tag := first.Header.Get("Etag")
		if len(tag) < 10 {
			t.Fatalf("%s: entity tag %q", target, tag)
		}
		again := serveTest(t, testConfig, http.MethodGet, target, "If-None-Match", tag)
		if again.StatusCode != http.StatusNotModified || body(t, again) != "" {
			t.Errorf("%s with its own tag: %s", target, again.Status)
		}
		if other := serveTest(t, testConfig, http.MethodGet, target, "If-None-Match", `"other"`); other.StatusCode != http.StatusOK {
			t.Errorf("%s with another tag: %s", target, other.Status)
		}
		head := serveTest(t, testConfig, http.MethodHead, target)
		if head.StatusCode != http.StatusOK || body(t, head) != "" || head.Header.Get("Etag") != tag {
			t.Errorf("HEAD %s: %s", target, head.Status)
		}
	}
	other := testConfig
	other.RegistrationURL = "https://albato.ru/other"
	if serveTest(t, other, http.MethodGet, "/page").Header.Get("Etag") == serveTest(t, testConfig, http.MethodGet, "/page").Header.Get("Etag") {
		t.Error("two pages have one entity tag")
	}
}

func TestCompression(t *testing.T) {
	for _, tt := range []struct {
		accept string
		gzip   bool
	}{
		{"gzip, deflate, br", true}, {"br;q=1.0, GZIP;q=0.5", true}, {"gzip;q=1", true},
		{"", false}, {"identity", false}, {"gzip;q=0", false}, {"gzip; q=0.0", false}, {"xgzip", false},
	} {
		plain := serveTest(t, testConfig, http.MethodGet, "/page")
		r := serveTest(t, testConfig, http.MethodGet, "/page", "Accept-Encoding", tt.accept)
		if got := r.Header.Get("Content-Encoding") == "gzip"; got != tt.gzip {
			t.Errorf("%q: compressed %t", tt.accept, got)
		}
		if r.Header.Get("Vary") != "Accept-Encoding" || (r.Header.Get("Etag") == plain.Header.Get("Etag")) == tt.gzip {
			t.Errorf("%q: a cache may give one form for the other: %v", tt.accept, r.Header)
		}
		if !tt.gzip {
			continue
		}
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		html, err := io.ReadAll(z)
		if want := body(t, plain); err != nil || string(html) != want {
			t.Errorf("%q: another page compressed: %v", tt.accept, err)
		}
		again := serveTest(t, testConfig, http.MethodGet, "/page", "Accept-Encoding", tt.accept, "If-None-Match", r.Header.Get("Etag"))
		if again.StatusCode != http.StatusNotModified {
			t.Errorf("%q with its own tag: %s", tt.accept, again.Status)
		}
	}
	icon := serveTest(t, testConfig, http.MethodGet, "/page/0/icon.svg", "Accept-Encoding", "gzip")
	if raw := body(t, icon); icon.Header.Get("Content-Encoding") == "gzip" && len(raw) >= len(readAssets(t)["icon.svg"]) {
		t.Error("compression makes the icon larger")
	}
}

func TestAddresses(t *testing.T) {
	for _, tt := range []struct {
		method, target string
		status         int
		code, allow    string
	}{
		{http.MethodGet, "/", 404, "not_found", ""},
		{http.MethodGet, "/v1/nowhere", 404, "not_found", ""},
		{http.MethodDelete, "/nowhere", 404, "not_found", ""},
		{http.MethodGet, "/page/", 404, "not_found", ""},
		{http.MethodGet, "/page/0000/nowhere.js", 404, "not_found", ""},
		{http.MethodGet, "/page/0000/index.html", 404, "not_found", ""},
		{http.MethodGet, "/page/../main.js", 404, "not_found", ""},
		{http.MethodGet, "//page", 404, "not_found", ""},
		{http.MethodPost, "/page", 405, "invalid_request", "GET, HEAD"},
		{http.MethodPut, "/v1/triggers", 405, "invalid_request", "GET, HEAD"},
		{http.MethodDelete, "/healthz", 405, "invalid_request", "GET, HEAD"},
	} {
		t.Run(tt.method+" "+tt.target, func(t *testing.T) {
			r := serveTest(t, testConfig, tt.method, tt.target)
			var p apigw.Problem
			if err := json.Unmarshal([]byte(body(t, r)), &p); err != nil {
				t.Fatal(err)
			}
			if r.StatusCode != tt.status || p.Status != tt.status || string(p.Code) != tt.code || r.Header.Get("Allow") != tt.allow ||
				r.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%s %+v %v", r.Status, p, r.Header)
			}
		})
	}
}

// The page offers each snippet as it is in the repository, as text that nobody runs.
func TestSnippets(t *testing.T) {
	html := body(t, serveTest(t, testConfig, http.MethodGet, "/page"))
	base := strings.TrimSuffix(addresses.FindStringSubmatch(html)[1], "icon.svg")
	for name, language := range map[string]string{"verify.go": "Go", "verify.mjs": "Node", "verify.py": "Python", "verify.php": "PHP"} {
		if !strings.Contains(html, fmt.Sprintf(`<button value="%s">%s</button>`, name, language)) {
			t.Errorf("the page does not offer %s", name)
		}
		want, err := os.ReadFile(filepath.Join("../../shared/webhook/verify", name))
		if err != nil {
			t.Fatal(err)
		}
		r := serveTest(t, testConfig, http.MethodGet, "/"+base+name)
		if r.StatusCode != http.StatusOK || body(t, r) != string(want) {
			t.Errorf("%s: %s, or another text", name, r.Status)
		}
		for header, value := range map[string]string{
			"Content-Type": "text/plain; charset=utf-8", "Cache-Control": forever, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
		} {
			if got := r.Header.Get(header); got != value {
				t.Errorf("%s: %s %q, want %q", name, header, got, value)
			}
		}
		if again := serveTest(t, testConfig, http.MethodGet, "/"+base+name, "If-None-Match", r.Header.Get("Etag")); again.StatusCode != http.StatusNotModified {
			t.Errorf("%s with its own tag: %s", name, again.Status)
		}
		if old := serveTest(t, testConfig, http.MethodGet, "/page/0000000000000000/"+name); old.StatusCode != http.StatusOK || old.Header.Get("Cache-Control") != askAgain {
			t.Errorf("%s of another version: %s, %s", name, old.Status, old.Header.Get("Cache-Control"))
		}
	}
}

// A page that was opened before a deployment still finds its files, but does not keep them under the old address.
func TestFileOfAnotherVersion(t *testing.T) {
	r := serveTest(t, testConfig, http.MethodGet, "/page/0000000000000000/main.js")
	if r.StatusCode != http.StatusOK || r.Header.Get("Cache-Control") != askAgain {
		t.Errorf("%s, %s", r.Status, r.Header.Get("Cache-Control"))
	}
}

func TestHealth(t *testing.T) {
	r := serveTest(t, testConfig, http.MethodGet, "/healthz")
	if got := strings.TrimSpace(body(t, r)); got != `{"status":"ok","version":"v1.2.3"}` {
		t.Error(got)
	}
}

func TestTriggers(t *testing.T) {
	r := serveTest(t, testConfig, http.MethodGet, "/v1/triggers")
	var list struct{ Triggers []event.Trigger }
	if err := json.Unmarshal([]byte(body(t, r)), &list); err != nil {
		t.Fatal(err)
	}
	if len(list.Triggers) != 6 {
		t.Fatalf("%d triggers", len(list.Triggers))
	}
	for _, each := range list.Triggers {
		var sample struct {
			Action event.Action
			Test   bool
		}
		if err := json.Unmarshal(each.Sample, &sample); err != nil {
			t.Fatal(err)
		}
		if each.Title == "" || each.Description == "" || sample.Action != each.Action || !sample.Test {
			t.Errorf("%+v", each)
		}
	}
}

// The golden events in events/ are for `sam local invoke` too.
func TestGoldenEvents(t *testing.T) {
	h, err := newHandler(testConfig)
	if err != nil {
		t.Fatal(err)
	}
	invoke := apigw.Handler(h.routes())
	want := map[string]struct {
		status int
		begins string
	}{
		"page.json": {200, "<!doctype html>"}, "triggers.json": {200, `{"triggers":[{"action":"order_create",`},
		"health.json": {200, `{"status":"ok"`}, "openapi.json": {200, `{"openapi":"3.1.0"`}, "not-found.json": {404, `{"type":"about:blank","title":"Not Found","status":404`},
	}
	files, err := filepath.Glob("events/*.json")
	if err != nil || len(files) != len(want) {
		t.Fatalf("%d golden events, %v", len(files), err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var ev events.APIGatewayV2HTTPRequest
		if err := json.Unmarshal(raw, &ev); err != nil {
			t.Fatal(err)
		}
		got, err := invoke(t.Context(), ev)
		if w := want[filepath.Base(file)]; err != nil || got.StatusCode != w.status || !strings.HasPrefix(got.Body, w.begins) || got.IsBase64Encoded {
			t.Errorf("%s: %d %.80s %v", file, got.StatusCode, got.Body, err)
		}
	}
}
