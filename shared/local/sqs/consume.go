package sqs

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// receiveMessage is the operation; it may wait (long polling).
func (c *call) receiveMessage() *Error {
	in := receiveInput{max: c.in.maxMessages.or(1)}
	if w := c.in.wait; w.given {
		if w.n < 0 || w.n > 20 {
			return outOfRange(w.n, "WaitTimeSeconds", 0, 20)
		}
		in.wait, in.waitGiven = time.Duration(w.n)*time.Second, true
	}
	if v := c.in.visibility; v.given {
		if v.n < 0 || v.n > int(maxVisibility/time.Second) {
			return outOfRange(v.n, "VisibilityTimeout", 0, int(maxVisibility/time.Second))
		}
		in.visibility, in.visibilityGiven = time.Duration(v.n)*time.Second, true
	}
	system, fault := systemSet(c.in.systemNames, c.in.attributeNames)
	if fault != nil {
		return fault
	}
	messages, err := c.server.receive(c.request.Context(), c.in.queueURL, in)
	if errors.As(err, &fault) {
		return fault
	}
	if len(messages) > 0 { // a client that has gone gets none
		c.appendMessages(messages, system, c.in.wantedAttributes)
	}
	return nil
}

// systemSet reads the names of system attributes, given by either of the two
// parameters that AWS has for them.
func systemSet(lists ...[]string) (set systemAttribute, fault *Error) {
	for _, names := range lists {
		for _, name := range names {
			if name == "All" {
				set = allSystemAttributes
				continue
			}
			i := slices.Index(systemNames[:], name)
			if i < 0 {
				return 0, refuse("InvalidAttributeName", "Unknown Attribute %s.", name)
			}
			set |= 1 << i
		}
	}
	return set, nil
}

func (c *call) deleteMessage() *Error {
	if !c.in.hasReceipt {
		return missing("ReceiptHandle")
	}
	return c.within(func(q *queueState, now instant) *Error { return q.deleteMessage(c.in.receipt, now) })
}

func (c *call) deleteMessageBatch() *Error {
	return c.eachEntry(func(q *queueState, e *entry, now instant) *Error { return q.deleteMessage(e.receipt, now) })
}

func (c *call) changeMessageVisibility() *Error {
	if !c.in.hasReceipt {
		return missing("ReceiptHandle")
	}
	return c.within(func(q *queueState, now instant) *Error { return q.change(&c.in.entry, now) })
}

func (c *call) changeMessageVisibilityBatch() *Error {
	return c.eachEntry(func(q *queueState, e *entry, now instant) *Error { return q.change(e, now) })
}

func (q *queueState) change(e *entry, now instant) *Error {
	if !e.visibility.given {
		return missing("VisibilityTimeout")
	}
	if n := e.visibility.n; n < 0 || n > int(maxVisibility/time.Second) {
		return outOfRange(n, "VisibilityTimeout", 0, int(maxVisibility/time.Second))
	}
	return q.changeVisibility(e.receipt, time.Duration(e.visibility.n)*time.Second, now)
}

// eachEntry does something for every entry of a batch and reports entry by entry.
func (c *call) eachEntry(act func(q *queueState, e *entry, now instant) *Error) *Error {
	if fault := c.checkBatch(); fault != nil {
		return fault
	}
	for i := range c.in.entries {
		if !c.in.entries[i].hasReceipt {
			return missing(fmt.Sprintf("%sRequestEntry.%d.ReceiptHandle", c.in.op.name, i+1))
		}
	}
	faults := make([]*Error, len(c.in.entries))
	if fault := c.within(func(q *queueState, now instant) *Error {
		for i := range c.in.entries {
			faults[i] = act(q, &c.in.entries[i], now)
		}
		return nil
	}); fault != nil {
		return fault
	}
	c.appendBatch(faults, func(int) {})
	return nil
}

// checkBatch verifies what makes a whole batch wrong.
func (c *call) checkBatch() *Error {
	es := c.in.entries
	if len(es) == 0 {
		return refuse("EmptyBatchRequest", "There should be at least one %sRequestEntry in the request.", c.in.op.name)
	}
	if len(es) > 10 {
		return refuse("TooManyEntriesInBatchRequest", "Maximum number of entries per request are 10. You have sent %d.", len(es))
	}
	for i := range es {
		if !batchEntryID.MatchString(es[i].id) {
			return refuse("InvalidBatchEntryId", "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.")
		}
		for j := range i {
			if es[j].id == es[i].id {
				return refuse("BatchEntryIdsNotDistinct", "Id %s repeated.", es[i].id)
			}
		}
	}
	return nil
}
