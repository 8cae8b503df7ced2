package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/nethouse-academy/albato/shared/auth"
	"github.com/nethouse-academy/albato/shared/connection"
	"github.com/nethouse-academy/albato/shared/delivery"
	"github.com/nethouse-academy/albato/shared/event"
	"github.com/nethouse-academy/albato/shared/local/inmemory"
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

// received is a message taken from a queue.
type received struct {
	message *delivery.Message
	token   *delivery.Token
	handle  string
}

// receive takes what is visible in a queue.
func (w *world) receive(url string) (all []received) {
	w.Helper()
	for {
		out, err := w.cloud.Queues(nil).ReceiveMessage(w.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 10})
		if err != nil {
			w.Fatal(err)
		}
		if len(out.Messages) == 0 {
			return all
		}
		for _, m := range out.Messages {
			message, token, err := delivery.Decode(*m.Body)
			if err != nil {
				w.Fatal(err)
			}
			all = append(all, received{message, token, *m.ReceiptHandle})
		}
	}
}

// acknowledge deletes messages, so that the next of their group are visible.
func (w *world) acknowledge(url string, all []received) {
	w.Helper()
	for _, m := range all {
		if _, err := w.cloud.Queues(nil).DeleteMessage(w.Context(), &sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: &m.handle}); err != nil {
			w.Fatal(err)
		}
	}
}

// tokens takes the tokens that are awake.
func (w *world) tokens() int { w.Helper(); return len(w.receive(w.cloud.Retries)) }

// saved reads a connection as it is stored.
func (w *world) saved(path string) connection.Connection {
	w.Helper()
	parts := strings.Split(path, "/")
	c, found, err := w.direct().Connection(w.Context(), delivery.ConnectionKey{AccountID: parts[3], ConnectionID: parts[5]})
	if err != nil || !found {
		w.Fatalf("reading %s: %v, %v", path, found, err)
	}
	return c
}

// hold makes a connection failing, as a sender does, with entries of n events waiting: order 1, order 2, …
func (w *world) hold(path string, n int) {
	w.Helper()
	c := w.saved(path)
	now := w.clock.now()
	turn := c.Health
	turn.State, turn.Since, turn.Attempts = connection.Failing, now, 1
	turn.NextAttemptAt, turn.LastStatus, turn.LastError = now.Add(5*time.Second), 503, "http_503"
	h := delivery.Hold{Read: c, Turn: &turn}
	for i := 1; i <= n; i++ {
		d := w.entry(c, i, delivery.Waiting)
		d.Sequence, _ = connection.ParseSequence(strconv.Itoa(i))
		h.Deliveries = append(h.Deliveries, d)
	}
	if err := w.store.Hold(w.Context(), h); err != nil {
		w.Fatal(err)
	}
}

// direct gives the table past the faults.
func (w *world) direct() *table.Table {
	return table.New(w.cloud.DB(nil), inmemory.TableName, w.clock.now)
}

// suspend gives a failing connection up.
func (w *world) suspend(path string) { w.Helper(); w.suspendBy(w.store, path) }

func (w *world) suspendBy(store *table.Table, path string) {
	w.Helper()
	c := w.saved(path)
	health := c.Health
	health.State, health.Since, health.NextAttemptAt = connection.Suspended, w.clock.now(), time.Time{}
	health.TokenSentAt, health.TokenHandle = time.Time{}, ""
	if err := store.SaveHealth(w.Context(), c, health, false); err != nil {
		w.Fatal(err)
	}
}

// sleep gives a failing connection a token that sleeps for an hour.
func (w *world) sleep(path string) {
	w.Helper()
	c := w.saved(path)
	if err := w.controls.Tokens.Send(w.Context(), delivery.Token{AccountID: c.AccountID, ConnectionID: c.ID}); err != nil {
		w.Fatal(err)
	}
	token := w.receive(w.cloud.Retries)
	if len(token) != 1 {
		w.Fatalf("%d tokens", len(token))
	}
	if err := queue.New(w.cloud.Queues(nil), w.cloud.Retries).Delay(w.Context(), []string{token[0].handle}, time.Hour); err != nil {
		w.Fatal(err)
	}
	health := c.Health
	health.TokenHandle, health.TokenSentAt, health.NextAttemptAt = token[0].handle, w.clock.now(), w.clock.now().Add(time.Hour)
	if err := w.store.SaveHealth(w.Context(), c, health, false); err != nil {
		w.Fatal(err)
	}
}

// entry is the log's entry of an event of order i, accepted i seconds from now.
func (w *world) entry(c connection.Connection, i int, status delivery.Status) delivery.Delivery {
	at := w.clock.now().Add(time.Duration(i) * time.Second)
	e := event.Event{ID: "event-" + strconv.Itoa(i), AccountID: c.AccountID, OccurredAt: at, Action: event.OrderComplete,
		OrderID: strconv.Itoa(i), Data: []byte(`{"action":"order_complete","order":{"id":` + strconv.Itoa(i) + `}}`)}
	d := delivery.Delivery{ID: e.DeliveryID(c.ID), EventID: e.ID, AccountID: c.AccountID, ConnectionID: c.ID, Action: e.Action,
		OrderID: e.OrderID, Status: status, CreatedAt: at, Body: e.Body(false), ExpiresAt: at.Add(w.retention)}
	switch status {
	case delivery.Delivered:
		d.Note(delivery.Attempt{At: at, Status: 200, Duration: 87 * time.Millisecond, Response: "ok"})
	case delivery.Failed:
		d.Note(delivery.Attempt{At: at, Status: 400, Error: "http_400", Duration: 5 * time.Millisecond})
	}
	return d
}

// logged writes entries and gives their ids.
func (w *world) logged(path string, statuses ...delivery.Status) (ids []string) {
	w.Helper()
	c := w.saved(path)
	for i, s := range statuses {
		d := w.entry(c, i+1, s)
		if err := w.store.Record(w.Context(), []delivery.Delivery{d}); err != nil {
			w.Fatal(err)
		}
		ids = append(ids, d.ID)
	}
	return ids
}
