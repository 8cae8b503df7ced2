package delivery

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/nethouse-academy/albato/shared/connection"
)

// maxTurns is how often a lane starts again because the connection changed under it; then its messages come back.
const maxTurns = 5

// lane takes one connection's messages of a batch as far as they go in this invocation.
type lane struct {
	*Sender
	key      ConnectionKey
	c        connection.Connection
	found    bool
	messages []Received
	jobs     []*job // one for each message, in their order
}

func newLane(s *Sender, messages []Received, snapshot Snapshot) *lane {
	l := &lane{Sender: s, key: connectionKey(messages[0]), messages: messages}
	l.c, l.found = snapshot.Connections[l.key]
	seen := map[string]bool{}
	for _, r := range messages {
		d := r.Message.Delivery
		j := &job{delivery: d, retry: r.Message.Retry}
		if entry, ok := snapshot.Deliveries[Key{d.ConnectionID, d.ID}]; ok {
			// What the log knows of it, with the body of the message: Lookup reads none.
			body := d.Body
			j.delivery = entry
			j.delivery.Body = body
			if entry.handled(j.retry, l.c) {
				j.progress = handled
			}
		}
		if seen[d.ID] {
			// A second message of one delivery must see what became of the first: it comes again at once.
			j.progress = tooEarly
		}
		seen[d.ID] = true
		j.delivery.Sequence = r.Sequence
		j.delivery.ExpiresAt = s.Now().Add(s.Retention)
		l.jobs = append(l.jobs, j)
	}
	return l
}

// run never loses a message: whatever goes wrong, each is either done or comes back.
func (l *lane) run(ctx context.Context) (x settled) {
	defer func() {
		if p := recover(); p != nil {
			l.Fault(ctx, "delivering to a connection", &PanicError{p})
			x = l.sort(true)
		}
	}()
	for turn := 0; ; turn++ {
		if !l.found || l.c.Deleted {
			// Of a connection that is gone nothing is kept, its log included.
			return settled{done: l.messages}
		}
		err := l.advance(ctx)
		if err == nil {
			break
		}
		if !errors.Is(err, ErrMoved) || turn == maxTurns {
			l.Fault(ctx, "holding what was not delivered", err)
			return l.sort(true)
		}
		if l.c, l.found, err = l.Gate.Connection(ctx, l.key); err != nil {
			l.Fault(ctx, "reading a connection", err)
			return l.sort(true)
		}
	}
	if l.waits() {
		if err := l.controls().EnsureToken(ctx, l.c); err != nil {
			l.Fault(ctx, "sending a token", err)
			return l.sort(true)
		}
	}
	return l.sort(false)
}

// advance tries what is open on a healthy connection and holds what is left; on any other it holds at once.
func (l *lane) advance(ctx context.Context) error {
	for _, j := range with(l.jobs, notTaken) {
		j.progress = notBegun // of the turn before, on a connection that has changed since
	}
	todo := with(l.jobs, notBegun)
	if len(todo) == 0 {
		return nil
	}
	if !l.c.Enabled {
		for _, j := range todo {
			j.finish(Skipped)
		}
		return nil
	}
	if l.c.Health.State != connection.Healthy {
		return l.hold(ctx, todo, nil)
	}
	r := l.tryAll(ctx, l.c, todo, l.budget(ctx))
	left := withoutFaults(l.jobs, with(todo, notTaken, notBegun))
	if !r.trouble || len(left) == 0 {
		return nil
	}
	health := l.turned(r)
	return l.hold(ctx, left, &health)
}

// withoutFaults leaves out what stands in its order behind a job that comes back: it comes back too, or it would overtake.
func withoutFaults(all, some []*job) []*job {
	var faulty []string
	for _, j := range with(all, ourFault) {
		faulty = append(faulty, j.delivery.OrderID)
	}
	return slices.DeleteFunc(some, func(j *job) bool { return slices.Contains(faulty, j.delivery.OrderID) })
}

// turned is the health of a connection whose link has just failed for the first time.
func (l *lane) turned(r round) connection.Health {
	now := l.Now()
	h := l.c.Health
	h.Since, h.Attempts, h.LastStatus, h.LastError = now, 1, r.status, r.code
	h.Alone, h.TokenSentAt, h.TokenHandle = "", time.Time{}, ""
	delay, _ := l.Schedule.Delay(1, l.Jitter(), r.retryAfter)
	h.State, h.NextAttemptAt = connection.Failing, now.Add(delay)
	if r.gone {
		h.State, h.NextAttemptAt = connection.Suspended, time.Time{}
	}
	return h
}

// hold puts jobs in the connection's line. turn is set when the connection was healthy until now.
func (l *lane) hold(ctx context.Context, jobs []*job, turn *connection.Health) error {
	slices.SortFunc(jobs, func(a, b *job) int { return cmp.Compare(a.delivery.Sequence, b.delivery.Sequence) })
	h := Hold{Read: l.c, Turn: turn}
	for _, j := range jobs {
		d := j.delivery
		d.Status, d.Retry = Waiting, j.retry
		h.Deliveries = append(h.Deliveries, d)
		if alone := l.c.Health.Alone; turn == nil && alone != "" && d.OrderID != alone {
			h.Wake = l.Now() // at last somebody to compare the stuck event with
		}
	}
	if err := l.Line.Hold(ctx, h); err != nil {
		return err
	}
	for i, j := range jobs {
		j.delivery, j.progress = h.Deliveries[i], held
		l.Observer.Settled(ctx, j.delivery)
	}
	if turn != nil {
		before := l.c.Health.State
		l.c.Health = *turn
		l.Observer.Turned(ctx, l.c, before)
	}
	if !h.Wake.IsZero() && l.c.Health.TokenHandle != "" {
		// Should this fail, the token wakes at its own time.
		if err := l.Tokens.Wake(ctx, l.c.Health.TokenHandle); err != nil {
			l.Fault(ctx, "waking a token", err)
		}
	}
	return nil
}

// waits tells whether a message of the batch waits in the line: then the connection needs its token.
func (l *lane) waits() bool {
	return slices.ContainsFunc(l.jobs, func(j *job) bool {
		return j.progress == held || j.progress == handled && j.delivery.Status == Waiting
	})
}

// sort says what becomes of each message. After a fault of ours, what is not known to be finished comes back. What is
// released comes after it all the same: the queue gives out nothing of a group while one of its messages is away.
func (l *lane) sort(fault bool) (x settled) {
	for i, j := range l.jobs {
		m := l.messages[i]
		switch {
		case j.progress == finished:
			x.entries = append(x.entries, j.delivery)
			x.logged = append(x.logged, m)
		case fault || j.progress == ourFault:
			x.back = append(x.back, m)
		case j.progress == handled || j.progress == held:
			x.done = append(x.done, m)
		default:
			x.release = append(x.release, m)
		}
	}
	return x
}
