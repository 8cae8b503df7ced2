// Package albato is a stand-in of Albato: it takes what is posted to any link below /albato/, remembers it, shows it, and
// can be told to fail, so that a developer sees what an organiser's link would get.
//
//	POST   /albato/<anything>/           takes a delivery: 200 {}
//	PUT    /albato/<anything>/?status=…  changes how that link behaves from now on (no parameter: as it was made)
//	GET    /albato                       a page with what came
//	GET    /albato.json                  the same for programs (?path=, ?after=, ?limit=, ?wait=)
//	DELETE /albato                       forgets what came and how links behave
//
// Behaviour, in a link's own query or in that of a PUT: status=500 is what it answers, delay=3s is how long it takes,
// fail=3 restricts both to the first three requests, retry_after=60 adds that header.
package albato

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// What is remembered at most; what is older is forgotten first.
const (
	maxRequests = 10_000
	maxBytes    = 64 << 20 // of bodies, together
	maxBody     = 1 << 20  // of one body; the rest is not kept
)

// Request is one request that came.
type Request struct {
	Number  int64             `json:"number"` // 1, 2, 3 … in the order of arrival
	Time    time.Time         `json:"time"`
	Method  string            `json:"method"`
	Path    string            `json:"path"`
	Query   string            `json:"query"`
	Headers map[string]string `json:"headers"` // names in lower case
	Body    string            `json:"body"`
	Status  int               `json:"status"` // what was answered, or will be after the delay
}

// Server is the stand-in; it is an http.Handler for /albato, /albato.json and everything below /albato/.
type Server struct {
	mu         sync.Mutex
	requests   []Request // oldest first
	bytes      int
	total      int64 // that ever came
	arrived    chan struct{}
	behaviours map[string]behaviour // set by PUT, by path
	counts     map[string]int       // requests by path and query, for fail=
}

// New returns a stand-in that has received nothing.
func New() *Server {
	s := &Server{}
	s.Clear()
	return s
}

// Clear forgets everything but the numbering.
func (s *Server) Clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests, s.bytes = nil, 0
	s.behaviours, s.counts = map[string]behaviour{}, map[string]int{}
	s.wakeLocked()
}

func (s *Server) wakeLocked() {
	if s.arrived != nil {
		close(s.arrived)
	}
	s.arrived = make(chan struct{})
}

// Requests returns what came to path, in order; to any path when it is empty.
func (s *Server) Requests(path string) []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.selectLocked(path, 0)
}

func (s *Server) selectLocked(path string, after int64) []Request {
	out := []Request{}
	for _, r := range s.requests {
		if (path == "" || r.Path == path) && r.Number > after {
			out = append(out, r)
		}
	}
	return out
}

// Wait returns what came to path (any path when empty) as soon as enough says so, or with the error of ctx what there is.
func (s *Server) Wait(ctx context.Context, path string, enough func([]Request) bool) ([]Request, error) {
	for {
		s.mu.Lock()
		found, arrived := s.selectLocked(path, 0), s.arrived
		s.mu.Unlock()
		if enough(found) {
			return found, nil
		}
		select {
		case <-arrived:
		case <-ctx.Done():
			return found, ctx.Err()
		}
	}
}

// ServeHTTP serves the stand-in.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == "/albato.json" && r.Method == http.MethodGet:
		s.serveJSON(w, r)
	case strings.Trim(r.URL.Path, "/") == "albato":
		switch r.Method {
		case http.MethodGet, http.MethodHead:
			s.servePage(w)
		case http.MethodDelete:
			s.Clear()
			w.WriteHeader(http.StatusNoContent)
		default:
			refuse(w, "GET, DELETE")
		}
	case !strings.HasPrefix(r.URL.Path, "/albato/"):
		http.NotFound(w, r)
	case r.Method == http.MethodPost:
		s.take(w, r)
	case r.Method == http.MethodPut:
		s.put(w, r)
	default:
		refuse(w, "POST, PUT")
	}
}

func refuse(w http.ResponseWriter, allow string) {
	w.Header().Set("Allow", allow)
	http.Error(w, "method not allowed: "+allow, http.StatusMethodNotAllowed)
}

// take remembers a delivery and answers as the link behaves.
func (s *Server) take(w http.ResponseWriter, r *http.Request) {
	own, err := parseBehaviour(r.URL.Query())
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		return // the sender went away
	}
	headers := make(map[string]string, len(r.Header)+1)
	for name, values := range r.Header {
		headers[strings.ToLower(name)] = strings.Join(values, ", ")
	}
	headers["host"] = r.Host
	now := s.record(Request{Time: time.Now().UTC(), Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery,
		Headers: headers, Body: string(body)}, own)
	if now.delay > 0 {
		timer := time.NewTimer(now.delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
			return
		}
	}
	if now.retryAfter != "" {
		w.Header().Set("Retry-After", now.retryAfter)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(now.status)
	_, _ = io.WriteString(w, "{}")
}

// record remembers a request under the next number, and returns how it is to be answered.
func (s *Server) record(r Request, own behaviour) behaviour {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := own
	if set, ok := s.behaviours[r.Path]; ok {
		now = set
	}
	if now.fail > 0 {
		key := r.Path + "?" + r.Query
		s.counts[key]++
		if s.counts[key] > now.fail {
			now = behaviour{status: http.StatusOK}
		}
	}
	s.total++
	r.Number, r.Status = s.total, now.status
	s.requests = append(s.requests, r)
	s.bytes += len(r.Body)
	drop := 0
	for len(s.requests)-drop > maxRequests || s.bytes > maxBytes {
		s.bytes -= len(s.requests[drop].Body)
		s.requests[drop] = Request{} // lets go of the body
		drop++
	}
	s.requests = s.requests[drop:]
	s.wakeLocked()
	return now
}

func (s *Server) put(w http.ResponseWriter, r *http.Request) {
	b, err := parseBehaviour(r.URL.Query())
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for key := range s.counts { // fail= counts from now on
		if strings.HasPrefix(key, r.URL.Path+"?") {
			delete(s.counts, key)
		}
	}
	if r.URL.RawQuery == "" {
		delete(s.behaviours, r.URL.Path)
	} else {
		s.behaviours[r.URL.Path] = b
	}
	w.WriteHeader(http.StatusNoContent)
}

// behaviour is how a link answers.
type behaviour struct {
	status     int
	delay      time.Duration
	fail       int // the first so many requests only; 0: all
	retryAfter string
}

// parseBehaviour reads a query; parameters it does not know are the organiser's own and mean nothing here.
func parseBehaviour(q url.Values) (behaviour, error) {
	b := behaviour{status: http.StatusOK, retryAfter: q.Get("retry_after")}
	var errs []error
	if v := q.Get("status"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 200 || n > 599 {
			errs = append(errs, fmt.Errorf("status=%s: 200 to 599", v))
		}
		b.status = n
	}
	if v := q.Get("delay"); v != "" {
		d, err := time.ParseDuration(v)
		if err != nil || d < 0 {
			errs = append(errs, fmt.Errorf("delay=%s: a duration such as 3s", v))
		}
		b.delay = d
	}
	if v := q.Get("fail"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 {
			errs = append(errs, fmt.Errorf("fail=%s: a number from 1", v))
		}
		b.fail = n
		if q.Get("status") == "" && q.Get("delay") == "" {
			b.status = http.StatusInternalServerError
		}
	}
	return b, errors.Join(errs...)
}

// serveJSON answers {"total","requests"}. after=N leaves out what is numbered up to N, limit=N keeps the newest N, and
// wait=10s waits as long for anything to be there.
func (s *Server) serveJSON(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	after, _ := strconv.ParseInt(q.Get("after"), 10, 64)
	wait, _ := time.ParseDuration(q.Get("wait"))
	ctx, cancel := context.WithTimeout(r.Context(), min(wait, time.Minute))
	defer cancel()
	newer := func(found []Request) bool { return len(found) > 0 && found[len(found)-1].Number > after }
	found, _ := s.Wait(ctx, q.Get("path"), newer)
	for len(found) > 0 && found[0].Number <= after {
		found = found[1:]
	}
	if limit, err := strconv.Atoi(q.Get("limit")); err == nil && limit >= 0 && len(found) > limit {
		found = found[len(found)-limit:]
	}
	s.mu.Lock()
	total := s.total
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(map[string]any{"total": total, "requests": found})
}
