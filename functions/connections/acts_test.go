package main

import (
	"net/http"
	"testing"
	"time"

	"github.com/nethouse-academy/albato/shared/connection"
	"github.com/nethouse-academy/albato/shared/delivery"
	"github.com/nethouse-academy/albato/shared/webhook"
)

// TestActsSeeToTheToken: what waits is delivered, skipped or erased by the token, so every act that bears on it must end
// with a token that is awake or on its way, and no other act should trouble it.
func TestActsSeeToTheToken(t *testing.T) {
	resume := func(w *world, path string) { w.want(http.StatusAccepted, "POST", path+"/resume", "") }
	patch := func(body string) func(*world, string) {
		return func(w *world, path string) { w.want(http.StatusOK, "PATCH", path, body) }
	}
	remove := func(w *world, path string) { w.want(http.StatusNoContent, "DELETE", path, "") }
	otherLink := patch(`{"webhook_url":"` + link + `other"}`)

	healthy := func(*world, string) {}
	failing := func(w *world, path string) { w.hold(path, 2) } // the sender has just held, the token is not yet sent
	asleep := func(w *world, path string) { w.hold(path, 2); w.sleep(path) }
	suspended := func(w *world, path string) { w.hold(path, 2); w.suspend(path) }

	for name, c := range map[string]struct {
		state  func(*world, string)
		act    func(*world, string)
		tokens int
		now    bool // the next attempt is at once
	}{
		"healthy, resume":           {healthy, resume, 0, false},
		"healthy, off":              {healthy, patch(`{"enabled":false}`), 0, false},
		"healthy, new link":         {healthy, otherLink, 0, false},
		"healthy, delete":           {healthy, remove, 1, false}, // it erases the log
		"failing, resume":           {failing, resume, 1, true},
		"failing, rename":           {failing, patch(`{"name":"x"}`), 1, false},
		"asleep, resume":            {asleep, resume, 1, true},
		"asleep, rename":            {asleep, patch(`{"name":"x"}`), 0, false},
		"asleep, nothing":           {asleep, patch(`{}`), 0, false},
		"asleep, new link":          {asleep, otherLink, 1, true},
		"asleep, delete":            {asleep, remove, 1, false},
		"suspended, resume":         {suspended, resume, 1, true},
		"suspended, new link":       {suspended, otherLink, 1, true},
		"suspended, rename":         {suspended, patch(`{"name":"x"}`), 0, false},
		"suspended, off":            {suspended, patch(`{"enabled":false}`), 1, false},
		"suspended, off, on":        {suspended, func(w *world, path string) { patch(`{"enabled":false}`)(w, path); patch(`{"enabled":true}`)(w, path) }, 1, true},
		"suspended, off, resume":    {suspended, func(w *world, path string) { patch(`{"enabled":false}`)(w, path); resume(w, path) }, 1, false},
		"suspended, delete":         {suspended, remove, 1, false},
		"suspended, delete, delete": {suspended, func(w *world, path string) { remove(w, path); remove(w, path) }, 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			path := w.create(on)
			c.state(w, path)
			w.clock.move(time.Second)
			c.act(w, path)
			// Tokens of one connection are one group, of which a receive gives the first at least.
			if n := w.tokens(); min(n, 1) != c.tokens {
				t.Errorf("%d tokens are awake", n)
			}
			if got := w.saved(path).Health; got.NextAttemptAt.Equal(w.clock.now()) != c.now {
				t.Errorf("next attempt at %v, now it is %v", got.NextAttemptAt, w.clock.now())
			}
		})
	}
}

// TestALostTokenIsReplaced: a failing connection whose token has long been due and does not come gets a new one by any
// act, though the act itself moves the next attempt.
func TestALostTokenIsReplaced(t *testing.T) {
	w := newWorld(t)
	path := w.create(on)
	w.hold(path, 1)
	w.sleep(path)
	url := w.cloud.Retries
	w.clock.move(time.Hour)
	w.acknowledge(url, w.receive(url)) // lost
	w.clock.move(20 * time.Minute)
	w.want(http.StatusAccepted, "POST", path+"/resume", "")
	if n := w.tokens(); n != 1 {
		t.Errorf("%d tokens", n)
	}
}

// TestAnActWithoutItsTokenIsRepeated: the answer is a 503 with Retry-After when the token cannot be sent or woken, and the
// same request does it again.
func TestAnActWithoutItsTokenIsRepeated(t *testing.T) {
	for name, c := range map[string]struct {
		asleep             bool
		method, path, body string
		status             int
	}{
		"resume":        {false, "POST", "/resume", "", 202},
		"resume asleep": {true, "POST", "/resume", "", 202},
		"new link":      {false, "PATCH", "", `{"webhook_url":"` + link + `x"}`, 200},
		"relink asleep": {true, "PATCH", "", `{"webhook_url":"` + link + `x"}`, 200},
		"off":           {false, "PATCH", "", `{"enabled":false}`, 200},
		"off asleep":    {true, "PATCH", "", `{"enabled":false}`, 200},
		"delete":        {false, "DELETE", "", "", 204},
		"delete asleep": {true, "DELETE", "", "", 204},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			path := w.create(on)
			w.hold(path, 1)
			if c.asleep {
				w.sleep(path)
			}
			w.faults.set(func(operation string) bool {
				return operation == "SendMessage" || operation == "ChangeMessageVisibility"
			})
			a := w.want(http.StatusServiceUnavailable, c.method, path+c.path, c.body)
			if a.text("code") != "unavailable" || a.Header.Get("Retry-After") == "" {
				t.Errorf("answer %s", a.raw)
			}
			w.faults.set(nil)
			if n := w.tokens(); n != 0 {
				t.Fatalf("%d tokens came through", n)
			}
			w.want(c.status, c.method, path+c.path, c.body)
			if n := w.tokens(); n == 0 {
				t.Error("no token after the same request")
			}
		})
	}
}

func TestRotationShowsTheNewSecretAndKeepsTheOldForADay(t *testing.T) {
	w := newWorld(t)
	made := w.want(http.StatusCreated, "POST", collection, on)
	path := made.Header.Get("Location")
	// The health cannot be read: the secret must be shown all the same, since it is in force.
	w.faults.set(func(operation string) bool { return operation == "Query" })
	a := w.want(http.StatusOK, "POST", path+"/secret/rotate", "{}")
	w.faults.set(nil)
	fresh := a.text("signing_secret")
	if _, err := webhook.ParseSecret(fresh); err != nil || fresh == made.text("signing_secret") || a.body["version"] != 2.0 {
		t.Errorf("answer %s", a.raw)
	}
	c := w.saved(path)
	if got := c.Secrets(w.clock.now().Add(24*time.Hour - time.Millisecond)); len(got) != 2 || got[0].Reveal() != fresh || got[1].Reveal() != made.text("signing_secret") {
		t.Errorf("%d secrets sign within the day", len(got))
	}
	if got := c.Secrets(w.clock.now().Add(24 * time.Hour)); len(got) != 1 || got[0].Reveal() != fresh {
		t.Errorf("%d secrets sign after it", len(got))
	}
	if again := w.want(http.StatusOK, "GET", path, ""); again.body["signing_secret"] != nil {
		t.Error("the secret is shown again")
	}
	if c.Generation != 0 {
		t.Error("a rotation bears on delivery")
	}
}

// TestAnActOnTopOfAnother: between reading and writing the connection changes; the act is carried out on what it has become.
func TestAnActOnTopOfAnother(t *testing.T) {
	w := newWorld(t)
	path := w.create(on)
	between := func(times int, change func(*connection.Connection)) {
		w.faults.set(func(operation string) bool {
			if operation == "UpdateItem" && times > 0 {
				times--
				c := w.saved(path) // by a client of its own, below
				after := c
				change(&after)
				if err := w.direct().Update(t.Context(), c, after); err != nil {
					t.Error(err)
				}
			}
			return false
		})
	}
	rename := func(c *connection.Connection) { c.Name += "+"; c.Version++ }
	between(1, rename)
	a := w.want(http.StatusOK, "PATCH", path, `{"actions":["order_create"]}`)
	if a.body["name"] != "Albato+" || a.body["version"] != 3.0 {
		t.Errorf("answer %s", a.raw)
	}
	between(1, rename)
	if a = w.want(http.StatusPreconditionFailed, "PATCH", path, `{"name":"mine"}`, "If-Match", `"3"`); a.text("code") != "precondition_failed" {
		t.Errorf("answer %s", a.raw)
	}
	between(99, rename)
	if a = w.want(http.StatusConflict, "PATCH", path, `{"name":"mine"}`); a.text("code") != "conflict" {
		t.Errorf("answer %s", a.raw)
	}
	w.faults.set(nil)
	w.hold(path, 1)
	// The link's health is no change of a person's: it does not fail a precondition.
	version := w.want(http.StatusOK, "GET", path, "").Header.Get("ETag")
	times := 1
	w.faults.set(func(operation string) bool {
		if operation == "UpdateItem" && times > 0 {
			times--
			w.suspendBy(w.direct(), path)
		}
		return false
	})
	if a = w.want(http.StatusOK, "PATCH", path, `{"webhook_url":"`+link+`y"}`, "If-Match", version); a.health()["state"] != "failing" {
		t.Errorf("answer %s", a.raw)
	}
}

func TestRetry(t *testing.T) {
	w := newWorld(t)
	path := w.create(on)
	statuses := []delivery.Status{delivery.Delivered, delivery.Failed, delivery.Skipped}
	ids := w.logged(path, statuses...)
	for i, id := range ids {
		retry := path + "/deliveries/" + id + "/retry"
		for range 2 { // a double click
			if a := w.want(http.StatusAccepted, "POST", retry, ""); a.text("id") != id || a.text("status") != string(statuses[i]) {
				t.Errorf("answer %s", a.raw)
			}
		}
		got := w.receive(w.cloud.Deliveries)
		if len(got) != 1 {
			t.Fatalf("%s: %d messages", statuses[i], len(got))
		}
		want := w.entry(w.saved(path), i+1, statuses[i])
		if m := got[0].message; m.Delivery.ID != id || m.Retry == "" || string(m.Delivery.Body) != string(want.Body) ||
			m.Delivery.OrderID != want.OrderID || m.Delivery.EventID != want.EventID || m.Delivery.Action != want.Action {
			t.Errorf("message %+v", m)
		}
		w.acknowledge(w.cloud.Deliveries, got)
		// Once it was dealt with, another retry is another message.
		d := want
		d.Retry = got[0].message.Retry
		d.Note(delivery.Attempt{At: w.clock.now(), Status: 500, Error: "http_500"})
		if err := w.store.Record(t.Context(), []delivery.Delivery{d}); err != nil {
			t.Fatal(err)
		}
		w.want(http.StatusAccepted, "POST", retry, "{}")
		if again := w.receive(w.cloud.Deliveries); len(again) != 1 || again[0].message.Retry == d.Retry {
			t.Errorf("%s: after it was dealt with, %d messages", statuses[i], len(again))
		} else {
			w.acknowledge(w.cloud.Deliveries, again)
		}
	}
	w.faults.set(func(operation string) bool { return operation == "SendMessageBatch" })
	w.want(http.StatusServiceUnavailable, "POST", path+"/deliveries/"+ids[0]+"/retry", "")
}

func TestRetryOfWhatWaitsWakesTheTokenAndSendsNothing(t *testing.T) {
	w := newWorld(t)
	path := w.create(on)
	w.hold(path, 2)
	id := w.entry(w.saved(path), 1, delivery.Waiting).ID
	w.sleep(path)
	if a := w.want(http.StatusAccepted, "POST", path+"/deliveries/"+id+"/retry", ""); a.text("status") != "waiting" {
		t.Errorf("answer %s", a.raw)
	}
	if n := w.tokens(); n != 1 {
		t.Errorf("%d tokens awake", n)
	}
	w.suspend(path)
	if a := w.want(http.StatusAccepted, "POST", path+"/deliveries/"+id+"/retry", ""); a.text("status") != "held" {
		t.Errorf("answer %s", a.raw)
	}
	if c := w.saved(path); c.Health.State != connection.Suspended {
		t.Errorf("a retry has made it %s", c.Health.State)
	}
	if got := w.receive(w.cloud.Deliveries); len(got) != 0 {
		t.Errorf("%d messages", len(got))
	}
}
