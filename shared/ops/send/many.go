package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// tally is what many events came to.
type tally struct {
	mu                   sync.Mutex
	accepted, deliveries int
	done                 int
	states               map[string]int
	acceptance, way      []time.Duration
	failed               map[string]int // requests, by what was answered
}

// sendMany posts many events side by side and waits for all of their deliveries.
func sendMany(ctx context.Context, s settings, out io.Writer) error {
	a, err := connect(ctx, s)
	if err != nil {
		return err
	}
	t := &tally{states: map[string]int{}, failed: map[string]int{}}
	began := time.Now()
	stop := t.show(out, s.count)
	posts, pctx := errgroup.WithContext(ctx)
	posts.SetLimit(s.parallel)
	waits, wctx := errgroup.WithContext(ctx)
	waits.SetLimit(4 * s.parallel)
	for range s.count {
		posts.Go(func() error {
			p, err := a.post(pctx)
			t.add(p, err)
			if err != nil {
				return pctx.Err() // one that fails does not end the others
			}
			for _, each := range p.Deliveries {
				waits.Go(func() error {
					d, err := a.await(wctx, each.ConnectionID, each.ID, func(delivery) {})
					t.finish(d, err)
					return wctx.Err()
				})
			}
			return nil
		})
	}
	err = posts.Wait()
	posting := time.Since(began)
	if werr := waits.Wait(); err == nil {
		err = werr
	}
	stop()
	t.summary(out, posting, time.Since(began))
	switch {
	case err != nil:
		return err
	case t.deliveries == 0 && t.accepted > 0:
		return fmt.Errorf("no connection of %s is on and wants %s", a.account, a.action)
	case t.accepted < s.count || t.states["delivered"] < t.deliveries:
		return errUndelivered
	}
	return nil
}

func (t *tally) add(p posted, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil {
		t.failed[err.Error()]++
		return
	}
	t.accepted++
	t.deliveries += len(p.Deliveries)
	t.acceptance = append(t.acceptance, p.Took)
}

func (t *tally) finish(d delivery, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.done++
	switch {
	case err != nil:
		t.failed[err.Error()]++
	case d.Status == "":
		t.states["not tried in time"]++
	case !d.over():
		t.states["still waiting"]++
	default:
		t.states[d.Status]++
	}
	if d.Status == "delivered" {
		t.way = append(t.way, d.took())
	}
}

// show draws a progress bar until stop is called: anew and anew on a terminal, at the end alone elsewhere.
func (t *tally) show(out io.Writer, count int) (stop func()) {
	f, isFile := out.(*os.File)
	live := false
	if isFile {
		info, err := f.Stat()
		live = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	ended, drawn := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(drawn)
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				if live {
					fmt.Fprint(out, "\r"+t.bar(count))
				}
			case <-ended:
				if live {
					fmt.Fprint(out, "\r")
				}
				fmt.Fprintln(out, t.bar(count))
				return
			}
		}
	}()
	return func() { close(ended); <-drawn }
}

// bar shows what was accepted (░) and, of that, what is done (█).
func (t *tally) bar(count int) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	const width = 40
	accepted := t.accepted * width / count
	done := accepted
	if t.deliveries > 0 {
		done = accepted * t.done / t.deliveries
	}
	return fmt.Sprintf("%s%s%s %d/%d accepted, %d/%d done", strings.Repeat("█", done), strings.Repeat("░", accepted-done),
		strings.Repeat("·", width-accepted), t.accepted, count, t.done, t.deliveries)
}

func (t *tally) summary(out io.Writer, posting, all time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	fmt.Fprintf(out, "accepted   %d in %s (%.0f/s)   %s\n", t.accepted, short(posting), float64(t.accepted)/posting.Seconds(), percentiles(t.acceptance))
	fmt.Fprintf(out, "delivered  %d of %d in %s (%.0f/s)   from acceptance to the answer: %s\n", t.states["delivered"], t.deliveries, short(all),
		float64(t.states["delivered"])/all.Seconds(), percentiles(t.way))
	for _, state := range slices.Sorted(maps.Keys(t.states)) {
		if state != "delivered" {
			fmt.Fprintf(out, "%-10s %d\n", state, t.states[state])
		}
	}
	for _, text := range slices.Sorted(maps.Keys(t.failed)) {
		fmt.Fprintf(out, "failed     %d × %s\n", t.failed[text], text)
	}
}

// percentiles gives the nearest-rank percentiles.
func percentiles(d []time.Duration) string {
	if len(d) == 0 {
		return "-"
	}
	slices.Sort(d)
	at := func(percent int) time.Duration { return d[max(0, (len(d)*percent+99)/100-1)] }
	return fmt.Sprintf("p50 %s, p95 %s, p99 %s, max %s", short(at(50)), short(at(95)), short(at(99)), short(at(100)))
}
