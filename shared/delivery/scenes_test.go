package delivery_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nethouse-academy/albato/shared/connection"
	"github.com/nethouse-academy/albato/shared/delivery"
)

// scene plays one story without faults: days pass in no time.
func scene(t *testing.T, story func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w, err := newWorld(1, faultRates{})
		if err != nil {
			t.Fatal(err)
		}
		w.start(3)
		defer w.close()
		story(t, w)
	})
}

func (w *world) must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) health(t *testing.T, id string) connection.Health {
	t.Helper()
	c, found, err := w.table.Connection(context.Background(), delivery.ConnectionKey{AccountID: account, ConnectionID: id})
	if err != nil || !found {
		t.Fatalf("reading %s: %v %v", id, found, err)
	}
	return c.Health
}

// status is the status of the n-th accepted event.
func (w *world) status(t *testing.T, n int) delivery.Delivery {
	t.Helper()
	a := w.accepted[n]
	key := delivery.Key{ConnectionID: a.connection, DeliveryID: a.id}
	found, err := w.table.Load(context.Background(), []delivery.Key{key})
	if err != nil {
		t.Fatal(err)
	}
	return found[key]
}

// arrivals are the numbers of the accepted events in the order in which they first arrived at a connection's link.
func (w *world) arrivals(id string) []int {
	type arrival struct {
		n  int
		at time.Time
	}
	var all []arrival
	for n, a := range w.accepted {
		if a.connection == id && len(w.sent(a.id)) > 0 {
			all = append(all, arrival{n, w.sent(a.id)[0].at})
		}
	}
	slices.SortFunc(all, func(a, b arrival) int { return a.at.Compare(b.at) })
	var order []int
	for _, a := range all {
		order = append(order, a.n)
	}
	return order
}

func TestADeadLinkGetsOneAttemptAStepAndIsThenGivenUp(t *testing.T) {
	scene(t, func(t *testing.T, w *world) {
		w.must(t, w.connect("con_0"))
		w.behave("con_0", fails)
		w.must(t, w.post("con_0", "order0", 0))
		for range 20 {
			time.Sleep(time.Second)
			w.must(t, w.post("con_0", "order0", 0)) // of the same order, so that there is nothing to compare with
		}
		time.Sleep(5 * 24 * time.Hour)
		if got := len(w.tried("con_0")); got != 13 { // the first, and one for each of the twelve steps
			t.Errorf("%d attempts at a dead link", got)
		}
		h := w.health(t, "con_0")
		if h.State != connection.Suspended || h.LastError != "http_500" {
			t.Errorf("health = %+v", h)
		}
		after := h.Since.Sub(w.tried("con_0")[0])
		if after < 60*time.Hour || after > 84*time.Hour {
			t.Errorf("given up after %v", after)
		}
		steps := schedule(delivery.DefaultSchedule)
		for n, at := range w.tried("con_0")[1:] {
			if wait := at.Sub(w.tried("con_0")[n]); wait < steps[n] || wait > steps[n]*6/5+10*time.Second && steps[n] < delivery.MaxDelay {
				t.Errorf("step %d: waited %v, wanted %v and a fifth at most", n, wait, steps[n])
			}
		}
		// Held until somebody resumes; then in order, all of it.
		w.behave("con_0", takes)
		time.Sleep(24 * time.Hour)
		if got := w.arrivals("con_0"); len(got) != 0 {
			t.Errorf("sent while suspended: %v", got)
		}
		w.must(t, w.act("con_0", func(c *connection.Connection) { c.Resume(time.Now()) }))
		time.Sleep(time.Minute)
		if got := w.arrivals("con_0"); len(got) != 21 || !slices.IsSorted(got) {
			t.Errorf("arrivals = %v", got)
		}
		if h := w.health(t, "con_0"); h.State != connection.Healthy {
			t.Errorf("health = %+v", h)
		}
	})
}

func TestA410SuspendsAtOnce(t *testing.T) {
	for _, inTheFastLane := range []bool{true, false} {
		scene(t, func(t *testing.T, w *world) {
			w.must(t, w.connect("con_0"))
			if inTheFastLane {
				w.behave("con_0", is410)
			} else {
				w.behave("con_0", fails)
			}
			w.must(t, w.post("con_0", "order0", 0))
			time.Sleep(time.Second)
			w.behave("con_0", is410)
			time.Sleep(time.Minute)
			if h := w.health(t, "con_0"); h.State != connection.Suspended || h.LastStatus != 410 {
				t.Errorf("health = %+v", h)
			}
			if d := w.status(t, 0); d.StatusFor(connection.Connection{Health: w.health(t, "con_0")}) != delivery.Held {
				t.Errorf("status = %s", d.Status)
			}
		})
	}
}

func TestARefusedEventFailsTheSecondTimeAndTheRestGoesOn(t *testing.T) {
	for _, status := range []int{400, 413, 415, 422} {
		scene(t, func(t *testing.T, w *world) {
			w.must(t, w.connect("con_0"))
			w.must(t, w.post("con_0", "order0", status))
			w.must(t, w.post("con_0", "order0", 0))
			w.must(t, w.post("con_0", "order1", 0))
			time.Sleep(10 * time.Second)
			if d := w.status(t, 0); d.Status != delivery.Failed || d.Attempts != 2 || len(d.History) != 2 {
				t.Errorf("%d: %s after %d attempts", status, d.Status, d.Attempts)
			}
			for _, n := range []int{1, 2} {
				if d := w.status(t, n); d.Status != delivery.Delivered {
					t.Errorf("%d: the event behind it is %s", status, d.Status)
				}
			}
			if h := w.health(t, "con_0"); h.State != connection.Healthy {
				t.Errorf("health = %+v", h)
			}
		})
	}
}

func TestAPoisonedEventIsToldFromADeadLink(t *testing.T) {
	scene(t, func(t *testing.T, w *world) {
		w.must(t, w.connect("con_0"))
		w.must(t, w.post("con_0", "order0", 500))
		time.Sleep(time.Second)
		w.must(t, w.post("con_0", "order0", 0))
		w.must(t, w.post("con_0", "order1", 0))
		time.Sleep(12 * time.Minute) // after 5 s, 30 s, 2 min and 5 min: four have failed, the next one compares
		if d := w.status(t, 0); d.Status != delivery.Failed {
			t.Errorf("the poisoned event is %s after %d attempts", d.Status, d.Attempts)
		}
		if got := fmt.Sprint(w.arrivals("con_0")); got != "[2 1]" && got != "[1 2]" {
			t.Errorf("arrivals = %v", got)
		}
		if h := w.health(t, "con_0"); h.State != connection.Healthy {
			t.Errorf("health = %+v", h)
		}
	})
}

func TestAnEventThatFailsAloneIsComparedWithTheFirstToCome(t *testing.T) {
	scene(t, func(t *testing.T, w *world) {
		w.must(t, w.connect("con_0"))
		w.must(t, w.post("con_0", "order0", 500))
		time.Sleep(time.Hour) // the next step takes two hours
		if h := w.health(t, "con_0"); h.Alone != "order0" {
			t.Fatalf("health = %+v", h)
		}
		w.must(t, w.post("con_0", "order0", 0)) // of its own order: no company
		time.Sleep(time.Minute)
		if h := w.health(t, "con_0"); h.Alone != "order0" {
			t.Fatalf("health = %+v", h)
		}
		w.must(t, w.post("con_0", "order1", 0))
		time.Sleep(5 * time.Second)
		if got := fmt.Sprint(w.arrivals("con_0")); got != "[2 1]" {
			t.Errorf("arrivals = %v, %+v", got, w.health(t, "con_0"))
		}
		if d := w.status(t, 0); d.Status != delivery.Failed {
			t.Errorf("the poisoned event is %s", d.Status)
		}
	})
}

func TestResumeWakesTheSleepingToken(t *testing.T) {
	scene(t, func(t *testing.T, w *world) {
		w.must(t, w.connect("con_0"))
		w.behave("con_0", refuses)
		w.must(t, w.post("con_0", "order0", 0))
		time.Sleep(4 * time.Hour)
		w.behave("con_0", takes)
		before := time.Now()
		w.must(t, w.act("con_0", func(c *connection.Connection) { c.Resume(time.Now()) }))
		time.Sleep(5 * time.Second)
		if got := w.sent(w.accepted[0].id); len(got) != 1 || got[0].at.Sub(before) > 5*time.Second {
			t.Errorf("sends = %v", got)
		}
	})
}

func TestRetryAfterIsAFloor(t *testing.T) {
	scene(t, func(t *testing.T, w *world) {
		w.must(t, w.connect("con_0"))
		w.behave("con_0", limits) // Retry-After: 90
		w.must(t, w.post("con_0", "order0", 0))
		time.Sleep(10 * time.Minute)
		all := w.tried("con_0")
		if wait := all[1].Sub(all[0]); wait < 90*time.Second || wait > 100*time.Second {
			t.Errorf("the second attempt came after %v", wait)
		}
	})
}

// TestABatchIsNoHostage: when a link hangs, what is done of another connection in the same batch is acknowledged within
// about a second, so that the next event of that connection does not wait for the neighbour's timeout.
func TestABatchIsNoHostage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, err := newWorld(1, faultRates{})
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{"con_0", "con_1"} {
			w.must(t, w.connect(id))
		}
		w.behave("con_0", hangs)
		w.must(t, w.post("con_0", "order0", 0))
		w.must(t, w.post("con_1", "order1", 0))
		w.start(2) // both are in the first batch
		defer w.close()
		time.Sleep(500 * time.Millisecond)
		posted := time.Now()
		w.must(t, w.post("con_1", "order1", 0))
		time.Sleep(time.Minute)
		if got := w.sent(w.accepted[2].id); len(got) != 1 || got[0].at.Sub(posted) > 1500*time.Millisecond {
			t.Errorf("the neighbour's next event arrived %v after it was posted", got[0].at.Sub(posted))
		}
	})
}

// TestAHangingNeighbourCostsNothing measures a healthy link's time from post to arrival, alone and beside one that hangs.
func TestAHangingNeighbourCostsNothing(t *testing.T) {
	measure := func(neighbour behaviour) (p50, p99 time.Duration) {
		scene(t, func(t *testing.T, w *world) {
			w.must(t, w.connect("con_0"))
			w.must(t, w.connect("con_1"))
			w.behave("con_1", neighbour)
			posted := map[string]time.Time{}
			for n := range 200 {
				for _, id := range []string{"con_1", "con_0"} {
					w.must(t, w.post(id, fmt.Sprint("order", n), 0))
					posted[w.accepted[len(w.accepted)-1].id] = time.Now()
					time.Sleep(10 * time.Millisecond)
				}
			}
			time.Sleep(time.Hour)
			var waits []time.Duration
			for _, a := range w.accepted {
				if a.connection != "con_0" {
					continue
				}
				if len(w.sent(a.id)) != 1 {
					t.Fatalf("%s arrived %d times", a.id, len(w.sent(a.id)))
				}
				waits = append(waits, w.sent(a.id)[0].at.Sub(posted[a.id]))
			}
			slices.Sort(waits)
			p50, p99 = waits[len(waits)/2], waits[len(waits)*99/100]
		})
		return p50, p99
	}
	p50, p99 := measure(takes)
	hp50, hp99 := measure(hangs)
	t.Logf("alone p50 %v p99 %v, beside a hanging link p50 %v p99 %v", p50, p99, hp50, hp99)
	if hp50 > p50*6/5 {
		t.Errorf("p50 is %v beside a hanging link, %v beside a healthy one", hp50, p50)
	}
	if hp99 > p99+2*time.Second {
		t.Errorf("p99 is %v beside a hanging link, %v beside a healthy one", hp99, p99)
	}
}

// TestTheStorm: however much waits for a dead link, it gets one attempt a step of the schedule (two from the fourth on),
// and what waits arrives in order, each once, when the link returns.
func TestTheStorm(t *testing.T) {
	const orders = 100
	events := stormEvents
	scene(t, func(t *testing.T, w *world) {
		w.must(t, w.connect("con_0"))
		w.behave("con_0", fails)
		for n := range events {
			w.must(t, w.post("con_0", fmt.Sprint("order", n%orders), 0))
		}
		time.Sleep(25 * time.Hour)
		// 5s 30s 2m 5m 30m 2h 5h 10h: eight steps have passed, five of them with a second event.
		if got := len(w.tried("con_0")); got > 10+3+2*5 {
			t.Errorf("%d attempts at a dead link in 25 hours with %d events waiting", got, events)
		}
		w.behave("con_0", takes)
		w.must(t, w.act("con_0", func(c *connection.Connection) { c.Resume(time.Now()) }))
		began := time.Now()
		time.Sleep(30 * time.Minute)
		order := w.arrivals("con_0")
		if len(order) != events {
			t.Fatalf("%d of %d arrived", len(order), events)
		}
		last := map[int]int{}
		var lastAt time.Time
		for _, n := range order {
			if n < last[n%orders] {
				t.Errorf("event %d of order %d arrived after event %d", n, n%orders, last[n%orders])
			}
			last[n%orders] = n
			sends := w.sent(w.accepted[n].id)
			if len(sends) != 1 {
				t.Errorf("event %d arrived %d times", n, len(sends))
			}
			lastAt = sends[0].at
		}
		t.Logf("%d events drained in %v", events, lastAt.Sub(began))
		if h := w.health(t, "con_0"); h.State != connection.Healthy {
			t.Errorf("health = %+v", h)
		}
	})
}
