package auth_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/nethouse-academy/albato/shared/apigw"
	"github.com/nethouse-academy/albato/shared/auth"
)

// guarded is a mux as the functions have it.
func guarded(keys *auth.Keys) http.Handler {
	whoami := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, ok := auth.FromContext(r.Context())
		if !ok || auth.AllowAccount(r.Context(), r.PathValue("account")) != nil && r.PathValue("account") != "" {
			w.WriteHeader(http.StatusTeapot)
		}
		apigw.WriteJSON(w, r, http.StatusOK, p)
	})
	mux := http.NewServeMux()
	mux.Handle("GET /v1/accounts/{account}/connections", keys.Require(whoami))
	mux.Handle("POST /v1/accounts/{account}/page-sessions", keys.RequireAPIKey(whoami))
	mux.Handle("POST /v1/events", keys.RequireAPIKey(whoami))
	return apigw.Routes(mux)
}

// Whoever is not allowed learns nothing: not even whether the account exists.
func TestMiddlewareGivesNothingAway(t *testing.T) {
	keys, v := newKeys(secretJSON(currentKey, ""))
	h := guarded(keys)
	expired := pageToken(t, keys, "academy-1", time.Minute)
	v.advance(2 * time.Minute)
	mine := pageToken(t, keys, "academy-1", time.Hour)

	answers := map[int]string{}
	for _, tc := range []struct {
		name, method, path, token string
		want                      int
	}{
		{"API key", "GET", "/v1/accounts/academy-1/connections", currentKey, 200},
		{"API key, another", "GET", "/v1/accounts/academy-2/connections", currentKey, 200},
		{"own token", "GET", "/v1/accounts/academy-1/connections", mine, 200},
		{"foreign token", "GET", "/v1/accounts/academy-2/connections", mine, 404},
		{"foreign token, longer id", "GET", "/v1/accounts/academy-11/connections", mine, 404},
		{"foreign token, other case", "GET", "/v1/accounts/ACADEMY-1/connections", mine, 404},
		{"no such address", "GET", "/v1/accounts/academy-2/nowhere", mine, 404},
		{"no token", "GET", "/v1/accounts/academy-1/connections", "", 401},
		{"expired token", "GET", "/v1/accounts/academy-1/connections", expired, 401},
		{"expired foreign token", "GET", "/v1/accounts/academy-2/connections", expired, 401},
		{"wrong token", "GET", "/v1/accounts/academy-1/connections", nextKey, 401},
		{"page session by key", "POST", "/v1/accounts/academy-1/page-sessions", currentKey, 200},
		{"page session by page", "POST", "/v1/accounts/academy-1/page-sessions", mine, 401},
		{"page session by a foreign page", "POST", "/v1/accounts/academy-2/page-sessions", mine, 401},
		{"event by key", "POST", "/v1/events", currentKey, 200},
		{"event by page", "POST", "/v1/events", mine, 401},
		{"event by nobody", "POST", "/v1/events", "", 401},
	} {
		r := httptest.NewRequest(tc.method, tc.path, nil)
		if tc.token != "" {
			r.Header.Set("Authorization", "Bearer "+tc.token)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != tc.want {
			t.Errorf("%s: %d, want %d", tc.name, w.Code, tc.want)
		}
		if w.Code == 401 && w.Header().Get("WWW-Authenticate") != "Bearer" {
			t.Errorf("%s: no WWW-Authenticate", tc.name)
		}
		if tc.want < 400 {
			continue
		}
		if before, seen := answers[tc.want]; seen && before != w.Body.String() {
			t.Errorf("%s: %s differs from %s", tc.name, w.Body, before)
		}
		answers[tc.want] = w.Body.String()
	}
}

func TestNobodyReachesAnAccount(t *testing.T) {
	if (auth.Principal{}).MayReach("") || (auth.Principal{AccountID: "a"}).MayReach("a") || (auth.Principal{Kind: auth.KindPage}).MayReach("") {
		t.Error("the zero principal reaches an account")
	}
	if status(t, auth.AllowAccount(t.Context(), "a")) != http.StatusNotFound {
		t.Error("without a principal an account is reached")
	}
}
