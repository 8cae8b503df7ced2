package table_test

import (
	"errors"
	"testing"
	"time"

	"github.com/nethouse-academy/albato/shared/connection"
	"github.com/nethouse-academy/albato/shared/delivery"
)

// TestAnActDoesNotPutBackAnOldHandle: a token that falls asleep while a person acts leaves its new receipt handle; an act
// that was decided on the health before must be decided again, or nobody could wake the token.
func TestAnActDoesNotPutBackAnOldHandle(t *testing.T) {
	tb, _, _ := newTable(t)
	c := newConnection("con_1")
	c.Health = connection.Health{State: connection.Failing, Since: start, Attempts: 1, TokenSentAt: start, TokenHandle: "old"}
	before := create(t, tb, c)
	asleep := before.Health
	asleep.Attempts, asleep.NextAttemptAt, asleep.TokenHandle = 2, start.Add(12*time.Hour), "new"
	if err := tb.SaveHealth(t.Context(), before, asleep, false); err != nil {
		t.Fatal(err)
	}
	for name, act := range map[string]func(*connection.Connection){
		"resume": func(c *connection.Connection) { c.Resume(start) },
		"off":    func(c *connection.Connection) { c.SwitchOff() },
		"relink": func(c *connection.Connection) { c.Link += "x"; c.Relinked(start) },
		"delete": func(c *connection.Connection) { c.Delete(start) },
	} {
		after := before
		act(&after)
		if err := tb.Update(t.Context(), before, after); !errors.Is(err, delivery.ErrMoved) {
			t.Errorf("%s on top of an old health: %v", name, err)
		}
	}
	if h := read(t, tb, "con_1").Health; h != asleep {
		t.Errorf("health %+v", h)
	}
	renamed := before
	renamed.Name, renamed.Version = "other", before.Version+1
	if err := tb.Update(t.Context(), before, renamed); err != nil {
		t.Errorf("a new name has nothing to do with it: %v", err)
	}
	if h := read(t, tb, "con_1").Health; h != asleep {
		t.Errorf("a new name changed the health: %+v", h)
	}
}
