package connection

import "time"

// What people do to a connection, as far as it bears on delivery. Each act counts Generation up, so that a sender that
// decided on the state before it starts again from the state after it. The caller saves the result and then wakes the
// connection's token (delivery.Tokens).

// Resume: "I have fixed it". What waits is tried at once; what is held becomes what waits.
func (c *Connection) Resume(now time.Time) {
	c.Generation++
	switch c.Health.State {
	case Failing:
		c.Health.NextAttemptAt = now
	case Suspended:
		c.startOver(now)
	}
}

// Relinked: the link was replaced, so what is known of the old one is void.
func (c *Connection) Relinked(now time.Time) {
	c.Generation++
	if c.Health.State != Healthy {
		c.startOver(now)
	}
}

// SwitchOn sends events from now on. What was queued before the connection was switched off stays skipped.
func (c *Connection) SwitchOn(now time.Time) {
	c.Enabled = true
	c.Relinked(now)
}

// SwitchOff sends nothing more: what waits at this moment is skipped.
func (c *Connection) SwitchOff() {
	c.Generation++
	c.Enabled = false
	c.Health.SkipThrough = c.Health.HeldThrough // the store copies it within its write, where it cannot be stale
}

// Delete marks c for erasure by its token. UpdatedAt is the moment from which on nobody begins to deliver to it.
func (c *Connection) Delete(now time.Time) {
	c.SwitchOff()
	c.Deleted, c.UpdatedAt = true, now
}

// startOver makes c failing with the whole schedule before it and one event to be tried alone, now.
func (c *Connection) startOver(now time.Time) {
	if c.Health.State != Failing {
		c.Health.State, c.Health.Since = Failing, now
		c.Health.TokenSentAt, c.Health.TokenHandle = time.Time{}, "" // a suspended connection has no token
	}
	c.Health.Attempts, c.Health.NextAttemptAt, c.Health.Alone = 1, now, ""
}
