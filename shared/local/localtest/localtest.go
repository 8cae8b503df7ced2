// Package localtest starts the local stack for tests: it builds the functions, runs them on a free port, speaks to the
// API and waits for what arrives.
package localtest

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
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nethouse-academy/albato/shared/local"
	"github.com/nethouse-academy/albato/shared/local/albato"
	"github.com/nethouse-academy/albato/shared/openapi/contract"
)

// Patience is how long a test waits for something to happen before it fails: long, since only a failure takes so long.
const Patience = 30 * time.Second

// Stack is a running stack with what a test wants beside it.
type Stack struct {
	*local.Stack
	Log *Log
	t   testing.TB
}

// Start builds the functions and starts a stack on a free port; it ends with the test. Template and Functions of o may
// be empty.
func Start(t testing.TB, o local.Options) *Stack {
	t.Helper()
	root := Root(t)
	Make(t, "functions")
	if o.Template == "" {
		o.Template = filepath.Join(root, "template.yaml")
	}
	if o.Functions == "" {
		o.Functions = filepath.Join(root, ".build", "run")
	}
	log := &Log{}
	if o.Log != nil {
		o.Log = io.MultiWriter(log, o.Log)
	} else {
		o.Log = log
	}
	s, err := local.Start(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Close()
		if t.Failed() {
			t.Logf("the stack's log:\n%s", log.Tail(40))
		}
	})
	return &Stack{s, log, t}
}

// Root is the project's folder.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	for err == nil {
		if _, missing := os.Stat(filepath.Join(dir, "go.mod")); missing == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			err = errors.New("no go.mod above the test")
		}
		dir = parent
	}
	t.Fatal(err)
	return ""
}

// made remembers what this test program has made already.
var made sync.Map

// Make brings targets of the Makefile up to date, once in a test program. Test programs that run side by side take turns.
func Make(t testing.TB, targets ...string) {
	t.Helper()
	if _, done := made.Load(strings.Join(targets, " ")); done {
		return
	}
	root := Root(t)
	release, err := lock(filepath.Join(root, ".build"))
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	cmd := exec.Command("make", append([]string{"-s", "-C", root}, targets...)...)
	cmd.Env = append(os.Environ(), "MAKEFLAGS=", "MAKELEVEL=") // nothing of the make that runs the tests
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("make %s: %v\n%s", strings.Join(targets, " "), err, out)
	}
	made.Store(strings.Join(targets, " "), true)
}

// Response is an answer of the API.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// Decode reads the body into v.
func (r Response) Decode(t testing.TB, v any) {
	t.Helper()
	if err := json.Unmarshal(r.Body, v); err != nil {
		t.Fatalf("%d %s: %v", r.Status, r.Body, err)
	}
}

// Do sends a request with the API key. A body that is neither nil, a string nor bytes is sent as JSON; header is pairs
// of name and value, which go before what Do sets itself ("" leaves a header out).
func (s *Stack) Do(method, path string, body any, header ...string) Response {
	s.t.Helper()
	var content []byte
	switch b := body.(type) {
	case nil:
	case string:
		content = []byte(b)
	case []byte:
		content = b
	default:
		var err error
		if content, err = json.Marshal(b); err != nil {
			s.t.Fatal(err)
		}
	}
	r, err := http.NewRequest(method, s.URL+path, bytes.NewReader(content))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.APIKey)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		if r.Header.Del(header[i]); header[i+1] != "" {
			r.Header.Set(header[i], header[i+1])
		}
	}
	response, err := s.client(path).Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	out, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return Response{response.StatusCode, response.Header, out}
}

// client holds what the API answers against its description; the stand-in of Albato is no part of it.
func (s *Stack) client(path string) *http.Client {
	if strings.HasPrefix(path, "/albato") {
		return http.DefaultClient
	}
	return &http.Client{Transport: contract.Load(s.t).Transport(s.t, http.DefaultTransport)}
}

// Must is Do that expects status, and decodes the answer into out unless that is nil.
func (s *Stack) Must(status int, method, path string, body, out any, header ...string) {
	s.t.Helper()
	r := s.Do(method, path, body, header...)
	if r.Status != status {
		s.t.Fatalf("%s %s: %d %s, want %d", method, path, r.Status, r.Body, status)
	}
	if out != nil {
		r.Decode(s.t, out)
	}
}

// Link is a link to the stand-in that nobody else uses.
func (s *Stack) Link(name string) string { return s.URL + "/albato/wh/38/" + name + "/" }

// Connect makes a connection of account to link that is on and wants actions, and returns its id.
func (s *Stack) Connect(account, link string, actions ...string) string {
	s.t.Helper()
	var made struct{ ID string }
	s.Must(http.StatusCreated, "POST", "/v1/accounts/"+account+"/connections",
		map[string]any{"webhook_url": link, "actions": actions, "enabled": true}, &made)
	return made.ID
}

// Arrivals waits until n requests came to the link of that name, and returns them; each must be as the API's description
// promises receivers.
func (s *Stack) Arrivals(name string, n int) []albato.Request {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	got, err := s.Albato.Wait(ctx, "/albato/wh/38/"+name+"/", func(r []albato.Request) bool { return len(r) >= n })
	if err != nil {
		s.t.Fatalf("%d requests came to %s, want %d", len(got), name, n)
	}
	for _, r := range got {
		if err := contract.CheckDelivery(r.Headers, r.Body); err != nil {
			s.t.Errorf("what came to %s is not as described: %v", name, err)
		}
	}
	return got
}

// Eventually asks again and again until ask is content. It is for state that has no event to wait for; what arrives at
// the stand-in and what is logged has one.
func (s *Stack) Eventually(what string, ask func() bool) {
	s.t.Helper()
	deadline := time.Now().Add(Patience)
	for pause := time.Millisecond; !ask(); pause = min(2*pause, 100*time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("it never came to this: %s", what)
		}
		time.Sleep(pause)
	}
}

// Log is what the stack wrote.
type Log struct {
	mu      sync.Mutex
	text    bytes.Buffer
	changed chan struct{}
}

// Write adds to the log.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.changed != nil {
		close(l.changed)
		l.changed = nil
	}
	return l.text.Write(p)
}

// String is the whole log.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// Tail is the last n lines.
func (l *Log) Tail(n int) string {
	lines := strings.Split(l.String(), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// Wait waits until enough says that the log is as it should be.
func (l *Log) Wait(t testing.TB, enough func(text string) bool) {
	t.Helper()
	deadline := time.After(Patience)
	for {
		l.mu.Lock()
		text := l.text.String()
		if l.changed == nil {
			l.changed = make(chan struct{})
		}
		changed := l.changed
		l.mu.Unlock()
		if enough(text) {
			return
		}
		select {
		case <-changed:
		case <-deadline:
			t.Fatal(fmt.Errorf("the log never said so; its end:\n%s", l.Tail(50)))
		}
	}
}
