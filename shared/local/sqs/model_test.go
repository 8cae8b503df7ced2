package sqs_test

import (
	"cmp"
	"slices"
	"time"

	"github.com/nethouse-academy/albato/shared/local/sqs"
)

// model is a FIFO queue in its most naive form: every rule is a scan. It is what
// the property test holds the real one to.
type model struct {
	now         time.Duration
	visibility  time.Duration
	retention   time.Duration
	maxReceives int
	perGroup    bool
	messages    []*modelMessage // by arrival; deleted ones leave
	turns       []string        // groups that may be received from, who waits longest first
	accepted    []*modelMessage // for deduplication
	dead        []string        // bodies, in the order in which they were moved
}

type modelMessage struct {
	group, dedup, body string
	id                 string // the real one's MessageId, learnt from the send
	sent, until        time.Duration
	received           time.Duration
	receives           int
	inFlight           bool
	gone               bool
}

func (m *model) of(group string) (out []*modelMessage) {
	for _, x := range m.messages {
		if x.group == group {
			out = append(out, x)
		}
	}
	return out
}

func (m *model) free(group string) bool {
	of := m.of(group)
	return len(of) > 0 && !slices.ContainsFunc(of, func(x *modelMessage) bool { return x.inFlight })
}

// update keeps the turns: a group that becomes free goes to the end.
func (m *model) update(group string) {
	at := slices.Index(m.turns, group)
	switch free := m.free(group); {
	case free && at < 0:
		m.turns = append(m.turns, group)
	case !free && at >= 0:
		m.turns = slices.Delete(m.turns, at, at+1)
	}
}

func (m *model) drop(x *modelMessage) {
	x.gone, x.inFlight = true, false
	m.messages = slices.DeleteFunc(m.messages, func(y *modelMessage) bool { return x == y })
	m.update(x.group)
}

// elapse lets time pass: timeouts in their order, then retention.
func (m *model) elapse(d time.Duration) {
	m.now += d
	over := slices.DeleteFunc(slices.Clone(m.messages), func(x *modelMessage) bool { return !x.inFlight || x.until > m.now })
	slices.SortStableFunc(over, func(a, b *modelMessage) int { return cmp.Compare(a.until, b.until) })
	for _, x := range over {
		x.inFlight = false
		m.update(x.group)
	}
	for _, x := range slices.Clone(m.messages) {
		if m.now-x.sent >= m.retention {
			m.drop(x)
		}
	}
}

// send answers the message accepted: an earlier one when it is a duplicate.
func (m *model) send(group, dedup, body string) *modelMessage {
	for _, x := range slices.Backward(m.accepted) {
		if x.dedup == dedup && (!m.perGroup || x.group == group) && m.now-x.sent < 5*time.Minute {
			return x
		}
	}
	x := &modelMessage{group: group, dedup: dedup, body: body, sent: m.now}
	m.messages, m.accepted = append(m.messages, x), append(m.accepted, x)
	m.update(group)
	return x
}

func (m *model) receive(max int) (out []*modelMessage) {
	for len(out) < max && len(m.turns) > 0 {
		group := m.turns[0]
		for _, x := range m.of(group) {
			if len(out) == max {
				break
			}
			if x.receives >= m.maxReceives {
				m.dead = append(m.dead, x.body)
				m.drop(x)
				continue
			}
			x.receives++
			x.inFlight, x.received, x.until = true, m.now, m.now+m.visibility
			out = append(out, x)
		}
		m.update(group)
	}
	return out
}

func (m *model) counts() (n sqs.Counts) {
	for _, x := range m.messages {
		if x.inFlight {
			n.InFlight++
		} else {
			n.Visible++
		}
	}
	return n
}
