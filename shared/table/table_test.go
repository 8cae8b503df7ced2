package table_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/nethouse-academy/albato/shared/connection"
	"github.com/nethouse-academy/albato/shared/delivery"
	"github.com/nethouse-academy/albato/shared/event"
	"github.com/nethouse-academy/albato/shared/local/inmemory"
	"github.com/nethouse-academy/albato/shared/problem"
	"github.com/nethouse-academy/albato/shared/table"
	"github.com/nethouse-academy/albato/shared/webhook"
)

var start = time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)

type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func newTable(t *testing.T) (*table.Table, *inmemory.Services, *clock) {
	t.Helper()
	c := &clock{start}
	s, err := inmemory.New(c.now, 0)
	if err != nil {
		t.Fatal(err)
	}
	return table.New(s.DB(nil), inmemory.TableName, c.now), s, c
}

func newConnection(id string) connection.Connection {
	return connection.Connection{ID: id, AccountID: "a1", Name: "CRM", Link: webhook.Link("https://h.albato.ru/wh/38/" + id + "/"),
		Actions: []event.Action{event.OrderCreate, event.OrderComplete}, Enabled: true, Version: 1, CreatedAt: start, UpdatedAt: start,
		Secret: "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", Health: connection.Health{State: connection.Healthy, Since: start}}
}

func create(t *testing.T, tb *table.Table, c connection.Connection) connection.Connection {
	t.Helper()
	if err := tb.Create(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	return read(t, tb, c.ID)
}

func read(t *testing.T, tb *table.Table, id string) connection.Connection {
	t.Helper()
	c, found, err := tb.Connection(t.Context(), delivery.ConnectionKey{AccountID: "a1", ConnectionID: id})
	if err != nil || !found {
		t.Fatalf("reading %s: found %v, %v", id, found, err)
	}
	return c
}

func waiting(id string, seq string) delivery.Delivery {
	s, err := connection.ParseSequence(seq)
	if err != nil {
		panic(err)
	}
	return delivery.Delivery{ID: "dlv_" + id, EventID: "e" + id, AccountID: "a1", ConnectionID: "con_1", Action: event.OrderCreate,
		OrderID: "o" + id, Status: delivery.Waiting, Sequence: s, CreatedAt: start, ExpiresAt: start.Add(time.Hour),
		Body: []byte(`{"data":{"name":"Курс «Go»"}}`)}
}

func TestConnectionRoundTrip(t *testing.T) {
	tb, _, _ := newTable(t)
	want := newConnection("con_1")
	want.Health = connection.Health{State: connection.Failing, Since: start, Attempts: 3, NextAttemptAt: start.Add(time.Minute),
		LastStatus: 500, LastError: "http_500", HeldThrough: "1", SkipThrough: "0", Alone: "o", TokenSentAt: start, TokenHandle: "h"}
	want.PreviousSecret, want.PreviousSecretUntil, want.Generation = "whsec_b", start.Add(time.Hour), 4
	got := create(t, tb, want)
	if !equal(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	all, err := tb.Connections(t.Context(), "a1", true)
	if err != nil || len(all) != 1 || !equal(all[0], want) {
		t.Errorf("list: %+v, %v", all, err)
	}
}

func equal(a, b connection.Connection) bool {
	if len(a.Actions) != len(b.Actions) {
		return false
	}
	for i := range a.Actions {
		if a.Actions[i] != b.Actions[i] {
			return false
		}
	}
	a.Actions, b.Actions = nil, nil
	return a.ID == b.ID && a.AccountID == b.AccountID && a.Name == b.Name && a.Link == b.Link && a.Enabled == b.Enabled &&
		a.Version == b.Version && a.Secret == b.Secret && a.PreviousSecret == b.PreviousSecret && a.Generation == b.Generation &&
		a.CreatedAt.Equal(b.CreatedAt) && a.PreviousSecretUntil.Equal(b.PreviousSecretUntil) && a.Health == b.Health
}

func TestALinkIsTakenOnceAnAccount(t *testing.T) {
	tb, _, _ := newTable(t)
	first := create(t, tb, newConnection("con_1"))
	second := newConnection("con_2")
	second.Link = first.Link
	if err := tb.Create(t.Context(), second); !problem.Is(err, problem.WebhookURLTaken) {
		t.Fatalf("the same link again: %v", err)
	}
	if err := tb.Create(t.Context(), newConnection("con_2")); err != nil {
		t.Fatal(err)
	}
	// Changing to a taken link is refused, to a free one frees the old.
	before := read(t, tb, "con_2")
	after := before
	after.Link = first.Link
	if err := tb.Update(t.Context(), before, after); !problem.Is(err, problem.WebhookURLTaken) {
		t.Fatalf("changing to a taken link: %v", err)
	}
	moved := first
	moved.Link, moved.Version = "https://h.albato.ru/wh/38/elsewhere/", 2
	if err := tb.Update(t.Context(), first, moved); err != nil {
		t.Fatal(err)
	}
	if err := tb.Update(t.Context(), before, after); err != nil {
		t.Fatalf("the old link is not free: %v", err)
	}
}

func TestDeletingFreesTheLinkAndThePlace(t *testing.T) {
	tb, _, _ := newTable(t)
	before := create(t, tb, newConnection("con_1"))
	after := before
	after.Delete(start)
	if err := tb.Update(t.Context(), before, after); err != nil {
		t.Fatal(err)
	}
	if all, err := tb.Connections(t.Context(), "a1", true); err != nil || len(all) != 0 {
		t.Errorf("a deleted connection is listed: %v, %v", all, err)
	}
	again := newConnection("con_2")
	again.Link = before.Link
	if err := tb.Create(t.Context(), again); err != nil {
		t.Error(err)
	}
}

func TestUpdateIsConditional(t *testing.T) {
	tb, _, _ := newTable(t)
	before := create(t, tb, newConnection("con_1"))
	after := before
	after.Name, after.Version = "Sheet", 2
	if err := tb.Update(t.Context(), before, after); err != nil {
		t.Fatal(err)
	}
	if err := tb.Update(t.Context(), before, after); !errors.Is(err, delivery.ErrMoved) {
		t.Errorf("a stale update: %v", err)
	}
}

func TestHoldMovesLineAndMarkTogether(t *testing.T) {
	tb, _, _ := newTable(t)
	ctx := t.Context()
	c := create(t, tb, newConnection("con_1"))
	turn := c.Health
	turn.State, turn.Attempts = connection.Failing, 1
	if err := tb.Hold(ctx, delivery.Hold{Read: c, Turn: &turn, Deliveries: []delivery.Delivery{waiting("1", "9"), waiting("2", "10")}}); err != nil {
		t.Fatal(err)
	}
	if err := tb.Hold(ctx, delivery.Hold{Read: c, Turn: &turn, Deliveries: []delivery.Delivery{waiting("3", "11")}}); !errors.Is(err, delivery.ErrMoved) {
		t.Fatalf("a hold on what was healthy: %v", err)
	}
	line, err := tb.Waiting(ctx, "con_1", 10)
	if err != nil || len(line) != 2 || line[0].DeliveryID != "dlv_1" || line[1].OrderID != "o2" {
		t.Fatalf("line = %+v, %v", line, err)
	}
	now := read(t, tb, "con_1")
	if now.Health.State != connection.Failing || now.Health.HeldThrough != line[1].Sequence {
		t.Errorf("health = %+v", now.Health)
	}
	// Healthy again only if nothing was held since it was read.
	if err := tb.Hold(ctx, delivery.Hold{Read: now, Deliveries: []delivery.Delivery{waiting("3", "11")}}); err != nil {
		t.Fatal(err)
	}
	healthy := connection.Health{State: connection.Healthy}
	if err := tb.SaveHealth(ctx, now, healthy, true); !errors.Is(err, delivery.ErrMoved) {
		t.Errorf("healthy over something held: %v", err)
	}
	if err := tb.SaveHealth(ctx, read(t, tb, "con_1"), healthy, true); err != nil {
		t.Error(err)
	}
	found, err := tb.Load(ctx, []delivery.Key{{ConnectionID: "con_1", DeliveryID: "dlv_1"}, {ConnectionID: "con_1", DeliveryID: "dlv_none"}})
	if err != nil || len(found) != 1 || string(found[delivery.Key{ConnectionID: "con_1", DeliveryID: "dlv_1"}].Body) != `{"data":{"name":"Курс «Go»"}}` {
		t.Errorf("load = %+v, %v", found, err)
	}
	if err := tb.Dequeue(ctx, "con_1", []connection.Sequence{line[0].Sequence, line[0].Sequence + "9"}); err != nil {
		t.Error(err)
	}
	if line, _ := tb.Waiting(ctx, "con_1", 10); len(line) != 2 || line[0].DeliveryID != "dlv_2" {
		t.Errorf("line = %+v", line)
	}
}

// TestSwitchingOffSkipsWhatIsHeldMeanwhile: the mark is copied within the write, so a hold between the reading and the
// writing of the person's act is skipped too.
func TestSwitchingOffSkipsWhatIsHeldMeanwhile(t *testing.T) {
	tb, _, _ := newTable(t)
	c := create(t, tb, newConnection("con_1"))
	turn := c.Health
	turn.State = connection.Failing
	if err := tb.Hold(t.Context(), delivery.Hold{Read: c, Turn: &turn, Deliveries: []delivery.Delivery{waiting("1", "1")}}); err != nil {
		t.Fatal(err)
	}
	before := read(t, tb, "con_1")
	if err := tb.Hold(t.Context(), delivery.Hold{Read: before, Deliveries: []delivery.Delivery{waiting("2", "2")}}); err != nil {
		t.Fatal(err)
	}
	after := before
	after.SwitchOff()
	if err := tb.Update(t.Context(), before, after); err != nil {
		t.Fatal(err)
	}
	now := read(t, tb, "con_1")
	if now.Enabled || now.Health.SkipThrough != now.Health.HeldThrough || now.Health.SkipThrough == "" {
		t.Errorf("health = %+v", now.Health)
	}
	if err := tb.Hold(t.Context(), delivery.Hold{Read: before, Deliveries: []delivery.Delivery{waiting("3", "3")}}); !errors.Is(err, delivery.ErrMoved) {
		t.Errorf("a hold after switching off: %v", err)
	}
}

func TestReadsHonourExpiry(t *testing.T) {
	tb, _, clock := newTable(t)
	d := waiting("1", "1")
	d.Status = delivery.Delivered
	if err := tb.Record(t.Context(), []delivery.Delivery{d}); err != nil {
		t.Fatal(err)
	}
	key := delivery.Key{ConnectionID: "con_1", DeliveryID: "dlv_1"}
	find := func() bool {
		s, err := tb.Lookup(t.Context(), nil, []delivery.Key{key})
		if err != nil {
			t.Fatal(err)
		}
		_, ok := s.Deliveries[key]
		return ok
	}
	if !find() {
		t.Error("the entry is not found")
	}
	clock.t = d.ExpiresAt.Add(time.Second)
	if find() {
		t.Error("an expired entry is found, though DynamoDB has not deleted it yet")
	}
}

func TestEraseDeletesEverythingPageByPage(t *testing.T) {
	tb, _, _ := newTable(t)
	before := create(t, tb, newConnection("con_1"))
	var entries []delivery.Delivery
	for i := range 250 {
		d := waiting(string(rune('a'+i%26))+string(rune('a'+i/26)), "1")
		entries = append(entries, d)
	}
	if err := tb.Record(t.Context(), entries); err != nil {
		t.Fatal(err)
	}
	pages := 1
	for {
		more, err := tb.Erase(t.Context(), before)
		if err != nil {
			t.Fatal(err)
		}
		if !more {
			break
		}
		pages++
	}
	if err := tb.Forget(t.Context(), before); err != nil {
		t.Fatal(err)
	}
	if _, found, _ := tb.Connection(t.Context(), delivery.ConnectionKey{AccountID: "a1", ConnectionID: "con_1"}); found || pages < 3 {
		t.Errorf("found %v after %d pages", found, pages)
	}
	keys := []delivery.Key{{ConnectionID: "con_1", DeliveryID: entries[0].ID}, {ConnectionID: "con_1", DeliveryID: entries[249].ID}}
	if left, err := tb.Load(t.Context(), keys); err != nil || len(left) != 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

// TestAUsualEntryIsOneWriteUnit keeps the log at one unit (1 KB) for an order as the Academy sends it.
func TestAUsualEntryIsOneWriteUnit(t *testing.T) {
	tb, s, _ := newTable(t)
	for _, trigger := range event.Triggers() {
		e := event.Sample(trigger.Action, "academy-1001", "0e5c7c1e-7a58-4a5e-9a51-3a1d3b0c8f10", start)
		d := delivery.Delivery{ID: e.DeliveryID("con_1"), EventID: e.ID, AccountID: e.AccountID, ConnectionID: "con_01KA9V3N7E0000000000000000",
			Action: e.Action, OrderID: e.OrderID, Status: delivery.Delivered, Attempts: 1, CreatedAt: start, LastAttemptAt: start,
			LastStatus: 200, Duration: 80 * time.Millisecond, History: []delivery.Attempt{{At: start, Status: 200, Duration: 80 * time.Millisecond}},
			Body: e.Body(false), ExpiresAt: start.Add(time.Hour)}
		s.DynamoDB.ResetCalls()
		if err := tb.Record(context.Background(), []delivery.Delivery{d}); err != nil {
			t.Fatal(err)
		}
		if units := s.DynamoDB.Units()["BatchWriteItem"].Write; units != 1 {
			t.Errorf("%s: %v write units", trigger.Action, units)
		}
	}
}
