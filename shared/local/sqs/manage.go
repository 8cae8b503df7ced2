package sqs

import (
	"encoding/base64"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

var queueName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

// settleDown is how long AWS refuses to create a queue whose name was deleted,
// and to purge one again.
const settleDown = 60 * time.Second

func (s *Server) create(name string, attributes, tags map[string]string) (*queueState, *Error) {
	base, suffixed := strings.CutSuffix(name, ".fifo")
	_, fifo := attributes["FifoQueue"]
	switch {
	case fifo && (!suffixed || len(name) > 80 || !queueName.MatchString(base)):
		return nil, refuse("InvalidParameterValue", "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in length.")
	case !fifo && !queueName.MatchString(name):
		return nil, refuse("InvalidParameterValue", "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
	}
	if q := s.queues[name]; q != nil {
		name, fault := q.config.difference(attributes)
		if fault != nil {
			return nil, fault
		}
		if name != "" {
			return nil, refuse("QueueNameExists", "A queue already exists with the same name and a different value for attribute %s", name)
		}
		return q, nil
	}
	now := s.instant()
	if at, ok := s.deleted[name]; ok && now-at < settleDown {
		return nil, refuse("QueueDeletedRecently", "You must wait 60 seconds after deleting a queue before you can create another with the same name.")
	}
	c, bad := defaultConfig(fifo).with(attributes)
	if bad == nil {
		bad = s.checkRedrive(s.arn(name), c)
	}
	if bad != nil {
		return nil, bad
	}
	s.queueID++
	q := &queueState{server: s, uid: s.queueID, name: name, arn: s.arn(name), config: c, tags: maps.Clone(tags),
		created: now, modified: now, lanes: map[string]*lane{}, received: map[uint64]*message{}}
	s.queues[name] = q
	delete(s.deleted, name)
	return q, nil
}

// configure changes attributes, with effect on what is in the queue already where
// AWS documents it.
func (q *queueState) configure(attributes map[string]string, now instant) *Error {
	c, fault := q.config.with(attributes)
	if fault != nil {
		return fault
	}
	if fault := q.server.checkRedrive(q.arn, c); fault != nil {
		return fault
	}
	before := q.config
	q.config, q.modified = c, now
	if c.dedupPerGroup != before.dedupPerGroup {
		q.dedup.rescope(c.dedupPerGroup)
	}
	// The delay of a FIFO queue is retroactive, that of a standard queue is not.
	if c.fifo && c.delay != before.delay {
		for n := q.ages.front; n != nil; n = n.next {
			if m := n.value; m.state == delayed {
				m.due = m.sent + c.delay
				q.due.fix(m.heapIndex)
			}
		}
	}
	q.advance(now)
	return nil
}

func (s *Server) deleteQueue(q *queueState, now instant) {
	q.clear()
	for q.waiters.front != nil {
		w := q.waiters.front.value
		q.waiters.remove(&w.turn)
		close(w.served)
	}
	q.disarm()
	delete(s.queues, q.name)
	s.deleted[q.name] = now
}

func (q *queueState) purge(now instant) *Error {
	if q.everPurged && now-q.purged < settleDown {
		return refuse("PurgeQueueInProgress", "Only one PurgeQueue operation on %s is allowed every 60 seconds.", q.name)
	}
	q.clear()
	q.purged, q.everPurged = now, true
	return nil
}

// names lists the queues that match, sorted, a page at a time; next is the token
// of the following page.
func (s *Server) names(match func(*queueState) bool, max int, token string) (names []string, next string, bad *Error) {
	after := ""
	if token != "" {
		b, err := base64.URLEncoding.DecodeString(token)
		if err != nil {
			return nil, "", invalidValue(token, "NextToken", "Invalid or expired next token.")
		}
		after = string(b)
	}
	for name, q := range s.queues {
		if name > after && match(q) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	if len(names) > max {
		names = names[:max]
		next = base64.URLEncoding.EncodeToString([]byte(names[max-1]))
	}
	return names, next, nil
}
