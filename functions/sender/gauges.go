package main

import (
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/nethouse-academy/albato/shared/delivery"
	"github.com/nethouse-academy/albato/shared/telemetry"
)

// gauges are the metrics that tell how things stand, where the counters tell what was done. They cost no read: an
// invocation knows them from the work it does anyway, and a connection in trouble is seen as often as its schedule has it
// tried.
//
//	QueueAge            ms   since the oldest message taken was sent. SQS has such a metric, which does not see messages
//	                         that come back.
//	OldestWaiting       ms   since the oldest event was accepted that its link has just not taken: the head of a line
//	ConnectionsSeen          connections that had something to deliver, or were tried again
//	ConnectionsFailing       those of them that are in trouble
type gauges struct {
	mu          sync.Mutex
	queueAge    time.Duration
	oldest      time.Duration
	connections map[string]bool // by id: in trouble
}

// received notes how long a message has been on its way. Tokens sleep on purpose and do not count.
func (g *gauges) received(record events.SQSMessage, now time.Time) {
	sent, err := strconv.ParseInt(record.Attributes["SentTimestamp"], 10, 64)
	if err != nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.queueAge = max(g.queueAge, now.Sub(time.UnixMilli(sent)))
}

// took notes that a connection's link took or refused an event: it lives, unless something else of it is in trouble.
func (g *gauges) took(d delivery.Delivery) { g.see(d, false, 0) }

// waits notes an event that has to wait. Its age counts once it stands in the line; that of a retry or replay by hand, which
// is as old as it likes, never.
func (g *gauges) waits(d delivery.Delivery, now time.Time) {
	var age time.Duration
	if d.Status == delivery.Waiting && d.Retry == "" {
		age = now.Sub(d.CreatedAt)
	}
	g.see(d, true, age)
}

func (g *gauges) see(d delivery.Delivery, trouble bool, age time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.connections == nil {
		g.connections = map[string]bool{}
	}
	g.connections[d.ConnectionID] = g.connections[d.ConnectionID] || trouble
	g.oldest = max(g.oldest, age)
}

// flush hands what was noted to the metrics and begins anew.
func (g *gauges) flush(m *telemetry.Metrics) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.queueAge > 0 {
		m.Milliseconds("QueueAge", g.queueAge)
	}
	if g.oldest > 0 {
		m.Milliseconds("OldestWaiting", g.oldest)
	}
	if len(g.connections) > 0 {
		failing := 0
		for _, trouble := range g.connections {
			if trouble {
				failing++
			}
		}
		m.Count("ConnectionsSeen", len(g.connections))
		m.Count("ConnectionsFailing", failing)
	}
	g.queueAge, g.oldest = 0, 0
	clear(g.connections)
}
