package lambda

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// Function is one function: its processes, and the invocations that wait for one.
type Function struct {
	config  Config
	runtime *Runtime
	running sync.WaitGroup // a count per process that has not been waited for

	mu        sync.Mutex
	processes map[*process]struct{}
	idle      []*process    // last in, first out: few stay busy, the rest sleep
	pending   []*invocation // first in, first out
	moved     time.Time     // when one of them was last taken up
	starting  int           // processes that have not asked for their first event yet
	scaling   *time.Timer   // looks at the head of pending again
	closed    bool
}

// Warm starts a first process ahead of the first invocation.
func (f *Function) Warm() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.processes) == 0 {
		f.startLocked()
	}
}

// Processes tells how many processes run at the moment.
func (f *Function) Processes() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.processes)
}

// submit hands inv to an idle process, or lets it wait for one.
func (f *Function) submit(inv *invocation) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		inv.done <- result{err: errClosed}
		return
	}
	if n := len(f.idle); n > 0 {
		p := f.idle[n-1]
		f.idle = f.idle[:n-1]
		f.assignLocked(p, inv)
		p.work <- inv
		return
	}
	f.pending = append(f.pending, inv)
	f.scaleLocked()
}

// withdraw takes back an invocation nobody waits for any more, if it has not begun.
func (f *Function) withdraw(inv *invocation) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if i := slices.Index(f.pending, inv); i >= 0 {
		f.pending = slices.Delete(f.pending, i, i+1)
	}
}

// next is called when p asks for an event: it returns the one that waits longest, or nil after making p idle; the event
// then comes through p.work.
func (f *Function) next(p *process) *invocation {
	f.mu.Lock()
	defer f.mu.Unlock()
	if p.ended {
		return nil
	}
	if !p.ready {
		p.ready = true
		f.starting--
		p.initTimer.Stop()
	}
	if len(f.pending) == 0 {
		f.idle = append(f.idle, p)
		return nil
	}
	inv := f.pending[0]
	f.pending = slices.Delete(f.pending, 0, 1)
	f.moved = time.Now()
	f.assignLocked(p, inv)
	f.scaleLocked()
	return inv
}

func (f *Function) assignLocked(p *process, inv *invocation) {
	inv.deadline = time.Now().Add(f.config.Timeout)
	p.current, p.delivered = inv, false
	p.timer = time.AfterFunc(f.config.Timeout, func() { f.timedOut(p, inv) })
}

// scaleLocked starts one more process if the longest wait is long enough (see Config.Busy), and otherwise looks again
// when it will be. One starts at a time: by the time it is ready the queue has usually moved on.
func (f *Function) scaleLocked() {
	if len(f.pending) == 0 || f.starting > 0 || len(f.processes) >= f.config.Limit {
		return
	}
	since := f.pending[0].queued
	if len(f.processes) >= f.config.Busy && f.moved.After(since) {
		since = f.moved
	}
	wait := f.config.Patience - time.Since(since)
	if len(f.processes) == 0 || wait <= 0 {
		f.startLocked()
		return
	}
	if f.scaling == nil {
		f.scaling = time.AfterFunc(wait, f.scale)
	} else {
		f.scaling.Reset(wait)
	}
}

func (f *Function) scale() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.closed {
		f.scaleLocked()
	}
}

func (f *Function) startLocked() {
	if f.closed {
		return
	}
	p := &process{function: f, work: make(chan *invocation, 1), exited: make(chan struct{})}
	p.initTimer = time.AfterFunc(initTimeout, func() { p.kill("did not ask for an event within 10 s") })
	f.processes[p] = struct{}{}
	f.starting++
	f.running.Add(1)
	go p.run()
}

// finish ends the invocation id of p with r; false when p is not working on it.
func (f *Function) finish(p *process, id string, r result) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if p.current == nil || p.current.id != id {
		return false
	}
	p.timer.Stop()
	p.current.done <- r
	p.current = nil
	return true
}

func (f *Function) timedOut(p *process, inv *invocation) {
	message := fmt.Sprintf("RequestId: %s Error: Task timed out after %.2f seconds", inv.id, f.config.Timeout.Seconds())
	if f.finish(p, inv.id, result{err: &FunctionError{errTimeout, message}}) {
		p.kill(fmt.Sprintf("task timed out after %.2f seconds", f.config.Timeout.Seconds()))
	}
}

// gone takes p, which has ended, out of the books. What it was working on fails; what it had been given but had not
// begun goes back to the head of the queue. If it was the last one, another takes its place at once, unless replace is
// false or it never came up.
func (f *Function) gone(p *process, cause string, replace bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p.ended = true
	delete(f.processes, p)
	f.idle = slices.DeleteFunc(f.idle, func(q *process) bool { return q == p })
	p.initTimer.Stop()
	if inv := p.current; inv != nil {
		p.timer.Stop()
		if p.delivered {
			inv.done <- result{err: exitError(inv.id, cause)}
		} else {
			f.pending = slices.Insert(f.pending, 0, inv)
		}
		p.current = nil
	}
	if f.closed {
		return
	}
	if p.ready {
		if len(f.processes) == 0 && replace {
			f.startLocked()
		}
		f.scaleLocked()
		return
	}
	f.starting--
	f.initFailedLocked(p, cause)
}

// initFailedLocked fails what waits for a function that does not start: each of these invocations would have met the
// same error on Lambda. As long as other processes run, they serve what waits.
func (f *Function) initFailedLocked(p *process, cause string) {
	if len(f.processes) > 0 {
		f.scaleLocked()
		return
	}
	for _, inv := range f.pending {
		err := p.initError
		if err == nil {
			err = exitError(inv.id, cause)
		}
		inv.done <- result{err: err}
	}
	f.pending = nil
}

func exitError(id, cause string) *FunctionError {
	return &FunctionError{errExit, "RequestId: " + id + " Error: Runtime exited " + cause}
}

func (f *Function) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	if f.scaling != nil {
		f.scaling.Stop()
	}
	for _, inv := range f.pending {
		inv.done <- result{err: errClosed}
	}
	f.pending = nil
	for p := range f.processes {
		go p.kill("")
	}
}
