// Package eventsource moves messages from an SQS queue to a function as a Lambda event source mapping does: in batches,
// so many at a time, deleting what was handled and leaving the rest to the queue's visibility timeout.
//
//	https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
//	https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
package eventsource

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/nethouse-academy/albato/shared/local/sqs"
)

// Queue is what a mapping needs of SQS.
type Queue interface {
	// Receive blocks until there is a message, wait has passed or ctx ends.
	Receive(ctx context.Context, queue string, max int, wait time.Duration) ([]sqs.Message, error)
	Delete(queue string, handles ...string) error
}

// Invoker runs the function.
type Invoker interface {
	Invoke(ctx context.Context, payload []byte) ([]byte, error)
}

// Config is one mapping.
type Config struct {
	Name      string // in log lines
	Queue     string // name or URL
	QueueARN  string
	Region    string
	BatchSize int // 1–10
	// MaximumConcurrency is the most batches in flight.
	MaximumConcurrency int
	// Busy is how many batches are in flight before it matters how long they take: beyond it, a further batch is taken
	// only when an earlier one has lasted for Patience. So a busy moment makes batches fuller, not more, and a batch that
	// hangs does not hold up anybody. 1 and 20 ms when 0: two at a time cost the sender half as much again for each delivery.
	Busy     int
	Patience time.Duration
	// ReportBatchItemFailures: the function's answer names what failed. Without it a batch succeeds or fails whole.
	ReportBatchItemFailures bool
	// Visibility of the queue and Timeout of the function are compared, as on AWS.
	Visibility, Timeout time.Duration
	// Log is told of what went wrong: failed invocations, wrong answers, messages that could not be deleted.
	Log func(line string)
}

// Mapping is an event source mapping. Run it once.
type Mapping struct {
	config   Config
	queue    Queue
	function Invoker
}

// New makes a mapping. As on AWS, a queue whose messages come back before the function must have finished is refused.
func New(c Config, queue Queue, function Invoker) (*Mapping, error) {
	if c.Visibility < c.Timeout {
		return nil, fmt.Errorf("%s: the queue's visibility timeout (%v) is less than the function's timeout (%v)", c.Name, c.Visibility, c.Timeout)
	}
	if c.BatchSize < 1 || c.BatchSize > 10 {
		return nil, fmt.Errorf("%s: batch size %d; a FIFO queue gives 1 to 10", c.Name, c.BatchSize)
	}
	if c.MaximumConcurrency < 1 {
		return nil, fmt.Errorf("%s: maximum concurrency %d", c.Name, c.MaximumConcurrency)
	}
	if c.Busy == 0 {
		c.Busy = 1
	}
	if c.Patience == 0 {
		c.Patience = 20 * time.Millisecond
	}
	return &Mapping{c, queue, function}, nil
}

// Run moves messages until ctx ends and what is in flight has ended too.
func (m *Mapping) Run(ctx context.Context) {
	flying := make(chan struct{}, m.config.MaximumConcurrency)
	busy := make(chan struct{}, m.config.Busy)
	var batches sync.WaitGroup
	defer batches.Wait()
	for {
		if !take(ctx, busy) || !take(ctx, flying) {
			return
		}
		messages, err := m.queue.Receive(ctx, m.config.Queue, m.config.BatchSize, time.Hour)
		if ctx.Err() != nil {
			return
		}
		if err != nil { // the queue is gone: nothing to come back for
			m.config.Log(fmt.Sprintf("receiving from %s: %v", m.config.Name, err))
			return
		}
		if len(messages) == 0 {
			<-busy
			<-flying
			continue
		}
		batches.Go(func() {
			leave := sync.OnceFunc(func() { <-busy })
			timer := time.AfterFunc(m.config.Patience, leave)
			m.handle(messages)
			timer.Stop()
			leave()
			<-flying
		})
	}
}

func take(ctx context.Context, slots chan struct{}) bool {
	select {
	case slots <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

// handle invokes the function with one batch and deletes what it handled. An invocation is not cut short when the
// mapping stops.
func (m *Mapping) handle(messages []sqs.Message) {
	out, err := m.function.Invoke(context.Background(), encode(m.config, messages))
	if err != nil {
		m.config.Log(fmt.Sprintf("%s: a batch of %d failed and comes back after the visibility timeout: %v", m.config.Name, len(messages), err))
		return
	}
	handles := make([]string, 0, len(messages))
	failed := map[string]bool{}
	if m.config.ReportBatchItemFailures {
		if failed, err = failures(out, messages); err != nil {
			m.config.Log(fmt.Sprintf("%s: a batch of %d counts as failed: %v", m.config.Name, len(messages), err))
			return
		}
	}
	for i := range messages {
		if !failed[messages[i].ID] {
			handles = append(handles, messages[i].ReceiptHandle)
		}
	}
	if len(handles) == 0 {
		return
	}
	if err := m.queue.Delete(m.config.Queue, handles...); err != nil {
		m.config.Log(fmt.Sprintf("%s: handled, but not deleted: %v", m.config.Name, err))
	}
}
