package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
)

const (
	clients = 16 // that post at saturation
	lowRate = 20 // events a second that are no load
)

// rates are the loads of the chart, in events a second.
var rates = []float64{20, 100, 250, 500, 750, 1000, 1250, 1500, 1750, 2000}

// measureLoad measures from outside, with the program of make run as a process of its own; generator and receiver are
// this process, on the same processors.
func measureLoad(ctx context.Context, b *bench) error {
	for at := range strings.SplitSeq(b.at, ",") {
		connections, err := strconv.Atoi(at)
		if err != nil || connections < 1 {
			return fmt.Errorf("%q is no number of connections", at)
		}
		if err := measureConnections(ctx, b, connections); err != nil {
			return err
		}
	}
	return nil
}

func measureConnections(ctx context.Context, b *bench, connections int) error {
	s, err := startProgram(ctx, b)
	if err != nil {
		return err
	}
	defer s.stop()
	tenants, err := s.connectAll(ctx, connections)
	if err != nil {
		return err
	}
	name := "1 connection"
	if connections > 1 {
		name = fmt.Sprintf("%d connections", connections)
	}
	warm := newBatch("warm", min(b.events, 1000), tenants...)
	if err := deliver(ctx, s, warm, 0); err != nil {
		return err
	}
	low := newBatch("low", min(b.events, 10*lowRate), tenants...)
	if err := deliver(ctx, s, low, lowRate); err != nil {
		return err
	}
	b.latency(fmt.Sprintf("%s, %d/s", name, lowRate), low.latencies(nil), atMost(8), atMost(25))

	b.note("%s, as fast as events are taken", name)
	full := newBatch("full", b.events, tenants...)
	measured := meter(s.pid)
	if err := s.saturate(ctx, full, clients); err != nil {
		return err
	}
	accepted := float64(b.events) / float64(full.now()) * 1e9
	if err := s.arrived(ctx, full); err != nil {
		return err
	}
	delivered := float64(b.events) / float64(full.last.Load()) * 1e9
	time.Sleep(500 * time.Millisecond) // for the log entries of what has arrived
	u := measured()
	b.add(name+", saturated: accepted", accepted, "events/s", nil)
	aim := atLeast(2000)
	if connections == 1 {
		aim = atLeast(1400) // batches of one connection come one after another
	}
	b.add(name+", saturated: delivered", delivered, "events/s", aim)
	b.latency(name+", saturated", full.latencies(nil), nil, nil)
	perThousand := func(d time.Duration) float64 { return d.Seconds() * 1000 / float64(b.events) * 1000 }
	b.add(name+", saturated: CPU of the functions", perThousand(u.functions()), "ms/1,000", atMost(500))
	b.add(name+", saturated: CPU of the intake alone", perThousand(u.of["intake"]), "ms/1,000", nil)
	b.add(name+", saturated: CPU of the sender alone", perThousand(u.of["sender"]), "ms/1,000", nil)
	b.add(name+", saturated: CPU of the stand-in", perThousand(u.stack), "ms/1,000", nil)
	for _, f := range []string{"intake", "sender", "stack"} {
		var t *target
		if f == "sender" {
			t = atMost(60)
		}
		b.add(name+", saturated: peak memory of "+map[string]string{"intake": "an intake", "sender": "a sender", "stack": "the stand-in"}[f],
			float64(u.peaks[f])/1e6, "MB", t)
	}
	b.add(name+": sent twice", float64(warm.extra.Load()+low.extra.Load()+full.extra.Load()), "events", atMost(0))
	if connections > 1 {
		return measureRates(ctx, b, s, tenants, delivered)
	}
	return nil
}

// deliver posts a batch, at a rate or (0) as fast as it goes, and waits for its arrival.
func deliver(ctx context.Context, s *stack, events *batch, rate float64) error {
	post := func() error { return s.saturate(ctx, events, clients) }
	if rate > 0 {
		post = func() error { return s.pace(ctx, events, rate) }
	}
	if err := post(); err != nil {
		return err
	}
	return s.arrived(ctx, events)
}

// latency adds the percentiles of the times from post to receipt.
func (b *bench) latency(name string, ms []float64, p50, p99 *target) {
	b.add(name+": latency p50", percentile(ms, 50), "ms", p50)
	b.add(name+": latency p95", percentile(ms, 95), "ms", nil)
	b.add(name+": latency p99", percentile(ms, 99), "ms", p99)
}

// measureRates measures the latency at each load that is under four fifths of what can be delivered: beyond that the
// figure tells how long the measurement took.
func measureRates(ctx context.Context, b *bench, s *stack, tenants []tenant, most float64) error {
	for _, rate := range rates {
		if rate > 0.8*most {
			break
		}
		b.note("latency at %.0f events/s", rate)
		events := newBatch(fmt.Sprintf("rate%.0f", rate), min(b.events, int(max(200, 4*rate))), tenants...)
		if err := deliver(ctx, s, events, rate); err != nil {
			return err
		}
		b.latency(fmt.Sprintf(loadName, rate), events.latencies(nil), nil, nil)
	}
	return nil
}

// loadName is the name of a load of the chart.
const loadName = "chart, %g/s"

// measureNeighbours posts for two tenants in turn, an event every 10 ms. First both take what comes; then the other one
// holds each request for ten seconds.
func measureNeighbours(ctx context.Context, b *bench) error {
	var alone float64
	for _, other := range []string{"ok", "hang"} {
		p50, p99, err := neighbour(ctx, b, other)
		if err != nil {
			return err
		}
		if other == "ok" {
			alone = p50
		}
		name := "beside a " + map[string]string{"ok": "healthy", "hang": "hanging"}[other] + " neighbour: latency "
		b.add(name+"p50", p50, "ms", nil)
		b.add(name+"p99", p99, "ms", nil)
		if other == "hang" {
			b.add("beside a hanging neighbour: p50, ratio to a healthy one", p50/alone, "×", atMost(1.2))
		}
	}
	return nil
}

func neighbour(ctx context.Context, b *bench, other string) (p50, p99 float64, err error) {
	s, err := startProgram(ctx, b)
	if err != nil {
		return 0, 0, err
	}
	defer s.stop()
	b.note("beside a neighbour whose link is: %s", other)
	healthy, err := s.connect(ctx, "ok")
	if err != nil {
		return 0, 0, err
	}
	beside, err := s.connect(ctx, other)
	if err != nil {
		return 0, 0, err
	}
	if err := deliver(ctx, s, newBatch("warm", min(b.events, 500), healthy), 0); err != nil {
		return 0, 0, err
	}
	events := newBatch("pair", min(b.events, 1000), beside, healthy)
	if err := s.pace(ctx, events, 100); err != nil {
		return 0, 0, err
	}
	isHealthy := func(n int) bool { return n%2 == 1 }
	want := len(events.arrived) / 2
	deadline := time.Now().Add(30 * time.Second)
	ms := events.latencies(isHealthy)
	for ; len(ms) < want; ms = events.latencies(isHealthy) {
		if time.Now().After(deadline) {
			return 0, 0, fmt.Errorf("%d of the healthy neighbour's %d events have not arrived", want-len(ms), want)
		}
		time.Sleep(10 * time.Millisecond)
	}
	return percentile(ms, 50), percentile(ms, 99), nil
}
