package delivery

import (
	"context"
	"time"

	"github.com/nethouse-academy/albato/shared/connection"
)

// Controls lets what people do to a connection take effect on what waits.
type Controls struct {
	Tokens Tokens
	Gate   Gate
	Now    func() time.Time
}

// After is called when a person's act has been saved; before is the connection as it was read. A sleeping token that has
// something to do now is woken, and a token is made sure of: it delivers what waits, skips it when the connection is off,
// and erases a deleted connection. After an error the same act must be repeated by its caller, which does no harm; it may
// change nothing then, so before may be what after is.
func (k Controls) After(ctx context.Context, before, after connection.Connection) error {
	due := after.Deleted || !after.Enabled || !k.Now().Before(after.Health.NextAttemptAt)
	if handle := before.Health.TokenHandle; handle != "" && due {
		if err := k.Tokens.Wake(ctx, handle); err != nil {
			return err
		}
	}
	switch {
	case after.Deleted, !after.Enabled && after.Health.State != connection.Healthy:
		return k.Tokens.Send(ctx, Token{after.AccountID, after.ID})
	case before.Health.State == connection.Failing && before.Health.TokenOverdue(k.Now()):
		after.Health.TokenSentAt = time.Time{} // the act has set the time of the next attempt, which hides that the token is lost
	}
	return k.EnsureToken(ctx, after)
}

// EnsureToken sees to it that a failing connection has its token. It comes after what made it necessary has been
// written, and before whatever caused it is acknowledged: whoever fails between is repeated.
func (k Controls) EnsureToken(ctx context.Context, c connection.Connection) error {
	if c.Health.State != connection.Failing || !c.Health.TokenOverdue(k.Now()) {
		return nil
	}
	if err := k.Tokens.Send(ctx, Token{c.AccountID, c.ID}); err != nil {
		return err
	}
	// A mark that is missed costs a second token later, which waits behind the first and then ends.
	return k.Gate.TokenSent(ctx, c, k.Now())
}
