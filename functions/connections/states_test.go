package main

import (
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/nethouse-academy/albato/shared/connection"
	"github.com/nethouse-academy/albato/shared/delivery"
	"github.com/nethouse-academy/albato/shared/event"
	"github.com/nethouse-academy/albato/shared/local/inmemory"
	"github.com/nethouse-academy/albato/shared/queue"
	"github.com/nethouse-academy/albato/shared/table"
)

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
