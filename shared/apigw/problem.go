package apigw

import (
	"errors"
	"math"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/nethouse-academy/albato/shared/problem"
)

// Problem is the body of every error answer (RFC 9457). Type is always about:blank: Code is the
// machine-readable name, and RFC 9457 §4.2.1 then wants the status' own phrase as the title.
type Problem struct {
	Type      string          `json:"type"`
	Title     string          `json:"title"`
	Status    int             `json:"status"`
	Detail    string          `json:"detail"`
	Code      problem.Code    `json:"code"`
	RequestID string          `json:"request_id"`
	Errors    []problem.Field `json:"errors,omitempty"`
}

// codes says which status a code has unless the error names another, and the sentence for an
// error without one.
var codes = map[problem.Code]struct {
	status int
	detail string
}{
	problem.InvalidRequest:     {http.StatusUnprocessableEntity, "The request is not valid."},
	problem.Unauthorized:       {http.StatusUnauthorized, "A valid bearer token is required."},
	problem.NotFound:           {http.StatusNotFound, "There is nothing at this address."},
	problem.Conflict:           {http.StatusConflict, "The request conflicts with the present state."},
	problem.WebhookURLTaken:    {http.StatusConflict, "Another connection of the account has this link."},
	problem.TooManyConnections: {http.StatusConflict, "The account has as many connections as it may have."},
	problem.PreconditionFailed: {http.StatusPreconditionFailed, "The object has been changed meanwhile."},
	problem.PayloadTooLarge:    {http.StatusRequestEntityTooLarge, "The body is too large."},
	problem.RateLimited:        {http.StatusTooManyRequests, "Too many requests."},
	problem.Unavailable:        {http.StatusServiceUnavailable, "The service is unavailable for a moment. The same request may be repeated."},
	problem.Internal:           {http.StatusInternalServerError, "Something went wrong on our side."},
}

// defaultRetryAfter is given with 429 and 503 when the error names no time.
const defaultRetryAfter = 5 * time.Second

// WriteError answers with err as problem+json. A *problem.Error is shown as it is; anything else
// is a 500 that says nothing of the inside, and so is the detail of every 5xx. The request's log
// line gets err itself.
func WriteError(w http.ResponseWriter, r *http.Request, err error) {
	if c := callOf(r.Context()); c != nil {
		c.err = err
	}
	p, retryAfter := describe(err)
	p.RequestID = RequestID(r.Context())
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	switch p.Status {
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", "Bearer") // RFC 9110 §15.5.2 wants it with every 401
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(retryAfter.Seconds()))))
	}
	write(w, p.Status, p)
}

func describe(err error) (Problem, time.Duration) {
	var e *problem.Error
	if !errors.As(err, &e) {
		e = problem.New(problem.Internal, "")
	}
	entry, known := codes[e.Code]
	if !known {
		e = problem.New(problem.Internal, "")
		entry = codes[problem.Internal]
	}
	p := Problem{Type: "about:blank", Status: entry.status, Detail: e.Detail, Code: e.Code, Errors: someOf(e.Fields)}
	if e.Status != 0 {
		p.Status = e.Status
	}
	p.Title = http.StatusText(p.Status)
	if p.Detail == "" || p.Status >= http.StatusInternalServerError {
		p.Detail = entry.detail
	}
	return p, max(e.RetryAfter, defaultRetryAfter)
}

// maxErrors is how many wrong fields are named: more than any form of ours has. A body of many made-up names would
// otherwise get an answer several times its size.
const maxErrors = 100

// someOf bounds what is repeated of a stranger's body.
func someOf(fields []problem.Field) []problem.Field {
	fields = slices.Clone(fields[:min(len(fields), maxErrors)])
	for i, f := range fields {
		fields[i].Field = shorten(f.Field)
	}
	return fields
}

// malformed is the 400 of a request that cannot be understood at all.
func malformed(detail string) error {
	return &problem.Error{Code: problem.InvalidRequest, Status: http.StatusBadRequest, Detail: detail}
}
