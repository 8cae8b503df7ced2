// Package lambda runs functions as AWS Lambda does, on one machine: it starts each function's bootstrap, serves it the
// Runtime API, gives every process one invocation at a time, starts more processes when invocations wait, and kills what
// runs longer than its timeout.
//
// The Runtime API is AWS's: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
package lambda

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"sync"
	"time"
)

// Limits of Lambda: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const (
	maxPayload  = 6 << 20 // bytes of an event or a response
	initTimeout = 10 * time.Second
)

// Config is one function.
type Config struct {
	Name    string        // stands in the ARN and before log lines
	ARN     string        // told to the function with each invocation
	Dir     string        // the folder with bootstrap; its last element should name the function
	Handler string        // _HANDLER
	Memory  int           // MiB, told to the function; not enforced
	Timeout time.Duration // of one invocation, counted from its hand-over to a process
	Env     []string      // KEY=value, beside what Lambda itself sets
	// Limit is the most processes that run at a time; further invocations wait for one of them.
	Limit int
	// Busy is the number of processes up to which an invocation that has waited for Patience starts another one. Beyond
	// it, one is started only when nothing at all has moved for Patience: on one machine, unlike on Lambda, more
	// processes do not make more processor, but those that hang must not hold up the others. 2 a processor when 0.
	Busy int
	// Patience is 20 ms when 0.
	Patience time.Duration
}

// Runtime is the machinery that functions share. Close it to end every process.
type Runtime struct {
	spawner *spawner
	server  *http.Server
	log     *logWriter

	mu        sync.Mutex
	functions []*Function
}

// NewRuntime returns a Runtime that writes the lines its functions print to log, each with the function's name before it.
func NewRuntime(log io.Writer) *Runtime {
	r := &Runtime{spawner: newSpawner(), log: &logWriter{to: log}}
	r.server = &http.Server{Handler: http.HandlerFunc(serveRuntimeAPI), BaseContext: processContext}
	return r
}

// Function adds a function. No process runs until it is invoked or warmed.
func (r *Runtime) Function(c Config) *Function {
	if c.Patience == 0 {
		c.Patience = 20 * time.Millisecond
	}
	if c.Busy == 0 {
		c.Busy = 2 * runtime.NumCPU()
	}
	f := &Function{config: c, runtime: r, processes: map[*process]struct{}{}}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.functions = append(r.functions, f)
	return f
}

// Close kills every process, fails what was being invoked, and returns when the processes are gone.
func (r *Runtime) Close() {
	r.mu.Lock()
	functions := r.functions
	r.mu.Unlock()
	for _, f := range functions {
		f.close()
	}
	for _, f := range functions {
		f.running.Wait()
	}
	_ = r.server.Close()
	r.spawner.close()
}

// FunctionError is an invocation that failed in the function: an error it returned, a crash, a timeout. Lambda answers
// an invocation with exactly these two fields.
type FunctionError struct {
	Type    string `json:"errorType"`
	Message string `json:"errorMessage"`
}

func (e *FunctionError) Error() string { return e.Type + ": " + e.Message }

// The error types Lambda itself uses.
const (
	errExit     = "Runtime.ExitError"
	errTimeout  = "Sandbox.Timedout"
	errTooLarge = "Function.ResponseSizeTooLarge"
)

// Invoke runs the function once with payload (JSON) and returns what it answered. The error is a *FunctionError when the
// function failed, or that of ctx; an invocation whose ctx ends while it runs goes on to its own end, as on Lambda.
func (f *Function) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	if len(payload) > maxPayload {
		return nil, fmt.Errorf("the event has %d bytes, Lambda takes %d", len(payload), maxPayload)
	}
	inv := &invocation{id: newRequestID(), payload: payload, done: make(chan result, 1), queued: time.Now()}
	f.submit(inv)
	select {
	case r := <-inv.done:
		return r.payload, r.err
	case <-ctx.Done():
		f.withdraw(inv)
		return nil, ctx.Err()
	}
}

// invocation is one event on its way through a process.
type invocation struct {
	id       string
	payload  []byte
	deadline time.Time // set at hand-over
	queued   time.Time
	done     chan result // takes exactly one result, never blocks
}

type result struct {
	payload []byte
	err     error
}
