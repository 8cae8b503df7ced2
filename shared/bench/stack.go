package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/nethouse-academy/albato/shared/local"
)

// stack is the product on this machine with a receiver, and a client of its API.
type stack struct {
	url, key string
	pid      int // parent of the functions' processes
	client   *http.Client
	receiver *receiver
	inside   *local.Stack // nil when it is another process
	stop     func()
	names    atomic.Int64 // of accounts
}

func newStack(url, key string, pid int, stop func()) (*stack, error) {
	r, err := newReceiver()
	if err != nil {
		stop()
		return nil, err
	}
	transport := &http.Transport{MaxIdleConns: 256, MaxIdleConnsPerHost: 256, DisableCompression: true}
	return &stack{url: url, key: key, pid: pid, receiver: r, client: &http.Client{Transport: transport, Timeout: 30 * time.Second},
		stop: func() {
			stop()
			r.close()
			transport.CloseIdleConnections()
		}}, nil
}

var apiLine = regexp.MustCompile(`(?m)^\s*API\s+(http://127\.0\.0\.1:\d+)/v1$`)

// startProgram starts what `make run` runs, as a process of its own; its log goes to a file.
func startProgram(ctx context.Context, b *bench) (*stack, error) {
	path := filepath.Join(b.out, "stack.log")
	log, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	defer log.Close() // the child has its own
	cmd := exec.Command(b.program)
	cmd.Env = append(os.Environ(), "PORT=0", "API_KEY=bench")
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // how it ends is told by its log
		close(ended)
	}()
	stop := func() {
		_ = cmd.Process.Signal(syscall.SIGINT)
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			_ = cmd.Process.Kill()
			<-ended
		}
	}
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for {
		text, err := os.ReadFile(path)
		if err != nil {
			stop()
			return nil, err
		}
		if found := apiLine.FindSubmatch(text); found != nil {
			return newStack(string(found[1]), "bench", cmd.Process.Pid, stop)
		}
		select {
		case <-look.C:
		case <-ended:
			return nil, fmt.Errorf("the stack ended; see %s", path)
		case <-deadline.C:
			stop()
			return nil, fmt.Errorf("the stack did not start; see %s", path)
		case <-ctx.Done():
			stop()
			return nil, ctx.Err()
		}
	}
}

// startInside starts the stack in this process, where the services' counters can be read.
func startInside(ctx context.Context, b *bench, parameters map[string]string) (*stack, error) {
	inside, err := local.Start(ctx, local.Options{Template: b.template, Functions: b.functions, APIKey: "bench", Parameters: parameters})
	if err != nil {
		return nil, err
	}
	s, err := newStack(inside.URL, inside.APIKey, os.Getpid(), inside.Close)
	if err != nil {
		return nil, err
	}
	s.inside = inside
	return s, nil
}

// connect makes an account with one connection to a link of the receiver: kind is ok, hang or down.
func (s *stack) connect(ctx context.Context, kind string) (tenant, error) {
	name := "bench-" + strconv.FormatInt(s.names.Add(1), 10)
	body, err := json.Marshal(map[string]any{"webhook_url": s.receiver.url + "/" + kind + "/" + name + "/",
		"actions": []string{"order_update"}, "enabled": true})
	if err != nil {
		return tenant{}, err
	}
	var made struct{ ID string }
	err = s.call(ctx, http.MethodPost, "/v1/accounts/"+name+"/connections", body, &made)
	return tenant{name, made.ID}, err
}

func (s *stack) connectAll(ctx context.Context, n int) ([]tenant, error) {
	all := make([]tenant, n)
	for i := range all {
		var err error
		if all[i], err = s.connect(ctx, "ok"); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// call makes a request of the API; out may be nil.
func (s *stack) call(ctx context.Context, method, path string, body []byte, out any) error {
	r, err := http.NewRequestWithContext(ctx, method, s.url+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header["Authorization"] = []string{"Bearer " + s.key}
	r.Header["Content-Type"] = []string{"application/json"}
	response, err := s.client.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s: %d %s", method, path, response.StatusCode, answer)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(answer, out)
}

func (s *stack) post(ctx context.Context, b *batch, n int) error {
	b.posted[n].Store(b.now())
	return s.call(ctx, http.MethodPost, "/v1/events", b.bodies[n], nil)
}

// saturate posts a batch from so many clients, as fast as events are taken, and returns when all are accepted.
func (s *stack) saturate(ctx context.Context, b *batch, clients int) error {
	s.receiver.expect(b)
	var (
		next   atomic.Int64
		group  sync.WaitGroup
		failed = make([]error, clients)
	)
	for k := range clients {
		group.Go(func() {
			for n := int(next.Add(1)) - 1; n < len(b.posted); n = int(next.Add(1)) - 1 {
				if failed[k] = s.post(ctx, b, n); failed[k] != nil {
					return
				}
			}
		})
	}
	group.Wait()
	return errors.Join(failed...)
}

// pace posts a batch at a steady rate, whether or not earlier events have been answered.
func (s *stack) pace(ctx context.Context, b *batch, perSecond float64) error {
	s.receiver.expect(b)
	var (
		group  sync.WaitGroup
		failed = make([]error, len(b.posted))
		began  = time.Now()
	)
	for n := range b.posted {
		due := began.Add(time.Duration(float64(n) / perSecond * float64(time.Second)))
		if wait := time.Until(due); wait > 0 {
			select {
			case <-time.After(wait):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		group.Go(func() { failed[n] = s.post(ctx, b, n) })
	}
	group.Wait()
	return errors.Join(failed...)
}

// arrived waits until every event of a batch has arrived.
func (s *stack) arrived(ctx context.Context, b *batch) error {
	seen := int64(-1)
	for {
		select {
		case <-b.all:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(30 * time.Second):
		}
		now := b.unique.Load()
		if now == seen {
			return fmt.Errorf("%d of %d events have not arrived, and nothing new did for 30 s", int64(len(b.arrived))-now, len(b.arrived))
		}
		seen = now
	}
}
