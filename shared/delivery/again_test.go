package delivery_test

import (
	"testing"
	"time"

	"github.com/nethouse-academy/albato/shared/delivery"
)

// TestAgainIsOneMessageUntilItWasDealtWith: the id stays while nothing happens to the delivery, and changes with whatever
// a sender does with it, though the clock stands still.
func TestAgainIsOneMessageUntilItWasDealtWith(t *testing.T) {
	at := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	d := delivery.Delivery{ID: "dlv_1", Status: delivery.Skipped, CreatedAt: at, Body: []byte("{}")}
	first := d.Again()
	if first.Retry == "" || first.Retry != d.Again().Retry || string(first.Delivery.Body) != "{}" || first.Delivery.ID != d.ID {
		t.Fatalf("messages %+v and %+v", first, d.Again())
	}
	seen := map[string]string{first.Retry: "at first"}
	check := func(what string, d delivery.Delivery) {
		t.Helper()
		id := d.Again().Retry
		if before, known := seen[id]; known {
			t.Errorf("%s has the id of %s", what, before)
		}
		seen[id] = what
	}
	other := d
	other.ID = "dlv_2"
	check("another delivery", other)
	skipped := d
	skipped.Retry = first.Retry
	check("skipped again", skipped)
	tried := d
	tried.Note(delivery.Attempt{At: at, Status: 500})
	check("tried", tried)
	tried.Note(delivery.Attempt{At: at, Status: 500})
	check("tried twice at once", tried)
}
