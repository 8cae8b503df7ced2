package delivery

import (
	"context"
	"time"
)

// budget says how long the current invocation may go on; without a deadline there is no limit.
type budget struct {
	now      func() time.Time
	deadline time.Time
	attempt  time.Duration // one attempt at most
	reserve  time.Duration // to write down how it went
}

// settleTime is what has to be left of an invocation after its last attempt: a few calls, one of them a transaction.
const settleTime = 1500 * time.Millisecond

func (s *Sender) budget(ctx context.Context) budget {
	b := budget{now: s.Now, attempt: s.Timeout, reserve: settleTime}
	if deadline, ok := ctx.Deadline(); ok {
		b.deadline = deadline
		// An invocation too short for a whole attempt (where a test compresses time) makes shorter ones.
		if left := deadline.Sub(s.Now()); b.attempt+b.reserve > left*3/4 {
			b.attempt, b.reserve = min(s.Timeout, left/2), min(settleTime, left/4)
		}
	}
	return b
}

// enough tells whether an attempt that begins now can end in time.
func (b budget) enough() bool {
	return b.deadline.IsZero() || b.deadline.Sub(b.now()) >= b.attempt+b.reserve
}
