package main

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nethouse-academy/albato/shared/delivery"
	"github.com/nethouse-academy/albato/shared/event"
)

// listed gives the ids of a list of deliveries.
func (a answer) listed() []string {
	list, _ := a.body["deliveries"].([]any)
	ids := []string{}
	for _, d := range list {
		id, _ := d.(map[string]any)["id"].(string)
		ids = append(ids, id)
	}
	return ids
}

func TestJournal(t *testing.T) {
	w := newWorld(t)
	path := w.create(on)
	ids := w.logged(path, delivery.Delivered, delivery.Failed, delivery.Skipped, delivery.Delivered, delivery.Delivered)
	for query, want := range map[string][]string{
		"":                            {ids[4], ids[3], ids[2], ids[1], ids[0]},
		"?limit=100&status=&order_id": {ids[4], ids[3], ids[2], ids[1], ids[0]},
		"?status=delivered":           {ids[4], ids[3], ids[0]},
		"?status=held":                {},
		"?order_id=2":                 {ids[1]},
		"?action=order_create":        {},
		"?action=order_complete&status=skipped&limit=1": {ids[2]},
	} {
		a := w.want(http.StatusOK, "GET", path+"/deliveries"+query, "")
		if got := a.listed(); !slices.Equal(got, want) || a.body["next_cursor"] != nil {
			t.Errorf("%s: %v, want %v; next %v", query, got, want, a.body["next_cursor"])
		}
	}
	var paged []string
	next := ""
	for calls := 0; calls < 10; calls++ {
		a := w.want(http.StatusOK, "GET", path+"/deliveries?limit=2&cursor="+next, "")
		paged = append(paged, a.listed()...)
		if next = a.text("next_cursor"); next == "" {
			break
		}
	}
	if want := []string{ids[4], ids[3], ids[2], ids[1], ids[0]}; !slices.Equal(paged, want) {
		t.Errorf("by two: %v, want %v", paged, want)
	}
}

func TestJournalsCursorIsOfItsConnection(t *testing.T) {
	w := newWorld(t)
	path, other := w.create(on), w.create(`{"webhook_url":"`+link+`2"}`)
	w.logged(path, delivery.Delivered, delivery.Delivered)
	cursor := w.want(http.StatusOK, "GET", path+"/deliveries?limit=1", "").text("next_cursor")
	if a := w.want(http.StatusUnprocessableEntity, "GET", other+"/deliveries?cursor="+cursor, ""); a.fields() != "cursor" {
		t.Errorf("answer %s", a.raw)
	}
}

func TestADeliverysEntry(t *testing.T) {
	w := newWorld(t)
	path := w.create(on)
	d := w.entry(w.saved(path), 1, delivery.Failed)
	data := `{"action":"order_complete","order":{"id":98400120000000000001},"name":"\u041a\/","sum":1.50}`
	d.Body = event.Event{ID: "event-1", AccountID: account, OccurredAt: d.CreatedAt, Action: event.OrderComplete, Data: []byte(data)}.Body(false)
	d.Note(delivery.Attempt{At: d.CreatedAt.Add(time.Second), Error: "timeout", Duration: 10 * time.Second})
	if err := w.store.Record(t.Context(), []delivery.Delivery{d}); err != nil {
		t.Fatal(err)
	}
	var listed struct{ Deliveries []json.RawMessage }
	if err := json.Unmarshal(w.want(http.StatusOK, "GET", path+"/deliveries", "").raw, &listed); err != nil || len(listed.Deliveries) != 1 {
		t.Fatalf("%d listed, %v", len(listed.Deliveries), err)
	}
	id := strings.TrimPrefix(path, collection+"/")
	want := `{"id":"` + d.ID + `","event_id":"event-1","connection_id":"` + id + `","action":"order_complete","order_id":"1","status":"failed",` +
		`"attempts":2,"created_at":"2026-11-23T09:30:01Z","last_attempt_at":"2026-11-23T09:30:02Z","last_status":null,"last_error":"timeout",` +
		`"error_text":"Сервер по ссылке не ответил вовремя.","duration_ms":10000,"test":false}`
	if got := string(listed.Deliveries[0]); got != want {
		t.Errorf("listed %s\nwant   %s", got, want)
	}
	detail := string(w.want(http.StatusOK, "GET", path+"/deliveries/"+d.ID, "").raw)
	want = strings.TrimSuffix(want, "}") + `,"payload":` + string(d.Body) + `,"attempts_log":[` +
		`{"at":"2026-11-23T09:30:01Z","status":400,"error":"http_400","error_text":"Сервер по ссылке ответил кодом 400: он не принял именно это событие.","duration_ms":5,"response":""},` +
		`{"at":"2026-11-23T09:30:02Z","status":null,"error":"timeout","error_text":"Сервер по ссылке не ответил вовремя.","duration_ms":10000,"response":""}]}`
	if detail != want {
		t.Errorf("detail %s\nwant   %s", detail, want)
	}
	if !strings.Contains(detail, data) {
		t.Error("the data are not shown as they were sent")
	}
}

func TestAnEntryBeforeItsFirstAttempt(t *testing.T) {
	w := newWorld(t)
	path := w.create(on)
	w.hold(path, 1)
	c := w.saved(path)
	id := w.entry(c, 1, delivery.Waiting).ID
	a := w.want(http.StatusOK, "GET", path+"/deliveries/"+id, "")
	for _, name := range []string{"last_attempt_at", "last_status", "last_error", "error_text", "duration_ms"} {
		if v, there := a.body[name]; !there || v != nil {
			t.Errorf("%s is %v", name, v)
		}
	}
	if a.text("status") != "waiting" || len(a.body["attempts_log"].([]any)) != 0 {
		t.Errorf("answer %s", a.raw)
	}
	w.suspend(path)
	if a = w.want(http.StatusOK, "GET", path+"/deliveries/"+id, ""); a.text("status") != "held" {
		t.Errorf("suspended: %s", a.text("status"))
	}
	w.want(http.StatusOK, "PATCH", path, `{"enabled":false}`)
	if a = w.want(http.StatusOK, "GET", path+"/deliveries/"+id, ""); a.text("status") != "skipped" {
		t.Errorf("off: %s", a.text("status"))
	}
	w.clock.move(31 * 24 * time.Hour)
	w.want(http.StatusNotFound, "GET", path+"/deliveries/"+id, "")
}

func TestSummary(t *testing.T) {
	w := newWorld(t)
	path := w.create(on)
	w.logged(path, delivery.Delivered, delivery.Delivered, delivery.Failed)
	w.clock.move(time.Hour)
	w.logged(path, delivery.Skipped)
	a := w.want(http.StatusOK, "GET", path+"/deliveries/summary", "")
	hours, _ := a.body["hours"].([]any)
	if len(hours) != 24 || a.body["complete"] != true {
		t.Fatalf("answer %s", a.raw)
	}
	if first := hours[0].(map[string]any); first["start"] != "2026-11-22T11:00:00Z" {
		t.Errorf("first %v", first)
	}
	want := `{"hours":[{"start":"2026-11-23T09:00:00Z","delivered":2,"waiting":0,"failed":1,"held":0,"skipped":0},` +
		`{"start":"2026-11-23T10:00:00Z","delivered":0,"waiting":0,"failed":0,"held":0,"skipped":1}],"complete":true}`
	if a = w.want(http.StatusOK, "GET", path+"/deliveries/summary?hours=2", ""); string(a.raw) != want {
		t.Errorf("two hours %s\nwant      %s", a.raw, want)
	}
	if a = w.want(http.StatusOK, "GET", path+"/deliveries/summary?hours=168", ""); len(a.body["hours"].([]any)) != 168 {
		t.Errorf("a week: %s", a.raw)
	}
}
