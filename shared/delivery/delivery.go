// Package delivery is the heart: how an accepted event reaches its link. It holds the delivery and its log, the messages
// of the two queues, the outcome of an attempt, the retry schedule, and the protocol (Sender) that keeps the promises:
// nothing lost, order kept, nothing sent twice but where an answer was not seen, and no link's trouble another's.
package delivery

import (
	"time"

	"github.com/nethouse-academy/albato/shared/connection"
	"github.com/nethouse-academy/albato/shared/event"
)

// Status is where a delivery stands.
type Status string

// The statuses of a delivery. Held is how a waiting one shows while its connection is suspended; it is not stored.
const (
	Delivered Status = "delivered"
	Waiting   Status = "waiting" // will be retried, in order
	Failed    Status = "failed"  // the receiver refuses this one
	Held      Status = "held"    // waits until a person resumes the connection
	Skipped   Status = "skipped" // the connection was off or gone
)

// Valid tells whether s is one of the statuses.
func (s Status) Valid() bool {
	switch s {
	case Delivered, Waiting, Failed, Held, Skipped:
		return true
	}
	return false
}

// Delivery is one event on its way to one connection, and its entry in the log.
type Delivery struct {
	ID           string // dlv_ and a ULID: the webhook-id of every attempt
	EventID      string
	AccountID    string
	ConnectionID string
	Action       event.Action
	OrderID      string
	Test         bool
	Status       Status // empty: not in the log yet

	// Retry is the id of the last retry or replay that was dealt with; empty for the first delivery.
	Retry    string
	Sequence connection.Sequence // the place in the queue while Status is Waiting

	Attempts      int // all there ever were
	CreatedAt     time.Time
	LastAttemptAt time.Time
	LastStatus    int           // HTTP status, 0 when there was no answer
	LastError     string        // code as in package webhook, empty after a success
	Duration      time.Duration // of the last attempt
	History       []Attempt     // the last HistoryLength attempts, oldest first

	Body      []byte // exactly what is posted
	ExpiresAt time.Time
}

// HistoryLength is how many attempts the log keeps.
const HistoryLength = 20

// Attempt is one POST to the link.
type Attempt struct {
	At       time.Time
	Status   int
	Error    string
	Duration time.Duration
	Response string // the beginning of the answer
}

// Note adds an attempt: to the history, and as the last one.
func (d *Delivery) Note(a Attempt) {
	d.Attempts++
	d.LastAttemptAt, d.LastStatus, d.LastError, d.Duration = a.At, a.Status, a.Error, a.Duration
	for i := range d.History {
		d.History[i].Response = "" // only the last answer is kept: the entry is to stay small
	}
	d.History = append(d.History, a)
	if over := len(d.History) - HistoryLength; over > 0 {
		d.History = append([]Attempt(nil), d.History[over:]...)
	}
}

// refusals counts the attempts that the receiver answered with a refusal of this very event.
func (d Delivery) refusals() int {
	n := 0
	for _, a := range d.History {
		if Judge(a.Status, a.Error) == Refusal {
			n++
		}
	}
	return n
}

// Done tells whether nothing more will be sent unless somebody asks for it.
func (d Delivery) Done() bool {
	return d.Status == Delivered || d.Status == Failed || d.Status == Skipped
}

// handled tells whether a message of this delivery needs nothing more: it is done, or waits in the table already.
// A retry or replay is a message of its own and is handled when that very one was. What waits only to be skipped, since its
// connection was off meanwhile, is as good as skipped.
func (d Delivery) handled(retry string, c connection.Connection) bool {
	switch d.StatusFor(c) {
	case Waiting, Held:
		return true
	case Delivered, Failed, Skipped:
		return retry == "" || retry == d.Retry
	}
	return false
}

// StatusFor is the status as people see it: it depends on the connection too.
func (d Delivery) StatusFor(c connection.Connection) Status {
	switch {
	case d.Status != Waiting:
		return d.Status
	case d.Sequence <= c.Health.SkipThrough:
		return Skipped
	case c.Health.State == connection.Suspended:
		return Held
	}
	return Waiting
}
