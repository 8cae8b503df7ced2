package delivery

import (
	"context"
	"errors"

	"github.com/nethouse-academy/albato/shared/connection"
)

// othersWithin is how far down the line events of other orders are looked for.
const othersWithin = 1000

// probe tries a link in doubt with one event alone, the oldest. From the suspectAfter-th failed attempt on, each attempt
// also tries the oldest event of another order, another order each time: if that one gets through, the link lives and the
// stuck event is what is wrong. It is tried once more and becomes failed, and the rest goes on; order is kept within an order.
func (d *drain) probe(ctx context.Context, jobs []*job, head *job) (next, error) {
	r := d.tryAll(ctx, d.c, []*job{head}, d.budget)
	alone := ""
	if head.progress == notTaken && !r.gone && d.suspicious() {
		others, err := d.others(ctx, head)
		if err != nil {
			return goesOn, err
		}
		switch {
		case len(others) == 0:
			alone = head.delivery.OrderID
		case !d.budget.enough():
		default:
			other := others[(d.c.Health.Attempts-d.suspectAfter())%len(others)]
			second := d.tryAll(ctx, d.c, []*job{other}, d.budget)
			jobs = append([]*job{other}, jobs...)
			r.alive, r.gone = r.alive || second.alive, second.gone
			if second.alive && d.budget.enough() {
				// Once more, now that the link is known to live: it may just have come back.
				head.progress = notBegun
				if d.tryAll(ctx, d.c, []*job{head}, d.budget); head.progress == notTaken {
					head.finish(Failed)
				}
			}
		}
	}
	if err := d.record(ctx, jobs); err != nil {
		return goesOn, err
	}
	switch {
	case head.progress == ourFault:
		return goesOn, errors.New("an attempt ended by a fault of our own")
	case head.progress == notBegun:
		return goesOn, nil // the budget is used up
	case head.progress == notTaken:
		return d.failed(ctx, r, alone)
	}
	health := d.c.Health
	health.Attempts, health.Alone = 0, ""
	return goesOn, d.save(ctx, health, false)
}

// suspectAfter is the same for every schedule but one that is too short to get there.
func (d *drain) suspectAfter() int { return min(suspectAfter, len(d.Schedule)) }

func (d *drain) suspicious() bool { return d.c.Health.Attempts >= d.suspectAfter() }

// others gives the oldest waiting event of every other order that is near the head of the line.
func (d *drain) others(ctx context.Context, head *job) ([]*job, error) {
	line, err := d.Line.Waiting(ctx, d.c.ID, othersWithin)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{head.delivery.OrderID: true}
	var page []Pointer
	for _, p := range line {
		if !seen[p.OrderID] && p.Sequence > d.c.Health.SkipThrough {
			seen[p.OrderID] = true
			page = append(page, p)
		}
	}
	if len(page) > pageSize {
		page = page[:pageSize]
	}
	jobs, err := d.load(ctx, page)
	return with(jobs, notBegun), err
}

// notAlone: the event that failed alone has got company while that was being written down. If it is of another order the
// two are compared at once; otherwise the event is still alone.
func (d *drain) notAlone(ctx context.Context, health connection.Health) (next, error) {
	for range maxTurns {
		c, found, err := d.Gate.Connection(ctx, ConnectionKey{d.c.AccountID, d.c.ID})
		if err != nil {
			return goesOn, err
		}
		if !found || c.Generation != d.c.Generation || c.Health.State != connection.Failing {
			return goesOn, nil
		}
		d.c = c
		others, err := d.others(ctx, &job{delivery: Delivery{OrderID: health.Alone}})
		if err != nil {
			return goesOn, err
		}
		exact := true
		if len(others) > 0 {
			d.until = d.Now()
			health.Alone, health.NextAttemptAt, exact = "", d.until, false
		}
		if err := d.save(ctx, health, exact); !errors.Is(err, ErrMoved) {
			return sleeps, err
		}
	}
	return goesOn, ErrMoved
}
