package apigw_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/nethouse-academy/albato/shared/apigw"
	"github.com/nethouse-academy/albato/shared/problem"
	"github.com/nethouse-academy/albato/shared/telemetry"
)

var update = flag.Bool("update", false, "write the golden answers anew")

// echo answers with what it understood of the request.
func echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		apigw.WriteError(w, r, err)
		return
	}
	if r.Header.Get("Content-Type") == "application/octet-stream" {
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = w.Write(body)
		return
	}
	http.SetCookie(w, &http.Cookie{Name: "a", Value: "1"})
	http.SetCookie(w, &http.Cookie{Name: "b", Value: "2"})
	w.Header().Add("Vary", "Accept")
	w.Header().Add("Vary", "Origin")
	one, _ := r.Cookie("one")
	apigw.WriteJSON(w, r, http.StatusOK, map[string]any{
		"method": r.Method, "path": r.URL.Path, "rest": r.PathValue("rest"), "query": r.URL.Query(), "host": r.Host,
		"remote": r.RemoteAddr, "user_agent": r.UserAgent(), "cookie": fmt.Sprint(one), "length": r.ContentLength,
		"body": string(body), "request_id": apigw.RequestID(r.Context()),
	})
}

func echoHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/echo", echo)
	mux.HandleFunc("POST /v1/echo", echo)
	mux.HandleFunc("GET /v1/echo/{rest...}", echo)
	return apigw.Routes(mux)
}

func TestGoldenEvents(t *testing.T) {
	files, err := filepath.Glob("testdata/*.request.json")
	if err != nil || len(files) < 8 {
		t.Fatalf("%d events, error %v", len(files), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".request.json")
		t.Run(name, func(t *testing.T) {
			res := serve(t, echoHandler(), load(t, file))
			got, err := json.MarshalIndent(res, "", " ")
			if err != nil {
				t.Fatal(err)
			}
			golden := strings.Replace(file, ".request.", ".response.", 1)
			if *update {
				if err := os.WriteFile(golden, append(got, '\n'), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != strings.TrimSuffix(string(want), "\n") {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func load(t testing.TB, file string) (ev events.APIGatewayV2HTTPRequest) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(b, &ev)
	}
	if err != nil {
		t.Fatal(err)
	}
	return ev
}

func serve(t testing.TB, h http.Handler, ev events.APIGatewayV2HTTPRequest, opts ...apigw.Option) events.APIGatewayV2HTTPResponse {
	t.Helper()
	res, err := apigw.Handler(h, opts...)(context.Background(), ev)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func event(method, path, body string) events.APIGatewayV2HTTPRequest {
	ev := events.APIGatewayV2HTTPRequest{RawPath: path, Body: body, Headers: map[string]string{"content-type": "application/json"}}
	ev.RequestContext.HTTP.Method, ev.RequestContext.RequestID = method, "gateway-id"
	return ev
}

func problemOf(t testing.TB, res events.APIGatewayV2HTTPResponse) (p apigw.Problem) {
	t.Helper()
	if ct := res.Headers["Content-Type"]; ct != "application/problem+json" {
		t.Errorf("content type %q", ct)
	}
	if err := json.Unmarshal([]byte(res.Body), &p); err != nil {
		t.Fatalf("%q: %v", res.Body, err)
	}
	if p.Status != res.StatusCode || p.Title != http.StatusText(p.Status) || p.Type != "about:blank" || p.Code == "" || p.Detail == "" ||
		p.RequestID != res.Headers["X-Request-Id"] {
		t.Errorf("status %d with %+v", res.StatusCode, p)
	}
	return p
}

func TestRequestIDIsEchoedIfSane(t *testing.T) {
	ok := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, apigw.RequestID(r.Context())) })
	for in, want := range map[string]string{
		"abc-1_2.3:4=": "abc-1_2.3:4=", strings.Repeat("a", 128): strings.Repeat("a", 128),
		"": "gateway-id", strings.Repeat("a", 129): "gateway-id", "a b": "gateway-id", "a\r\nX: y": "gateway-id", "é": "gateway-id",
		"a@b.ru": "gateway-id",
	} {
		for _, name := range []string{"x-request-id", "X-Request-ID"} {
			ev := event("GET", "/", "")
			ev.Headers = map[string]string{name: in}
			if res := serve(t, ok, ev); res.Headers["X-Request-Id"] != want || res.Body != want {
				t.Errorf("%q: header %q, context %q, want %q", in, res.Headers["X-Request-Id"], res.Body, want)
			}
		}
	}
}

func TestPanicBecomesAnInternalProblem(t *testing.T) {
	var log bytes.Buffer
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Half", "done")
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, "half an answer")
		panic("secret ivan@example.com")
	})
	res := serve(t, h, event("GET", "/", ""), apigw.WithLogger(telemetry.NewLogger(&log, "info", "test", "1")))
	if p := problemOf(t, res); res.StatusCode != 500 || p.Code != problem.Internal || res.Headers["X-Half"] != "" {
		t.Errorf("%+v", res)
	}
	if s := res.Body + log.String(); strings.Contains(s, "secret") || strings.Contains(s, "ivan") {
		t.Errorf("the panic's content shows: %s", s)
	}
	if !strings.Contains(log.String(), "TestPanicBecomesAnInternalProblem") {
		t.Errorf("the log does not say where: %s", &log)
	}
}

func TestErrorsSayNothingOfTheInside(t *testing.T) {
	for name, tc := range map[string]struct {
		err        error
		status     int
		code       problem.Code
		retryAfter string
	}{
		"any error":        {errors.New("table 10.0.0.1 broke"), 500, problem.Internal, ""},
		"unknown code":     {problem.New("made_up", "table broke"), 500, problem.Internal, ""},
		"5xx with detail":  {problem.New(problem.Unavailable, "table broke"), 503, problem.Unavailable, "5"},
		"wrapped":          {fmt.Errorf("table broke: %w", problem.New(problem.NotFound, "")), 404, problem.NotFound, ""},
		"with a time":      {&problem.Error{Code: problem.RateLimited, RetryAfter: 61500e6}, 429, problem.RateLimited, "62"},
		"status of itself": {&problem.Error{Code: problem.InvalidRequest, Status: 400, Detail: "x"}, 400, problem.InvalidRequest, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { apigw.WriteError(w, r, tc.err) })
			res := serve(t, h, event("GET", "/", ""), apigw.WithLogger(telemetry.NewLogger(&log, "info", "test", "1")))
			if p := problemOf(t, res); res.StatusCode != tc.status || p.Code != tc.code || res.Headers["Retry-After"] != tc.retryAfter {
				t.Errorf("%+v", res)
			}
			if strings.Contains(res.Body, "broke") {
				t.Errorf("the answer tells of the inside: %s", res.Body)
			}
			if strings.Contains(tc.err.Error(), "broke") && tc.status >= 500 && !strings.Contains(log.String(), "broke") {
				t.Errorf("the log does not tell why: %s", &log)
			}
		})
	}
}

func TestUnauthorizedNamesTheScheme(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		apigw.WriteError(w, r, problem.New(problem.Unauthorized, ""))
	})
	if res := serve(t, h, event("GET", "/", "")); res.StatusCode != 401 || res.Headers["Www-Authenticate"] != "Bearer" {
		t.Errorf("%+v", res)
	}
}

func TestSecurityHeadersAreThereUnlessSet(t *testing.T) {
	plain := serve(t, http.NotFoundHandler(), event("GET", "/", ""))
	for name, want := range map[string]string{
		"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
		"Strict-Transport-Security": "max-age=31536000",
		"Content-Security-Policy":   "default-src 'none'; frame-ancestors 'none'",
	} {
		if plain.Headers[name] != want {
			t.Errorf("%s: %q, want %q", name, plain.Headers[name], want)
		}
	}
	own := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=60")
		w.Header().Set("Content-Security-Policy", "default-src 'self'")
	}), event("GET", "/", ""))
	if own.Headers["Cache-Control"] != "public, max-age=60" || own.Headers["Content-Security-Policy"] != "default-src 'self'" ||
		own.Headers["X-Content-Type-Options"] != "nosniff" {
		t.Errorf("%+v", own.Headers)
	}
}

func TestAnswerEncoding(t *testing.T) {
	type list struct {
		Items []string `json:"items"`
		Text  string   `json:"text"`
	}
	res := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		apigw.WriteJSON(w, r, http.StatusCreated, list{Text: "<b>&\xff\u2028"})
	}), event("GET", "/", ""))
	if want := "{\"items\":[],\"text\":\"<b>&\uFFFD\u2028\"}"; res.Body != want || res.StatusCode != 201 || res.IsBase64Encoded {
		t.Errorf("%d %s, want %s", res.StatusCode, res.Body, want)
	}
	res = serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		apigw.WriteJSON(w, r, http.StatusOK, make(chan int))
	}), event("GET", "/", ""))
	if p := problemOf(t, res); p.Code != problem.Internal {
		t.Errorf("%+v", p)
	}
	res = serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "br")
		_, _ = io.WriteString(w, "abc")
	}), event("GET", "/", ""))
	if res.Body != "YWJj" || !res.IsBase64Encoded {
		t.Errorf("an encoded body must travel as base64: %+v", res)
	}
}

func TestRequestLineHasTheRouteAndNoPath(t *testing.T) {
	var log bytes.Buffer
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/accounts/{account}", func(http.ResponseWriter, *http.Request) {})
	ev := event("GET", "/v1/accounts/ivan@example.com", "")
	serve(t, apigw.Routes(mux), ev, apigw.WithLogger(telemetry.NewLogger(&log, "info", "test", "1")))
	var line map[string]any
	if err := json.Unmarshal(log.Bytes(), &line); err != nil {
		t.Fatalf("%s: %v", &log, err)
	}
	if line["route"] != "GET /v1/accounts/{account}" || line["status"] != 200.0 || line["request_id"] != "gateway-id" ||
		line["method"] != "GET" || line["duration_ms"] == nil || strings.Contains(log.String(), "ivan") {
		t.Errorf("%s", &log)
	}
}
