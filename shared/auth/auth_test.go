package auth_test

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/nethouse-academy/albato/shared/apigw"
	"github.com/nethouse-academy/albato/shared/auth"
)

// status is what an error is answered with.
func status(t testing.TB, err error) int {
	t.Helper()
	if err == nil {
		return http.StatusOK
	}
	w := httptest.NewRecorder()
	apigw.WriteError(w, httptest.NewRequest(http.MethodGet, "/", nil), err)
	return w.Code
}

func pageToken(t testing.TB, keys *auth.Keys, account string, ttl time.Duration) string {
	t.Helper()
	token, _, err := keys.IssuePageToken(t.Context(), account, ttl)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func derived(t testing.TB, apiKey string) []byte {
	t.Helper()
	key, err := hkdf.Key(sha256.New, []byte(apiKey), nil, "albato page token v1", 32)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// claims of a good page token, for tests to spoil.
func claims() jwt.MapClaims {
	return jwt.MapClaims{"iss": "nethouse-academy-albato", "aud": "albato-page", "sub": "academy-1",
		"iat": start.Unix(), "exp": start.Add(time.Hour).Unix()}
}

func signed(t testing.TB, method jwt.SigningMethod, c jwt.MapClaims, key any) string {
	t.Helper()
	token, err := jwt.NewWithClaims(method, c).SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func with(name string, value any) jwt.MapClaims {
	c := claims()
	if c[name] = value; value == nil {
		delete(c, name)
	}
	return c
}

func TestAuthenticate(t *testing.T) {
	keys, _ := newKeys(secretJSON(currentKey, previousKey))
	key := derived(t, currentKey)
	hs := jwt.SigningMethodHS256
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	good := signed(t, hs, claims(), key)
	parts := strings.Split(good, ".")
	other := base64.RawURLEncoding.EncodeToString([]byte(`{"iss":"nethouse-academy-albato","aud":"albato-page","sub":"academy-2","iat":1,"exp":99999999999}`))

	for name, tc := range map[string]struct {
		header  string
		kind    auth.Kind
		account string
	}{
		"API key":             {"Bearer " + currentKey, auth.KindAPIKey, ""},
		"previous API key":    {"Bearer " + previousKey, auth.KindAPIKey, ""},
		"scheme in lower":     {"bearer " + currentKey, auth.KindAPIKey, ""},
		"two spaces":          {"Bearer  " + currentKey, auth.KindAPIKey, ""},
		"page token":          {"Bearer " + good, auth.KindPage, "academy-1"},
		"of the previous key": {"Bearer " + signed(t, hs, claims(), derived(t, previousKey)), auth.KindPage, "academy-1"},

		"nothing":             {"", 0, ""},
		"scheme alone":        {"Bearer", 0, ""},
		"empty token":         {"Bearer ", 0, ""},
		"Basic":               {"Basic " + currentKey, 0, ""},
		"no scheme":           {currentKey, 0, ""},
		"wrong key":           {"Bearer " + nextKey, 0, ""},
		"beginning of a key":  {"Bearer " + currentKey[:47], 0, ""},
		"key and more":        {"Bearer " + currentKey + "x", 0, ""},
		"two tokens":          {"Bearer " + currentKey + ", Bearer " + currentKey, 0, ""},
		"very long":           {"Bearer " + strings.Repeat("a", 1<<20), 0, ""},
		"other key":           {"Bearer " + signed(t, hs, claims(), derived(t, nextKey)), 0, ""},
		"API key as HMAC key": {"Bearer " + signed(t, hs, claims(), []byte(currentKey)), 0, ""},
		"alg none":            {"Bearer " + signed(t, jwt.SigningMethodNone, claims(), jwt.UnsafeAllowNoneSignatureType), 0, ""},
		"alg none, signature": {"Bearer " + signed(t, jwt.SigningMethodNone, claims(), jwt.UnsafeAllowNoneSignatureType) + parts[2], 0, ""},
		"HS512":               {"Bearer " + signed(t, jwt.SigningMethodHS512, claims(), key), 0, ""},
		"RS256":               {"Bearer " + signed(t, jwt.SigningMethodRS256, claims(), private), 0, ""},
		"no signature":        {"Bearer " + parts[0] + "." + parts[1] + ".", 0, ""},
		"other claims":        {"Bearer " + parts[0] + "." + other + "." + parts[2], 0, ""},
		"two parts":           {"Bearer " + parts[0] + "." + parts[1], 0, ""},
		"dots":                {"Bearer ..", 0, ""},
		"expired":             {"Bearer " + signed(t, hs, with("exp", start.Add(-time.Second).Unix()), key), 0, ""},
		"expires now":         {"Bearer " + signed(t, hs, with("exp", start.Unix()), key), 0, ""},
		"no expiry":           {"Bearer " + signed(t, hs, with("exp", nil), key), 0, ""},
		"expiry as text":      {"Bearer " + signed(t, hs, with("exp", "tomorrow"), key), 0, ""},
		"longer than allowed": {"Bearer " + signed(t, hs, with("exp", start.Add(24*time.Hour+time.Second).Unix()), key), 0, ""},
		"no issue time":       {"Bearer " + signed(t, hs, with("iat", nil), key), 0, ""},
		"other issuer":        {"Bearer " + signed(t, hs, with("iss", "academy"), key), 0, ""},
		"no issuer":           {"Bearer " + signed(t, hs, with("iss", nil), key), 0, ""},
		"other audience":      {"Bearer " + signed(t, hs, with("aud", "albato-other"), key), 0, ""},
		"no audience":         {"Bearer " + signed(t, hs, with("aud", nil), key), 0, ""},
		"no account":          {"Bearer " + signed(t, hs, with("sub", nil), key), 0, ""},
		"empty account":       {"Bearer " + signed(t, hs, with("sub", ""), key), 0, ""},
		"account as a list":   {"Bearer " + signed(t, hs, with("sub", []string{"academy-1"}), key), 0, ""},
		"not valid yet":       {"Bearer " + signed(t, hs, with("nbf", start.Add(time.Minute).Unix()), key), 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := keys.Authenticate(t.Context(), tc.header)
			want := http.StatusOK
			if tc.kind == 0 {
				want = http.StatusUnauthorized
			}
			if p.Kind != tc.kind || p.AccountID != tc.account || status(t, err) != want {
				t.Errorf("%+v, %v, want %+v", p, err, tc)
			}
		})
	}
}

func TestIssuePageToken(t *testing.T) {
	keys, v := newKeys(secretJSON(currentKey, ""))
	for ttl, want := range map[time.Duration]time.Duration{
		0: time.Hour, time.Minute: time.Minute, 24 * time.Hour: 24 * time.Hour,
		time.Second: -1, 59 * time.Second: -1, 24*time.Hour + time.Second: -1, -time.Hour: -1, 1 << 62: -1,
	} {
		token, expires, err := keys.IssuePageToken(t.Context(), "academy-1", ttl)
		if want < 0 {
			if status(t, err) != http.StatusUnprocessableEntity || token != "" || !strings.Contains(err.Error(), "ttl_seconds") {
				t.Errorf("%v: %q, %v, want 422 for ttl_seconds", ttl, token, err)
			}
			continue
		}
		if err != nil || !expires.Equal(start.Add(want)) || expires.Location() != time.UTC {
			t.Errorf("%v: expires %v, error %v, want %v", ttl, expires, err, start.Add(want))
		}
		if p, err := keys.Authenticate(t.Context(), "Bearer "+token); err != nil || p.AccountID != "academy-1" || p.Kind != auth.KindPage {
			t.Errorf("%v: %+v, %v", ttl, p, err)
		}
	}
	if _, _, err := keys.IssuePageToken(t.Context(), "", 0); err == nil {
		t.Error("a token for no account was made")
	}

	// What is promised is what is checked, to the second.
	v.advance(700 * time.Millisecond)
	token, expires, err := keys.IssuePageToken(t.Context(), "academy-1", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	v.advance(expires.Sub(v.clock()) - time.Millisecond)
	if _, err := keys.Authenticate(t.Context(), "Bearer "+token); err != nil {
		t.Errorf("just before its end: %v", err)
	}
	v.advance(time.Millisecond)
	if _, err := keys.Authenticate(t.Context(), "Bearer "+token); status(t, err) != http.StatusUnauthorized {
		t.Errorf("at its end: %v", err)
	}
}

func TestPageTokenSaysOnlyWhatItMust(t *testing.T) {
	keys, _ := newKeys(secretJSON(currentKey, ""))
	b, err := base64.RawURLEncoding.DecodeString(strings.Split(pageToken(t, keys, "academy-1", 0), ".")[1])
	var got map[string]any
	if err != nil || json.Unmarshal(b, &got) != nil || len(got) != 5 || got["sub"] != "academy-1" {
		t.Errorf("%s, %v", b, err)
	}
}

func TestConcurrentRequestsShareOneReading(t *testing.T) {
	keys, v := newKeys(secretJSON(currentKey, ""))
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := keys.Authenticate(t.Context(), "Bearer "+currentKey); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if v.count() != 1 {
		t.Errorf("%d readings, want 1", v.count())
	}
}

// FuzzAuthenticate: no header makes anybody of a stranger, breaks the parser, or gives a 5xx.
func FuzzAuthenticate(f *testing.F) {
	keys, v := newKeys(secretJSON(currentKey, ""))
	v.advance(time.Hour)
	f.Add("Bearer x.y.z")
	f.Add("Bearer " + pageToken(f, keys, "academy-1", 0))
	f.Add("Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.")
	f.Fuzz(func(t *testing.T, header string) {
		p, err := keys.Authenticate(t.Context(), header)
		token, _ := strings.CutPrefix(header, "Bearer ")
		if err == nil && p.AccountID != "academy-1" && strings.TrimLeft(token, " ") != currentKey {
			t.Fatalf("%q became %+v", header, p)
		}
		if err != nil && status(t, err) != http.StatusUnauthorized {
			t.Fatalf("%q: %v", header, err)
		}
	})
}
