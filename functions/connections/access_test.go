package main

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/nethouse-academy/albato/shared/auth"
	"github.com/nethouse-academy/albato/shared/delivery"
)

// session opens a page for an account and gives its token.
func (w *world) session(account, body string) (token, expires string) {
	w.Helper()
	a := w.want(http.StatusCreated, "POST", "/v1/accounts/"+account+"/page-sessions", body)
	u, err := url.Parse(a.text("url"))
	if err != nil {
		w.Fatal(err)
	}
	values, err := url.ParseQuery(u.Fragment)
	if err != nil || u.Scheme != "https" || u.Path != "/page" || u.Host != "example.com" || u.RawQuery != "" {
		w.Fatalf("address %s", a.text("url"))
	}
	return values.Get("token"), a.text("expires_at")
}

func TestAPageSessionReachesItsAccountUntilItExpires(t *testing.T) {
	w := newWorld(t)
	w.create(on)
	token, expires := w.session(account, "")
	if expires != "2026-11-23T10:30:00Z" {
		t.Errorf("expires %s", expires)
	}
	short, expires := w.session(account, `{"ttl_seconds":60}`)
	if expires != "2026-11-23T09:31:00Z" {
		t.Errorf("expires %s", expires)
	}
	w.token = short
	w.want(http.StatusOK, "GET", collection, "")
	w.clock.move(time.Minute)
	w.want(http.StatusUnauthorized, "GET", collection, "")
	w.token = token
	w.want(http.StatusOK, "GET", collection, "")
	w.want(http.StatusUnauthorized, "POST", "/v1/accounts/"+account+"/page-sessions", "")
}

func TestAPageSessionOnOnesOwnMachineIsHTTP(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		loopback bool
		proto    string
		want     string
	}{{true, "http", "http://"}, {true, "https", "https://"}, {false, "http", "https://"}, {false, "", "https://"}} {
		w.rules.AllowLoopback = c.loopback
		a := w.want(http.StatusCreated, "POST", "/v1/accounts/"+account+"/page-sessions", "", "X-Forwarded-Proto", c.proto)
		if !strings.HasPrefix(a.text("url"), c.want+"example.com/page#token=") {
			t.Errorf("%+v: %s", c, a.text("url"))
		}
	}
}

// TestNobodyElseGetsIn walks every route with every kind of wrong token. A 404 for another account must not tell whether
// that account, or anything in it, exists.
func TestNobodyElseGetsIn(t *testing.T) {
	w := newWorld(t)
	one := w.create(on)
	id := w.logged(one, delivery.Failed)[0]
	routes := [][3]string{
		{"POST", "/connections", on}, {"GET", "/connections", ""},
		{"GET", "{one}", ""}, {"PATCH", "{one}", `{"name":"x"}`}, {"DELETE", "{one}", ""},
		{"POST", "{one}/test", `{"action":"order_create"}`}, {"POST", "{one}/resume", ""}, {"POST", "{one}/secret/rotate", ""},
		{"GET", "{one}/deliveries", ""}, {"GET", "{one}/deliveries/summary", ""}, {"GET", "{one}/deliveries/{id}", ""},
		{"POST", "{one}/deliveries/{id}/retry", ""}, {"POST", "{one}/replay", `{` + day + `}`},
		{"DELETE", "/orders/1/deliveries", ""}, {"DELETE", "", ""}, {"POST", "/page-sessions", ""},
	}
	api := w.token
	expired, _ := w.session(account, `{"ttl_seconds":60}`)
	w.clock.move(2 * time.Minute)
	foreign, _ := w.session("other", "")
	claims := jwt.RegisteredClaims{Issuer: "nethouse-academy-albato", Audience: jwt.ClaimStrings{"albato-page"}, Subject: account,
		IssuedAt: jwt.NewNumericDate(w.clock.now()), ExpiresAt: jwt.NewNumericDate(w.clock.now().Add(time.Hour))}
	none, err := jwt.NewWithClaims(jwt.SigningMethodNone, claims).SignedString(jwt.UnsafeAllowNoneSignatureType)
	if err != nil {
		t.Fatal(err)
	}
	stranger := auth.NewKeys(secret(`{"api_key":"another-academy"}`), w.clock.now)
	forged, _, err := stranger.IssuePageToken(context.Background(), account, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	before := w.saved(one)
	for name, c := range map[string]struct {
		token string
		code  string
	}{
		"no token": {"", "unauthorized"}, "a wrong key": {api + "x", "unauthorized"}, "expired": {expired, "unauthorized"},
		"alg none": {none, "unauthorized"}, "another key": {forged, "unauthorized"}, "another account": {foreign, "not_found"},
	} {
		for _, r := range routes {
			path := "/v1/accounts/" + account + strings.NewReplacer("{one}", strings.TrimPrefix(one, "/v1/accounts/"+account), "{id}", id).Replace(r[1])
			w.token = c.token
			a := w.call(r[0], path, r[2])
			want := c.code
			if name == "another account" && r[1] == "/page-sessions" {
				want = "unauthorized" // the API key's alone
			}
			if a.text("code") != want || (a.StatusCode != 401 && a.StatusCode != 404) {
				t.Errorf("%s: %s %s: %d %s", name, r[0], r[1], a.StatusCode, a.raw)
			}
			nowhere := w.call(r[0], strings.Replace(path, account, "nobody", 1), r[2])
			if nowhere.StatusCode != a.StatusCode || string(nowhere.raw) != string(a.raw) {
				t.Errorf("%s: %s %s: an account that does not exist is answered %s, one that does %s", name, r[0], r[1], nowhere.raw, a.raw)
			}
		}
	}
	if after := w.saved(one); after.Version != before.Version || after.Deleted || after.Generation != before.Generation {
		t.Errorf("somebody got in: %+v", after)
	}
	w.token = foreign
	w.want(http.StatusOK, "GET", "/v1/accounts/other/connections", "")
}
