package main

import (
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// behaviour is how a receiver is in trouble.
type behaviour int

const (
	answers500 behaviour = iota
	hangs                // longer than the delivery timeout, and takes nothing
	hangsUp              // takes the event, and closes the connection without an answer
	answers429
	behaviours // how many there are
)

// receivers are the links: one server on this machine, a path a connection.
type receivers struct {
	url    string
	server *http.Server
	unique atomic.Int64

	mu       sync.Mutex
	all      []receiver
	arrivals map[string][]arrival // by delivery
}

type receiver struct {
	behaviour behaviour
	until     time.Time
}

// arrival is one request that a receiver took.
type arrival struct {
	at       time.Time
	answered bool
}

func newReceivers(n int) (*receivers, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &receivers{url: "http://" + listener.Addr().String(), all: make([]receiver, n), arrivals: map[string][]arrival{}}
	r.server = &http.Server{Handler: r, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = r.server.Serve(listener) }()
	return r, nil
}

func (r *receivers) close() { _ = r.server.Close() }

func (r *receivers) trouble(n int, b behaviour, d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all[n] = receiver{b, time.Now().Add(d)}
}

func (r *receivers) heal() {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.all)
}

// ServeHTTP is the link /r/<connection>/.
func (r *receivers) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	n, err := strconv.Atoi(strings.Trim(strings.TrimPrefix(req.URL.Path, "/r/"), "/"))
	if _, readErr := io.Copy(io.Discard, req.Body); err != nil || readErr != nil || n >= len(r.all) {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	r.mu.Lock()
	now, state := time.Now(), r.all[n]
	r.mu.Unlock()
	if now.Before(state.until) {
		switch state.behaviour {
		case answers500:
			w.WriteHeader(http.StatusInternalServerError)
			return
		case answers429:
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		case hangs:
			select {
			case <-req.Context().Done():
			case <-time.After(3 * time.Second):
			}
			panic(http.ErrAbortHandler)
		case hangsUp:
			r.take(req.Header.Get("Webhook-Id"), arrival{at: now})
			panic(http.ErrAbortHandler)
		}
	}
	r.take(req.Header.Get("Webhook-Id"), arrival{at: now, answered: true})
	w.WriteHeader(http.StatusOK)
}

func (r *receivers) take(id string, a arrival) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.arrivals[id]) == 0 {
		r.unique.Add(1)
	}
	r.arrivals[id] = append(r.arrivals[id], a)
}
