package auth_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/nethouse-academy/albato/shared/account"
	"github.com/nethouse-academy/albato/shared/apigw"
	"github.com/nethouse-academy/albato/shared/auth"
)

// tokens are those in force, by their hashes.
type tokens struct {
	accounts map[string]string
	err      error
	asked    int
}

func (s *tokens) AccountOfToken(_ context.Context, hash string) (string, error) {
	s.asked++
	return s.accounts[hash], s.err
}

func (s *tokens) add(accountID string) (secret string) {
	secret = account.NewToken()
	hash, _ := account.TokenHash(secret)
	s.accounts[hash] = accountID
	return secret
}

func TestAnAccountTokenReachesItsAccountWhereItIsTaken(t *testing.T) {
	keys, _ := newKeys(secretJSON(currentKey, ""))
	stored := &tokens{accounts: map[string]string{}}
	mine := stored.add("academy-1")
	whoami := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, _ := auth.FromContext(r.Context())
		apigw.WriteJSON(w, r, http.StatusOK, p)
	})
	mux := http.NewServeMux()
	mux.Handle("GET /v1/accounts/{account}", keys.RequireAccount(stored, whoami))
	mux.Handle("GET /v1/accounts/{account}/connections", keys.Require(whoami))
	mux.Handle("POST /v1/events", keys.RequireAPIKey(whoami))
	call := func(method, path, token string) int {
		r := httptest.NewRequest(method, path, nil)
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		return w.Code
	}
	for _, c := range []struct {
		name, method, path, token string
		status, lookups           int
	}{
		{"its own account", "GET", "/v1/accounts/academy-1", mine, 200, 1},
		{"another account", "GET", "/v1/accounts/academy-2", mine, 404, 1},
		{"a token never made", "GET", "/v1/accounts/academy-1", account.NewToken(), 401, 1},
		{"half a token is not looked up", "GET", "/v1/accounts/academy-1", mine[:30], 401, 0},
		{"a route that takes none", "GET", "/v1/accounts/academy-1/connections", mine, 401, 0},
		{"an event", "POST", "/v1/events", mine, 401, 0},
		{"the API key", "GET", "/v1/accounts/academy-2", currentKey, 200, 0},
		{"a page token", "GET", "/v1/accounts/academy-1", pageToken(t, keys, "academy-1", time.Hour), 200, 0},
		{"another page's token", "GET", "/v1/accounts/academy-2", pageToken(t, keys, "academy-1", time.Hour), 404, 0},
	} {
		stored.asked = 0
		if got := call(c.method, c.path, c.token); got != c.status || stored.asked != c.lookups {
			t.Errorf("%s: %d after %d lookups, want %d after %d", c.name, got, stored.asked, c.status, c.lookups)
		}
	}
	stored.err = errors.New("no answer")
	if got := call("GET", "/v1/accounts/academy-1", mine); got != 503 {
		t.Errorf("a token that could not be looked up: %d, want 503", got)
	}
}
