// Package connection holds an organiser's connection: the link he pasted, the actions he chose, and how the link fares.
// It decides; it does not store (package table) or send (package webhook).
package connection

import (
	"slices"
	"time"

	"github.com/nethouse-academy/albato/shared/event"
	"github.com/nethouse-academy/albato/shared/webhook"
)

const (
	// MaxPerAccount is how many connections an account may have.
	MaxPerAccount = 20
	// SecretOverlap is how long the previous signing secret signs beside the new one after a rotation.
	SecretOverlap = 24 * time.Hour
)

// Connection is one link of one account. It starts switched off.
type Connection struct {
	ID        string // con_ and a ULID
	AccountID string
	Name      string
	Link      webhook.Link // the credential: shown masked, sent to as it was pasted
	Actions   []event.Action
	Enabled   bool
	Origin    Origin
	Version   int64 // counts what people change; If-Match compares it
	CreatedAt time.Time
	UpdatedAt time.Time

	Secret              webhook.Secret
	PreviousSecret      webhook.Secret
	PreviousSecretUntil time.Time

	// Deleted marks a connection that is gone for everybody but the sender, which erases its log and then the mark.
	Deleted bool
	// Generation counts what people do that bears on delivery (switching, a new link, resume, delete). The protocol's
	// writes are conditional on it, so that nothing decided before such an act is carried out after it.
	Generation int64
	Health     Health
}

// Origin tells who made a connection.
type Origin string

// A connection is made by the organiser (on the page, or by the Academy for him) or by Albato's auto-subscription.
const (
	ByOrganiser Origin = ""
	ByAlbato    Origin = "albato"
)

// State says whether a connection's link takes what it is sent.
type State string

// The states of a connection.
const (
	Healthy   State = "healthy"   // events are sent as they come
	Failing   State = "failing"   // events wait and are retried, in order
	Suspended State = "suspended" // given up: events are held until a person resumes
)

// Health is how a connection's link fares. Only package delivery's protocol and a person's resume change it.
type Health struct {
	State         State
	Since         time.Time // of the state
	Attempts      int       // failed attempts in a row; 0 while draining: the link has just taken something
	NextAttemptAt time.Time
	LastStatus    int    // HTTP status of the last failed attempt, 0 when there was none
	LastError     string // its code, as in package webhook

	// HeldThrough is the SequenceNumber of the last message that was held. A connection becomes healthy on the condition
	// that it has not moved, which is what keeps anything from overtaking.
	HeldThrough Sequence
	// SkipThrough: what waits up to here was queued before the connection was switched off and is not sent.
	SkipThrough Sequence
	// Alone is the order of an event that fails while nothing of another order waits to compare it with.
	Alone string
	// TokenSentAt is when the connection's token was sent; zero: none is known.
	TokenSentAt time.Time
	// TokenHandle is the receipt handle of the sleeping token: making it visible wakes it.
	TokenHandle string
}

// Wants tells whether an event of this action is to be sent to c.
func (c Connection) Wants(a event.Action) bool {
	return c.Enabled && !c.Deleted && slices.Contains(c.Actions, a)
}

// Secrets gives the secrets that sign at this moment, the current one first.
func (c Connection) Secrets(now time.Time) []webhook.Secret {
	if c.PreviousSecret != "" && now.Before(c.PreviousSecretUntil) {
		return []webhook.Secret{c.Secret, c.PreviousSecret}
	}
	return []webhook.Secret{c.Secret}
}

// Rotate gives c a new signing secret; the old one signs too for SecretOverlap.
func (c *Connection) Rotate(secret webhook.Secret, now time.Time) {
	c.PreviousSecret, c.PreviousSecretUntil = c.Secret, now.Add(SecretOverlap)
	c.Secret = secret
}

// TokenOverdue tells whether a token that should have woken long ago has to be replaced. Two tokens of one connection do
// no harm (they are of one group, so one waits for the other); none would.
func (h Health) TokenOverdue(now time.Time) bool {
	const patience = 10 * time.Minute
	return h.TokenSentAt.IsZero() ||
		now.Sub(h.NextAttemptAt) > patience && now.Sub(h.TokenSentAt) > patience
}
