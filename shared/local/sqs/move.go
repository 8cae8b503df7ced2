package sqs

import "strconv"

// moveTask is a finished StartMessageMoveTask.
type moveTask struct {
	source, destination string
	started             instant
	moved, toMove       int
	failure             string
}

// startMessageMoveTask moves what is visible in a dead-letter queue back to where
// it came from, or to one destination. The whole task is done within the call, so
// that there is none to cancel and none that runs beside another.
func (c *call) startMessageMoveTask() *Error {
	if c.in.sourceARN == "" {
		return missing("SourceArn")
	}
	s := c.server
	s.mu.Lock()
	defer s.mu.Unlock()
	from := s.byARN(c.in.sourceARN)
	if from == nil {
		return refuse("ResourceNotFoundException", "The resource that you specified for the SourceArn parameter doesn't exist.")
	}
	if !s.isDeadLetterQueue(from) {
		return invalidValue(c.in.sourceARN, "SourceArn", "Source queue must be configured as a Dead Letter Queue.")
	}
	var to *queueState
	if c.in.destinationARN != "" {
		switch to = s.byARN(c.in.destinationARN); {
		case to == nil:
			return refuse("ResourceNotFoundException", "The resource that you specified for the DestinationArn parameter doesn't exist.")
		case to == from:
			return invalidValue(c.in.destinationARN, "DestinationArn", "Source queue arn and destination queue arn must be different.")
		case to.config.fifo != from.config.fifo:
			return invalidValue(c.in.destinationARN, "DestinationArn", "Source and destination queues must be of the same type.")
		}
	}
	now := s.instant()
	from.advance(now)
	t := &moveTask{source: from.arn, destination: c.in.destinationARN, started: now, toMove: from.counts().Visible}
	from.moveTo(to, t, now)
	s.settle(from, now)
	s.tasks = append(s.tasks, t)
	c.out = append(c.out, '{')
	c.plain("TaskHandle", newID())
	c.out = append(c.out, '}')
	return nil
}

func (s *Server) isDeadLetterQueue(q *queueState) bool {
	for _, other := range s.queues {
		if other.config.redrive != nil && other.config.redrive.target == q.arn {
			return true
		}
	}
	return false
}

// moveTo moves the visible messages, oldest first, to one queue or, when to is
// nil, each to the queue it came from. Groups with a message in flight stay
// whole, as no receive could take from them. AWS makes new messages of what it
// redrives: id, time and counts begin anew ("Configure a dead-letter queue
// redrive" in the Developer Guide).
func (q *queueState) moveTo(to *queueState, t *moveTask, now instant) {
	touched := map[*queueState]bool{}
	for n := q.ages.front; n != nil; {
		m := n.value
		n = n.next
		if m.state != visible || m.lane.inFlight > 0 {
			continue
		}
		target := to
		if target == nil {
			target = q.server.byARN(m.source)
		}
		if target == nil || target.config.fifo != q.config.fifo {
			t.failure = "CouldNotDetermineMessageSource"
			continue
		}
		if !touched[target] {
			target.advance(now)
			touched[target] = true
		}
		q.remove(m)
		again := m.copy()
		again.id, again.sent = newID(), now
		target.insert(again, now, 0)
		t.moved++
	}
	for target := range touched {
		q.server.settle(target, now)
	}
}

func (c *call) listMessageMoveTasks() *Error {
	n := c.in.maxResults.or(1)
	if n < 1 || n > 10 {
		return outOfRange(n, "MaxResults", 1, 10)
	}
	s := c.server
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byARN(c.in.sourceARN) == nil {
		return refuse("ResourceNotFoundException", "The resource that you specified for the SourceArn parameter doesn't exist.")
	}
	c.out = append(c.out, `{"Results":[`...)
	for i := len(s.tasks) - 1; i >= 0 && n > 0; i-- {
		if t := s.tasks[i]; t.source == c.in.sourceARN {
			c.appendTask(t)
			n--
		}
	}
	c.out = append(c.out, `]}`...)
	return nil
}

func (c *call) appendTask(t *moveTask) {
	c.out = append(c.separate('['), '{')
	status := "COMPLETED"
	if t.failure != "" {
		status = "FAILED"
		c.plain("FailureReason", t.failure)
	}
	c.plain("Status", status)
	c.plain("SourceArn", t.source)
	if t.destination != "" {
		c.plain("DestinationArn", t.destination)
	}
	for _, f := range []struct {
		name string
		n    int64
	}{{"ApproximateNumberOfMessagesMoved", int64(t.moved)}, {"ApproximateNumberOfMessagesToMove", int64(t.toMove)},
		{"StartedTimestamp", c.server.wall(t.started).UnixMilli()}} {
		c.name(f.name)
		c.out = strconv.AppendInt(c.out, f.n, 10)
	}
	c.out = append(c.out, '}')
}
