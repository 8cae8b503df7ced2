package main

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/nethouse-academy/albato/shared/delivery"
)

const day = `"from":"2026-11-23T00:00:00Z","to":"2026-11-24T00:00:00Z"`

func TestReplayOldestFirst(t *testing.T) {
	w := newWorld(t)
	path := w.create(on)
	ids := w.logged(path, delivery.Failed, delivery.Delivered, delivery.Skipped, delivery.Failed)
	test := w.entry(w.saved(path), 9, delivery.Failed)
	test.Test = true
	if err := w.store.Record(t.Context(), []delivery.Delivery{test}); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		body string
		want []string
	}{
		"by default":      {`{` + day + `}`, []string{ids[0], ids[2], ids[3]}},
		"failed":          {`{` + day + `,"statuses":["failed"]}`, []string{ids[0], ids[3]}},
		"delivered":       {`{` + day + `,"statuses":["delivered"]}`, []string{ids[1]}},
		"an action":       {`{` + day + `,"actions":["order_complete"]}`, []string{ids[0], ids[2], ids[3]}},
		"another action":  {`{` + day + `,"actions":["order_create"]}`, nil},
		"from the second": {`{"from":"2026-11-23T09:30:02Z","to":"2026-11-24T00:00:00Z"}`, []string{ids[2], ids[3]}},
		"to the third":    {`{"from":"2026-11-23T00:00:00Z","to":"2026-11-23T12:30:03+03:00"}`, []string{ids[0]}},
		"none held":       {`{` + day + `,"statuses":["held","waiting"]}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			counted := w.want(http.StatusAccepted, "POST", path+"/replay", strings.Replace(c.body, "{", `{"dry_run":true,`, 1))
			if counted.body["matched"] != float64(len(c.want)) || counted.body["queued"] != 0.0 || counted.body["next_cursor"] != nil {
				t.Errorf("dry run: %s", counted.raw)
			}
			if n := len(w.receive(w.cloud.Deliveries)); n != 0 {
				t.Fatalf("a dry run queued %d messages", n)
			}
			a := w.want(http.StatusAccepted, "POST", path+"/replay", c.body)
			if a.body["matched"] != float64(len(c.want)) || a.body["queued"] != float64(len(c.want)) || a.body["next_cursor"] != nil {
				t.Errorf("answer %s", a.raw)
			}
			got := w.receive(w.cloud.Deliveries)
			var order []string
			for _, m := range got {
				order = append(order, m.message.Delivery.ID)
				if m.message.Retry == "" || len(m.message.Delivery.Body) == 0 {
					t.Errorf("message %+v", m.message)
				}
			}
			if !slices.Equal(order, c.want) {
				t.Errorf("queued %v, want %v", order, c.want)
			}
			w.acknowledge(w.cloud.Deliveries, got)
			w.clock.move(6 * 60e9) // past the queue's memory of what was sent
		})
	}
}

// TestReplayPageByPage: the same body with the cursor goes on; every delivery is queued once, in its order.
func TestReplayPageByPage(t *testing.T) {
	w := newWorld(t)
	path := w.create(on)
	ids := w.logged(path, slices.Repeat([]delivery.Status{delivery.Failed}, 230)...)
	erased := w.entry(w.saved(path), 50, delivery.Failed)
	erased.Body = nil // matched, but there is nothing to send
	if err := w.store.Record(t.Context(), []delivery.Delivery{erased}); err != nil {
		t.Fatal(err)
	}
	matched, queued, calls, cursor := 0.0, 0.0, 0, ""
	for {
		body := `{` + day + `,"cursor":"` + cursor + `"}`
		w.cloud.SQS.ResetCalls()
		a := w.want(http.StatusAccepted, "POST", path+"/replay", body)
		matched += a.body["matched"].(float64)
		queued += a.body["queued"].(float64)
		if n := w.cloud.SQS.Calls()["SendMessageBatch"]; n > 10 {
			t.Errorf("%d calls for a page", n)
		}
		again := w.want(http.StatusAccepted, "POST", path+"/replay", body) // as after an answer that was lost
		if string(again.raw) != string(a.raw) {
			t.Errorf("the same call: %s and %s", a.raw, again.raw)
		}
		calls++
		if cursor = a.text("next_cursor"); cursor == "" {
			break
		}
	}
	if matched != 230 || queued != 229 || calls != 3 {
		t.Errorf("%v matched and %v queued in %d calls", matched, queued, calls)
	}
	var order []string
	for {
		got := w.receive(w.cloud.Deliveries)
		if len(got) == 0 {
			break
		}
		for _, m := range got {
			order = append(order, m.message.Delivery.ID)
		}
		w.acknowledge(w.cloud.Deliveries, got)
	}
	if want := slices.Delete(slices.Clone(ids), 49, 50); !slices.Equal(order, want) {
		t.Errorf("%d deliveries queued, want %d, each once and in order", len(order), len(want))
	}
}

// TestReplayOfWhatIsHeld: it is in the line already and goes out with resume; a second message of it would say nothing.
func TestReplayOfWhatIsHeld(t *testing.T) {
	w := newWorld(t)
	path := w.create(on)
	w.hold(path, 3)
	w.suspend(path)
	a := w.want(http.StatusAccepted, "POST", path+"/replay", `{`+day+`}`)
	if a.body["matched"] != 3.0 || a.body["queued"] != 3.0 {
		t.Errorf("answer %s", a.raw)
	}
	if n := len(w.receive(w.cloud.Deliveries)); n != 0 {
		t.Errorf("%d messages", n)
	}
}

// TestReplayOfWhatWasSkipped: what the token has not marked as skipped yet is as good as skipped.
func TestReplayOfWhatWasSkipped(t *testing.T) {
	w := newWorld(t)
	path := w.create(on)
	w.hold(path, 2)
	w.want(http.StatusOK, "PATCH", path, `{"enabled":false}`)
	w.want(http.StatusConflict, "POST", path+"/replay", `{`+day+`}`)
	if a := w.want(http.StatusAccepted, "POST", path+"/replay", `{`+day+`,"dry_run":true}`); a.body["matched"] != 2.0 {
		t.Errorf("dry run while off: %s", a.raw)
	}
	w.want(http.StatusOK, "PATCH", path, `{"enabled":true}`)
	if a := w.want(http.StatusAccepted, "POST", path+"/replay", `{`+day+`}`); a.body["queued"] != 2.0 {
		t.Errorf("answer %s", a.raw)
	}
	if n := len(w.receive(w.cloud.Deliveries)); n != 2 {
		t.Errorf("%d messages", n)
	}
}

func TestReplayThatCouldNotBeQueued(t *testing.T) {
	w := newWorld(t)
	path := w.create(on)
	w.logged(path, slices.Repeat([]delivery.Status{delivery.Failed}, 25)...)
	batches := 0
	w.faults.set(func(operation string) bool {
		if operation == "SendMessageBatch" {
			batches++
		}
		return batches == 2
	})
	w.want(http.StatusServiceUnavailable, "POST", path+"/replay", `{`+day+`}`)
	w.faults.set(nil)
	w.want(http.StatusAccepted, "POST", path+"/replay", `{`+day+`}`)
	seen := map[string]bool{}
	for {
		got := w.receive(w.cloud.Deliveries)
		if len(got) == 0 {
			break
		}
		for _, m := range got {
			if seen[m.message.Delivery.ID] {
				t.Errorf("%s was queued twice", m.message.Delivery.ID)
			}
			seen[m.message.Delivery.ID] = true
		}
		w.acknowledge(w.cloud.Deliveries, got)
	}
	if len(seen) != 25 {
		t.Errorf("%d queued", len(seen))
	}
}
