package lambda

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	nextPath       = "/2018-06-01/runtime/invocation/next"
	invocationPath = "/2018-06-01/runtime/invocation/"
	initErrorPath  = "/2018-06-01/runtime/init/error"

	errorTypeHeader = "Lambda-Runtime-Function-Error-Type"
	errorBodyHeader = "Lambda-Runtime-Function-Error-Body"
)

// processListener is the Runtime API's address of one process: what tells the processes apart, since on Lambda each has
// an address of its own too.
type processListener struct {
	net.Listener
	process *process
}

type processKey struct{}

func processContext(l net.Listener) context.Context {
	return context.WithValue(context.Background(), processKey{}, l.(processListener).process)
}

func serveRuntimeAPI(w http.ResponseWriter, r *http.Request) {
	p := r.Context().Value(processKey{}).(*process)
	switch path := r.URL.Path; {
	case path == nextPath && r.Method == http.MethodGet:
		p.serveNext(w, r)
	case path == initErrorPath && r.Method == http.MethodPost:
		p.serveInitError(w, r)
	case strings.HasPrefix(path, invocationPath) && r.Method == http.MethodPost:
		id, verb, _ := strings.Cut(path[len(invocationPath):], "/")
		switch verb {
		case "response":
			p.serveResponse(w, r, id)
		case "error":
			p.serveError(w, r, id)
		default:
			refuse(w, http.StatusNotFound, "InvalidPath", path+" is not part of the local Runtime API")
		}
	default:
		refuse(w, http.StatusNotFound, "InvalidPath", r.Method+" "+path+" is not part of the local Runtime API")
	}
}

// serveNext answers with the next event, however long it takes to come.
func (p *process) serveNext(w http.ResponseWriter, r *http.Request) {
	f := p.function
	f.mu.Lock()
	busy := p.current != nil
	f.mu.Unlock()
	if busy {
		refuse(w, http.StatusForbidden, "InvalidStateTransition", "the last event has not been answered")
		return
	}
	inv := f.next(p)
	if inv == nil {
		select {
		case inv = <-p.work:
		case <-p.exited:
			return
		case <-r.Context().Done():
			p.hungUp()
			return
		}
	}
	f.mu.Lock()
	p.delivered = true
	f.mu.Unlock()
	h := w.Header()
	h["Content-Type"] = []string{"application/json"}
	h["Date"] = nil
	h["Lambda-Runtime-Aws-Request-Id"] = []string{inv.id}
	h["Lambda-Runtime-Deadline-Ms"] = []string{strconv.FormatInt(inv.deadline.UnixMilli(), 10)}
	h["Lambda-Runtime-Invoked-Function-Arn"] = []string{f.config.ARN}
	h["Lambda-Runtime-Trace-Id"] = []string{newTraceID(inv.deadline)}
	h["Content-Length"] = []string{strconv.Itoa(len(inv.payload))}
	_, _ = w.Write(inv.payload)
}

func (p *process) serveResponse(w http.ResponseWriter, r *http.Request, id string) {
	body, err := readBody(r)
	if err != nil {
		p.kill("its response broke off: " + err.Error())
		return
	}
	res := result{payload: body}
	tooLarge := len(body) > maxPayload
	switch failed := r.Trailer.Get(errorTypeHeader); {
	case failed != "": // a response that turned into an error while it was being written
		res = result{err: &FunctionError{failed, r.Trailer.Get(errorBodyHeader)}}
	case tooLarge:
		res = result{err: &FunctionError{errTooLarge, fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", maxPayload)}}
	}
	switch {
	case !p.function.finish(p, id, res):
		refuse(w, http.StatusBadRequest, "InvalidRequestID", "Invalid request ID")
	case tooLarge:
		refuse(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", "the response is over 6 MB")
	default:
		accept(w)
	}
}

func (p *process) serveError(w http.ResponseWriter, r *http.Request, id string) {
	if !p.function.finish(p, id, result{err: readFunctionError(r)}) {
		refuse(w, http.StatusBadRequest, "InvalidRequestID", "Invalid request ID")
		return
	}
	accept(w)
}

func (p *process) serveInitError(w http.ResponseWriter, r *http.Request) {
	failed := readFunctionError(r)
	f := p.function
	f.mu.Lock()
	late := p.ready
	p.initError = failed
	f.mu.Unlock()
	if late {
		refuse(w, http.StatusForbidden, "InvalidStateTransition", "the initialisation is over")
		return
	}
	f.runtime.log.line(f.config.Name, []byte("initialisation failed: "+failed.Error()))
	accept(w)
}

func readBody(r *http.Request) ([]byte, error) {
	if n := r.ContentLength; n >= 0 && n <= maxPayload {
		body := make([]byte, n)
		_, err := io.ReadFull(r.Body, body)
		return body, err
	}
	return io.ReadAll(io.LimitReader(r.Body, maxPayload+1))
}

// readFunctionError reads the error document a runtime posts: errorMessage and errorType, the latter also as a header.
func readFunctionError(r *http.Request) *FunctionError {
	body, _ := readBody(r)
	failed := &FunctionError{Type: r.Header.Get(errorTypeHeader)}
	if err := json.Unmarshal(body, failed); err != nil {
		failed.Message = "the error document is not JSON"
	}
	if failed.Type == "" {
		failed.Type = "Runtime.Unknown"
	}
	return failed
}

func accept(w http.ResponseWriter) {
	w.Header()["Date"] = nil
	w.Header()["Content-Type"] = []string{"application/json"}
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, `{"status":"OK"}`)
}

func refuse(w http.ResponseWriter, status int, kind, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(FunctionError{kind, message})
}

// newRequestID is a random UUID, as Lambda's request ids are.
func newRequestID() string {
	a, b := rand.Uint64(), rand.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x", a>>32, a>>16&0xffff, a&0xfff, 0x8000|b>>48&0x3fff, b&0xffffffffffff)
}

// newTraceID is an X-Ray trace header of a trace that is not sampled.
func newTraceID(now time.Time) string {
	return fmt.Sprintf("Root=1-%08x-%08x%016x;Parent=%016x;Sampled=0", now.Unix(), rand.Uint32(), rand.Uint64(), rand.Uint64())
}
