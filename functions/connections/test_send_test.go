package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/nethouse-academy/albato/shared/connection"
	"github.com/nethouse-academy/albato/shared/event"
	"github.com/nethouse-academy/albato/shared/webhook"
)

// receiver stands in for Albato on a loopback socket.
type receiver struct {
	*httptest.Server
	mu       sync.Mutex
	requests []*http.Request
	bodies   []string
}

func newReceiver(t *testing.T, status int, response string) *receiver {
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, err := io.ReadAll(q.Body)
		if err != nil {
			t.Error(err)
		}
		r.mu.Lock()
		r.requests, r.bodies = append(r.requests, q), append(r.bodies, string(body))
		r.mu.Unlock()
		w.WriteHeader(status)
		_, _ = io.WriteString(w, response)
	}))
	t.Cleanup(r.Close)
	return r
}

func TestATestIsSentAtOnceInEveryState(t *testing.T) {
	w := newWorld(t)
	r := newReceiver(t, http.StatusAccepted, "принято")
	path := w.create(`{"webhook_url":"` + r.URL + `/wh/38/a/b/"}`)
	states := []struct {
		name  string
		state func()
	}{
		{"off", func() {}},
		{"on", func() { w.want(200, "PATCH", path, `{"enabled":true,"actions":["order_create"]}`) }},
		{"failing", func() { w.hold(path, 1) }},
		{"suspended", func() { w.suspend(path) }},
	}
	for _, s := range states {
		s.state()
		before := w.saved(path)
		for _, trigger := range event.Triggers() {
			n := len(r.bodies)
			a := w.want(http.StatusOK, "POST", path+"/test", `{"action":"`+string(trigger.Action)+`"}`)
			if len(r.bodies) != n+1 {
				t.Fatalf("%s: %d requests", s.name, len(r.bodies)-n)
			}
			if a.body["delivered"] != true || a.body["status"] != 202.0 || a.body["error"] != nil || a.body["error_text"] != nil || a.text("response") != "принято" {
				t.Errorf("%s: answer %s", s.name, a.raw)
			}
			if !strings.HasSuffix(string(a.raw), `"request":`+r.bodies[n]+`}`) {
				t.Errorf("%s: the answer shows another body than was sent:\n%s\n%s", s.name, a.raw, r.bodies[n])
			}
			got := r.requests[n]
			if got.Method != "POST" || got.URL.Path != "/wh/38/a/b/" || got.Header.Get("Webhook-Id") != a.text("delivery_id") || got.Header.Get("Webhook-Attempt") != "1" {
				t.Errorf("%s: request %s %s %v", s.name, got.Method, got.URL.Path, got.Header)
			}
			signature, err := webhook.SignatureHeader(before.Secrets(w.clock.now()), a.text("delivery_id"), w.clock.now(), []byte(r.bodies[n]))
			if err != nil || got.Header.Get("Webhook-Signature") != signature {
				t.Errorf("%s: signature %q", s.name, got.Header.Get("Webhook-Signature"))
			}
			entry := w.want(http.StatusOK, "GET", path+"/deliveries/"+a.text("delivery_id"), "")
			if entry.body["test"] != true || entry.text("status") != "delivered" || entry.body["attempts"] != 1.0 || entry.text("action") != string(trigger.Action) {
				t.Errorf("%s: entry %s", s.name, entry.raw)
			}
		}
		if after := w.saved(path); after.Health != before.Health || after.Generation != before.Generation || after.Version != before.Version {
			t.Errorf("%s: a test changed the connection", s.name)
		}
	}
	if w.want(http.StatusOK, "GET", path, "").health()["last_delivered_at"] != nil {
		t.Error("a test counts as the last delivery")
	}
}

func TestATestSignsWithBothSecretsDuringRotation(t *testing.T) {
	w := newWorld(t)
	r := newReceiver(t, http.StatusOK, "")
	path := w.create(`{"webhook_url":"` + r.URL + `/a"}`)
	w.want(http.StatusOK, "POST", path+"/secret/rotate", "")
	w.want(http.StatusOK, "POST", path+"/test", `{"action":"order_create"}`)
	if got := r.requests[0].Header.Get("Webhook-Signature"); strings.Count(got, "v1,") != 2 {
		t.Errorf("signature %q", got)
	}
}

func TestATestThatFailsSaysWhy(t *testing.T) {
	w := newWorld(t)
	gone := newReceiver(t, 200, "")
	gone.Close()
	for name, c := range map[string]struct {
		url    string
		status any
		code   string
		words  string
	}{
		"refuses the event":    {newReceiver(t, 422, "no such field").URL, 422.0, "http_422", "422"},
		"does not know it":     {newReceiver(t, 404, "").URL, 404.0, "http_404", "404"},
		"does not listen":      {gone.URL, nil, "refused", "не принимает соединения"},
		"says it has gone":     {newReceiver(t, 410, "").URL, 410.0, "http_410", "410"},
		"sends somewhere else": {newReceiver(t, 302, "").URL, 302.0, "http_302", "302"},
	} {
		t.Run(name, func(t *testing.T) {
			path := w.create(`{"webhook_url":"` + c.url + `/a"}`)
			a := w.want(http.StatusOK, "POST", path+"/test", `{"action":"order_complete"}`)
			if a.body["delivered"] != false || a.body["status"] != c.status || a.body["error"] != c.code || !strings.Contains(a.text("error_text"), c.words) {
				t.Errorf("answer %s", a.raw)
			}
			entry := w.want(http.StatusOK, "GET", path+"/deliveries/"+a.text("delivery_id"), "")
			if entry.text("status") != "failed" || entry.body["last_error"] != c.code || entry.body["last_status"] != c.status {
				t.Errorf("entry %s", entry.raw)
			}
			if got := w.saved(path).Health.State; got != connection.Healthy {
				t.Errorf("the connection is %s", got)
			}
			if n := len(w.receive(w.cloud.Deliveries)) + w.tokens(); n != 0 {
				t.Errorf("%d messages", n)
			}
		})
	}
}

func TestATestsAnswerIsCut(t *testing.T) {
	w := newWorld(t)
	path := w.create(`{"webhook_url":"` + newReceiver(t, 200, strings.Repeat("ё", 3000)).URL + `/a"}`)
	a := w.want(http.StatusOK, "POST", path+"/test", `{"action":"order_create"}`)
	if n := len(a.text("response")); n == 0 || n > 1024 {
		t.Errorf("%d bytes of the answer are shown", n)
	}
}

// TestATestThatCannotBeLoggedWasSentAllTheSame: what the organiser wants to know is what the receiver said.
func TestATestThatCannotBeLoggedWasSentAllTheSame(t *testing.T) {
	w := newWorld(t)
	path := w.create(`{"webhook_url":"` + newReceiver(t, 200, "").URL + `/a"}`)
	w.faults.set(func(operation string) bool { return operation == "BatchWriteItem" })
	if a := w.want(http.StatusOK, "POST", path+"/test", `{"action":"order_create"}`); a.body["delivered"] != true {
		t.Errorf("answer %s", a.raw)
	}
	if !strings.Contains(w.logs.String(), "logging a test") {
		t.Error("nothing in the log")
	}
}

func TestALinkNoLongerAllowedIsNotCalled(t *testing.T) {
	w := newWorld(t)
	r := newReceiver(t, 200, "")
	path := w.create(`{"webhook_url":"` + r.URL + `/a"}`)
	w.poster = webhook.NewClient(webhook.Options{Rules: webhook.Rules{AllowedHosts: []string{"h.albato.ru"}}})
	a := w.want(http.StatusOK, "POST", path+"/test", `{"action":"order_create"}`)
	if a.body["error"] != "blocked" || len(r.bodies) != 0 {
		t.Errorf("answer %s, %d requests", a.raw, len(r.bodies))
	}
}
