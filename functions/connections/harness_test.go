package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nethouse-academy/albato/shared/auth"
	"github.com/nethouse-academy/albato/shared/delivery"
	"github.com/nethouse-academy/albato/shared/local/inmemory"
	"github.com/nethouse-academy/albato/shared/openapi/contract"
	"github.com/nethouse-academy/albato/shared/queue"
	"github.com/nethouse-academy/albato/shared/table"
	"github.com/nethouse-academy/albato/shared/telemetry"
	"github.com/nethouse-academy/albato/shared/webhook"
)

const (
	apiKey     = "key-of-the-academy"
	link       = "https://h.albato.ru/wh/38/1lf4uvs/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA/"
	account    = "academy-1001"
	collection = "/v1/accounts/" + account + "/connections"
)

// clock is moved by hand.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

type secret string

func (s secret) Secret(context.Context) ([]byte, error) { return []byte(s), nil }

// world is the function over the real table and queue adapters.
type world struct {
	testing.TB
	*handler
	clock  *clock
	cloud  *inmemory.Services
	faults *faults
	routes http.Handler
	logs   *bytes.Buffer
	token  string // of the caller
}

// faults makes calls of an AWS operation fail before they arrive.
type faults struct {
	mu   sync.Mutex
	fail func(operation string) bool
}

func (f *faults) wrap(next http.RoundTripper) http.RoundTripper { return &faulty{f, next} }

func (f *faults) set(fail func(operation string) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fail = fail
}

type faulty struct {
	*faults
	next http.RoundTripper
}

func (f *faulty) RoundTrip(r *http.Request) (*http.Response, error) {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	f.mu.Lock()
	fail := f.fail
	f.mu.Unlock()
	if fail != nil && fail(operation) {
		return nil, io.ErrUnexpectedEOF
	}
	return f.next.RoundTrip(r)
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{TB: t, clock: newClock(), token: apiKey, logs: &bytes.Buffer{}, faults: &faults{}}
	var err error
	if w.cloud, err = inmemory.New(w.clock.now, 0); err != nil {
		t.Fatal(err)
	}
	store := table.New(w.cloud.DB(w.faults.wrap), inmemory.TableName, w.clock.now)
	messages := w.cloud.Queues(w.faults.wrap)
	rules := webhook.Rules{AllowedHosts: []string{"h.albato.ru", "h.albato.com"}, AllowLoopback: true}
	w.handler = &handler{
		store: store, queue: queue.New(messages, w.cloud.Deliveries),
		controls: delivery.Controls{Tokens: queue.Tokens{Queue: queue.New(messages, w.cloud.Retries)}, Gate: store, Now: w.clock.now},
		poster:   webhook.NewClient(webhook.Options{Rules: rules, Version: "test", Timeout: 2 * time.Second, Now: w.clock.now}),
		keys:     auth.NewKeys(secret(`{"api_key":"`+apiKey+`"}`), w.clock.now), rules: rules,
		retention: 30 * 24 * time.Hour, log: telemetry.NewLogger(w.logs, "info", "connections", "test"), now: w.clock.now,
	}
	w.routes = w.handler.routes()
	if _, fuzzing := t.(*testing.F); !fuzzing { // which must not report by itself
		w.routes = contract.Load(t).Wrap(t, w.routes) // every test holds every answer against the API's description
	}
	return w
}

// answer is what came back.
type answer struct {
	*http.Response
	raw  []byte
	body map[string]any
}

// call makes a request; headers are pairs of name and value.
func (w *world) call(method, path, body string, headers ...string) answer {
	w.Helper()
	r := httptest.NewRequestWithContext(w.Context(), method, path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if w.token != "" {
		r.Header.Set("Authorization", "Bearer "+w.token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	rec := httptest.NewRecorder()
	w.routes.ServeHTTP(rec, r)
	a := answer{Response: rec.Result(), raw: rec.Body.Bytes()}
	if len(a.raw) > 0 {
		if err := json.Unmarshal(a.raw, &a.body); err != nil {
			w.Fatalf("%s %s: the answer is not a JSON object: %v: %s", method, path, err, a.raw)
		}
	}
	return a
}

// want makes a request and wants a status.
func (w *world) want(status int, method, path, body string, headers ...string) answer {
	w.Helper()
	a := w.call(method, path, body, headers...)
	if a.StatusCode != status {
		w.Fatalf("%s %s: status %d, want %d: %s", method, path, a.StatusCode, status, a.raw)
	}
	return a
}

// text gives a member of the body, which must be a string.
func (a answer) text(name string) string { s, _ := a.body[name].(string); return s }

// health gives the member of a connection.
func (a answer) health() map[string]any { m, _ := a.body["health"].(map[string]any); return m }

// create makes a connection and gives its path.
func (w *world) create(body string) (path string) {
	w.Helper()
	return w.want(http.StatusCreated, "POST", collection, body).Header.Get("Location")
}
