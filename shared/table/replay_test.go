package table_test

import (
	"slices"
	"testing"
	"time"

	"github.com/nethouse-academy/albato/shared/connection"
	"github.com/nethouse-academy/albato/shared/delivery"
	"github.com/nethouse-academy/albato/shared/local/inmemory"
	"github.com/nethouse-academy/albato/shared/table"
)

func TestPageOldestFirstWithinItsSpan(t *testing.T) {
	tb, _, _ := newTable(t)
	var want []string
	for n := range 10 {
		record(t, tb, entry(n, delivery.Failed))
		if n >= 2 && n < 8 {
			want = append(want, entryID(n))
		}
	}
	expired := entry(4, delivery.Failed)
	expired.ExpiresAt = start
	record(t, tb, expired)
	want = slices.DeleteFunc(want, func(id string) bool { return id == expired.ID })
	span := table.Span{From: start.Add(2 * time.Second), To: start.Add(8 * time.Second)}
	for _, bodies := range []bool{true, false} {
		span.Bodies = bodies
		for _, limit := range []int{1, 2, 5, 6, 100} {
			var got []string
			cursor := ""
			for calls := 0; ; calls++ {
				page, next, err := tb.Page(t.Context(), "con_1", span, limit, cursor)
				if err != nil || len(page) > limit || calls > 10 {
					t.Fatalf("page %d: %d entries, %v", calls, len(page), err)
				}
				for _, d := range page {
					if (d.Body != nil) != bodies {
						t.Fatalf("body %q", d.Body)
					}
				}
				got = append(got, ids(page)...)
				if cursor = next; cursor == "" {
					break
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("by %d: %v, want %v", limit, got, want)
			}
		}
	}
}

func TestSummaryCountsByTheHour(t *testing.T) {
	tb, _, now := newTable(t)
	now.t = start.Add(2*time.Hour + 30*time.Minute) // 10:30
	c := newConnection("con_1")
	c.Health.State = connection.Suspended
	c.Health.SkipThrough, _ = connection.ParseSequence("1")
	test := entry(7, delivery.Delivered)
	test.Test = true
	before := entry(-1, delivery.Delivered) // 07:59:59
	record(t, tb, before, entry(0, delivery.Delivered), entry(1, delivery.Waiting), entry(2, delivery.Waiting), entry(3, delivery.Failed),
		test, entry(3599, delivery.Delivered), entry(3600, delivery.Delivered), entry(9000, delivery.Skipped))
	hours, complete, err := tb.Summary(t.Context(), c, 3)
	if err != nil || !complete || len(hours) != 3 {
		t.Fatalf("%+v, %v, %v", hours, complete, err)
	}
	for i, want := range []map[delivery.Status]int{
		{delivery.Delivered: 2, delivery.Skipped: 1, delivery.Held: 1, delivery.Failed: 1},
		{delivery.Delivered: 1},
		{delivery.Skipped: 1},
	} {
		if !hours[i].Start.Equal(start.Add(time.Duration(i) * time.Hour)) {
			t.Errorf("hour %d starts at %v", i, hours[i].Start)
		}
		for _, s := range []delivery.Status{delivery.Delivered, delivery.Waiting, delivery.Failed, delivery.Held, delivery.Skipped} {
			if hours[i].Counts[s] != want[s] {
				t.Errorf("hour %d: %d %s, want %d", i, hours[i].Counts[s], s, want[s])
			}
		}
	}
}

func TestSummaryOfALongLogIsIncomplete(t *testing.T) {
	tb, s, now := newTable(t)
	now.t = start.Add(30 * time.Minute)
	for n := range 64 {
		record(t, tb, entry(n, delivery.Delivered))
	}
	tb = table.New(s.DB(shortPages(t, 6, nil)), inmemory.TableName, now.now)
	s.DynamoDB.ResetCalls()
	hours, complete, err := tb.Summary(t.Context(), newConnection("con_1"), 1)
	if n := hours[0].Counts[delivery.Delivered]; err != nil || complete || n != 60 {
		t.Errorf("%d counted, complete %v, %v", n, complete, err)
	}
	if n := s.DynamoDB.Calls()["Query"]; n != 10 {
		t.Errorf("%d pages", n)
	}
}
