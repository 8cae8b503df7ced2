package apigateway_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/nethouse-academy/albato/shared/local/apigateway"
)

// function is a function that keeps its last event, as aws-lambda-go reads it.
type function struct {
	name   string
	answer string
	err    error
	event  events.APIGatewayV2HTTPRequest
	raw    []byte
}

func (f *function) Invoke(_ context.Context, payload []byte) ([]byte, error) {
	f.raw = payload
	f.event = events.APIGatewayV2HTTPRequest{}
	d := json.NewDecoder(bytes.NewReader(payload))
	d.DisallowUnknownFields()
	if err := d.Decode(&f.event); err != nil {
		return nil, err
	}
	return []byte(f.answer), f.err
}

func serve(t *testing.T, routes ...apigateway.Route) *httptest.Server {
	t.Helper()
	g, err := apigateway.New(routes)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(g)
	t.Cleanup(s.Close)
	return s
}

func TestPayload(t *testing.T) {
	f := &function{answer: `{"statusCode":200}`}
	s := serve(t, apigateway.Route{Method: "ANY", Path: "/v1/accounts/{proxy+}", Function: f})
	r, _ := http.NewRequest("PATCH", s.URL+"/v1/accounts/a%20b/x?q=1&q=2&e=%C3%A9&empty=", strings.NewReader("{\"x\":\"é\u2028<\\n\"}"))
	r.Header.Add("X-Two", "a")
	r.Header.Add("X-Two", "b")
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	r.Header.Set("User-Agent", "curl/8")
	r.Header.Set("Cookie", "a=1; b=2")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	e := f.event
	host := strings.TrimPrefix(s.URL, "http://")
	for name, pair := range map[string][2]string{
		"version":       {e.Version, "2.0"},
		"routeKey":      {e.RouteKey, "ANY /v1/accounts/{proxy+}"},
		"context route": {e.RequestContext.RouteKey, "ANY /v1/accounts/{proxy+}"},
		"rawPath":       {e.RawPath, "/v1/accounts/a b/x"},
		"context path":  {e.RequestContext.HTTP.Path, "/v1/accounts/a b/x"},
		"query":         {e.RawQueryString, "q=1&q=2&e=%C3%A9&empty="},
		"q":             {e.QueryStringParameters["q"], "1,2"},
		"e":             {e.QueryStringParameters["e"], "é"},
		"proxy":         {e.PathParameters["proxy"], "a b/x"},
		"cookies":       {strings.Join(e.Cookies, "|"), "a=1|b=2"},
		"two values":    {e.Headers["x-two"], "a,b"},
		"no cookie":     {e.Headers["cookie"], ""},
		"proto":         {e.Headers["x-forwarded-proto"], "http"},
		"for":           {e.Headers["x-forwarded-for"], "127.0.0.1"},
		"host":          {e.Headers["host"], host},
		"domain":        {e.RequestContext.DomainName, host},
		"stage":         {e.RequestContext.Stage, "$default"},
		"method":        {e.RequestContext.HTTP.Method, "PATCH"},
		"protocol":      {e.RequestContext.HTTP.Protocol, "HTTP/1.1"},
		"ip":            {e.RequestContext.HTTP.SourceIP, "127.0.0.1"},
		"agent":         {e.RequestContext.HTTP.UserAgent, "curl/8"},
		"request id":    {e.RequestContext.RequestID, response.Header.Get("Apigw-Requestid")},
		"body":          {e.Body, "{\"x\":\"é\u2028<\\n\"}"},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s = %q, want %q", name, pair[0], pair[1])
		}
	}
	if e.IsBase64Encoded || time.Since(time.UnixMilli(e.RequestContext.TimeEpoch)) > time.Minute || e.RequestContext.RequestID == "" {
		t.Errorf("%s", f.raw)
	}
}

func TestBodiesThatAreNotTextTravelInBase64(t *testing.T) {
	f := &function{answer: `{"statusCode":200}`}
	s := serve(t, apigateway.Route{Function: f})
	for _, c := range []struct {
		kind, body string
		base64     bool
	}{
		{"application/json", "{}", false}, {"application/json;charset=UTF-8", "{}", false}, {"Text/Plain", "é", false},
		{"application/xml", "<a/>", false}, {"", "{}", true}, {"application/x-www-form-urlencoded", "a=b", true},
		{"application/vnd.api+json", "{}", true}, {"application/json", "\xff\xfe", true}, {"not a type", "{}", true},
	} {
		r, _ := http.NewRequest("POST", s.URL, strings.NewReader(c.body))
		if c.kind != "" {
			r.Header.Set("Content-Type", c.kind)
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		want := c.body
		if c.base64 {
			want = base64.StdEncoding.EncodeToString([]byte(c.body))
		}
		if f.event.IsBase64Encoded != c.base64 || f.event.Body != want {
			t.Errorf("%q %q: base64 %v, body %q", c.kind, c.body, f.event.IsBase64Encoded, f.event.Body)
		}
	}
}

func TestRoutes(t *testing.T) {
	f := map[string]*function{}
	var routes []apigateway.Route
	for _, key := range []string{"GET /a/b", "ANY /a/b", "ANY /a/{id}", "ANY /a/{rest+}", "POST /a/{rest+}", " "} {
		method, path, _ := strings.Cut(key, " ")
		f[key] = &function{name: key, answer: `{"statusCode":200,"body":"` + key + `"}`}
		routes = append(routes, apigateway.Route{Method: method, Path: path, Function: f[key]})
	}
	s := serve(t, routes...)
	for _, c := range []struct{ method, path, want string }{
		{"GET", "/a/b", "GET /a/b"}, {"PUT", "/a/b", "ANY /a/b"}, {"GET", "/a/c", "ANY /a/{id}"}, {"GET", "/a/c/d", "ANY /a/{rest+}"},
		{"POST", "/a/c/d", "POST /a/{rest+}"}, {"GET", "/a", " "}, {"GET", "/a/", " "}, {"GET", "/", " "}, {"OPTIONS", "/z", " "},
	} {
		r, _ := http.NewRequest(c.method, s.URL+c.path, nil)
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		response.Body.Close()
		if string(body) != c.want {
			t.Errorf("%s %s went to %q, want %q", c.method, c.path, body, c.want)
		}
	}
}

func TestNoRoute(t *testing.T) {
	s := serve(t, apigateway.Route{Method: "GET", Path: "/a", Function: &function{answer: `{"statusCode":200}`}})
	check(t, s, "POST", "/a", "", 404, `{"message":"Not Found"}`)
}

func TestWrongRoutes(t *testing.T) {
	f := &function{}
	for want, routes := range map[string][]apigateway.Route{
		"two $default": {{Function: f}, {Function: f}},
		"twice":        {{Method: "GET", Path: "/a", Function: f}, {Method: "get", Path: "/a", Function: f}},
		"greedy":       {{Method: "GET", Path: "/{a+}/b", Function: f}},
		"needed":       {{Method: "GET", Path: "a", Function: f}},
	} {
		if _, err := apigateway.New(routes); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

func check(t *testing.T, s *httptest.Server, method, path, body string, status int, want string) http.Header {
	t.Helper()
	r, _ := http.NewRequest(method, s.URL+path, strings.NewReader(body))
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	got, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != status || string(got) != want {
		t.Errorf("%d %q (%v), want %d %q", response.StatusCode, got, err, status, want)
	}
	return response.Header
}

func TestResponses(t *testing.T) {
	for name, c := range map[string]struct {
		answer string
		err    error
		status int
		body   string
		header map[string]string
	}{
		"whole":         {`{"statusCode":201,"headers":{"location":"/x","content-type":"application/problem+json"},"body":"{}"}`, nil, 201, "{}", map[string]string{"Location": "/x", "Content-Type": "application/problem+json"}},
		"base64":        {`{"statusCode":200,"body":"//4=","isBase64Encoded":true}`, nil, 200, "\xff\xfe", nil},
		"cookies":       {`{"statusCode":200,"cookies":["a=1","b=2"],"body":""}`, nil, 200, "", map[string]string{"Set-Cookie": "a=1"}},
		"no type":       {`{"statusCode":200,"body":"hello"}`, nil, 200, "hello", map[string]string{"Content-Type": "text/plain; charset=utf-8"}},
		"no content":    {`{"statusCode":204}`, nil, 204, "", nil},
		"no status":     {`{"ok":true}`, nil, 200, `{"ok":true}`, map[string]string{"Content-Type": "application/json"}},
		"wrong length":  {`{"statusCode":200,"headers":{"content-length":"99"},"body":"abc"}`, nil, 200, "abc", map[string]string{"Content-Length": "3"}},
		"not JSON":      {`oops`, nil, 500, `{"message":"Internal Server Error"}`, nil},
		"wrong base64":  {`{"statusCode":200,"body":"*","isBase64Encoded":true}`, nil, 500, `{"message":"Internal Server Error"}`, nil},
		"wrong status":  {`{"statusCode":99}`, nil, 500, `{"message":"Internal Server Error"}`, nil},
		"function fail": {``, errors.New("secret detail"), 500, `{"message":"Internal Server Error"}`, map[string]string{"Content-Type": "application/json"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, apigateway.Route{Function: &function{answer: c.answer, err: c.err}})
			header := check(t, s, "GET", "/", "", c.status, c.body)
			for name, want := range c.header {
				if got := header.Get(name); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
		})
	}
}

func TestHeadHasNoBody(t *testing.T) {
	s := serve(t, apigateway.Route{Function: &function{answer: `{"statusCode":200,"body":"hello"}`}})
	if h := check(t, s, "HEAD", "/", "", 200, ""); h.Get("Content-Length") != "5" {
		t.Errorf("%v", h)
	}
}

func TestTooLong(t *testing.T) {
	f := &function{answer: `{"statusCode":200}`}
	s := serve(t, apigateway.Route{Function: f})
	check(t, s, "POST", "/", strings.Repeat("x", 10<<20+1), 413, `{"message":"Request Too Long"}`)
	chunked, _ := http.NewRequest("POST", s.URL, io.MultiReader(strings.NewReader(strings.Repeat("x", 10<<20)), strings.NewReader("xx")))
	response, err := http.DefaultClient.Do(chunked)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != 413 {
		t.Errorf("chunked: %d", response.StatusCode)
	}
	if f.raw != nil {
		t.Error("the function was invoked")
	}
}

type hanging struct{}

func (hanging) Invoke(ctx context.Context, _ []byte) ([]byte, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestTheGatewayGivesUpAfterThirtySeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, err := apigateway.New([]apigateway.Route{{Function: hanging{}}})
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		w := httptest.NewRecorder()
		g.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		if took := time.Since(began); took != 30*time.Second || w.Code != 503 || w.Body.String() != `{"message":"Service Unavailable"}` {
			t.Errorf("%d %s after %v", w.Code, w.Body, took)
		}
	})
}
