package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/nethouse-academy/albato/shared/connection"
	"github.com/nethouse-academy/albato/shared/delivery"
)

// metricsOf adds up the metric lines of the log since it was last read.
func (w *world) metricsOf(t *testing.T) map[string]float64 {
	t.Helper()
	sum := map[string]float64{}
	lines := bufio.NewScanner(&w.logs)
	for lines.Scan() {
		var line map[string]any
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatalf("%s: %v", lines.Text(), err)
		}
		if line["_aws"] == nil {
			continue
		}
		for name, v := range line {
			switch v := v.(type) {
			case float64:
				sum[name] += v
			case []any:
				for _, x := range v {
					sum[name] += x.(float64)
				}
			}
		}
	}
	return sum
}

func TestHowThingsStandIsMeasured(t *testing.T) {
	w := newWorld(t)
	fine, _ := message(t, 1, "order-1")
	fine.Attributes["SentTimestamp"] = fmt.Sprint(time.Now().Add(-time.Hour).UnixMilli())
	w.run(t, fine)
	m := w.metricsOf(t)
	if m["ConnectionsSeen"] != 1 || m["ConnectionsFailing"] != 0 || m["Delivered"] != 1 {
		t.Errorf("a delivery: %v", m)
	}
	if age := m["QueueAge"] / 3.6e6; age < 1 || age > 1.1 {
		t.Errorf("the queue's age is %v h, want one", age)
	}
	if _, waits := m["OldestWaiting"]; waits {
		t.Error("something waits where everything was delivered")
	}

	// A dead link: the connection is in trouble, and its oldest event as old as its acceptance.
	w.status = http.StatusInternalServerError
	_, d := message(t, 2, "order-2")
	d.CreatedAt = time.Now().Add(-2 * time.Hour)
	text, err := delivery.Message{Delivery: d}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	w.run(t, record(2, text))
	m = w.metricsOf(t)
	if m["ConnectionsSeen"] != 1 || m["ConnectionsFailing"] != 1 || m["Held"] != 1 {
		t.Errorf("a failure: %v", m)
	}
	if age := m["OldestWaiting"] / 3.6e6; age < 2 || age > 2.1 {
		t.Errorf("the oldest event waits %v h, want two", age)
	}

	// What comes while it is in trouble is not tried, and seen all the same.
	later, _ := message(t, 3, "order-3")
	w.run(t, later)
	if m = w.metricsOf(t); m["ConnectionsFailing"] != 1 || m["Attempts"] != 0 {
		t.Errorf("an event for a failing connection: %v", m)
	}

	// A token sleeps on purpose; its age says nothing. Nothing is left of the invocation before.
	w.handler.observer.flush()
	token := record(4, delivery.Token{AccountID: "academy-1001", ConnectionID: "con_none"}.Encode())
	token.Attributes["SentTimestamp"] = "1"
	w.run(t, token)
	if m = w.metricsOf(t); len(m) != 0 {
		t.Errorf("a token of nobody: %v", m)
	}
}

func TestARetryByHandIsNotOld(t *testing.T) {
	w := newWorld(t)
	w.status = http.StatusInternalServerError
	_, d := message(t, 1, "order-1")
	d.CreatedAt = time.Now().Add(-20 * 24 * time.Hour)
	text, err := delivery.Message{Delivery: d, Retry: "again"}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	w.run(t, record(1, text))
	if m := w.metricsOf(t); m["Held"] != 1 || m["OldestWaiting"] > 1000 {
		t.Errorf("%v", m)
	}
}

// TestEventsHoldTheirSchema holds the three events to what is promised to those who listen: exactly these members.
func TestEventsHoldTheirSchema(t *testing.T) {
	w := newWorld(t)
	since := time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC)
	c := connection.Connection{ID: "con_1", AccountID: "academy-1001", Name: "CRM", Link: "https://h.albato.ru/wh/38/secret-part-of-the-link/"}
	const always = "account_id connection_id connection_name previous_state since state"
	for _, step := range []struct {
		health connection.Health
		before connection.State
		event  string
		want   string
	}{
		{connection.Health{State: connection.Failing, Since: since, LastStatus: 500, LastError: "http_500", NextAttemptAt: since.Add(time.Minute)},
			connection.Healthy, "connection.failing", always + " last_error last_status next_attempt_at"},
		{connection.Health{State: connection.Failing, Since: since, LastError: "timeout", NextAttemptAt: since.Add(time.Minute)},
			connection.Healthy, "connection.failing", always + " last_error next_attempt_at"},
		{connection.Health{State: connection.Suspended, Since: since, LastStatus: 410, LastError: "http_410"},
			connection.Failing, "connection.suspended", always + " last_error last_status"},
		{connection.Health{State: connection.Healthy, Since: since},
			connection.Failing, "connection.recovered", always},
	} {
		w.changes = nil
		c.Health = step.health
		w.observer.Turned(t.Context(), c, step.before)
		if len(w.changes) != 1 {
			t.Fatalf("%s: told %d times", step.event, len(w.changes))
		}
		name, detail, _ := strings.Cut(w.changes[0], " ")
		var members map[string]any
		if err := json.Unmarshal([]byte(detail), &members); err != nil {
			t.Fatal(err)
		}
		got := slices.Sorted(maps.Keys(members))
		want := strings.Fields(step.want)
		slices.Sort(want)
		if name != step.event || !slices.Equal(got, want) {
			t.Errorf("%s with %v, want %s with %v", name, got, step.event, want)
		}
		if members["state"] != string(step.health.State) || members["previous_state"] != string(step.before) || members["since"] != "2026-11-23T09:30:00Z" {
			t.Errorf("%s: %s", name, detail)
		}
		if strings.Contains(detail, "secret-part") {
			t.Errorf("%s tells the link", name)
		}
	}
}

// TestAChangeIsToldOnceHoweverOftenItIsSeen: batches of one dead connection, one after another, tell of it once; so does
// the last attempt of the schedule.
func TestAChangeIsToldOnceHoweverOftenItIsSeen(t *testing.T) {
	w := newWorld(t)
	if err := w.sender.Schedule.UnmarshalText([]byte("1s")); err != nil {
		t.Fatal(err)
	}
	w.status = http.StatusBadGateway
	var batch []events.SQSMessage
	for n := range 3 {
		r, _ := message(t, n, fmt.Sprint("order", n))
		batch = append(batch, r)
	}
	for range 3 {
		w.run(t, batch...)
	}
	tokens, err := w.cloud.SQS.Receive(t.Context(), w.cloud.Retries, 10, 0)
	if err != nil || len(tokens) != 1 {
		t.Fatalf("%d tokens, %v", len(tokens), err)
	}
	token := record(9, tokens[0].Body)
	token.ReceiptHandle = tokens[0].ReceiptHandle
	key := delivery.ConnectionKey{AccountID: "academy-1001", ConnectionID: "con_1"}
	w.sender.Now = func() time.Time { return time.Now().Add(time.Minute) }
	for range 4 { // the token, and the same message again as SQS may hand it over
		w.run(t, token)
	}
	c, _, err := w.table.Connection(t.Context(), key)
	if err != nil || c.Health.State != connection.Suspended {
		t.Fatalf("state %s, %v", c.Health.State, err)
	}
	var told []string
	for _, change := range w.changes {
		name, _, _ := strings.Cut(change, " ")
		told = append(told, name)
	}
	if want := []string{"connection.failing", "connection.suspended"}; !slices.Equal(told, want) {
		t.Errorf("told %v, want %v", told, want)
	}
}
