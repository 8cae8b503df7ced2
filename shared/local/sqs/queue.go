package sqs

import "time"

// maxInFlight is AWS's quota of messages in flight, of standard and FIFO queues.
const maxInFlight = 120_000

// lane is a line of messages that are received in their order, and not while one
// of them is in flight: a message group of a FIFO queue. In a standard queue
// every message has a lane of its own, so that one rule serves both.
type lane struct {
	group    string
	messages list[*message]
	inFlight int
	turn     node[*lane]
}

// ready tells whether a receive may take the lane's first message.
func (l *lane) ready() bool {
	return l.inFlight == 0 && l.messages.front != nil && l.messages.front.value.state == visible
}

// queueState is a queue. Its methods want the server's lock.
type queueState struct {
	server *Server
	uid    uint32 // tells it from an earlier queue of that name
	name   string
	arn    string
	config config
	tags   map[string]string

	created, modified, purged instant
	everPurged                bool

	lanes    map[string]*lane // FIFO: by message group
	turns    list[*lane]      // the ready lanes; who is served goes to the back
	ages     list[*message]   // all messages, by arrival
	due      heap             // the delayed and the in flight
	inFlight int
	received map[uint64]*message // ever received, by number
	dedup    dedupWindow

	waiters     list[*waiter]
	timer       *time.Timer // pending only while somebody waits
	timerAt     instant
	timerNumber int
}

// insert adds a message at the end of its lane, visible after delay.
func (q *queueState) insert(m *message, now, delay instant) {
	q.server.number++
	m.number, m.heapIndex = q.server.number, -1
	var l *lane
	if q.config.fifo {
		m.sequence = sequenceNumber(m.number)
		if l = q.lanes[m.group]; l == nil {
			l = &lane{group: m.group}
			q.lanes[m.group] = l
		}
	} else {
		l = &lane{}
	}
	m.lane = l
	m.place.value, m.age.value, l.turn.value = m, m, l
	l.messages.push(&m.place)
	q.ages.push(&m.age)
	if delay > 0 {
		m.state, m.due = delayed, now+delay
		q.due.push(m)
	}
	q.reconsider(l)
}

// reconsider puts a lane that has become ready at the end of the turns, and takes
// one that no longer is out of them.
func (q *queueState) reconsider(l *lane) {
	switch ready := l.ready(); {
	case ready && !l.turn.linked:
		q.turns.push(&l.turn)
	case !ready && l.turn.linked:
		q.turns.remove(&l.turn)
	}
	if q.config.fifo && l.messages.front == nil {
		delete(q.lanes, l.group)
	}
}

// show makes a delayed message or one in flight visible.
func (q *queueState) show(m *message) {
	q.due.remove(m)
	if m.state == inFlight {
		m.lane.inFlight--
		q.inFlight--
	}
	m.state = visible
	q.reconsider(m.lane)
}

// remove takes a message out of the queue, whatever its state.
func (q *queueState) remove(m *message) {
	if m.state != visible {
		q.due.remove(m)
	}
	if m.state == inFlight {
		m.lane.inFlight--
		q.inFlight--
	}
	m.lane.messages.remove(&m.place)
	q.ages.remove(&m.age)
	delete(q.received, m.number)
	q.reconsider(m.lane)
}

// advance does what time has done since the last call: timeouts and delays that
// are over, messages past their retention, old deduplication ids.
func (q *queueState) advance(now instant) {
	for len(q.due) > 0 && q.due[0].due <= now {
		q.show(q.due[0])
	}
	for q.ages.front != nil && q.expired(q.ages.front.value, now) {
		q.remove(q.ages.front.value)
	}
	q.dedup.forget(now)
}

func (q *queueState) expired(m *message, now instant) bool {
	return now-m.sent >= q.config.retention
}

// take receives up to max messages: of the lane whose turn it is as many as it
// has, then of the next. AWS documents this preference for one group in "FIFO
// delivery logic"; whoever was served goes to the end, so that a long group
// starves nobody.
func (q *queueState) take(now instant, max int, visibility instant) []Message {
	max = min(max, q.server.maxInFlight-q.inFlight)
	var out []Message
	for len(out) < max && q.turns.front != nil {
		l := q.turns.front.value
		for n := l.messages.front; n != nil && n.value.state == visible && len(out) < max; {
			m := n.value
			n = n.next
			if q.expired(m, now) {
				q.remove(m)
			} else if !q.bury(m, now) {
				if out == nil {
					out = make([]Message, 0, max)
				}
				out = append(out, q.handOut(m, now, visibility))
			}
		}
		q.reconsider(l)
	}
	if visibility == 0 {
		q.advance(now)
	}
	return out
}

func (q *queueState) handOut(m *message, now, visibility instant) Message {
	if m.receives == 0 {
		m.firstReceived = now
	}
	m.receives++
	m.receivesHere++
	m.receipt++
	m.lastReceived = now
	m.state, m.due = inFlight, now+visibility
	m.lane.inFlight++
	q.inFlight++
	q.due.push(m)
	q.received[m.number] = m
	return m.export(q.server, q.uid)
}

// bury moves a message that was received as often as the redrive policy allows to
// the dead-letter queue. When that queue is gone the message stays and is
// delivered on.
func (q *queueState) bury(m *message, now instant) bool {
	p := q.config.redrive
	if p == nil || m.receivesHere < p.maxReceives {
		return false
	}
	to := q.server.byARN(p.target)
	if to == nil {
		return false
	}
	q.remove(m)
	dead := m.copy()
	dead.receives, dead.firstReceived, dead.source, dead.sent = m.receives, m.firstReceived, q.arn, m.sent
	if q.config.fifo {
		// AWS gives a dead letter its message id as deduplication id, lest two
		// letters that share an id hide one another; and only FIFO queues let
		// the retention begin anew with the move.
		dead.dedup, dead.sent = m.id, now
	}
	to.advance(now)
	to.insert(dead, now, 0)
	q.server.settle(to, now)
	return true
}

// copy is the content of a message without its place and history in a queue.
func (m *message) copy() *message {
	return &message{id: m.id, body: m.body, bodyMD5: m.bodyMD5, attrs: m.attrs, attrsMD5: m.attrsMD5,
		group: m.group, dedup: m.dedup, trace: m.trace}
}

func (q *queueState) counts() Counts {
	return Counts{Visible: q.ages.length - len(q.due), InFlight: q.inFlight, Delayed: len(q.due) - q.inFlight}
}

// clear drops all messages; the deduplication ids stay, as AWS keeps them.
func (q *queueState) clear() {
	for q.ages.front != nil {
		q.remove(q.ages.front.value)
	}
}
