package telemetry

import (
	"io"
	"sync"
	"time"
)

const (
	holdFor  = 50 * time.Millisecond
	holdMost = 32 << 10
)

// Output holds log lines back for a moment and writes them together: a line costs a system call here and wakes up whoever
// reads it, and an invocation writes a dozen. Nothing is held for longer than 50 ms, so that a process that is killed in
// the midst of an invocation has said what it was doing. Flush it at the end of each invocation, before Lambda may freeze
// the process. It is safe for concurrent use.
type Output struct {
	w io.Writer

	mu    sync.Mutex
	lines []byte
	timer *time.Timer
}

// NewOutput returns an Output that writes to w.
func NewOutput(w io.Writer) *Output { return &Output{w: w} }

// Write takes whole lines. The error is that of writing earlier ones.
func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.lines) == 0 {
		if o.timer == nil {
			o.timer = time.AfterFunc(holdFor, func() { _ = o.Flush() })
		} else {
			o.timer.Reset(holdFor)
		}
	}
	o.lines = append(o.lines, p...)
	if len(o.lines) >= holdMost {
		return len(p), o.flushLocked()
	}
	return len(p), nil
}

// Flush writes what is held.
func (o *Output) Flush() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.flushLocked()
}

func (o *Output) flushLocked() error {
	if len(o.lines) == 0 {
		return nil
	}
	o.timer.Stop()
	_, err := o.w.Write(o.lines)
	o.lines = o.lines[:0]
	return err
}
