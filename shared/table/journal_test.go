package table_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/nethouse-academy/albato/shared/connection"
	"github.com/nethouse-academy/albato/shared/delivery"
	"github.com/nethouse-academy/albato/shared/event"
	"github.com/nethouse-academy/albato/shared/local/inmemory"
	"github.com/nethouse-academy/albato/shared/table"
)

// entryID is the id of the n-th delivery: events happen a second apart.
func entryID(n int) string {
	var id ulid.ULID
	_ = id.SetTime(ulid.Timestamp(start.Add(time.Duration(n) * time.Second)))
	id[15] = byte(n)
	return "dlv_" + id.String()
}

func entry(n int, status delivery.Status) delivery.Delivery {
	at := start.Add(time.Duration(n) * time.Second)
	d := delivery.Delivery{ID: entryID(n), EventID: "e" + strconv.Itoa(n), AccountID: "a1", ConnectionID: "con_1",
		Action: event.OrderCreate, OrderID: "o" + strconv.Itoa(n%3), Status: status, CreatedAt: at, ExpiresAt: start.Add(24 * time.Hour),
		Body: []byte(`{"n":` + strconv.Itoa(n) + `}`)}
	if status == delivery.Waiting {
		d.Sequence, _ = connection.ParseSequence(strconv.Itoa(n))
	} else {
		d.Note(delivery.Attempt{At: at, Status: 200, Duration: time.Millisecond})
	}
	return d
}

func record(t *testing.T, tb *table.Table, entries ...delivery.Delivery) {
	t.Helper()
	if err := tb.Record(t.Context(), entries); err != nil {
		t.Fatal(err)
	}
}

func ids(list []delivery.Delivery) []string {
	all := []string{}
	for _, d := range list {
		all = append(all, d.ID)
	}
	return all
}

// readAll follows the cursors of a list and wants every page but the last to be full.
func readAll(t *testing.T, tb *table.Table, c connection.Connection, f table.Filter, limit int) []delivery.Delivery {
	t.Helper()
	var all []delivery.Delivery
	cursor := ""
	for range 1000 {
		page, next, err := tb.Deliveries(t.Context(), c, f, limit, cursor)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, page...)
		if next == "" {
			return all
		}
		if len(page) != limit {
			t.Fatalf("a page of %d with another after it, want %d", len(page), limit)
		}
		cursor = next
	}
	t.Fatal("the list does not end")
	return nil
}

func TestDeliveriesNewestFirstPageByPage(t *testing.T) {
	tb, _, _ := newTable(t)
	c := newConnection("con_1")
	var want []string
	for n := range 12 {
		record(t, tb, entry(n, delivery.Delivered))
		want = append([]string{entryID(n)}, want...)
	}
	for _, limit := range []int{1, 4, 5, 11, 12, 13, 100} {
		got := readAll(t, tb, c, table.Filter{}, limit)
		if !slices.Equal(ids(got), want) {
			t.Errorf("by %d: %v", limit, ids(got))
		}
		if got[0].Body != nil || got[0].OrderID != "o2" || len(got[0].History) != 1 {
			t.Errorf("entry %+v", got[0])
		}
	}
	if got := readAll(t, tb, newConnection("con_2"), table.Filter{}, 5); len(got) != 0 {
		t.Errorf("another connection's list: %v", ids(got))
	}
}

// TestStatusFilterIsWhatPeopleSee: for every state and every status, the filter chooses exactly the entries whose
// StatusFor is that status.
func TestStatusFilterIsWhatPeopleSee(t *testing.T) {
	tb, _, _ := newTable(t)
	var all []delivery.Delivery
	for n, s := range []delivery.Status{"delivered", "waiting", "failed", "skipped", "waiting", "waiting"} {
		all = append(all, entry(n, s))
	}
	record(t, tb, all...)
	through, _ := connection.ParseSequence("4")
	for _, state := range []connection.State{connection.Healthy, connection.Failing, connection.Suspended} {
		for _, skip := range []connection.Sequence{"", through} {
			c := newConnection("con_1")
			c.Health.State, c.Health.SkipThrough = state, skip
			for _, s := range []delivery.Status{delivery.Delivered, delivery.Waiting, delivery.Failed, delivery.Held, delivery.Skipped} {
				var want []string
				for _, d := range slices.Backward(all) {
					if d.StatusFor(c) == s {
						want = append(want, d.ID)
					}
				}
				if got := ids(readAll(t, tb, c, table.Filter{Status: s}, 2)); !slices.Equal(got, want) {
					t.Errorf("%s, skipped through %q: %s are %v, want %v", state, skip, s, got, want)
				}
			}
		}
	}
}

func TestDeliveriesByActionAndOrder(t *testing.T) {
	tb, _, _ := newTable(t)
	c := newConnection("con_1")
	for n := range 9 {
		d := entry(n, delivery.Delivered)
		if n%2 == 1 {
			d.Action = event.OrderComplete
		}
		record(t, tb, d)
	}
	got := ids(readAll(t, tb, c, table.Filter{Action: event.OrderComplete, OrderID: "o1"}, 1))
	if want := []string{entryID(7), entryID(1)}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestDeliveriesForgetWhatHasExpired(t *testing.T) {
	tb, _, now := newTable(t)
	c := newConnection("con_1")
	kept := entry(2, delivery.Delivered)
	kept.ExpiresAt = start.Add(48 * time.Hour)
	record(t, tb, entry(1, delivery.Delivered), kept)
	now.t = start.Add(24 * time.Hour)
	if got := ids(readAll(t, tb, c, table.Filter{}, 10)); !slices.Equal(got, []string{kept.ID}) {
		t.Errorf("list %v", got)
	}
	if _, found, err := tb.Delivery(t.Context(), delivery.Key{ConnectionID: "con_1", DeliveryID: entryID(1)}); found || err != nil {
		t.Errorf("an expired entry was found: %v, %v", found, err)
	}
	d, found, err := tb.Delivery(t.Context(), delivery.Key{ConnectionID: "con_1", DeliveryID: kept.ID})
	if !found || err != nil || string(d.Body) != `{"n":2}` {
		t.Errorf("found %v, %v: %s", found, err, d.Body)
	}
}

// roundTrip is a function as an http.RoundTripper.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// shortPages makes a page of every query end after n items, as it otherwise does after a megabyte. before, if not nil, is
// called ahead of each.
func shortPages(t *testing.T, n int, before func()) func(http.RoundTripper) http.RoundTripper {
	return func(next http.RoundTripper) http.RoundTripper {
		return roundTrip(func(r *http.Request) (*http.Response, error) {
			if !strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".Query") {
				return next.RoundTrip(r)
			}
			if before != nil {
				before()
			}
			var input map[string]any
			if err := json.NewDecoder(r.Body).Decode(&input); err != nil {
				t.Error(err)
			}
			if _, limited := input["Limit"]; !limited {
				input["Limit"] = n
			}
			b, err := json.Marshal(input)
			r = r.Clone(r.Context())
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(b)), int64(len(b))
			if err != nil {
				return nil, err
			}
			return next.RoundTrip(r)
		})
	}
}

// TestARareFilterEndsItsCall: a call reads ten pages at most, and the next goes on.
func TestARareFilterEndsItsCall(t *testing.T) {
	tb, s, now := newTable(t)
	c := newConnection("con_1")
	for n := range 64 {
		record(t, tb, entry(n, delivery.Delivered))
	}
	tb = table.New(s.DB(shortPages(t, 5, nil)), inmemory.TableName, now.now)
	s.DynamoDB.ResetCalls()
	first, cursor, err := tb.Deliveries(t.Context(), c, table.Filter{OrderID: "o0"}, 100, "")
	if err != nil || cursor == "" || len(first) != 17 {
		t.Fatalf("the first call gave %d entries, cursor %q, %v", len(first), cursor, err)
	}
	if n := s.DynamoDB.Calls()["Query"]; n != 10 {
		t.Errorf("%d pages in one call", n)
	}
	rest, cursor, err := tb.Deliveries(t.Context(), c, table.Filter{OrderID: "o0"}, 100, cursor)
	if err != nil || cursor != "" || len(first)+len(rest) != 22 {
		t.Errorf("the second call gave %d entries, cursor %q, %v", len(rest), cursor, err)
	}
}

func TestCursorsAreOfOneListAndOneConnection(t *testing.T) {
	tb, _, _ := newTable(t)
	c := newConnection("con_1")
	for n := range 3 {
		record(t, tb, entry(n, delivery.Delivered))
	}
	span := table.Span{From: start, To: start.Add(time.Hour)}
	_, journal, err := tb.Deliveries(t.Context(), c, table.Filter{}, 1, "")
	if err != nil || journal == "" {
		t.Fatal(journal, err)
	}
	_, replay, err := tb.Page(t.Context(), c.ID, span, 1, "")
	if err != nil || replay == "" {
		t.Fatal(replay, err)
	}
	for _, bad := range []string{"x", "!", journal + "A", journal[1:], strings.ToUpper(journal), journal + "=", replay} {
		if _, _, err := tb.Deliveries(t.Context(), c, table.Filter{}, 1, bad); !errors.Is(err, table.ErrCursor) {
			t.Errorf("list with cursor %q: %v", bad, err)
		}
	}
	if _, _, err := tb.Deliveries(t.Context(), newConnection("con_2"), table.Filter{}, 1, journal); !errors.Is(err, table.ErrCursor) {
		t.Errorf("list with another connection's cursor: %v", err)
	}
	if _, _, err := tb.Page(t.Context(), c.ID, span, 1, journal); !errors.Is(err, table.ErrCursor) {
		t.Errorf("page with a list's cursor: %v", err)
	}
	if _, _, err := tb.Page(t.Context(), c.ID, table.Span{From: start.Add(time.Minute), To: start.Add(time.Hour)}, 1, replay); !errors.Is(err, table.ErrCursor) {
		t.Errorf("page with a cursor before its span: %v", err)
	}
	if _, _, err := tb.Page(t.Context(), c.ID, table.Span{From: start.Add(-2 * time.Hour), To: start.Add(-time.Hour)}, 1, replay); !errors.Is(err, table.ErrCursor) {
		t.Errorf("page with a cursor behind its span: %v", err)
	}
}
