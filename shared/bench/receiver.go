package main

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// hangs is how long a link that hangs holds each request: as long as the senders' patience.
const hangs = 10 * time.Second

// receiver is what stands behind the organisers' links, on this machine: /ok/<name>/ takes everything at once,
// /hang/<name>/ holds each request, /down/<name>/ answers 500.
type receiver struct {
	url    string
	server *http.Server

	mu      sync.RWMutex
	batches map[string]*batch
}

func newReceiver() (*receiver, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &receiver{url: "http://" + listener.Addr().String(), batches: map[string]*batch{}}
	r.server = &http.Server{Handler: r, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = r.server.Serve(listener) }()
	return r, nil
}

func (r *receiver) close() { _ = r.server.Close() }

// expect makes a batch known.
func (r *receiver) expect(b *batch) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.batches[b.name] = b
}

var idMark = []byte(`"id":"`)

// ServeHTTP is a link.
func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return
	}
	_, rest, _ := bytes.Cut(body, idMark)
	id, _, _ := bytes.Cut(rest, []byte{'"'})
	name, n, ok := eventOf(string(id))
	r.mu.RLock()
	b := r.batches[name]
	r.mu.RUnlock()
	switch {
	case !ok || b == nil || n >= len(b.arrived):
		w.WriteHeader(http.StatusNotFound)
		return
	case strings.HasPrefix(req.URL.Path, "/down/"):
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	b.arrive(n)
	if strings.HasPrefix(req.URL.Path, "/hang/") {
		select {
		case <-req.Context().Done():
		case <-time.After(hangs):
		}
	}
}
