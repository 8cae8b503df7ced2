package delivery

import (
	"context"
	"time"
)

// hostageTime is how long a finished connection waits for another's link within a batch.
const hostageTime = time.Second

// Deliver is the fast lane: it tries every message of a batch of deliveries once, and never waits or retries. What is not
// delivered is held. It returns the ids of the messages that are to come back, as a partial batch response wants them.
//
// On the happy path it costs one Lookup, one Record and the requests themselves.
func (s *Sender) Deliver(ctx context.Context, batch []Received) (back []string) {
	lanes := byConnection(batch)
	snapshot, err := s.Log.Lookup(ctx, connectionKeys(lanes), deliveryKeys(batch))
	if err != nil {
		s.Fault(ctx, "reading connections and log", err)
		return messageIDs(batch)
	}
	results := make(chan settled, len(lanes))
	for _, messages := range lanes {
		l := newLane(s, messages, snapshot)
		go func() { results <- l.run(ctx) }()
	}
	return s.collect(ctx, results, len(lanes))
}

// settled is what became of one connection's messages.
type settled struct {
	entries []Delivery // to be logged
	logged  []Received // their messages, one for each
	done    []Received // to be acknowledged
	release []Received // to come back at once: there was no time for them
	back    []Received // to come back after their visibility timeout: our own fault
}

func (x *settled) add(y settled) {
	x.entries = append(x.entries, y.entries...)
	x.logged = append(x.logged, y.logged...)
	x.done = append(x.done, y.done...)
	x.release = append(x.release, y.release...)
	x.back = append(x.back, y.back...)
}

// collect logs what the lanes bring. A batch is no hostage: when a link hangs, what is done of the other connections is
// logged and deleted at once, so that their groups move on.
func (s *Sender) collect(ctx context.Context, results <-chan settled, lanes int) (back []string) {
	var pending settled
	patience := time.NewTimer(hostageTime)
	defer patience.Stop()
	late := false
	for lanes > 0 {
		select {
		case x := <-results:
			pending.add(x)
			lanes--
		case <-patience.C:
			late = true
		}
		if late && lanes > 0 {
			back = append(back, s.settle(ctx, pending, true)...)
			pending = settled{}
		}
	}
	return append(back, s.settle(ctx, pending, false)...)
}

// settle logs entries and gives back what is to come back; early also deletes what is done, which otherwise the end of the
// invocation does.
func (s *Sender) settle(ctx context.Context, x settled, early bool) []string {
	if len(x.entries) > 0 {
		err := s.Log.Record(ctx, x.entries)
		if err != nil {
			s.Fault(ctx, "logging outcomes", err)
		}
		for i, d := range x.entries {
			// The receiver has what was delivered: a missing line in the log is better than a second delivery. Of anything
			// else the log is all there is.
			if err != nil && d.Status != Delivered {
				x.back = append(x.back, x.logged[i])
				continue
			}
			x.done = append(x.done, x.logged[i])
			s.Observer.Settled(ctx, d)
		}
	}
	if early && len(x.done) > 0 {
		// A failure costs time only: the end of the invocation deletes them too.
		if err := s.Deliveries.Delete(ctx, handles(x.done)); err != nil {
			s.Fault(ctx, "deleting what is done", err)
		}
	}
	if len(x.release) > 0 {
		if err := s.Deliveries.Delay(ctx, handles(x.release), 0); err != nil {
			s.Fault(ctx, "releasing what there was no time for", err)
		}
	}
	return append(messageIDs(x.release), messageIDs(x.back)...)
}

// byConnection splits a batch by connection, keeping the order of both.
func byConnection(batch []Received) (lanes [][]Received) {
	index := make(map[ConnectionKey]int, len(batch))
	for _, r := range batch {
		key := connectionKey(r)
		i, ok := index[key]
		if !ok {
			i = len(lanes)
			index[key] = i
			lanes = append(lanes, nil)
		}
		lanes[i] = append(lanes[i], r)
	}
	return lanes
}

func connectionKey(r Received) ConnectionKey {
	return ConnectionKey{r.Message.Delivery.AccountID, r.Message.Delivery.ConnectionID}
}

func connectionKeys(lanes [][]Received) []ConnectionKey {
	keys := make([]ConnectionKey, len(lanes))
	for i, messages := range lanes {
		keys[i] = connectionKey(messages[0])
	}
	return keys
}

// deliveryKeys names each delivery once: a retry may stand in a batch beside the delivery itself.
func deliveryKeys(batch []Received) []Key {
	keys := make([]Key, 0, len(batch))
	seen := make(map[Key]bool, len(batch))
	for _, r := range batch {
		key := Key{r.Message.Delivery.ConnectionID, r.Message.Delivery.ID}
		if !seen[key] {
			seen[key] = true
			keys = append(keys, key)
		}
	}
	return keys
}

func messageIDs(messages []Received) []string {
	ids := make([]string, len(messages))
	for i, m := range messages {
		ids[i] = m.MessageID
	}
	return ids
}

func handles(messages []Received) []string {
	all := make([]string, len(messages))
	for i, m := range messages {
		all[i] = m.Handle
	}
	return all
}
