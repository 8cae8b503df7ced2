package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/nethouse-academy/albato/shared/bench/cputime"
	"github.com/nethouse-academy/albato/shared/local/inmemory"
	"github.com/nethouse-academy/albato/shared/table"
	"github.com/nethouse-academy/albato/shared/telemetry"
	"github.com/nethouse-academy/albato/shared/webhook"
)

// tape answers every call of an operation with what the service answered to the first one: so the handler, the table and
// the SDK do all their work, and the service none.
type tape struct {
	service http.RoundTripper

	mu      sync.Mutex
	answers map[string][]byte
}

func (t *tape) RoundTrip(r *http.Request) (*http.Response, error) {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	t.mu.Lock()
	defer t.mu.Unlock()
	answer, recorded := t.answers[operation]
	if !recorded {
		res, err := t.service.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		if answer, err = io.ReadAll(res.Body); err != nil || res.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("%s: %d %s %w", operation, res.StatusCode, answer, err)
		}
		t.answers[operation] = answer
	}
	_ = r.Body.Close()
	return &http.Response{StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
		Body:   io.NopCloser(bytes.NewReader(answer)), ContentLength: int64(len(answer))}, nil
}

// signer signs as the client does, and sends nothing.
type signer struct{ t testing.TB }

func (s signer) Post(_ context.Context, r webhook.Request) webhook.Result {
	if _, err := webhook.SignatureHeader(r.Secrets, r.DeliveryID, time.Now(), r.Body); err != nil {
		s.t.Error(err)
	}
	return webhook.Result{Status: http.StatusOK}
}

const batchSize = 10

// withoutIO is a handler whose calls leave the process nowhere, and a full batch of orders for it.
func withoutIO(t testing.TB) (func(), []string) {
	w := newWorld(t)
	operations := &tape{answers: map[string][]byte{}}
	store := table.New(w.cloud.DB(func(next http.RoundTripper) http.RoundTripper {
		operations.service = next
		return operations
	}), inmemory.TableName, time.Now)
	w.sender.Log, w.sender.Poster = store, signer{t}
	watch := &observer{log: telemetry.NewLogger(io.Discard, "info", "sender", "bench"), metrics: telemetry.NewMetrics(io.Discard, "sender", time.Now), now: time.Now}
	w.sender.Observer, w.sender.Fault, w.observer = watch, watch.fault, watch
	var batch events.SQSEvent
	for i := range batchSize {
		r, _ := message(t, i, fmt.Sprint("order", i))
		batch.Records = append(batch.Records, r)
	}
	run := func() {
		if out, err := w.handle(context.Background(), batch); err != nil || len(out.BatchItemFailures) > 0 {
			t.Fatal(out, err)
		}
	}
	run()
	var used []string
	for o := range operations.answers {
		used = append(used, o)
	}
	return run, used
}

// BenchmarkSender is the cost of a delivery without I/O, in full batches: reading the messages, the calls to the table with
// all that the SDK does for them, signing, compressing, log lines and metrics.
func BenchmarkSender(b *testing.B) {
	run, _ := withoutIO(b)
	b.ReportAllocs()
	began := cputime.Now()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for b.Loop() {
		run()
	}
	runtime.ReadMemStats(&after)
	deliveries := float64(b.N) * batchSize
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/deliveries, "ns/delivery")
	b.ReportMetric(float64((cputime.Now()-began).Nanoseconds())/deliveries, "cpu-ns/delivery")
	b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/deliveries, "B/delivery")
	b.ReportMetric(float64(after.Mallocs-before.Mallocs)/deliveries, "allocs/delivery")
}

// TestAllocations is the guard of BenchmarkSender: allocations and calls do not depend on the machine.
func TestAllocations(t *testing.T) {
	run, calls := withoutIO(t)
	slices.Sort(calls)
	if !slices.Equal(calls, []string{"BatchGetItem", "BatchWriteItem"}) {
		t.Errorf("calls: %v", calls)
	}
	if raceEnabled {
		t.Log("the race detector allocates; the guard runs without it")
		return
	}
	if got := testing.AllocsPerRun(100, run) / batchSize; got > 160 {
		t.Errorf("%v allocations a delivery, 160 are allowed", got)
	}
}
