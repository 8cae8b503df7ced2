package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// counted is what the services have counted since they were reset.
type counted struct {
	calls         map[string]float64 // by service and operation
	reads, writes float64            // request units of the table
}

// reset sets the services' counters to zero.
func (s *stack) reset() {
	s.inside.DynamoDB.ResetCalls()
	s.inside.SQS.ResetCalls()
}

func (s *stack) counted() counted {
	c := counted{calls: map[string]float64{}}
	for operation, n := range s.inside.DynamoDB.Calls() {
		c.calls["DynamoDB "+operation] = float64(n)
	}
	for operation, n := range s.inside.SQS.Calls() {
		c.calls["SQS "+operation] = float64(n)
	}
	for _, u := range s.inside.DynamoDB.Units() {
		c.reads += u.Read
		c.writes += u.Write
	}
	return c
}

// add adds what was counted for events as figures for 1,000 of them.
func (c counted) add(b *bench, name string, events int, budget map[string]float64) {
	each := 1000 / float64(events)
	for _, operation := range slices.Sorted(maps.Keys(c.calls)) {
		var t *target
		if limit, ok := budget[operation]; ok {
			t = atMost(limit)
		}
		b.add(name+": "+operation, c.calls[operation]*each, "calls/1,000", t)
	}
	b.add(name+": read units", c.reads*each, "units/1,000", nil)
	b.add(name+": write units", c.writes*each, "units/1,000", nil)
}

// alone is the budget of 1,000 events that come one after another: the intake reads the account's connections and queues;
// the sender reads connection and log, and writes the log. Full batches share the sender's two among ten events.
var alone = map[string]float64{"DynamoDB Query": 1000, "SQS SendMessageBatch": 1000, "DynamoDB BatchGetItem": 1000, "DynamoDB BatchWriteItem": 1000}

// measureCalls counts the functions' calls. Receiving and deleting messages is Lambda's own business, here as on AWS: one
// call each for a batch, which AWS bills, and which the services' counters do not have.
func measureCalls(ctx context.Context, b *bench) error {
	const events = 1000
	s, err := startInside(ctx, b, nil)
	if err != nil {
		return err
	}
	defer s.stop()
	tenants, err := s.connectAll(ctx, 1)
	if err != nil {
		return err
	}
	if err := deliver(ctx, s, newBatch("warm", 100, tenants...), 0); err != nil {
		return err
	}
	for _, load := range []struct {
		name    string
		clients int
	}{{"one after another", 1}, {"saturated", clients}} {
		if err := s.settled(ctx); err != nil {
			return err
		}
		s.reset()
		batch := newBatch(fmt.Sprintf("calls%d", load.clients), events, tenants...)
		if load.clients == 1 {
			err = oneByOne(ctx, s, batch)
		} else {
			err = deliver(ctx, s, batch, 0)
		}
		if err != nil {
			return err
		}
		if err := s.settled(ctx); err != nil {
			return err
		}
		s.counted().add(b, load.name, events, alone)
	}
	return nil
}

// oneByOne posts each event when the one before has been received and logged.
func oneByOne(ctx context.Context, s *stack, batch *batch) error {
	s.receiver.expect(batch)
	for n := range batch.posted {
		if err := s.post(ctx, batch, n); err != nil {
			return err
		}
		if err := s.settled(ctx); err != nil {
			return err
		}
	}
	return s.arrived(ctx, batch)
}
