package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

var errUndelivered = errors.New("not everything was delivered")

// sendOne posts one event and tells what becomes of it.
func sendOne(ctx context.Context, s settings, out io.Writer) error {
	a, err := connect(ctx, s)
	if err != nil {
		return err
	}
	p, err := a.post(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "event %s: %s, order %s\n  accepted in %s, %s\n", p.ID, a.action, p.Order, short(p.Took), number(len(p.Deliveries), "delivery", "deliveries"))
	if len(p.Deliveries) == 0 {
		return fmt.Errorf("no connection of %s is on and wants %s", a.account, a.action)
	}
	for _, each := range p.Deliveries {
		seen := 0
		fmt.Fprintf(out, "  %s to %s\n", each.ID, each.ConnectionID)
		d, err := a.await(ctx, each.ConnectionID, each.ID, func(d delivery) {
			for ; seen < len(d.AttemptLog); seen++ {
				t := d.AttemptLog[seen]
				fmt.Fprintf(out, "    +%-8s attempt %d: %s in %d ms\n", short(t.At.Sub(d.CreatedAt)), seen+1, outcome(t.Status, t.Error), t.DurationMS)
			}
		})
		if err != nil {
			return err
		}
		switch {
		case d.Status == "":
			fmt.Fprintf(out, "    not tried within %s\n", a.patience)
		case !d.over():
			fmt.Fprintf(out, "    still waiting after %s; it will be tried again\n", a.patience)
		default:
			fmt.Fprintf(out, "    %s after %s\n", d.Status, short(d.took()))
		}
		if d.Status != "delivered" {
			err = errUndelivered
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func outcome(status *int, code *string) string {
	switch {
	case status != nil:
		return fmt.Sprint(*status)
	case code != nil:
		return *code
	}
	return "?"
}

// short is a duration as people read it.
func short(d time.Duration) string {
	switch {
	case d < 10*time.Millisecond:
		return d.Round(100 * time.Microsecond).String()
	case d < 10*time.Second:
		return d.Round(time.Millisecond).String()
	}
	return d.Round(100 * time.Millisecond).String()
}

func number(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprint(n, " ", more)
}
