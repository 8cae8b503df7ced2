package table_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nethouse-academy/albato/shared/connection"
	"github.com/nethouse-academy/albato/shared/delivery"
	"github.com/nethouse-academy/albato/shared/local/inmemory"
	"github.com/nethouse-academy/albato/shared/table"
)

// heldEntries puts entries of three orders in the log and the line of a connection.
func heldEntries(t *testing.T, tb *table.Table, c connection.Connection, n int) {
	t.Helper()
	turn := c.Health
	turn.State = connection.Failing
	h := delivery.Hold{Read: c, Turn: &turn}
	for i := 1; i <= n; i++ {
		d := entry(i, delivery.Waiting)
		d.ConnectionID = c.ID
		h.Deliveries = append(h.Deliveries, d)
	}
	if err := tb.Hold(t.Context(), h); err != nil {
		t.Fatal(err)
	}
}

// left gives the orders of what is in a connection's log and line.
func left(t *testing.T, tb *table.Table, id string) (orders []string) {
	t.Helper()
	list, _, err := tb.Deliveries(t.Context(), newConnection(id), table.Filter{}, 100, "")
	if err != nil {
		t.Fatal(err)
	}
	line, err := tb.Waiting(t.Context(), id, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range list {
		orders = append(orders, d.OrderID)
	}
	for _, p := range line {
		orders = append(orders, p.OrderID)
	}
	slices.Sort(orders)
	return orders
}

func TestEraseOrderInAllConnectionsOfOneAccount(t *testing.T) {
	tb, _, _ := newTable(t)
	deleted := create(t, tb, newConnection("con_2"))
	other := newConnection("con_3")
	other.AccountID = "a2"
	if err := tb.Create(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	heldEntries(t, tb, create(t, tb, newConnection("con_1")), 6)
	heldEntries(t, tb, deleted, 3)
	heldEntries(t, tb, other, 3)
	deleted = read(t, tb, "con_2")
	gone := deleted
	gone.Delete(start)
	if err := tb.Update(t.Context(), deleted, gone); err != nil {
		t.Fatal(err)
	}

	if n, err := tb.EraseOrder(t.Context(), "a1", "o1"); n != 3 || err != nil {
		t.Fatalf("%d erased, %v", n, err)
	}
	for id, want := range map[string]string{"con_1": "o0 o0 o0 o0 o2 o2 o2 o2", "con_2": "o0 o0 o2 o2", "con_3": "o0 o0 o1 o1 o2 o2"} {
		if got := strings.Join(left(t, tb, id), " "); got != want {
			t.Errorf("%s has %s, want %s", id, got, want)
		}
	}
	if n, err := tb.EraseOrder(t.Context(), "a1", "o1"); n != 0 || err != nil {
		t.Errorf("again: %d, %v", n, err)
	}
}

// TestEraseOrderGoesOn: each call's time is up after three pages, and yet a log of many pages is erased to its end.
func TestEraseOrderGoesOn(t *testing.T) {
	tb, s, now := newTable(t)
	for _, id := range []string{"con_1", "con_2"} {
		create(t, tb, newConnection(id))
		for n := range 30 {
			d := entry(n, delivery.Delivered)
			d.ConnectionID = id
			record(t, tb, d)
		}
	}
	pages := 0
	var cancel context.CancelFunc
	slow := table.New(s.DB(shortPages(t, 5, func() {
		if pages++; pages == 4 { // the first lists the connections
			cancel()
		}
	})), inmemory.TableName, now.now)
	erased, calls := 0, 0
	for {
		if calls++; calls > 20 {
			t.Fatal("it does not come to an end")
		}
		var ctx context.Context
		ctx, cancel = context.WithCancel(t.Context())
		pages = 0
		n, err := slow.EraseOrder(ctx, "a1", "o1")
		cancel()
		if erased += n; err == nil {
			break
		}
	}
	if erased != 20 || calls < 3 {
		t.Errorf("%d erased in %d calls", erased, calls)
	}
	for _, id := range []string{"con_1", "con_2"} {
		if slices.Contains(left(t, tb, id), "o1") {
			t.Errorf("%s still has the order", id)
		}
	}
	if n := s.DynamoDB.Calls()["DeleteItem"]; n != 1 {
		t.Errorf("the place where it stopped was deleted %d times", n)
	}
}

// TestAPlaceIsKeptForAnHour: after that an erasure begins anew, since much may have come meanwhile.
func TestAPlaceIsKeptForAnHour(t *testing.T) {
	tb, s, now := newTable(t)
	create(t, tb, newConnection("con_1"))
	for n := range 9 {
		record(t, tb, entry(n, delivery.Delivered))
	}
	pages := 0
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	slow := table.New(s.DB(shortPages(t, 5, func() {
		if pages++; pages == 3 {
			cancel()
		}
	})), inmemory.TableName, now.now)
	if n, err := slow.EraseOrder(ctx, "a1", "o1"); n != 2 || err == nil {
		t.Fatalf("%d erased, %v", n, err)
	}
	record(t, tb, entry(1, delivery.Delivered)) // before the place
	now.t = start.Add(time.Hour)
	if n, err := tb.EraseOrder(t.Context(), "a1", "o1"); n != 2 || err != nil {
		t.Errorf("an hour later: %d erased, %v", n, err)
	}
}
