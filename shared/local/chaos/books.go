package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// books is what became of every accepted event.
type books struct {
	accepted   int
	statuses   map[string]int
	lost       int // accepted, and neither in the log with a last status nor waiting for a person
	unreceived int // called delivered, though no receiver has it
	outOfOrder int
	duplicates int // received more than once
	unexcused  int // … though every answer was seen and no sender was killed about then
	longest    time.Duration
	took       time.Duration
}

// settle waits until nothing waits any more, and then closes the books.
func settle(ctx context.Context, a *academy, r *receivers, o options) (*books, error) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	began := time.Now()
	for {
		open, err := stillOpen(ctx, a)
		if err != nil {
			return nil, err
		}
		if !open && r.unique.Load() >= int64(o.events) {
			break
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("not settled: %d of %d received, a connection still failing: %v", r.unique.Load(), o.events, open)
		case <-time.After(200 * time.Millisecond):
		}
	}
	// A killed sender's messages come back once more: what they bring must be dropped, and that is to be seen too.
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(visibility + time.Second):
	}
	b := &books{accepted: len(a.events), statuses: map[string]int{}, took: time.Since(began)}
	log := map[string]string{}
	for n := range a.connections {
		if err := readLog(ctx, a, n, log); err != nil {
			return nil, err
		}
	}
	b.close(a, r, log)
	return b, nil
}

// stillOpen resumes every connection that is not healthy and tells whether there is one.
func stillOpen(ctx context.Context, a *academy) (open bool, err error) {
	for n, id := range a.connections {
		path := "/v1/accounts/" + account(n) + "/connections/" + id
		var c struct{ Health struct{ State string } }
		if _, err := a.call(ctx, "GET", path, nil, &c); err != nil {
			return true, err
		}
		if c.Health.State == "healthy" {
			continue
		}
		open = true
		if _, err := a.call(ctx, "POST", path+"/resume", nil, nil); err != nil {
			return true, err
		}
	}
	return open, nil
}

// readLog reads a connection's whole delivery log: status by delivery.
func readLog(ctx context.Context, a *academy, n int, log map[string]string) error {
	cursor := ""
	for {
		var page struct {
			Deliveries []struct{ ID, Status string }
			NextCursor *string `json:"next_cursor"`
		}
		path := "/v1/accounts/" + account(n) + "/connections/" + a.connections[n] + "/deliveries?limit=100" + cursor
		if _, err := a.call(ctx, "GET", path, nil, &page); err != nil {
			return err
		}
		for _, d := range page.Deliveries {
			log[d.ID] = d.Status
		}
		if page.NextCursor == nil {
			return nil
		}
		cursor = "&cursor=" + *page.NextCursor
	}
}

func (b *books) close(a *academy, r *receivers, log map[string]string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	last := map[[2]int]time.Time{} // first arrival of the event before, by connection and order
	for _, e := range a.events {
		status, arrivals := log[e.delivery], r.arrivals[e.delivery]
		b.statuses[status]++
		if !slices.Contains([]string{"delivered", "failed", "held", "skipped"}, status) && len(arrivals) == 0 {
			b.lost++
		}
		if len(arrivals) == 0 {
			if status == "delivered" {
				b.unreceived++
			}
			continue
		}
		b.longest = max(b.longest, arrivals[0].at.Sub(e.at))
		order := [2]int{e.connection, e.order}
		if arrivals[0].at.Before(last[order]) {
			b.outOfOrder++
		}
		last[order] = arrivals[0].at
	}
}

// report prints the figures. The error names every broken promise.
func (b *books) report(out io.Writer, d *disaster, r *receivers) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, arrivals := range r.arrivals {
		b.duplicates += len(arrivals) - 1
		for _, a := range arrivals[:len(arrivals)-1] {
			if a.answered && !d.killedWithin(a.at) {
				b.unexcused++
			}
		}
	}
	fmt.Fprintf(out, `
events accepted   %d
processes killed  %d
delivered         %d
failed            %d
held              %d
skipped           %d
not in the log    %d   received, but the sender was killed before it could say so
lost              %d
out of order      %d
duplicates        %d   of these with every answer seen and no sender killed about then: %d
longest wait      %.1fs   from acceptance to arrival, through outages and kills
settled in        %.1fs
`, b.accepted, d.killed.Load(), b.statuses["delivered"], b.statuses["failed"], b.statuses["held"], b.statuses["skipped"], b.statuses[""],
		b.lost, b.outOfOrder, b.duplicates, b.unexcused, b.longest.Seconds(), b.took.Seconds())
	var broken []error
	for what, n := range map[string]int{"lost": b.lost, "called delivered but never received": b.unreceived, "out of order": b.outOfOrder,
		"sent twice without a reason": b.unexcused, "still waiting": b.statuses["waiting"]} {
		if n > 0 {
			broken = append(broken, fmt.Errorf("%d %s", n, what))
		}
	}
	return errors.Join(broken...)
}
