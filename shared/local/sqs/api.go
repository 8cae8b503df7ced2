package sqs

import (
	"context"
	"encoding/hex"
	"errors"
	"strconv"
	"time"
)

// Message is a message as a consumer receives it.
type Message struct {
	ID            string // UUID given by the send
	ReceiptHandle string // of this receive; Delete and ChangeVisibility want it
	Body          string
	BodyMD5       string // lower-case hex

	GroupID             string // MessageGroupId; empty when none was given
	DeduplicationID     string // FIFO only: given, or SHA-256 of the body
	SequenceNumber      string // FIFO only: 20 digits, growing, not an integer of 64 bits
	TraceHeader         string // AWSTraceHeader; empty when none was given
	SenderID            string
	DeadLetterSourceARN string // the queue it was moved from, when it was

	SentAt          time.Time
	FirstReceivedAt time.Time
	ReceiveCount    int // this receive included

	// Attributes are the sender's own, sorted by name. Read only: shared with
	// the queue.
	Attributes    []Attribute
	attributesMD5 [16]byte
}

// Attribute is a message attribute of the sender.
type Attribute struct {
	Name     string
	DataType string // String, Number or Binary, perhaps with a label: String.uuid
	Text     string // the value of a String or Number
	Binary   []byte // the value of a Binary
}

// AttributesMD5 is MD5OfMessageAttributes in hex; empty without attributes.
func (m *Message) AttributesMD5() string {
	if len(m.Attributes) == 0 {
		return ""
	}
	return hex.EncodeToString(m.attributesMD5[:])
}

// SystemAttributes are the message's own under the names that SQS and the events
// of a Lambda function use: ApproximateReceiveCount, SentTimestamp (milliseconds),
// SequenceNumber, MessageGroupId and so on; those that do not apply are absent.
func (m *Message) SystemAttributes() map[string]string {
	out := make(map[string]string, 9)
	for i, name := range systemNames {
		if v := m.systemAttribute(systemAttribute(1 << i)); v != "" {
			out[name] = v
		}
	}
	return out
}

// systemAttribute is a set of system attributes.
type systemAttribute uint16

const (
	approximateFirstReceiveTimestamp systemAttribute = 1 << iota
	approximateReceiveCount
	awsTraceHeader
	deadLetterQueueSourceArn
	messageDeduplicationID
	messageGroupID
	senderID
	sentTimestamp
	sequenceNumberAttribute
	allSystemAttributes systemAttribute = 1<<iota - 1
)

var systemNames = [...]string{"ApproximateFirstReceiveTimestamp", "ApproximateReceiveCount", "AWSTraceHeader",
	"DeadLetterQueueSourceArn", "MessageDeduplicationId", "MessageGroupId", "SenderId", "SentTimestamp", "SequenceNumber"}

func (m *Message) systemAttribute(a systemAttribute) string {
	switch a {
	case approximateFirstReceiveTimestamp:
		return milliseconds(m.FirstReceivedAt)
	case approximateReceiveCount:
		return strconv.Itoa(m.ReceiveCount)
	case awsTraceHeader:
		return m.TraceHeader
	case deadLetterQueueSourceArn:
		return m.DeadLetterSourceARN
	case messageDeduplicationID:
		return m.DeduplicationID
	case messageGroupID:
		return m.GroupID
	case senderID:
		return m.SenderID
	case sentTimestamp:
		return milliseconds(m.SentAt)
	default:
		return m.SequenceNumber
	}
}

// Receive takes up to max (1–10) messages from the queue, given by its name or
// URL, under the queue's visibility timeout. When there is none it waits up to
// wait (any length) and returns as soon as one arrives or becomes visible again;
// no message after that time is an empty slice and no error. When ctx ends it
// returns the error of ctx, and takes nothing. Like Delete and ChangeVisibility
// it is not counted in Calls.
func (s *Server) Receive(ctx context.Context, queue string, max int, wait time.Duration) ([]Message, error) {
	return s.receive(ctx, queue, receiveInput{max: max, wait: wait, waitGiven: true})
}

// Delete deletes received messages by their receipt handles; every one is tried,
// the errors (each an *Error) are joined. One already deleted is no error.
func (s *Server) Delete(queue string, handles ...string) error {
	return s.acknowledge(queue, handles, func(q *queueState, handle string, now instant) *Error {
		return q.deleteMessage(handle, now)
	})
}

// ChangeVisibility lets received messages become visible after the duration from
// now (0–12 h, whole seconds on AWS; 0 is at once); every handle is tried, the
// errors (each an *Error) are joined.
func (s *Server) ChangeVisibility(queue string, visibility time.Duration, handles ...string) error {
	return s.acknowledge(queue, handles, func(q *queueState, handle string, now instant) *Error {
		return q.changeVisibility(handle, visibility, now)
	})
}

func (s *Server) acknowledge(queue string, handles []string, act func(*queueState, string, instant) *Error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, now, fault := s.open(queue)
	if fault != nil {
		return fault
	}
	var errs []error
	for _, h := range handles {
		if fault := act(q, h, now); fault != nil {
			errs = append(errs, fault)
		}
	}
	s.settle(q, now)
	return errors.Join(errs...)
}

// CreateQueue makes a queue with the attributes of the SQS API (all values as
// text: "VisibilityTimeout": "120", "FifoQueue": "true") and returns its ARN. The
// same name with the same attributes again is no error. Its URL is the server's
// address, the account and the name: see QueueURL.
func (s *Server) CreateQueue(name string, attributes map[string]string) (arn string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, fault := s.create(name, attributes, nil)
	if fault != nil {
		return "", fault
	}
	return q.arn, nil
}

// QueueURL is the URL of a queue of that name at a server reached under base,
// "http://127.0.0.1:4567".
func (s *Server) QueueURL(base, name string) string {
	return base + "/" + s.account + "/" + name
}

// Counts says how many messages a queue holds.
type Counts struct {
	Visible  int // waiting, those of a blocked group included
	InFlight int // received, neither deleted nor visible again
	Delayed  int // not yet to be received for the first time
}

// Counts tells the number of messages in the queue, given by its name or URL.
func (s *Server) Counts(queue string) (Counts, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, _, fault := s.open(queue)
	if fault != nil {
		return Counts{}, fault
	}
	return q.counts(), nil
}
