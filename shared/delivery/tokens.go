package delivery

import (
	"context"
	"sync"
	"time"
)

// maxReceives: a queue gives a message up after 1,000 receives, so a token that has been woken often is replaced.
const maxReceives = 900

// DrainAll takes a batch of tokens side by side; each is a connection of its own. It returns the ids of the messages that
// are to come back. A token that is done is deleted at once, so that its group does not wait for another's link.
func (s *Sender) DrainAll(ctx context.Context, tokens []Received) (back []string) {
	var (
		mu    sync.Mutex
		group sync.WaitGroup
		seen  = map[Token]bool{}
	)
	var first []Received
	for _, t := range tokens {
		// A second token of one connection, behind the first, has nothing to do now; it comes back after it.
		if seen[*t.Token] {
			back = append(back, t.MessageID)
			continue
		}
		seen[*t.Token] = true
		first = append(first, t)
	}
	for _, t := range first {
		group.Go(func() {
			done := s.Drain(ctx, t)
			mu.Lock()
			defer mu.Unlock()
			if !done {
				back = append(back, t.MessageID)
				return
			}
			if len(tokens) > 1 {
				if err := s.Retries.Delete(ctx, []string{t.Handle}); err != nil {
					s.Fault(ctx, "deleting a token", err) // the end of the invocation deletes it too
				}
			}
		})
	}
	group.Wait()
	return back
}

// sleep puts the token to sleep for a while, 0 for going on in another invocation. A token that was received too often
// is replaced by a new one.
func (d *drain) sleep(ctx context.Context, wait time.Duration) (done bool) {
	if d.token.ReceiveCount >= maxReceives {
		if err := d.Tokens.Send(ctx, *d.token.Token); err != nil {
			d.Fault(ctx, "replacing a token", err)
			return false
		}
		return true
	}
	// Twelve hours is the longest from the moment of receipt, so what is left of it is less; the token then sleeps on.
	longest := MaxDelay - d.Now().Sub(d.received) - time.Minute
	wait = min(max(wait, 0), longest)
	if err := d.Retries.Delay(ctx, []string{d.token.Handle}, wait); err != nil {
		d.Fault(ctx, "putting a token to sleep", err) // it comes back after its visibility timeout and sleeps on then
	}
	return false
}
