package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nethouse-academy/albato/shared/connection"
	"github.com/nethouse-academy/albato/shared/delivery"
	"github.com/nethouse-academy/albato/shared/event"
	"github.com/nethouse-academy/albato/shared/local/inmemory"
	"github.com/nethouse-academy/albato/shared/queue"
	"github.com/nethouse-academy/albato/shared/table"
	"github.com/nethouse-academy/albato/shared/webhook"
)

// patient keeps a link that is down failing for the whole measurement: nothing is tried, everything waits.
var patient = map[string]string{"RetrySchedule": "1h,1h,1h,1h"}

// growthEvents are measured at each size.
const growthEvents = 2000

// measureGrowth measures what an event costs when there is more and more beside it: connections in the table, and events
// that wait for a link that is down. Nothing may read more than what the event is about, so nothing may scan.
func measureGrowth(ctx context.Context, b *bench) error {
	var first float64
	for _, size := range []int{10, 1000, b.waiting} {
		s, err := startInside(ctx, b, patient)
		if err != nil {
			return err
		}
		cpu, err := growConnections(ctx, b, s, size)
		s.stop()
		if err != nil {
			return fmt.Errorf("%d connections: %w", size, err)
		}
		if first == 0 {
			first = cpu
		}
		b.add(connectionsName(size)+": CPU, ratio to the fewest", cpu/first, "×", nil)
	}
	s, err := startInside(ctx, b, patient)
	if err != nil {
		return err
	}
	defer s.stop()
	return growWaiting(ctx, b, s)
}

func connectionsName(n int) string { return fmt.Sprintf("%d connections", n) }

// growConnections puts connections in the table and measures the events of ten of them.
func growConnections(ctx context.Context, b *bench, s *stack, size int) (cpu float64, err error) {
	tenants, err := s.connectAll(ctx, 10)
	if err != nil {
		return 0, err
	}
	b.note("%d connections", size)
	store := table.New(s.services().DB(nil), s.inside.Tables["Table"], time.Now)
	for n := len(tenants); n < size; n++ {
		now := time.Now()
		account := "other-" + strconv.Itoa(n)
		if err := store.Create(ctx, connection.Connection{ID: "con_other" + strconv.Itoa(n), AccountID: account, Name: "CRM",
			Link: webhook.Link(s.receiver.url + "/ok/" + account + "/"), Actions: []event.Action{event.OrderUpdate}, Enabled: true,
			Version: 1, CreatedAt: now, UpdatedAt: now, Secret: webhook.NewSecret(),
			Health: connection.Health{State: connection.Healthy, Since: now}}); err != nil {
			return 0, err
		}
	}
	return growthCost(ctx, b, s, connectionsName(size), tenants)
}

// growWaiting lets events wait for a link that is down and measures another link's events, and what joins the line.
func growWaiting(ctx context.Context, b *bench, s *stack) error {
	healthy, err := s.connectAll(ctx, 10)
	if err != nil {
		return err
	}
	down, err := s.connect(ctx, "down")
	if err != nil {
		return err
	}
	messages := queue.New(s.services().Queues(nil), s.inside.SQS.QueueURL(s.inside.Endpoints["AWS_ENDPOINT_URL_SQS"], s.inside.Queues["DeliveriesQueue"]))
	var first float64
	waiting := 0
	for _, size := range []int{0, b.waiting / 10, b.waiting} {
		b.note("%d messages waiting", size)
		if err := enqueue(ctx, s, messages, down, waiting, size); err != nil {
			return err
		}
		waiting = size
		name := fmt.Sprintf("%d messages waiting", size)
		cpu, err := growthCost(ctx, b, s, name, healthy)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if first == 0 {
			first = cpu
		}
		b.add(name+": CPU, ratio to none waiting", cpu/first, "×", nil)
		if size > 0 {
			if err := joinLine(ctx, b, s, messages, down, name, &waiting); err != nil {
				return err
			}
		}
	}
	return nil
}

// growthCost measures events and gives the functions' processor time for 1,000 of them in milliseconds.
func growthCost(ctx context.Context, b *bench, s *stack, name string, tenants []tenant) (float64, error) {
	id := "grow" + strconv.FormatInt(s.names.Add(1), 10)
	if err := deliver(ctx, s, newBatch(id+"warm", 500, tenants...), 0); err != nil {
		return 0, err
	}
	if err := s.settled(ctx); err != nil {
		return 0, err
	}
	s.reset()
	measured := meter(s.pid)
	batch := newBatch(id, growthEvents, tenants...)
	if err := deliver(ctx, s, batch, 0); err != nil {
		return 0, err
	}
	if err := s.settled(ctx); err != nil {
		return 0, err
	}
	cpu := measured().functions().Seconds() * 1000 / growthEvents * 1000
	b.add(name+": CPU of the functions", cpu, "ms/1,000", nil)
	return cpu, s.addGrowth(b, name, growthEvents)
}

// addGrowth adds what the services counted, and fails if anything was scanned.
func (s *stack) addGrowth(b *bench, name string, events int) error {
	c := s.counted()
	if c.calls["DynamoDB Scan"] > 0 {
		return errors.New("the table was scanned")
	}
	total := 0.0
	for _, n := range c.calls {
		total += n
	}
	each := 1000 / float64(events)
	b.add(name+": AWS calls", total*each, "calls/1,000", nil)
	b.add(name+": read units", c.reads*each, "units/1,000", nil)
	b.add(name+": write units", c.writes*each, "units/1,000", nil)
	return nil
}

// joinLine measures events for the link that is down.
func joinLine(ctx context.Context, b *bench, s *stack, messages *queue.Queue, down tenant, name string, waiting *int) error {
	const events = 1000
	s.reset()
	measured := meter(s.pid)
	if err := enqueue(ctx, s, messages, down, *waiting, *waiting+events); err != nil {
		return err
	}
	*waiting += events
	b.add(name+", joining the line: CPU of the sender", measured().functions().Seconds()*1000/events*1000, "ms/1,000", nil)
	return s.addGrowth(b, name+", joining the line", events)
}

// enqueue puts deliveries number from … to of a tenant in the queue, as the intake does, and waits until the sender has
// dealt with them.
func enqueue(ctx context.Context, s *stack, messages *queue.Queue, t tenant, from, to int) error {
	for n := from; n < to; {
		var page []delivery.Message
		for ; n < to && len(page) < 10; n++ {
			e := event.Sample(event.OrderUpdate, t.account, "waits-"+strconv.Itoa(n), time.Now())
			page = append(page, delivery.Message{Delivery: delivery.Delivery{ID: e.DeliveryID(t.connection), EventID: e.ID, AccountID: e.AccountID,
				ConnectionID: t.connection, Action: e.Action, OrderID: strconv.Itoa(n), CreatedAt: time.Now(), Body: e.Body(false)}})
		}
		if err := messages.SendMessages(ctx, page); err != nil {
			return err
		}
	}
	return s.settled(ctx)
}

// settled waits until the queue of deliveries is empty: everything in it was delivered, or waits in the table.
func (s *stack) settled(ctx context.Context) error {
	for {
		left, err := s.inside.SQS.Counts(s.inside.Queues["DeliveriesQueue"])
		if err != nil || left.Visible+left.InFlight+left.Delayed == 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Millisecond):
		}
	}
}

// services are the stack's, for clients of our own.
func (s *stack) services() *inmemory.Services {
	return &inmemory.Services{DynamoDB: s.inside.DynamoDB, SQS: s.inside.SQS}
}
