package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"

	"github.com/nethouse-academy/albato/shared/connection"
	"github.com/nethouse-academy/albato/shared/delivery"
	"github.com/nethouse-academy/albato/shared/event"
	"github.com/nethouse-academy/albato/shared/local/inmemory"
	"github.com/nethouse-academy/albato/shared/queue"
	"github.com/nethouse-academy/albato/shared/table"
	"github.com/nethouse-academy/albato/shared/telemetry"
	"github.com/nethouse-academy/albato/shared/webhook"
)

// world is the function over the real adapters, with a receiver on this machine.
type world struct {
	handler
	cloud *inmemory.Services
	table *table.Table
	logs  bytes.Buffer

	mu       sync.Mutex
	status   int
	requests []received1
	changes  []string // details of the events put
}

// received1 is one request at the receiver.
type received1 struct {
	header http.Header
	body   string
}

func (w *world) PutEvents(_ context.Context, in *eventbridge.PutEventsInput, _ ...func(*eventbridge.Options)) (*eventbridge.PutEventsOutput, error) {
	for _, e := range in.Entries {
		w.changes = append(w.changes, *e.DetailType+" "+*e.Detail)
	}
	return &eventbridge.PutEventsOutput{}, nil
}

func newWorld(t testing.TB) *world {
	t.Helper()
	cloud, err := inmemory.New(time.Now, 0)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{cloud: cloud, table: table.New(cloud.DB(nil), inmemory.TableName, time.Now), status: http.StatusOK}
	receiver := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.mu.Lock()
		defer w.mu.Unlock()
		w.requests = append(w.requests, received1{r.Header.Clone(), string(body)})
		rw.WriteHeader(w.status)
	}))
	t.Cleanup(receiver.Close)
	messages := cloud.Queues(nil)
	retries := queue.New(messages, cloud.Retries)
	watch := &observer{log: telemetry.NewLogger(&w.logs, "info", "sender", "test"), metrics: telemetry.NewMetrics(&w.logs, "sender", time.Now),
		bus: w, busName: "default", now: time.Now}
	var schedule delivery.Schedule
	if err := schedule.UnmarshalText([]byte(delivery.DefaultSchedule)); err != nil {
		t.Fatal(err)
	}
	w.handler = handler{deadLetters: queue.New(messages, cloud.DeadLetters), observer: watch, sender: &delivery.Sender{
		Log: w.table, Line: w.table, Gate: w.table, Eraser: w.table, Tokens: queue.Tokens{Queue: retries},
		Deliveries: queue.New(messages, cloud.Deliveries), Retries: retries,
		Poster:   webhook.NewClient(webhook.Options{Timeout: 5 * time.Second, Version: "test", Rules: webhook.Rules{AllowLoopback: true}}),
		Observer: watch, Fault: watch.fault, Now: time.Now, Jitter: func() float64 { return 0 }, Schedule: schedule,
		Timeout: 5 * time.Second, Retention: 30 * 24 * time.Hour}}
	now := time.Now()
	if err := w.table.Create(t.Context(), connection.Connection{ID: "con_1", AccountID: "academy-1001", Name: "CRM", Link: webhook.Link(receiver.URL + "/albato/secret-part-of-the-link/"),
		Actions: []event.Action{event.OrderComplete}, Enabled: true, Version: 1, CreatedAt: now, UpdatedAt: now, Secret: webhook.NewSecret(),
		Health: connection.Health{State: connection.Healthy, Since: now}}); err != nil {
		t.Fatal(err)
	}
	return w
}

// message is a queued delivery of a sample, as the event source mapping hands it over.
func message(t testing.TB, n int, order string) (events.SQSMessage, delivery.Delivery) {
	t.Helper()
	e := event.Sample(event.OrderComplete, "academy-1001", fmt.Sprint("e", n), time.Now())
	d := delivery.Delivery{ID: e.DeliveryID("con_1"), EventID: e.ID, AccountID: e.AccountID, ConnectionID: "con_1", Action: e.Action,
		OrderID: order, CreatedAt: time.Now(), Body: e.Body(false)}
	text, err := delivery.Message{Delivery: d}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return record(n, text), d
}

func record(n int, text string) events.SQSMessage {
	return events.SQSMessage{MessageId: fmt.Sprint("m", n), ReceiptHandle: fmt.Sprint("h", n), Body: text,
		Attributes: map[string]string{"SequenceNumber": fmt.Sprintf("188494964604676961%02d", n), "MessageGroupId": "con_1", "ApproximateReceiveCount": "1"}}
}

func (w *world) run(t testing.TB, records ...events.SQSMessage) (back []string) {
	t.Helper()
	out, err := w.handle(context.Background(), events.SQSEvent{Records: records})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range out.BatchItemFailures {
		back = append(back, f.ItemIdentifier)
	}
	return back
}

func (w *world) entry(t testing.TB, d delivery.Delivery) delivery.Delivery {
	t.Helper()
	key := delivery.Key{ConnectionID: d.ConnectionID, DeliveryID: d.ID}
	found, err := w.table.Load(t.Context(), []delivery.Key{key})
	if err != nil {
		t.Fatal(err)
	}
	return found[key]
}

func TestABatchIsDeliveredForTwoCalls(t *testing.T) {
	w := newWorld(t)
	var records []events.SQSMessage
	var all []delivery.Delivery
	for n := range 10 {
		r, d := message(t, n, fmt.Sprint("order", n%3))
		records, all = append(records, r), append(all, d)
	}
	w.cloud.DynamoDB.ResetCalls()
	if back := w.run(t, records...); len(back) != 0 {
		t.Fatalf("come back: %v", back)
	}
	if calls := w.cloud.DynamoDB.Calls(); len(calls) != 2 || calls["BatchGetItem"] != 1 || calls["BatchWriteItem"] != 1 {
		t.Errorf("calls to the table: %v", calls)
	}
	if calls := w.cloud.SQS.Calls(); calls["SendMessage"]+calls["DeleteMessageBatch"]+calls["ChangeMessageVisibilityBatch"] != 0 {
		t.Errorf("calls to the queues: %v", calls)
	}
	at := map[string]int{}
	for i, r := range w.requests {
		at[r.body] = i
		if r.header.Get("Webhook-Attempt") != "1" || !strings.HasPrefix(r.header.Get("Webhook-Signature"), "v1,") {
			t.Errorf("headers: %v", r.header)
		}
	}
	for n, d := range all {
		if _, ok := at[string(d.Body)]; !ok {
			t.Fatalf("event %d did not arrive as it was queued", n)
		}
		if n >= 3 && at[string(d.Body)] < at[string(all[n-3].Body)] {
			t.Errorf("event %d overtook event %d of its order", n, n-3)
		}
		if e := w.entry(t, d); e.Status != delivery.Delivered || e.Attempts != 1 || !bytes.Equal(e.Body, d.Body) {
			t.Errorf("entry = %+v", e)
		}
	}
	// SQS hands them over again: nothing is sent twice.
	if back := w.run(t, records...); len(back) != 0 || len(w.requests) != 10 {
		t.Errorf("again: %d requests, come back: %v", len(w.requests), back)
	}
}

func TestTroubleIsToldOnceAndRecoveryToo(t *testing.T) {
	w := newWorld(t)
	w.status = http.StatusInternalServerError
	r, d := message(t, 1, "order")
	if back := w.run(t, r); len(back) != 0 {
		t.Fatalf("come back: %v", back)
	}
	second, _ := message(t, 2, "order")
	if back := w.run(t, second); len(back) != 0 || len(w.requests) != 1 {
		t.Fatalf("come back: %v, %d requests", back, len(w.requests))
	}
	if e := w.entry(t, d); e.Status != delivery.Waiting || e.LastStatus != 500 {
		t.Errorf("entry = %+v", e)
	}
	tokens, err := w.cloud.SQS.Receive(t.Context(), w.cloud.Retries, 10, 0)
	if err != nil || len(tokens) != 1 {
		t.Fatalf("%d tokens, %v", len(tokens), err)
	}
	// It is woken by a person, once the link works again.
	w.status = http.StatusNoContent
	key := delivery.ConnectionKey{AccountID: "academy-1001", ConnectionID: "con_1"}
	before, _, _ := w.table.Connection(t.Context(), key)
	after := before
	after.Resume(time.Now())
	if err := w.table.Update(t.Context(), before, after); err != nil {
		t.Fatal(err)
	}
	token := record(3, tokens[0].Body)
	token.ReceiptHandle = tokens[0].ReceiptHandle
	if back := w.run(t, token); len(back) != 0 {
		t.Fatalf("the token comes back: %v %s", back, w.logs.String())
	}
	if len(w.requests) != 3 || w.requests[1].header.Get("Webhook-Attempt") != "2" || w.requests[1].header.Get("Webhook-Id") != d.ID {
		t.Errorf("requests: %d", len(w.requests))
	}
	if len(w.changes) != 2 || !strings.HasPrefix(w.changes[0], "connection.failing {") || !strings.HasPrefix(w.changes[1], "connection.recovered {") {
		t.Fatalf("told: %v", w.changes)
	}
	var c change
	if err := json.Unmarshal([]byte(strings.TrimPrefix(w.changes[0], "connection.failing ")), &c); err != nil || c.LastStatus != 500 || c.State != "failing" || c.Previous != "healthy" || c.NextAttemptAt == nil {
		t.Errorf("%+v, %v", c, err)
	}
	for _, secret := range []string{"secret-part-of-the-link", "whsec_", "anna@example.com", "Анна", "+7999"} {
		if strings.Contains(w.logs.String()+strings.Join(w.changes, ""), secret) {
			t.Errorf("%q was logged or told", secret)
		}
	}
}

// TestSampleInvocations feeds the events of `sam local invoke` through the function: a connection that does not exist, a
// token of one, and a message that is not ours.
func TestSampleInvocations(t *testing.T) {
	for file, buried := range map[string]int{"deliveries.json": 0, "token.json": 0, "unreadable.json": 1} {
		w := newWorld(t)
		raw, err := os.ReadFile(filepath.Join("events", file))
		if err != nil {
			t.Fatal(err)
		}
		var batch events.SQSEvent
		if err := json.Unmarshal(raw, &batch); err != nil {
			t.Fatal(err)
		}
		if back := w.run(t, batch.Records...); len(back) != 0 || len(w.requests) != 0 {
			t.Errorf("%s: come back %v, %d requests", file, back, len(w.requests))
		}
		letters, err := w.cloud.SQS.Receive(t.Context(), w.cloud.DeadLetters, 10, 0)
		if err != nil || len(letters) != buried {
			t.Fatalf("%s: %d dead letters, %v", file, len(letters), err)
		}
		if buried == 1 && letters[0].Body != batch.Records[0].Body {
			t.Errorf("the dead letter is not what came: %q", letters[0].Body)
		}
	}
}
