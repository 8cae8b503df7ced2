package auth_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestKeyRotation(t *testing.T) {
	keys, v := newKeys(secretJSON(currentKey, ""))
	check := func(when, token string, want int) {
		t.Helper()
		if _, err := keys.Authenticate(t.Context(), "Bearer "+token); status(t, err) != want {
			t.Errorf("%s: %v, want %d", when, err, want)
		}
	}
	old := pageToken(t, keys, "academy-1", time.Hour)
	check("before", currentKey, 200)
	check("before, the next key", nextKey, 401)

	v.advance(time.Minute)
	v.set(secretJSON(nextKey, currentKey), nil)
	check("the new key works at once", nextKey, 200)
	check("the old one still does", currentKey, 200)
	check("and its page tokens do", old, 200)
	fresh := pageToken(t, keys, "academy-1", time.Hour)

	v.set(secretJSON(nextKey, ""), nil)
	check("within five minutes of the end", currentKey, 200)
	v.advance(5 * time.Minute)
	check("five minutes later", currentKey, 401)
	v.advance(time.Minute)
	check("and with it its page tokens", old, 401)
	check("but not the new key's", fresh, 200)
}

func TestPageTokenKeysOfTheirOwn(t *testing.T) {
	one, two := strings.Repeat("1", 32), strings.Repeat("2", 32)
	keys, v := newKeys(secretJSON(currentKey, "", one))
	old := pageToken(t, keys, "academy-1", time.Hour)
	v.set(secretJSON(currentKey, "", two, one), nil)
	v.advance(5 * time.Minute)
	fresh := pageToken(t, keys, "academy-1", time.Hour)
	for name, token := range map[string]string{"old": old, "fresh": fresh} {
		if p, err := keys.Authenticate(t.Context(), "Bearer "+token); err != nil || p.AccountID != "academy-1" {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
	v.set(secretJSON(currentKey, "", two), nil)
	v.advance(5 * time.Minute)
	if _, err := keys.Authenticate(t.Context(), "Bearer "+old); status(t, err) != http.StatusUnauthorized {
		t.Errorf("signed by a key that is gone: %v", err)
	}
	if _, err := keys.Authenticate(t.Context(), "Bearer "+fresh); err != nil {
		t.Error(err)
	}
}

// A flood of wrong tokens must not become a flood of calls to Secrets Manager.
func TestUnknownTokensCauseFewReadings(t *testing.T) {
	keys, v := newKeys(secretJSON(currentKey, ""))
	wrong := func(n int) {
		for range n {
			if _, err := keys.Authenticate(t.Context(), "Bearer "+nextKey); status(t, err) != http.StatusUnauthorized {
				t.Fatal(err)
			}
		}
	}
	wrong(100)
	if v.count() != 1 {
		t.Errorf("%d readings right after the first, want 1", v.count())
	}
	v.advance(10 * time.Second)
	wrong(100)
	if v.count() != 2 {
		t.Errorf("%d readings after ten seconds, want 2", v.count())
	}
	// An expired token is ours: no newer key would change that.
	token := pageToken(t, keys, "academy-1", time.Minute)
	v.advance(2 * time.Minute)
	if _, err := keys.Authenticate(t.Context(), "Bearer "+token); status(t, err) != http.StatusUnauthorized {
		t.Error(err)
	}
	if v.count() != 2 {
		t.Errorf("%d readings, an expired token caused one", v.count())
	}
	// Nor does anything without a token.
	v.advance(time.Minute)
	if _, err := keys.Authenticate(t.Context(), "Basic x"); status(t, err) != http.StatusUnauthorized || v.count() != 2 {
		t.Errorf("%v, %d readings", err, v.count())
	}
}

// If it cannot be known whether a token is right, nobody is told that it is wrong.
func TestUnreadableSecretIsUnavailableNever401(t *testing.T) {
	expect := func(keysDown string, token string, err error, want int) {
		t.Helper()
		if status(t, err) != want {
			t.Errorf("%s, %.8s…: %v, want %d", keysDown, token, err, want)
		}
	}
	keys, v := newKeys(secretJSON(currentKey, ""))
	v.set("", errDown)
	for _, token := range []string{currentKey, nextKey, "x.y.z"} {
		_, err := keys.Authenticate(t.Context(), "Bearer "+token)
		expect("down from the start", token, err, 503)
	}
	if _, _, err := keys.IssuePageToken(t.Context(), "academy-1", 0); status(t, err) != 503 {
		t.Errorf("%v, want 503", err)
	}
	if _, err := keys.Authenticate(t.Context(), ""); status(t, err) != 401 {
		t.Errorf("no token needs no secret: %v", err)
	}

	v.set(secretJSON(currentKey, ""), nil)
	_, err := keys.Authenticate(t.Context(), "Bearer "+currentKey)
	expect("up again", currentKey, err, 200)

	v.set("", errDown)
	v.advance(6 * time.Minute)
	_, err = keys.Authenticate(t.Context(), "Bearer "+currentKey)
	expect("down, known key", currentKey, err, 200)
	_, err = keys.Authenticate(t.Context(), "Bearer "+nextKey)
	expect("down, unknown key", nextKey, err, 503)
	if n := v.count(); n > 6 {
		t.Errorf("%d readings: the outage is hammered", n)
	}
	v.advance(time.Hour)
	_, err = keys.Authenticate(t.Context(), "Bearer "+currentKey)
	expect("down too long", currentKey, err, 503)
}

func TestBrokenSecretLetsNobodyInAndIsNotRepeated(t *testing.T) {
	for name, secret := range map[string]string{
		"empty": "", "not JSON": "hunter2-hunter2", "no key": `{}`, "empty key": secretJSON("", ""), "short key": secretJSON("h2", ""),
		"short previous": secretJSON(currentKey, "h2"), "short page key": secretJSON(currentKey, "", "hunter2"),
		"another type": `{"api_key":["hunter2-hunter2"]}`, "only previous": secretJSON("", previousKey),
	} {
		keys, _ := newKeys(secret)
		for _, token := range []string{currentKey, previousKey, "hunter2", "hunter2-hunter2"} {
			_, err := keys.Authenticate(t.Context(), "Bearer "+token)
			if status(t, err) != http.StatusServiceUnavailable || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%s: %v, want unavailable", name, err)
			}
		}
	}
}
