package sqs

import (
	"context"
	"time"
)

// receiveInput is what a receive asks for.
type receiveInput struct {
	max             int
	wait            instant // the queue's default unless waitGiven
	waitGiven       bool
	visibility      instant // the queue's default unless visibilityGiven
	visibilityGiven bool
}

// waiter is a receive that found nothing and waits. Whoever makes messages
// available takes them on its behalf: the first to come is the first served, and
// nobody is woken for nothing.
type waiter struct {
	max        int
	visibility instant
	messages   []Message
	served     chan struct{} // closed once messages is set
	turn       node[*waiter]
}

// receive takes what there is, or waits for it.
func (s *Server) receive(ctx context.Context, queue string, in receiveInput) ([]Message, error) {
	if in.max < 1 || in.max > 10 {
		return nil, outOfRange(in.max, "MaxNumberOfMessages", 1, 10)
	}
	s.mu.Lock()
	q, now, missing := s.open(queue)
	if missing != nil {
		s.mu.Unlock()
		return nil, missing
	}
	if !in.waitGiven {
		in.wait = q.config.receiveWait
	}
	if !in.visibilityGiven {
		in.visibility = q.config.visibility
	}
	s.settle(q, now) // who waits already comes first
	if q.inFlight >= s.maxInFlight && !q.config.fifo {
		s.mu.Unlock()
		return nil, refuse("OverLimit", "Too many messages are in flight: the limit is %d.", s.maxInFlight)
	}
	messages := q.take(now, in.max, in.visibility)
	s.settle(q, now)
	if len(messages) > 0 || in.wait <= 0 || ctx.Err() != nil {
		s.mu.Unlock()
		return s.handOver(ctx, q, messages)
	}
	w := &waiter{max: in.max, visibility: in.visibility, served: make(chan struct{})}
	w.turn.value = w
	q.waiters.push(&w.turn)
	q.arm(now)
	s.mu.Unlock()
	s.await(ctx, q, w, in.wait)
	return s.handOver(ctx, q, w.messages)
}

// await returns when the waiter is served, its time is over or ctx has ended; the
// waiter stands in no line any more.
func (s *Server) await(ctx context.Context, q *queueState, w *waiter, wait time.Duration) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-w.served:
		return
	case <-timer.C:
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	q.waiters.remove(&w.turn)
	q.disarm()
}

// handOver gives received messages to the caller, or back to the queue when the
// caller has gone away meanwhile: a dropped connection must not block a message
// group until the visibility timeout.
func (s *Server) handOver(ctx context.Context, q *queueState, messages []Message) ([]Message, error) {
	if ctx.Err() == nil {
		return messages, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.instant()
	for i := range messages {
		r, _ := parseReceipt(messages[i].ReceiptHandle)
		if m := q.received[r.number]; m != nil && m.state == inFlight && m.receipt == r.nth {
			m.receives--
			m.receivesHere--
			q.show(m)
		}
	}
	s.settle(q, now)
	return nil, ctx.Err()
}

// settle serves those who wait with what is available now. Every change of a
// queue ends with it.
func (s *Server) settle(q *queueState, now instant) {
	for q.waiters.front != nil && q.turns.front != nil {
		w := q.waiters.front.value
		messages := q.take(now, w.max, w.visibility)
		if len(messages) == 0 {
			break
		}
		q.waiters.remove(&w.turn)
		w.messages = messages
		close(w.served)
	}
	q.disarm()
	q.arm(now)
}

// arm sets the timer to the next moment at which time alone can make a message
// available, if somebody waits for it: one becomes visible, or the oldest, which
// may block its group, ends its retention. A timer that is early enough stays: firing for nothing
// is cheaper than being set anew by every call.
func (q *queueState) arm(now instant) {
	if q.waiters.front == nil || len(q.due) == 0 {
		return
	}
	at := min(q.due[0].due, q.ages.front.value.sent+q.config.retention)
	if q.timer != nil {
		if q.timerAt <= at {
			return
		}
		q.timer.Stop()
	}
	// The shortest wait keeps a clock that stands still from spinning.
	q.timerAt = at
	q.timerNumber++
	number := q.timerNumber
	q.timer = time.AfterFunc(max(at-now, time.Millisecond), func() { q.fire(number) })
}

// disarm stops the timer when nobody waits, so that an idle server holds none.
func (q *queueState) disarm() {
	if q.timer != nil && q.waiters.front == nil {
		q.timer.Stop()
		q.timer = nil
	}
}

// fire serves those who wait at the moment the timer was set to.
func (q *queueState) fire(number int) {
	s := q.server
	s.mu.Lock()
	defer s.mu.Unlock()
	if q.timer == nil || q.timerNumber != number {
		return // stopped too late, or set anew
	}
	q.timer = nil
	now := s.instant()
	q.advance(now)
	s.settle(q, now)
}
