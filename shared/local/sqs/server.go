package sqs

import (
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Options set a server up; the zero value is usable.
type Options struct {
	// Now is the clock of everything the server stamps, delays and expires;
	// time.Now when nil. Calls that wait (long polling) sleep on the time
	// package's timers and look at Now when they wake: with a Now that is moved
	// by hand they see the move at the next call or timer.
	Now func() time.Time
	// Region and Account stand in ARNs and queue URLs: us-east-1 and
	// 000000000000 when empty.
	Region, Account string
	// BaseURL begins the queue URLs ("http://127.0.0.1:4567"); when empty it is
	// http and the Host of the request that asks.
	BaseURL string
}

// Server is the whole service: queues of one account in one region. Its methods
// may be called from any goroutine.
type Server struct {
	now                       func() time.Time
	start                     time.Time
	region, account, senderID string
	baseURL                   string
	maxInFlight               int
	calls                     [operationCount]atomic.Int64

	mu      sync.Mutex // guards everything below, and every queue
	queues  map[string]*queueState
	deleted map[string]instant // when a name was deleted, for a minute
	tasks   []*moveTask        // newest last
	queueID uint32
	number  uint64 // of the newest message
}

// New makes a server without queues.
func New(o Options) *Server {
	s := &Server{now: o.Now, region: o.Region, account: o.Account, baseURL: strings.TrimSuffix(o.BaseURL, "/"),
		senderID:    "AIDALOCALSENDER000000",
		maxInFlight: maxInFlight, queues: map[string]*queueState{}, deleted: map[string]instant{}}
	if s.now == nil {
		s.now = time.Now
	}
	if s.region == "" {
		s.region = "us-east-1"
	}
	if s.account == "" {
		s.account = "000000000000"
	}
	s.start = s.now()
	return s
}

// Calls tells how often each operation was called over HTTP since the start or
// ResetCalls, refused calls included; operations never called are absent.
func (s *Server) Calls() map[string]int {
	out := map[string]int{}
	for i := range operations {
		if n := s.calls[i].Load(); n > 0 {
			out[operations[i].name] = int(n)
		}
	}
	return out
}

// ResetCalls sets the counters of Calls to zero.
func (s *Server) ResetCalls() {
	for i := range s.calls {
		s.calls[i].Store(0)
	}
}

func (s *Server) instant() instant         { return s.now().Sub(s.start) }
func (s *Server) wall(i instant) time.Time { return s.start.Add(i) }
func (s *Server) arn(name string) string {
	return "arn:aws:sqs:" + s.region + ":" + s.account + ":" + name
}
func (s *Server) byARN(a string) *queueState { return s.queues[strings.TrimPrefix(a, s.arn(""))] }

// find looks a queue up by its URL or its bare name.
func (s *Server) find(url string) (*queueState, *Error) {
	name := url
	if slash := strings.LastIndexByte(url, '/'); slash >= 0 {
		name = url[slash+1:]
		if !strings.HasSuffix(url[:slash], "/"+s.account) {
			return nil, noQueue()
		}
	}
	if q := s.queues[name]; q != nil {
		return q, nil
	}
	return nil, noQueue()
}

// open finds a queue and brings it up to the present. Every use of a queue's
// messages begins with it, with s.mu held.
func (s *Server) open(url string) (*queueState, instant, *Error) {
	q, fault := s.find(url)
	if fault != nil {
		return nil, 0, fault
	}
	now := s.instant()
	q.advance(now)
	return q, now, nil
}

func noQueue() *Error {
	return refuse("QueueDoesNotExist", "The specified queue does not exist.")
}
