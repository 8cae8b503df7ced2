package delivery

import (
	"context"
	"errors"
	"time"

	"github.com/nethouse-academy/albato/shared/connection"
	"github.com/nethouse-academy/albato/shared/webhook"
)

// ErrMoved is what a conditional write gives when the connection is no longer what it was when it was read.
var ErrMoved = errors.New("the connection has changed meanwhile")

// ConnectionKey names a connection.
type ConnectionKey struct{ AccountID, ConnectionID string }

// Key names a delivery.
type Key struct{ ConnectionID, DeliveryID string }

// Pointer is the place of a waiting delivery in its connection's line.
type Pointer struct {
	Sequence   connection.Sequence
	DeliveryID string
	OrderID    string
}

// Log is the delivery log.
type Log interface {
	// Lookup reads connections and log entries (without bodies) consistently, in one call where they fit. What does not
	// exist or has expired is missing from the answer.
	Lookup(ctx context.Context, connections []ConnectionKey, deliveries []Key) (Snapshot, error)
	// Load reads entries with their bodies, consistently; what does not exist is missing.
	Load(ctx context.Context, keys []Key) (map[Key]Delivery, error)
	// Record writes whole entries. On an error some may have been written.
	Record(ctx context.Context, entries []Delivery) error
}

// Snapshot is what Lookup found.
type Snapshot struct {
	Connections map[ConnectionKey]connection.Connection
	Deliveries  map[Key]Delivery
}

// Line is what waits of a connection, in the queue's own order.
type Line interface {
	// Waiting reads at most limit pointers from the head, consistently.
	Waiting(ctx context.Context, connectionID string, limit int) ([]Pointer, error)
	// Hold puts deliveries in the line: all of it or nothing. ErrMoved when the connection is not what was read.
	Hold(ctx context.Context, h Hold) error
	// Dequeue takes pointers out of the line. What is not there is no error.
	Dequeue(ctx context.Context, connectionID string, sequences []connection.Sequence) error
}

// Hold is one transaction. On the condition that nobody has touched the connection, it is in the state that was read and
// nothing was held since, HeldThrough moves to the last delivery's place and every delivery gets its pointer and its entry.
type Hold struct {
	Read       connection.Connection
	Deliveries []Delivery // at least one; Status Waiting, in the order of their Sequence
	// Turn is the health of a connection that was healthy until now; nil leaves its health to the token.
	Turn *connection.Health
	// Wake, if set, becomes the time of the next attempt: what is held here is what the event that fails alone waited for.
	Wake time.Time
}

// Gate is a connection's health.
type Gate interface {
	// Connection reads one, consistently; marked as deleted ones too. found is false when there is none.
	Connection(ctx context.Context, key ConnectionKey) (c connection.Connection, found bool, err error)
	// SaveHealth writes health, but for HeldThrough and SkipThrough, on the condition that nobody has touched the
	// connection and it is in the state that was read; exact: and that nothing was held since. Otherwise ErrMoved.
	SaveHealth(ctx context.Context, read connection.Connection, health connection.Health, exact bool) error
	// TokenSent notes when the connection's token was sent, if it still is what was read; otherwise nothing happens.
	TokenSent(ctx context.Context, read connection.Connection, at time.Time) error
}

// Eraser deletes what is stored of a connection that is marked as deleted.
type Eraser interface {
	// Erase deletes a page of its log and line.
	Erase(ctx context.Context, c connection.Connection) (more bool, err error)
	// Forget deletes the connection itself.
	Forget(ctx context.Context, c connection.Connection) error
}

// Tokens are the tokens of failing connections.
type Tokens interface {
	// Send queues a token.
	Send(ctx context.Context, t Token) error
	// Wake makes a sleeping token visible. A handle that is no longer good is no error: its token is awake.
	Wake(ctx context.Context, handle string) error
}

// Receipts is a queue as its consumer sees it.
type Receipts interface {
	// Delete acknowledges messages.
	Delete(ctx context.Context, handles []string) error
	// Delay makes messages visible again after d, rounded up to whole seconds.
	Delay(ctx context.Context, handles []string, d time.Duration) error
}

// Poster makes one attempt.
type Poster interface {
	Post(ctx context.Context, r webhook.Request) webhook.Result
}

// Observer is told what happens; it must not fail and should be quick.
type Observer interface {
	// Attempted is called after every POST; d has the attempt in it.
	Attempted(ctx context.Context, d Delivery, v Verdict)
	// Settled is called when a delivery gets the status it has now: Delivered, Failed, Skipped, or Waiting (held).
	Settled(ctx context.Context, d Delivery)
	// Turned is called once when a connection's state has changed from before to c's.
	Turned(ctx context.Context, c connection.Connection, before connection.State)
}

// PanicError is a panic as an error.
type PanicError struct{ Value any }

// Error says only that it was a panic: the value may hold people's data.
func (e *PanicError) Error() string { return "panic" }

// Sender carries out the protocol. All fields are required; it keeps no state between calls.
//
// The whole concurrency design is the queue's: messages are grouped by connection, so one batch of a connection is in
// flight at a time, in order, and a link in trouble holds one sender at most. What the Sender adds is what a queue cannot
// know: a connection in trouble is tried once, what cannot be delivered waits in the table in the queue's order, and one
// token per such connection is its timer and its drain.
type Sender struct {
	Log        Log
	Line       Line
	Gate       Gate
	Eraser     Eraser
	Tokens     Tokens
	Deliveries Receipts // of the queue of deliveries
	Retries    Receipts // of the queue of tokens
	Poster     Poster
	Observer   Observer
	// Fault is told what went wrong on our own side, and while doing what. Nothing is lost by it: the message comes back.
	Fault func(ctx context.Context, doing string, err error)

	Now       func() time.Time
	Jitter    func() float64 // from 0 to 1
	Schedule  Schedule
	Timeout   time.Duration // of one attempt
	Retention time.Duration // how long an entry is kept
}

func (s *Sender) controls() Controls { return Controls{s.Tokens, s.Gate, s.Now} }
