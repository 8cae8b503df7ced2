package sqs

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
)

// maxRequest bounds a request's JSON: a batch of 1 MiB whose every character is
// escaped as \u00xx, and what stands around it.
const maxRequest = 8 << 20

// call is one HTTP request in work. Calls are reused, with their buffers.
type call struct {
	server  *Server
	request *http.Request
	in      input
	body    bytes.Buffer
	decoder jsontext.Decoder
	out     []byte
}

var calls = sync.Pool{New: func() any { return new(call) }}

// ServeHTTP answers one call of the AWS JSON 1.0 protocol: POST, the operation in
// the header X-Amz-Target (AmazonSQS.SendMessage), parameters and result as JSON
// objects. The path does not matter.
//
// A long poll ends when the request's context does. An http.Server that shuts
// down waits for its polls: give it a BaseContext and end that first.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := calls.Get().(*call)
	defer c.release()
	c.server, c.request = s, r
	c.out = c.out[:0]
	err := c.serve()
	h := w.Header()
	h.Set("Content-Type", "application/x-amz-json-1.0")
	h.Set("X-Amzn-Requestid", newID())
	status := http.StatusOK
	var fault *Error
	if errors.As(err, &fault) {
		status = http.StatusBadRequest
		h.Set("X-Amzn-Query-Error", fault.legacyCode()+";Sender")
		c.out = append(c.out[:0], `{"__type":"com.amazonaws.sqs#`...)
		c.out = append(append(c.out, fault.Code...), `","message":`...)
		c.out = append(appendString(c.out, fault.Message), '}')
	}
	h.Set("Content-Length", strconv.Itoa(len(c.out)))
	w.WriteHeader(status)
	w.Write(c.out) // a client that has gone is the only fault there can be
}

// release makes the call ready for another request. A buffer grown by a giant is
// let go.
func (c *call) release() {
	if c.body.Cap() > 1<<20 || cap(c.out) > 1<<20 {
		return
	}
	c.server, c.request, c.in = nil, nil, input{}
	calls.Put(c)
}

func (c *call) serve() error {
	r := c.request
	if r.Method != http.MethodPost {
		return unsupported("HTTP method", r.Method)
	}
	target, ok := strings.CutPrefix(r.Header.Get("X-Amz-Target"), "AmazonSQS.")
	if !ok {
		return unsupported("protocol without the header X-Amz-Target: AmazonSQS.<operation>, Content-Type", r.Header.Get("Content-Type"))
	}
	i := slices.IndexFunc(operations[:], func(o operation) bool { return o.name == target })
	if i < 0 {
		return unsupported("operation", target)
	}
	c.server.calls[i].Add(1)
	c.in.op = &operations[i]
	c.body.Reset()
	if n := r.ContentLength; n > 0 && n <= maxRequest {
		c.body.Grow(int(n) + bytes.MinRead)
	}
	if _, err := c.body.ReadFrom(io.LimitReader(r.Body, maxRequest+1)); err != nil {
		return malformed(err.Error())
	}
	if c.body.Len() > maxRequest {
		return malformed("longer than " + strconv.Itoa(maxRequest) + " bytes")
	}
	c.decoder.Reset(&c.body)
	if fault := c.in.read(&c.decoder); fault != nil {
		return fault
	}
	if c.in.queueURL == "" && c.in.op.takes("QueueUrl") {
		return missing("QueueUrl")
	}
	if fault := c.in.op.run(c); fault != nil {
		return fault
	}
	if len(c.out) == 0 {
		c.out = append(c.out, "{}"...)
	}
	return nil
}

// within does something to the call's queue, under the lock, and then serves
// those who wait.
func (c *call) within(act func(q *queueState, now instant) *Error) *Error {
	s := c.server
	s.mu.Lock()
	defer s.mu.Unlock()
	q, now, fault := s.open(c.in.queueURL)
	if fault != nil {
		return fault
	}
	if fault := act(q, now); fault != nil {
		return fault
	}
	s.settle(q, now)
	return nil
}

// configOf answers a copy of the configuration of the call's queue.
func (c *call) configOf() (*config, *Error) {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	q, fault := c.server.find(c.in.queueURL)
	if fault != nil {
		return nil, fault
	}
	copied := q.config
	return &copied, nil
}

// url is the queue's URL as this call's client sees it.
func (c *call) url(name string) string {
	base := c.server.baseURL
	if base == "" {
		base = "http://" + c.request.Host
	}
	return c.server.QueueURL(base, name)
}
