package delivery

import (
	"context"
	"errors"
	"time"

	"github.com/nethouse-academy/albato/shared/connection"
)

const (
	pageSize = 25 // of the line: as many entries as one BatchWriteItem takes
	// suspectAfter is the number of failed attempts in a row from which on it may be the event's fault, not the link's.
	suspectAfter = 4
)

// Drain is what a token does when it wakes: it tries what waits of its connection, in order, until nothing waits, the
// link fails again, or the invocation's time is up. It returns true when the token has done its work and is to be
// deleted; otherwise it has been told when to come back, or comes back after its visibility timeout.
func (s *Sender) Drain(ctx context.Context, token Received) (done bool) {
	d := drain{Sender: s, token: token, budget: s.budget(ctx), received: s.Now()}
	defer func() {
		if p := recover(); p != nil {
			s.Fault(ctx, "draining what waits", &PanicError{p})
			done = false
		}
	}()
	for {
		if !d.budget.enough() {
			return d.sleep(ctx, 0)
		}
		next, err := d.step(ctx)
		switch {
		case errors.Is(err, ErrMoved): // read again and go on
		case err != nil:
			s.Fault(ctx, "draining what waits", err)
			return false
		case next == ends:
			return true
		case next == sleeps:
			return d.sleep(ctx, d.until.Sub(s.Now()))
		}
	}
}

// drain is one waking of a token.
type drain struct {
	*Sender
	token    Received
	budget   budget
	received time.Time
	c        connection.Connection
	until    time.Time // when it sleeps
}

type next int

const (
	goesOn next = iota
	sleeps
	ends
)

// step reads the connection and takes one page of its line. ErrMoved: the connection has changed; step again.
func (d *drain) step(ctx context.Context) (next, error) {
	var found bool
	var err error
	if d.c, found, err = d.Gate.Connection(ctx, ConnectionKey{d.token.Token.AccountID, d.token.Token.ConnectionID}); err != nil {
		return goesOn, err
	}
	switch {
	case !found:
		return ends, nil
	case d.c.Deleted:
		return d.erase(ctx)
	case d.c.Health.State == connection.Healthy, d.c.Enabled && d.c.Health.State == connection.Suspended:
		return ends, nil
	case d.c.Enabled && d.Now().Before(d.c.Health.NextAttemptAt):
		return d.early(ctx)
	}
	page, err := d.Line.Waiting(ctx, d.c.ID, pageSize)
	if err != nil {
		return goesOn, err
	}
	if len(page) == 0 {
		return ends, d.recovered(ctx)
	}
	jobs, err := d.load(ctx, page)
	if err != nil {
		return goesOn, err
	}
	open := with(jobs, notBegun)
	if len(open) == 0 {
		return goesOn, d.record(ctx, jobs)
	}
	if d.c.Health.Attempts > 0 {
		return d.probe(ctx, jobs, open[0])
	}
	r := d.tryAll(ctx, d.c, open, d.budget)
	if err := d.record(ctx, jobs); err != nil {
		return goesOn, err
	}
	if r.trouble {
		return d.failed(ctx, r, "")
	}
	if len(with(jobs, ourFault)) > 0 {
		return goesOn, errors.New("an attempt ended by a fault of our own")
	}
	return goesOn, nil
}

// lastWords is longer than any invocation: what was on its way to a connection when it was deleted has been logged by then.
const lastWords = time.Minute

// erase deletes the log and the line of a deleted connection, and the connection itself once nobody can write there any
// more.
func (d *drain) erase(ctx context.Context) (next, error) {
	more, err := d.Eraser.Erase(ctx, d.c)
	if err != nil || more {
		return goesOn, err
	}
	if d.until = d.c.UpdatedAt.Add(lastWords); d.Now().Before(d.until) {
		return sleeps, nil
	}
	return ends, d.Eraser.Forget(ctx, d.c)
}

// early: somebody woke the token before its time, or it could not be put to sleep. Whoever wants to wake it from now on
// needs its new handle.
func (d *drain) early(ctx context.Context) (next, error) {
	d.until = d.c.Health.NextAttemptAt
	if d.c.Health.TokenHandle == d.token.Handle {
		return sleeps, nil
	}
	health := d.c.Health
	health.TokenHandle = d.token.Handle
	return sleeps, d.save(ctx, health, false)
}

// recovered makes the connection healthy on the condition that nothing was held since it was read: so nothing overtakes,
// without a lock and without a counter that could drift.
func (d *drain) recovered(ctx context.Context) error {
	before := d.c.Health.State
	health := connection.Health{State: connection.Healthy, Since: d.Now()}
	if err := d.save(ctx, health, true); err != nil {
		return err
	}
	if d.c.Enabled {
		d.Observer.Turned(ctx, d.c, before)
	}
	return nil
}

// save writes health and keeps it as what the connection has now.
func (d *drain) save(ctx context.Context, health connection.Health, exact bool) error {
	health.HeldThrough, health.SkipThrough = d.c.Health.HeldThrough, d.c.Health.SkipThrough
	if err := d.Gate.SaveHealth(ctx, d.c, health, exact); err != nil {
		return err
	}
	d.c.Health = health
	return nil
}

// load makes jobs of pointers. What is done already, or erased, only leaves the line; what was queued before the
// connection was switched off is skipped.
func (d *drain) load(ctx context.Context, page []Pointer) ([]*job, error) {
	keys := make([]Key, 0, len(page))
	for _, p := range page {
		keys = append(keys, Key{d.c.ID, p.DeliveryID})
	}
	found, err := d.Log.Load(ctx, keys)
	if err != nil {
		return nil, err
	}
	jobs := make([]*job, len(page))
	for i, p := range page {
		entry, ok := found[keys[i]]
		j := &job{delivery: entry, retry: entry.Retry}
		switch {
		case !ok || entry.Done() || entry.Sequence != p.Sequence:
			j.progress = handled
		case !d.c.Enabled || p.Sequence <= d.c.Health.SkipThrough:
			j.finish(Skipped)
		}
		j.delivery.Sequence = p.Sequence
		jobs[i] = j
	}
	return jobs, nil
}

// record logs what was tried and takes what is finished out of the line: in this order, so that a crash between leaves a
// pointer to something done, which does no harm.
func (d *drain) record(ctx context.Context, jobs []*job) error {
	changed := with(jobs, finished, notTaken)
	if len(changed) > 0 {
		if err := d.Log.Record(ctx, entries(changed)); err != nil {
			return err
		}
	}
	var leave []connection.Sequence
	for _, j := range with(jobs, finished, handled) {
		leave = append(leave, j.delivery.Sequence)
		if j.progress == finished {
			d.Observer.Settled(ctx, j.delivery)
		}
	}
	if len(leave) == 0 {
		return nil
	}
	return d.Line.Dequeue(ctx, d.c.ID, leave)
}

// failed ends the waking after an attempt that was not taken: it saves when the next one is and puts the token to sleep,
// or suspends the connection. alone names the order of an event that fails while nothing of another order waits.
func (d *drain) failed(ctx context.Context, r round, alone string) (next, error) {
	now := d.Now()
	health := d.c.Health
	health.LastStatus, health.LastError, health.Alone = r.status, r.code, alone
	if r.alive {
		health.Attempts = 0 // the link took or refused something: the schedule of a dead link does not apply
	}
	delay, ok := d.Schedule.Delay(health.Attempts+1, d.Jitter(), r.retryAfter)
	if r.gone || !ok {
		health.State, health.Since, health.NextAttemptAt, health.Alone = connection.Suspended, now, time.Time{}, ""
		health.TokenSentAt, health.TokenHandle = time.Time{}, ""
		if err := d.save(ctx, health, false); err != nil {
			return goesOn, err
		}
		d.Observer.Turned(ctx, d.c, connection.Failing)
		return ends, nil
	}
	health.Attempts++
	d.until = now.Add(delay)
	health.NextAttemptAt, health.TokenHandle = d.until, d.token.Handle
	if health.TokenSentAt.IsZero() {
		health.TokenSentAt = now
	}
	// When the event is alone, something of another order may have been held since: then it is no longer.
	err := d.save(ctx, health, alone != "")
	if errors.Is(err, ErrMoved) && alone != "" {
		return d.notAlone(ctx, health)
	}
	return sleeps, err
}
