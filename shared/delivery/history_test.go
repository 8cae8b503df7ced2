package delivery_test

import (
	"context"
	"errors"
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
	Orders     []int // of the events of a burst
	Gap        time.Duration
	Poison     int // of its first event
	Behaviour  behaviour
	For        time.Duration // of an outage
}

type what string

const (
	burst     what = "burst" // events in quick succession
	outage    what = "outage"
	switchOff what = "off"
	switchOn  what = "on"
	relink    what = "relink"
	resume    what = "resume"
	remove    what = "delete"
	again     what = "again"
)

func histories() *rapid.Generator[history] {
	ms, gaps := time.Millisecond, []time.Duration{0, 10 * time.Millisecond, 50 * time.Millisecond, 200 * time.Millisecond, time.Second, 5 * time.Second,
		20 * time.Second, 3 * time.Minute, 8 * time.Hour}
	whats := []what{burst, burst, burst, burst, burst, burst, outage, outage, outage, switchOff, switchOn, switchOn, relink, resume, resume, again, remove}
	behaviours := []behaviour{fails, fails, flaps, flaps, limits, hangs, refuses, deaf, is410, isClosed}
	durations := []time.Duration{30 * ms, 300 * ms, 3 * time.Second, 7 * time.Second, 40 * time.Second, 4 * time.Minute, 5 * 24 * time.Hour}
	return rapid.Custom(func(t *rapid.T) history {
		h := history{Seed: rapid.Uint64().Draw(t, "seed"), Connections: rapid.SampledFrom([]int{1, 1, 2, 3}).Draw(t, "connections")}
		rate := rapid.SampledFrom([]float64{0, 0, .01, .04}).Draw(t, "rate")
		if rate > 0 {
			h.Faults = faultRates{crash: rate, call: rate, throttle: rate, partial: rate * 3, lostDelete: rate}
		}
		h.Steps = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) step {
			s := step{After: rapid.SampledFrom(gaps).Draw(t, "after"), Connection: rapid.IntRange(0, h.Connections-1).Draw(t, "connection"),
				What: rapid.SampledFrom(whats).Draw(t, "what")}
			if s.What == remove && rapid.IntRange(0, 3).Draw(t, "really") > 0 {
				s.What = burst
			}
			switch s.What {
			case burst:
				s.Orders = rapid.SliceOfN(rapid.IntRange(0, 2), 1, 15).Draw(t, "orders")
				s.Gap = rapid.SampledFrom([]time.Duration{5 * ms, 30 * ms, 300 * ms, 900 * ms}).Draw(t, "gap")
				s.Poison = rapid.SampledFrom([]int{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 422, 500}).Draw(t, "poison")
			case outage:
				s.Behaviour = rapid.SampledFrom(behaviours).Draw(t, "behaviour")
				s.For = rapid.SampledFrom(durations).Draw(t, "for")
			}
			return s
		}), 1, 25).Draw(t, "steps")
		return h
	})
}

// TestEveryHistoryKeepsThePromises checks the invariants at the end of random histories with faults between any two steps:
// nothing accepted is lost (I1), an order's events first arrive in the order of their acceptance (I2), nothing is sent
// twice unless the answer to it was not seen or the process that saw it was hit by a fault (I3).
func TestEveryHistoryKeepsThePromises(t *testing.T) {
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
	case burst:
		for n, order := range s.Orders {
			poison := 0
			if n == 0 {
				poison = s.Poison
			}
			if err := w.post(id, fmt.Sprint("order", order), poison); err != nil {
				return err
			}
			w.pause(s.Gap, "burst")
		}
		return nil
	case outage:
		w.behave(id, s.Behaviour)
		w.outages.Go(func() {
			time.Sleep(s.For)
			w.behave(id, takes)
		})
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
	w.outages.Wait()
	w.mu.Lock()
	w.faults = faultRates{} // see rates
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
		_, found, err := w.table.Connection(context.Background(), delivery.ConnectionKey{AccountID: account, ConnectionID: id})
		if err != nil {
			return err
		}
		if line, err := w.table.Waiting(context.Background(), id, 10); err != nil || len(line) > 0 {
			wrong = append(wrong, fmt.Errorf("%s: the line is not empty: %v, %v", id, line, err))
		}
		wrong = append(wrong, w.nothingLost(id, found), w.inOrder(id), w.notTwice(id), w.skipped(id))
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
		arrived := w.sent(k.DeliveryID)
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
		case d.Status == delivery.Failed && !poisoned && !w.receivers[id].flapped:
			lost("failed, though the receiver never refused it and was always either up or down")
		}
	}
	return errors.Join(wrong...)
}

// skipped: what waited when the connection was switched off is not sent, whenever it is switched on again.
func (w *world) skipped(id string) error {
	var wrong []error
	for _, a := range w.accepted {
		off, ok := w.waitedWhenOff[a.id]
		if !ok || a.connection != id || w.retried[a.id] {
			continue
		}
		for _, s := range w.sent(a.id) {
			if s.at.After(off.Add(functionLimit)) { // what was on its way may still arrive
				wrong = append(wrong, fmt.Errorf("%s: sent %v after the connection was switched off", a.id, s.at.Sub(off)))
			}
		}
	}
	return errors.Join(wrong...)
}

// inOrder: of each order, first arrivals are in the order of acceptance (I2), but for what somebody asked for again.
func (w *world) inOrder(id string) error {
	last := map[string]send{}
	lastID := map[string]string{}
	var wrong []error
	for _, a := range w.accepted {
		if a.connection != id || w.retried[a.id] || len(w.sent(a.id)) == 0 {
			continue
		}
		first := w.sent(a.id)[0]
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
		sends := w.sent(a.id)
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
