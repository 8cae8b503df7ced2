package dynamodb

import (
	"bytes"
	"errors"
	"hash/crc32"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Options configure a Server; the zero value will do.
type Options struct {
	// Now is the clock of creation times, of the ten minutes a client request
	// token is remembered and of time to live; time.Now when nil.
	Now func() time.Time
	// Region and Account stand in the ARNs of tables; us-east-1 and
	// 000000000000 when empty.
	Region, Account string
}

// Server is an in-memory DynamoDB, empty when made. It is an http.Handler and
// safe for concurrent use. It starts no goroutine and no timer.
type Server struct {
	now             func() time.Time
	region, account string

	operations  map[string]*operation
	requests    atomic.Uint64
	calls       sync.Pool // of *call
	expressions expressionCache
	tokens      tokenMemory

	mu     sync.RWMutex // guards what follows
	tables map[string]*table
	made   int // tables made so far; numbers them
}

var _ http.Handler = (*Server)(nil)

// New makes a server with no table.
func New(o Options) *Server {
	s := &Server{now: o.Now, region: o.Region, account: o.Account, tables: make(map[string]*table)}
	if s.now == nil {
		s.now = time.Now
	}
	if s.region == "" {
		s.region = "us-east-1"
	}
	if s.account == "" {
		s.account = "000000000000"
	}
	s.calls.New = func() any { return new(call) }
	s.operations = make(map[string]*operation)
	for name, run := range map[string]func(*Server, *call) error{
		"CreateTable": (*Server).createTable, "DescribeTable": (*Server).describeTable,
		"DeleteTable": (*Server).deleteTable, "ListTables": (*Server).listTables,
		"UpdateTimeToLive": (*Server).updateTimeToLive, "DescribeTimeToLive": (*Server).describeTimeToLive,
		"PutItem": (*Server).putItem, "GetItem": (*Server).getItem,
		"UpdateItem": (*Server).updateItem, "DeleteItem": (*Server).deleteItem,
		"Query": (*Server).query, "Scan": (*Server).scan,
		"BatchGetItem": (*Server).batchGetItem, "BatchWriteItem": (*Server).batchWriteItem,
		"TransactGetItems": (*Server).transactGetItems, "TransactWriteItems": (*Server).transactWriteItems,
	} {
		s.operations[name] = &operation{run: run}
	}
	return s
}

// call is one request while it is being answered; its buffers are used again.
type call struct {
	in  bytes.Buffer
	dec decoder
	out []byte

	reads, writes int64 // half units consumed
}

const (
	targetPrefix = "DynamoDB_20120810."
	contentType  = "application/x-amz-json-1.0"
	// keepBuffer is the size up to which a call's buffers are kept.
	keepBuffer = 1 << 20
)

// ServeHTTP answers one request of the AWS JSON 1.0 protocol: the operation is
// in the header X-Amz-Target. Errors have status 400 and a body with __type.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := s.calls.Get().(*call)
	status := http.StatusOK
	if err := s.answer(c, r); err != nil {
		var f *fault
		if !errors.As(err, &f) {
			f = &fault{code: coralNamespace + "InternalServerError", message: err.Error()}
		}
		status = http.StatusBadRequest
		c.out = appendFault(c.out[:0], f)
	}
	h := w.Header()
	h["Content-Type"] = []string{contentType}
	h["Content-Length"] = []string{strconv.Itoa(len(c.out))}
	h["X-Amzn-Requestid"] = []string{strconv.FormatUint(s.requests.Add(1), 10)}
	h["X-Amz-Crc32"] = []string{strconv.FormatUint(uint64(crc32.ChecksumIEEE(c.out)), 10)}
	w.WriteHeader(status)
	_, _ = w.Write(c.out) // a client that has gone away is no concern of ours
	if c.in.Cap() <= keepBuffer && cap(c.out) <= keepBuffer {
		s.calls.Put(c)
	}
}

func (s *Server) answer(c *call, r *http.Request) error {
	c.in.Reset()
	c.out, c.reads, c.writes = c.out[:0], 0, 0
	name, ok := strings.CutPrefix(r.Header.Get("X-Amz-Target"), targetPrefix)
	if r.Method != http.MethodPost || !ok {
		return &fault{code: coralNamespace + "UnknownOperationException",
			message: "a POST with the header X-Amz-Target: " + targetPrefix + "<operation> is expected"}
	}
	op, ok := s.operations[name]
	if !ok {
		return notImplemented("the operation " + strconv.QuoteToASCII(name))
	}
	op.calls.Add(1)
	if ct := r.Header.Get("Content-Type"); !strings.HasPrefix(ct, contentType) {
		return serialization("the content type must be " + contentType)
	}
	if r.ContentLength > 0 && r.ContentLength <= maxRequest {
		c.in.Grow(int(r.ContentLength) + bytes.MinRead)
	}
	if n, err := c.in.ReadFrom(io.LimitReader(r.Body, maxRequest+1)); err != nil {
		return serialization("reading the request: " + err.Error())
	} else if n > maxRequest {
		return &fault{code: coralNamespace + "RequestEntityTooLargeException", message: "Request Entity Too Large"}
	}
	c.dec.reset(&c.in)
	err := op.run(s, c)
	op.reads.Add(c.reads)
	op.writes.Add(c.writes)
	return err
}

// finish closes an answer. Each member was written with a comma before it, and
// the first comma becomes the brace.
func (c *call) finish() {
	if len(c.out) == 0 {
		c.out = append(c.out, '{')
	}
	c.out[0] = '{'
	c.out = append(c.out, '}')
}

// done checks that nothing follows the request's one JSON value.
func (c *call) done() error {
	if _, err := c.dec.json.ReadToken(); err != io.EOF {
		return serialization("more than one JSON value")
	}
	return nil
}

// read decodes a request whose members are known to member; one that is not
// known is refused by name, and so is one that member does not implement.
func (c *call) read(operation string, member func(name string) (known bool, err error)) error {
	err := c.dec.object(func(name string) error {
		known, err := member(name)
		if !known && err == nil {
			err = notImplemented("the parameter " + strconv.QuoteToASCII(name) + " of " + operation)
		}
		return err
	})
	if err != nil {
		return err
	}
	return c.done()
}

// table finds a table by its name or its ARN.
func (s *Server) table(name string) (*table, error) {
	if t := s.findTable(name); t != nil {
		return t, nil
	}
	if err := checkTableName(name); err != nil {
		return nil, err
	}
	return nil, notFound("Requested resource not found")
}

func (s *Server) findTable(name string) *table {
	if strings.HasPrefix(name, "arn:") {
		arn := name
		name = arn[strings.IndexByte(arn, '/')+1:]
		if t := s.findTable(name); t != nil && t.arn() == arn {
			return t
		}
		return nil
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.tables[name]
}
