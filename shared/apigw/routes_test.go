package apigw_test

import (
	"net/http"
	"testing"

	"github.com/nethouse-academy/albato/shared/apigw"
	"github.com/nethouse-academy/albato/shared/problem"
)

func TestUnmatchedRequestsAreProblems(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/accounts/{account}/connections", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("POST /v1/accounts/{account}/connections", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /own", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "mine", http.StatusNotFound) })
	mux.HandleFunc("GET /tree/", func(http.ResponseWriter, *http.Request) {})
	for _, tc := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{"GET", "/v1/accounts/a/connections", 200, ""},
		{"HEAD", "/v1/accounts/a/connections", 200, ""},
		{"GET", "/v1/accounts/a/connections/", 404, ""},
		{"GET", "/", 404, ""},
		{"GET", "", 404, ""},
		{"PUT", "/v1/accounts/a/connections", 405, "GET, HEAD, POST"},
		{"FROBNICATE", "/v1/accounts/a/connections", 405, "GET, HEAD, POST"},
		{"GET", "//v1/accounts/a/connections", 404, ""},
		{"GET", "/v1/accounts//connections", 404, ""},
		{"GET", "/v1/accounts/../connections", 404, ""},
		{"GET", "/v1/accounts/a/./connections", 404, ""},
		{"GET", "no-slash", 404, ""},
		{"GET", "/tree/", 200, ""},
		{"CONNECT", "/v1/accounts/a/connections", 405, "GET, HEAD, POST"},
	} {
		res := serve(t, apigw.Routes(mux), event(tc.method, tc.path, ""))
		if res.StatusCode != tc.status || res.Headers["Allow"] != tc.allow {
			t.Errorf("%s %q: %d, Allow %q, want %d, %q", tc.method, tc.path, res.StatusCode, res.Headers["Allow"], tc.status, tc.allow)
			continue
		}
		if tc.status == 404 {
			if p := problemOf(t, res); p.Code != problem.NotFound {
				t.Errorf("%q: %+v", tc.path, p)
			}
		}
		if tc.status == 405 {
			problemOf(t, res)
		}
	}
	if res := serve(t, apigw.Routes(mux), event("GET", "/own", "")); res.StatusCode != 404 || res.Body != "mine\n" {
		t.Errorf("a handler's own 404 was changed: %+v", res)
	}
}
