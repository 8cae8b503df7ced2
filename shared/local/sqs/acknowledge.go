package sqs

import (
	"fmt"
	"time"
)

// maxVisibility is how long a message may stay in flight in all, counted from
// its receive.
const maxVisibility = 12 * time.Hour

// lookUp finds the message of a receipt handle: nil when it is deleted, and
// current tells whether the handle is of its newest receive.
func (q *queueState) lookUp(handle string) (m *message, current bool, bad *Error) {
	r, ok := parseReceipt(handle)
	if !ok || r.queue != q.uid {
		return nil, false, refuse("ReceiptHandleIsInvalid", "The input receipt handle %q is not a valid receipt handle.", handle)
	}
	m = q.received[r.number]
	return m, m != nil && m.receipt == r.nth, nil
}

// deleteMessage deletes a received message; one already deleted is no error. On a
// FIFO queue the handle ends with the visibility timeout. On a standard queue the
// newest handle works after it too, and an older one succeeds without deleting
// (API reference, DeleteMessage).
func (q *queueState) deleteMessage(handle string, now instant) *Error {
	m, current, bad := q.lookUp(handle)
	switch {
	case bad != nil:
		return bad
	case m == nil:
		return nil
	case q.config.fifo && (!current || m.state != inFlight):
		return expiredHandle(handle)
	case current:
		q.remove(m)
	}
	return nil
}

// changeVisibility makes a message in flight visible after d from now.
func (q *queueState) changeVisibility(handle string, d time.Duration, now instant) *Error {
	if d < 0 || d > maxVisibility {
		return outOfRange(int(d/time.Second), "VisibilityTimeout", 0, int(maxVisibility/time.Second))
	}
	m, current, bad := q.lookUp(handle)
	switch {
	case bad != nil:
		return bad
	case m == nil:
		return invalidValue(handle, "ReceiptHandle", "Message does not exist or is not available for visibility timeout change.")
	case !current, q.config.fifo && m.state != inFlight:
		return expiredHandle(handle)
	case m.state != inFlight:
		return refuse("MessageNotInflight", "The message referred to is not in flight.")
	case now+d-m.lastReceived > maxVisibility:
		return invalidValue(int(d/time.Second), "VisibilityTimeout",
			fmt.Sprintf("Total VisibilityTimeout for the message is beyond the limit [%d seconds]", int(maxVisibility/time.Second)))
	}
	if m.due = now + d; d == 0 {
		q.show(m)
	} else {
		q.due.fix(m.heapIndex)
	}
	return nil
}

func expiredHandle(handle string) *Error {
	return invalidValue(handle, "ReceiptHandle", "The receipt handle has expired.")
}
