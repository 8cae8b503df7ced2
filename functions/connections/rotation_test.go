package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// Both secrets sign until the very end of the day, and a second rotation ends what is left of the first one's overlap.
func TestTheSecretBeforeSignsForADay(t *testing.T) {
	w := newWorld(t)
	w.clock.at = time.Now() // the library compares with its own clock
	r := newReceiver(t, http.StatusOK, "")
	made := w.want(http.StatusCreated, "POST", collection, `{"webhook_url":"`+r.URL+`/x"}`)
	path, secrets := made.Header.Get("Location"), []string{made.text("signing_secret")}
	rotate := func() {
		t.Helper()
		secrets = append(secrets, w.want(http.StatusOK, "POST", path+"/secret/rotate", "").text("signing_secret"))
	}
	check := func(when string, good ...int) {
		t.Helper()
		w.want(http.StatusOK, "POST", path+"/test", `{"action":"order_create"}`)
		r.mu.Lock()
		defer r.mu.Unlock()
		last := len(r.requests) - 1
		if n := len(strings.Fields(r.requests[last].Header.Get("Webhook-Signature"))); n != len(good) {
			t.Errorf("%s: %d signatures, want %d", when, n, len(good))
		}
		var verified []int
		for i, secret := range secrets {
			wh, err := standardwebhooks.NewWebhook(secret)
			if err != nil {
				t.Fatal(err)
			}
			if wh.VerifyIgnoringTimestamp([]byte(r.bodies[last]), r.requests[last].Header) == nil {
				verified = append(verified, i)
			}
		}
		if len(verified) != len(good) {
			t.Errorf("%s: verified by %v, want %v", when, verified, good)
		}
		for i := range min(len(verified), len(good)) {
			if verified[i] != good[i] {
				t.Errorf("%s: verified by %v, want %v", when, verified, good)
			}
		}
	}
	check("at first", 0)
	rotate()
	check("rotated", 0, 1)
	w.clock.move(24*time.Hour - time.Millisecond)
	check("in the last moment", 0, 1)
	w.clock.move(time.Millisecond)
	check("a day later", 1)
	rotate()
	check("rotated again", 1, 2)
	w.clock.move(time.Hour)
	rotate()
	check("rotated a third time within the day", 2, 3)
	if secrets[0] == secrets[1] || secrets[1] == secrets[2] || secrets[2] == secrets[3] {
		t.Error("a rotation gave the same secret")
	}
	if listed := w.want(http.StatusOK, "GET", path, ""); strings.Contains(string(listed.raw), "whsec_") {
		t.Errorf("a secret is shown again: %s", listed.raw)
	}
}
