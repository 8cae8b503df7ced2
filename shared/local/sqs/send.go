package sqs

import (
	"crypto/md5"
	"fmt"
	"regexp"
	"time"
)

// validText tells whether all characters are ones that SQS lets through, those of
// XML 1.0 (API reference, SendMessage).
func validText(s string) bool {
	ascii := 0
	for ascii < len(s) && (s[ascii] >= 0x20 && s[ascii] < 0x80 || s[ascii] == '\n') {
		ascii++ // most bodies are nothing else, and bytes are quicker than runes
	}
	for _, r := range s[ascii:] {
		switch {
		case r >= 0x20 && r <= 0xD7FF, r == '\t', r == '\n', r == '\r', r >= 0xE000 && r <= 0xFFFD, r >= 0x10000:
		default:
			return false
		}
	}
	return true
}

// validID tells whether a group or deduplication id is one that SQS takes: up to
// 128 of the letters, digits and punctuation of ASCII.
func validID(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return len(s) <= 128
}

var batchEntryID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

// size is what counts against the limits: body and attributes.
func (e *entry) size() int {
	n := len(e.body)
	for i := range e.attrs {
		a := &e.attrs[i]
		n += len(a.Name) + len(a.DataType) + len(a.Text) + len(a.Binary)
	}
	return n
}

// prepare checks an entry against the queue's configuration and makes its
// message. It does what costs time, the digests, outside the server's lock.
func (e *entry) prepare(c *config) (*message, instant, *Error) {
	if e.body == "" {
		return nil, 0, missing("MessageBody")
	}
	size, fault := checkAttributes(e.attrs)
	if fault != nil {
		return nil, 0, fault
	}
	switch {
	case len(e.body)+size > c.maxSize:
		return nil, 0, refuse("InvalidParameterValue", "One or more parameters are invalid. Reason: Message must be shorter than %d bytes.", c.maxSize)
	case !validText(e.body):
		return nil, 0, refuse("InvalidMessageContents", "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF.")
	case e.delay.n < 0 || e.delay.n > 900:
		return nil, 0, invalidValue(e.delay.n, "DelaySeconds", "DelaySeconds must be >= 0 and <= 900.")
	case !validID(e.group):
		return nil, 0, invalidValue(e.group, "MessageGroupId", "MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in length.")
	case !validID(e.dedup):
		return nil, 0, invalidValue(e.dedup, "MessageDeduplicationId", "MessageDeduplicationId can only include alphanumeric and punctuation characters. 1 to 128 in length.")
	}
	delay := c.delay
	if e.delay.given {
		delay = time.Duration(e.delay.n) * time.Second
	}
	m := &message{id: newID(), body: e.body, bodyMD5: md5.Sum([]byte(e.body)), attrs: e.attrs, group: e.group, dedup: e.dedup, trace: e.trace}
	if len(e.attrs) > 0 {
		m.attrsMD5 = attributesDigest(e.attrs)
	}
	if c.fifo {
		delay = c.delay
		fault = e.completeFIFO(m, c)
	} else if e.dedup != "" {
		fault = invalidValue(e.dedup, "MessageDeduplicationId", "The request include parameter that is not valid for this queue type.")
	}
	return m, delay, fault
}

func (e *entry) completeFIFO(m *message, c *config) *Error {
	switch {
	case e.delay.n > 0: // zero is let through, and means the queue's own delay
		return invalidValue(e.delay.n, "DelaySeconds", "The request include parameter that is not valid for this queue type.")
	case e.group == "":
		return missing("MessageGroupId")
	case e.dedup == "" && !c.contentDedup:
		return refuse("InvalidParameterValue", "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly")
	case e.dedup == "":
		m.dedup = contentID(e.body)
	}
	return nil
}

// accept puts a message into the queue, or finds that it is a duplicate: then the
// message takes the identity of the one accepted before.
func (q *queueState) accept(m *message, now, delay instant) {
	m.sent = now
	if !q.config.fifo {
		q.insert(m, now, delay)
		return
	}
	key := newDedupKey(q.config.dedupPerGroup, m.group, m.dedup)
	if earlier := q.dedup.find(key, now); earlier != nil {
		m.id, m.sequence = earlier.messageID, earlier.sequence
		return
	}
	q.insert(m, now, delay)
	q.dedup.remember(key, m, now)
}

// sendMessage is the operation on one message.
func (c *call) sendMessage() *Error {
	if !c.in.hasBody {
		return missing("MessageBody")
	}
	cfg, fault := c.configOf()
	if fault != nil {
		return fault
	}
	m, delay, fault := c.in.entry.prepare(cfg)
	if fault != nil {
		return fault
	}
	if fault := c.within(func(q *queueState, now instant) *Error {
		q.accept(m, now, delay)
		return nil
	}); fault != nil {
		return fault
	}
	c.out = append(c.out, '{')
	c.appendSent(m)
	c.out = append(c.out, '}')
	return nil
}

// sendMessageBatch sends what is right and reports what is not, entry by entry.
func (c *call) sendMessageBatch() *Error {
	if fault := c.checkBatch(); fault != nil {
		return fault
	}
	total := 0
	for i := range c.in.entries {
		e := &c.in.entries[i]
		if !e.hasBody {
			return missing(fmt.Sprintf("SendMessageBatchRequestEntry.%d.MessageBody", i+1))
		}
		total += e.size()
	}
	if total > maxMessageSize {
		return refuse("BatchRequestTooLong", "Batch requests cannot be longer than %d bytes. You have sent %d bytes.", maxMessageSize, total)
	}
	cfg, fault := c.configOf()
	if fault != nil {
		return fault
	}
	messages, delays, faults := make([]*message, len(c.in.entries)), make([]instant, len(c.in.entries)), make([]*Error, len(c.in.entries))
	for i := range c.in.entries {
		messages[i], delays[i], faults[i] = c.in.entries[i].prepare(cfg)
	}
	if fault := c.within(func(q *queueState, now instant) *Error {
		for i, m := range messages {
			if faults[i] == nil {
				q.accept(m, now, delays[i])
			}
		}
		return nil
	}); fault != nil {
		return fault
	}
	c.appendBatch(faults, func(i int) {
		c.out = append(c.out, ',')
		c.appendSent(messages[i])
	})
	return nil
}
