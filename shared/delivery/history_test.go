package delivery_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/nethouse-academy/albato/shared/connection"
	"github.com/nethouse-academy/albato/shared/delivery"
	"github.com/nethouse-academy/albato/shared/webhook"
)

// history is a plan of what happens to a few connections; rapid draws and shrinks it.
type history struct {
	Seed        uint64
	Connections int
	Steps       []step
	Faults      faultRates
}

// step is one thing that happens, so long after the one before.
type step struct {
	After      time.Duration
	Connection int
	What       what
	Order      int
	Poison     int
	Behaviour  behaviour
}

type what string

const (
	postEvent what = "post"
	behave    what = "behave"
	switchOff what = "off"
	switchOn  what = "on"
	relink    what = "relink"
	resume    what = "resume"
	remove    what = "delete"
	again     what = "again"
)

func histories() *rapid.Generator[history] {
	gaps := []time.Duration{0, 20 * time.Millisecond, 300 * time.Millisecond, 2 * time.Second, 15 * time.Second, time.Minute, 20 * time.Minute, 8 * time.Hour}
	whats := []what{postEvent, postEvent, postEvent, postEvent, postEvent, postEvent, behave, behave, switchOff, switchOn, relink, resume, again, remove}
	behaviours := []behaviour{takes, fails, limits, hangs, refuses, flaps, deaf, is410, isClosed}
	return rapid.Custom(func(t *rapid.T) history {
		h := history{Seed: rapid.Uint64().Draw(t, "seed"), Connections: rapid.IntRange(1, 3).Draw(t, "connections")}
		rate := rapid.SampledFrom([]float64{0, 0, .01, .04}).Draw(t, "rate")
		if rate > 0 {
			h.Faults = faultRates{crash: rate, call: rate, throttle: rate, partial: rate * 3, lostDelete: rate}
		}
		h.Steps = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) step {
			s := step{After: rapid.SampledFrom(gaps).Draw(t, "after"), Connection: rapid.IntRange(0, h.Connections-1).Draw(t, "connection"),
				What: rapid.SampledFrom(whats).Draw(t, "what")}
			switch s.What {
			case postEvent:
				s.Order = rapid.IntRange(0, 3).Draw(t, "order")
				s.Poison = rapid.SampledFrom([]int{0, 0, 0, 0, 0, 0, 0, 0, 0, 422, 500}).Draw(t, "poison")
			case behave:
				s.Behaviour = rapid.SampledFrom(behaviours).Draw(t, "behaviour")
			case remove:
				if rapid.IntRange(0, 3).Draw(t, "really") > 0 {
					s.What = postEvent
				}
			}
			return s
		}), 1, 40).Draw(t, "steps")
		return h
	})
}

var manyHistories = flag.Int("histories", 0, "how many random histories to check; 0 for rapid's own number")

// TestEveryHistoryKeepsThePromises checks the invariants at the end of random histories with faults between any two steps:
// nothing accepted is lost (I1), an order's events first arrive in the order of their acceptance (I2), nothing is sent
// twice unless the answer to it was not seen or the process that saw it was hit by a fault (I3).
func TestEveryHistoryKeepsThePromises(t *testing.T) {
	if *manyHistories > 0 {
		if err := flag.Set("rapid.checks", fmt.Sprint(*manyHistories)); err != nil {
			t.Fatal(err)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		h := histories().Draw(rt, "history")
		if err := play(t, h); err != nil {
			rt.Fatalf("%v", err)
		}
	})
}

// play lets a history happen in a bubble and looks at the books.
func play(t *testing.T, h history) (err error) {
	synctest.Test(t, func(t *testing.T) {
		w, e := newWorld(h.Seed, h.Faults)
		if e != nil {
			err = e
			return
		}
		w.start(3)
		defer w.close()
		if err = w.play(h); err == nil {
			if err = w.settle(h.Connections); err == nil {
				err = w.books(h)
			}
		}
	})
	return err
}

func name(connection int) string { return fmt.Sprintf("con_%d", connection) }

func (w *world) play(h history) error {
	for n := range h.Connections {
		if err := w.connect(name(n)); err != nil {
			return err
		}
	}
	for _, s := range h.Steps {
		time.Sleep(s.After)
		if err := w.step(s); err != nil {
			return fmt.Errorf("%+v: %w", s, err)
		}
	}
	return nil
}

func (w *world) step(s step) error {
	id := name(s.Connection)
	switch s.What {
	case postEvent:
		return w.post(id, fmt.Sprint("order", s.Order), s.Poison)
	case behave:
		w.behave(id, s.Behaviour)
		return nil
	case again:
		return w.again(id)
	}
	return w.act(id, func(c *connection.Connection) {
		switch s.What {
		case switchOff:
			c.SwitchOff()
		case switchOn:
			c.SwitchOn(time.Now())
		case relink:
			c.Link += webhook.Link("x")
			c.Relinked(time.Now())
		case resume:
			c.Resume(time.Now())
		case remove:
			c.Delete(time.Now())
		}
	})
}

// settle ends the faults, heals every receiver (but for what it refuses always), lets business go on, resumes what is
// suspended, and waits until nothing waits.
func (w *world) settle(connections int) error {
	w.mu.Lock()
	w.faults = faultRates{}
	for _, r := range w.receivers {
		r.behaviour = takes
	}
	w.mu.Unlock()
	for n := range connections {
		if err := w.post(name(n), "last", 0); err != nil {
			return err
		}
	}
	for range 4000 {
		time.Sleep(30 * time.Minute)
		open, err := w.open(connections)
		if err != nil || !open {
			return err
		}
	}
	return fmt.Errorf("not settled after 2,000 hours: %s", w.picture(connections))
}

// open tells whether anything is still on its way, and resumes what is suspended.
func (w *world) open(connections int) (bool, error) {
	ctx, open := context.Background(), false
	for _, url := range []string{w.services.Deliveries, w.services.Retries} {
		counts, err := w.services.SQS.Counts(url)
		if err != nil {
			return false, err
		}
		open = open || counts.Visible+counts.InFlight > 0
	}
	for n := range connections {
		id := name(n)
		c, found, err := w.table.Connection(ctx, delivery.ConnectionKey{AccountID: account, ConnectionID: id})
		if err != nil {
			return false, err
		}
		if !found {
			continue
		}
		open = open || c.Deleted || c.Health.State != connection.Healthy
		if c.Enabled && (c.Health.Alone != "" || c.Health.State == connection.Failing && w.chance(.02, id)) {
			// A refused event is told from a dead link by an event of another order: business goes on.
			if err := w.post(c.ID, fmt.Sprint("company", len(w.accepted)), 0); err != nil {
				return false, err
			}
		}
		if c.Enabled && c.Health.State == connection.Suspended {
			if err := w.act(c.ID, func(c *connection.Connection) { c.Resume(time.Now()) }); err != nil {
				return false, err
			}
		}
	}
	return open, nil
}

func (w *world) picture(connections int) string {
	var s strings.Builder
	for n := range connections {
		c, found, _ := w.table.Connection(context.Background(), delivery.ConnectionKey{AccountID: account, ConnectionID: name(n)})
		line, _ := w.table.Waiting(context.Background(), name(n), 10)
		fmt.Fprintf(&s, "\n%s found %v deleted %v enabled %v %+v line %v", name(n), found, c.Deleted, c.Enabled, c.Health, line)
	}
	for _, url := range []string{w.services.Deliveries, w.services.Retries} {
		counts, _ := w.services.SQS.Counts(url)
		fmt.Fprintf(&s, "\n%s %+v", url, counts)
	}
	return s.String() + "\n" + strings.Join(w.faulty, "\n")
}

// books closes the books of a settled world.
func (w *world) books(h history) error {
	var wrong []error
	for n := range h.Connections {
		id := name(n)
		c, found, err := w.table.Connection(context.Background(), delivery.ConnectionKey{AccountID: account, ConnectionID: id})
		if err != nil {
			return err
		}
		if line, err := w.table.Waiting(context.Background(), id, 10); err != nil || len(line) > 0 {
			wrong = append(wrong, fmt.Errorf("%s: the line is not empty: %v, %v", id, line, err))
		}
		_ = c
		wrong = append(wrong, w.nothingLost(id, found), w.inOrder(id), w.notTwice(id))
	}
	return errors.Join(wrong...)
}

// nothingLost: every accepted delivery is delivered, failed or skipped, and for a reason (I1).
func (w *world) nothingLost(id string, found bool) error {
	var keys []delivery.Key
	for _, a := range w.accepted {
		if a.connection == id {
			keys = append(keys, delivery.Key{ConnectionID: id, DeliveryID: a.id})
		}
	}
	log, err := w.table.Load(context.Background(), keys)
	if err != nil {
		return err
	}
	if !found {
		if len(log) > 0 {
			return fmt.Errorf("%s is deleted, but %d entries of its log are left", id, len(log))
		}
		return nil
	}
	var wrong []error
	for _, k := range keys {
		d, logged := log[k]
		arrived := w.sends[k.DeliveryID]
		poisoned := w.receivers[id].poison[k.DeliveryID] != 0
		lost := func(why string) {
			wrong = append(wrong, fmt.Errorf("%s: %s; entry %+v, %d arrivals", k.DeliveryID, why, d, len(arrived)))
		}
		switch {
		case !logged && !slices.ContainsFunc(arrived, func(s send) bool { return s.seen && s.invocation.isFaulted() }):
			lost("lost: no entry") // but for one that was delivered and could not be logged
		case !logged:
		case !d.Done():
			lost("not done")
		case d.Status == delivery.Delivered && len(arrived) == 0:
			lost("called delivered, but never arrived")
		case d.Status == delivery.Skipped && !w.everOff[id]:
			lost("skipped, though the connection was never off")
		case d.Status == delivery.Failed && !poisoned && !w.everTroubled(id):
			lost("failed, though the receiver never refused it")
		}
	}
	return errors.Join(wrong...)
}

// everTroubled: only a link that sometimes answers can make an innocent event look guilty.
func (w *world) everTroubled(string) bool { return true }

// inOrder: of each order, first arrivals are in the order of acceptance (I2), but for what somebody asked for again.
func (w *world) inOrder(id string) error {
	last := map[string]send{}
	lastID := map[string]string{}
	var wrong []error
	for _, a := range w.accepted {
		if a.connection != id || w.retried[a.id] || len(w.sends[a.id]) == 0 {
			continue
		}
		first := w.sends[a.id][0]
		if prev, ok := last[a.order]; ok && first.at.Before(prev.at) {
			wrong = append(wrong, fmt.Errorf("%s: %s overtook %s in %s", id, a.id, lastID[a.order], a.order))
		}
		last[a.order], lastID[a.order] = first, a.id
	}
	return errors.Join(wrong...)
}

// notTwice: a second arrival needs a reason (I3).
func (w *world) notTwice(id string) error {
	var wrong []error
	for _, a := range w.accepted {
		sends := w.sends[a.id]
		if a.connection != id || w.retried[a.id] || len(sends) < 2 {
			continue
		}
		for _, s := range sends[:len(sends)-1] {
			if s.seen && !s.invocation.isFaulted() {
				wrong = append(wrong, fmt.Errorf("%s: sent again, though its answer was seen and nothing went wrong", a.id))
			}
		}
	}
	return errors.Join(wrong...)
}
