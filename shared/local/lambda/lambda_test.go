package lambda_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	runtime "github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/nethouse-academy/albato/shared/local/lambda"
)

// TestMain lets the test program be the function under test as well: started as bootstrap, it serves.
func TestMain(m *testing.M) {
	if dir := os.Getenv("SUPERVISE"); dir != "" {
		supervise(dir)
	}
	if filepath.Base(os.Args[0]) != "bootstrap" {
		os.Exit(m.Run())
	}
	if os.Getenv("FAIL_INIT") != "" {
		fmt.Println("no configuration")
		os.Exit(3)
	}
	runtime.Start(serve)
}

type order struct {
	Do   string `json:"do"`
	Text string `json:"text"`
	Gate string `json:"gate"` // a FIFO to wait at
}

type answer struct {
	Text      string   `json:"text"`
	PID       int      `json:"pid"`
	RequestID string   `json:"request_id"`
	ARN       string   `json:"arn"`
	Deadline  int64    `json:"deadline_ms"`
	Env       []string `json:"env"`
	Args      []string `json:"args"`
}

func serve(ctx context.Context, o order) (answer, error) {
	switch o.Do {
	case "error":
		return answer{}, errors.New(o.Text)
	case "panic":
		panic(o.Text)
	case "exit":
		os.Exit(7)
	case "hang":
		fmt.Println("hanging in", os.Getpid())
		select {}
	case "nap":
		time.Sleep(20 * time.Millisecond)
	case "log":
		fmt.Println(o.Text)
		fmt.Fprintln(os.Stderr, o.Text+" on stderr")
	case "big":
		return answer{Text: strings.Repeat("x", 7<<20)}, nil
	case "wait":
		fmt.Println("waiting")
		f, err := os.Open(o.Gate) // until somebody writes
		if err != nil {
			return answer{}, err
		}
		defer f.Close()
		if _, err := io.ReadAll(f); err != nil {
			return answer{}, err
		}
	}
	lc, _ := lambdacontext.FromContext(ctx)
	deadline, _ := ctx.Deadline()
	return answer{o.Text, os.Getpid(), lc.AwsRequestID, lc.InvokedFunctionArn, deadline.UnixMilli(), os.Environ(), os.Args}, nil
}

// bootstrap makes a function's folder whose bootstrap is this test program.
func bootstrap(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "sender")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(dir, "bootstrap")); err != nil {
		t.Fatal(err)
	}
	return dir
}

func newFunction(t *testing.T, change func(*lambda.Config)) (*lambda.Function, *syncBuffer) {
	t.Helper()
	dir := bootstrap(t)
	log := &syncBuffer{}
	r := lambda.NewRuntime(log)
	t.Cleanup(r.Close)
	c := lambda.Config{Name: "Sender", ARN: "arn:aws:lambda:eu-central-1:123456789012:function:Sender", Dir: dir,
		Handler: "bootstrap", Memory: 128, Timeout: 20 * time.Second, Limit: 2, Env: []string{"COLOUR=green"}}
	if change != nil {
		change(&c)
	}
	return r.Function(c), log
}

func invoke(t *testing.T, f *lambda.Function, o order) answer {
	t.Helper()
	a, err := tryInvoke(f, o)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func tryInvoke(f *lambda.Function, o order) (a answer, err error) {
	payload, _ := json.Marshal(o)
	out, err := f.Invoke(context.Background(), payload)
	if err != nil {
		return a, err
	}
	return a, json.Unmarshal(out, &a)
}

func TestInvokeTellsTheFunctionWhatLambdaTells(t *testing.T) {
	f, _ := newFunction(t, nil)
	before := time.Now()
	a := invoke(t, f, order{Text: "привет \"<&>"})
	if a.Text != "привет \"<&>" || a.ARN != "arn:aws:lambda:eu-central-1:123456789012:function:Sender" || len(a.RequestID) != 36 {
		t.Errorf("answer = %+v", a)
	}
	if left := time.UnixMilli(a.Deadline).Sub(before); left < 19*time.Second || left > 25*time.Second {
		t.Errorf("deadline %v after the call, want about 20s", left)
	}
	env := strings.Join(a.Env, "\n")
	for _, want := range []string{"COLOUR=green", "AWS_LAMBDA_FUNCTION_NAME=Sender", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=128",
		"_HANDLER=bootstrap", "AWS_LAMBDA_RUNTIME_API=127.0.0.1:", "LAMBDA_TASK_ROOT=/"} {
		if !strings.Contains(env, want) {
			t.Errorf("environment lacks %s:\n%s", want, env)
		}
	}
	if strings.Contains(env, "HOME=") {
		t.Error("the developer's own environment reaches the function")
	}
	if !strings.HasSuffix(a.Args[0], "/sender/bootstrap") {
		t.Errorf("argv[0] = %q, want …/sender/bootstrap", a.Args[0])
	}
}

func TestOneProcessServesManyInvocations(t *testing.T) {
	f, _ := newFunction(t, nil)
	first := invoke(t, f, order{Text: "0"})
	for i := range 50 {
		a := invoke(t, f, order{Text: strconv.Itoa(i)})
		if a.Text != strconv.Itoa(i) || a.PID != first.PID || a.RequestID == first.RequestID {
			t.Fatalf("invocation %d: %+v; the first: %+v", i, a, first)
		}
	}
}

func TestFailures(t *testing.T) {
	for _, c := range []struct {
		order    order
		kind     string
		message  string
		survives bool
		timeout  time.Duration
	}{
		{order{Do: "error", Text: "out of luck"}, "errorString", "out of luck", true, time.Minute},
		{order{Do: "panic", Text: "boom"}, "string", "boom", false, time.Minute},
		{order{Do: "exit"}, "Runtime.ExitError", "exit status 7", false, time.Minute},
		{order{Do: "hang"}, "Sandbox.Timedout", "Task timed out after 0.50 seconds", false, 500 * time.Millisecond},
		{order{Do: "big"}, "Function.ResponseSizeTooLarge", "6291456", false, time.Minute},
	} {
		t.Run(c.order.Do, func(t *testing.T) {
			t.Parallel()
			f, _ := newFunction(t, func(cfg *lambda.Config) { cfg.Limit, cfg.Timeout = 1, c.timeout })
			before := invoke(t, f, order{})
			_, err := tryInvoke(f, c.order)
			var failed *lambda.FunctionError
			if !errors.As(err, &failed) || failed.Type != c.kind || !strings.Contains(failed.Message, c.message) {
				t.Fatalf("error = %#v, want %s with %q", err, c.kind, c.message)
			}
			after := invoke(t, f, order{}) // the function serves again at once
			if (after.PID == before.PID) != c.survives {
				t.Errorf("process before %d, after %d; want the same: %v", before.PID, after.PID, c.survives)
			}
		})
	}
}

func TestInitErrorFailsTheInvocationAndTheNextOneTriesAgain(t *testing.T) {
	f, log := newFunction(t, func(c *lambda.Config) { c.Env = []string{"FAIL_INIT=1"} })
	for range 2 {
		_, err := tryInvoke(f, order{})
		var failed *lambda.FunctionError
		if !errors.As(err, &failed) || failed.Type != "Runtime.ExitError" || !strings.Contains(failed.Message, "exit status 3") {
			t.Fatalf("error = %#v", err)
		}
	}
	if n := strings.Count(log.String(), "Sender      | no configuration"); n != 2 {
		t.Errorf("the function was started %d times, want 2; log:\n%s", n, log)
	}
}

func TestKilledProcessIsReplacedAtOnce(t *testing.T) {
	f, log := newFunction(t, func(c *lambda.Config) { c.Limit = 1 })
	for i := range 5 {
		a := invoke(t, f, order{})
		p, err := os.FindProcess(a.PID)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Kill(); err != nil {
			t.Fatal(err)
		}
		log.wait(t, func(s string) bool { return strings.Count(s, "signal: killed") == i+1 })
		if b := invoke(t, f, order{}); b.PID == a.PID {
			t.Fatalf("the killed process %d answered", a.PID)
		}
	}
}

func TestNoMoreProcessesThanTheLimit(t *testing.T) {
	f, log := newFunction(t, func(c *lambda.Config) { c.Limit, c.Patience = 2, time.Millisecond })
	gate := filepath.Join(t.TempDir(), "gate")
	mkfifo(t, gate)
	var pids sync.Map
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			a, err := tryInvoke(f, order{Do: "wait", Gate: gate})
			if err != nil {
				t.Error(err)
			}
			pids.Store(a.PID, true)
		})
	}
	log.wait(t, func(s string) bool { return strings.Count(s, "waiting") == 2 })
	if n := f.Processes(); n != 2 {
		t.Errorf("%d processes run, want 2", n)
	}
	open, err := os.OpenFile(gate, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() { // let everybody through: each reader ends when no writer is left
		open.Close()
		for {
			select {
			case <-stop:
				return
			default:
				if w, err := os.OpenFile(gate, os.O_WRONLY, 0); err == nil {
					w.Close()
				}
			}
		}
	})
	all.Wait()
	close(stop)
	if r, err := os.OpenFile(gate, os.O_RDWR, 0); err == nil { // unblock a writer that found no reader
		writer.Wait()
		r.Close()
	}
	n := 0
	pids.Range(func(any, any) bool { n++; return true })
	if n != 2 {
		t.Errorf("%d processes served, want 2", n)
	}
}

func TestAnAbandonedInvocationThatWaitsIsNotRun(t *testing.T) {
	f, log := newFunction(t, func(c *lambda.Config) { c.Limit, c.Timeout = 1, time.Second })
	done := make(chan error)
	go func() { _, err := tryInvoke(f, order{Do: "hang"}); done <- err }()
	ctx, cancel := context.WithCancel(context.Background())
	abandoned := make(chan error)
	go func() {
		_, err := f.Invoke(ctx, []byte(`{"do":"log","text":"abandoned"}`))
		abandoned <- err
	}()
	cancel()
	if err := <-abandoned; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	<-done
	invoke(t, f, order{Do: "log", Text: "after"})
	if got := log.String(); strings.Contains(got, "| abandoned") {
		t.Errorf("it ran:\n%s", got)
	}
}

func TestLogLinesBearTheFunctionsName(t *testing.T) {
	f, log := newFunction(t, nil)
	invoke(t, f, order{Do: "log", Text: `{"level":"INFO"}`})
	log.wait(t, func(s string) bool {
		return strings.Contains(s, "Sender      | {\"level\":\"INFO\"}\n") && strings.Contains(s, "Sender      | {\"level\":\"INFO\"} on stderr\n")
	})
}

// syncBuffer is a buffer that can be waited at.
type syncBuffer struct {
	mu      sync.Mutex
	text    bytes.Buffer
	changed chan struct{}
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.changed != nil {
		close(b.changed)
		b.changed = nil
	}
	return b.text.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func (b *syncBuffer) wait(t *testing.T, enough func(string) bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		b.mu.Lock()
		text := b.text.String()
		if b.changed == nil {
			b.changed = make(chan struct{})
		}
		changed := b.changed
		b.mu.Unlock()
		if enough(text) {
			return
		}
		select {
		case <-changed:
		case <-deadline:
			t.Fatalf("the log never said so:\n%s", text)
		}
	}
}

// Beyond Busy a queue that moves starts no process, however long it is; one that stands still does.
func TestProcessesThatHangMakeRoomForOthersButBusyOnesDoNot(t *testing.T) {
	f, log := newFunction(t, func(c *lambda.Config) {
		c.Limit, c.Busy, c.Patience, c.Timeout = 5, 1, 300*time.Millisecond, time.Minute
	})
	var all sync.WaitGroup
	for range 40 { // the last one waits for 800 ms, but the queue moves all the time
		all.Go(func() {
			if _, err := tryInvoke(f, order{Do: "nap"}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := f.Processes(); n != 1 {
		t.Errorf("%d processes after quick work, want 1", n)
	}
	gate := filepath.Join(t.TempDir(), "gate")
	mkfifo(t, gate)
	go func() { _, _ = tryInvoke(f, order{Do: "wait", Gate: gate}) }()
	log.wait(t, func(s string) bool { return strings.Contains(s, "waiting") })
	invoke(t, f, order{}) // by a second process
	if n := f.Processes(); n != 2 {
		t.Errorf("%d processes beside one that hangs, want 2", n)
	}
}
