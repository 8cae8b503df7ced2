package table_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/nethouse-academy/albato/shared/connection"
	"github.com/nethouse-academy/albato/shared/delivery"
)

func TestLastDelivered(t *testing.T) {
	tb, _, _ := newTable(t)
	if _, found, err := tb.LastDelivered(t.Context(), "con_1", time.Time{}); found || err != nil {
		t.Fatalf("of nothing: %v, %v", found, err)
	}
	retried := entry(1, delivery.Delivered)
	retried.Note(delivery.Attempt{At: start.Add(time.Hour), Status: 201})
	test := entry(9, delivery.Delivered)
	test.Test = true
	record(t, tb, entry(0, delivery.Delivered), retried, entry(5, delivery.Delivered), entry(8, delivery.Failed), test)
	for _, c := range []struct {
		notAfter time.Time
		want     string
	}{
		{time.Time{}, entryID(1)}, // by the attempt's time, not the event's
		{start.Add(5 * time.Second), entryID(1)},
		{start, entryID(0)},
	} {
		d, found, err := tb.LastDelivered(t.Context(), "con_1", c.notAfter)
		if err != nil || !found || d.ID != c.want {
			t.Errorf("not after %v: %s, %v, %v", c.notAfter, d.ID, found, err)
		}
	}
	if _, found, err := tb.LastDelivered(t.Context(), "con_1", start.Add(-time.Millisecond)); found || err != nil {
		t.Errorf("before all: %v, %v", found, err)
	}
}

func TestCountWaiting(t *testing.T) {
	tb, _, now := newTable(t)
	c := create(t, tb, newConnection("con_1"))
	turn := c.Health
	turn.State = connection.Failing
	for first := 1; first <= 21; first += 10 {
		h := delivery.Hold{Read: c}
		if first == 1 {
			h.Turn = &turn
		}
		for n := first; n < first+10; n++ {
			h.Deliveries = append(h.Deliveries, entry(n, delivery.Waiting))
		}
		if err := tb.Hold(t.Context(), h); err != nil {
			t.Fatal(err)
		}
		c = read(t, tb, "con_1")
	}
	for _, k := range []struct {
		skip, limit, n int
		more           bool
	}{{0, 1000, 30, false}, {0, 30, 30, false}, {0, 29, 29, true}, {0, 5, 5, true}, {10, 1000, 20, false}, {30, 1000, 0, false}} {
		t.Run(fmt.Sprint(k), func(t *testing.T) {
			c := c
			if k.skip > 0 {
				c.Health.SkipThrough, _ = connection.ParseSequence(strconv.Itoa(k.skip))
			}
			n, more, err := tb.CountWaiting(t.Context(), c, k.limit)
			if err != nil || n != k.n || more != k.more {
				t.Errorf("%d, more %v, %v", n, more, err)
			}
		})
	}
	now.t = start.Add(24 * time.Hour)
	if n, more, err := tb.CountWaiting(t.Context(), c, 1000); n != 0 || more || err != nil {
		t.Errorf("of what has expired: %d, %v, %v", n, more, err)
	}
}
