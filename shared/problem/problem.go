// Package problem is the one error type that the domain returns to people: a stable code for machines, a sentence for
// the reader, and every wrong field at once. How it looks on the wire (RFC 9457) is the business of package apigw.
package problem

import (
	"errors"
	"strings"
	"time"
)

// Code is the stable, machine-readable name of an error; it never changes once published.
type Code string

// The codes of the HTTP contract.
const (
	InvalidRequest     Code = "invalid_request"
	Unauthorized       Code = "unauthorized"
	NotFound           Code = "not_found"
	Conflict           Code = "conflict"
	WebhookURLTaken    Code = "webhook_url_taken"
	TooManyConnections Code = "too_many_connections"
	PreconditionFailed Code = "precondition_failed"
	PayloadTooLarge    Code = "payload_too_large"
	RateLimited        Code = "rate_limited"
	Unavailable        Code = "unavailable"
	Internal           Code = "internal"
)

// Field is one wrong field of a request: its JSON path (`data.order.id`) and what is wrong with it.
type Field struct {
	Field  string `json:"field"`
	Detail string `json:"detail"`
}

// Error is an error that may be shown to the caller as it is. Anything else is internal and is never shown.
type Error struct {
	Code   Code
	Detail string
	Fields []Field
	// Status is the HTTP status when Code alone does not decide it (400, 415 and 422 are all invalid_request);
	// 0 means the code's usual one.
	Status int
	// RetryAfter is how long the caller should wait before the same request may succeed; 0 means unknown.
	RetryAfter time.Duration
	// Cause is what went wrong inside. It is for the log, never for the caller.
	Cause error
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Error gives the sentence, the wrong fields and the cause, for logs and tests.
func (e *Error) Error() string {
	var s strings.Builder
	s.WriteString(string(e.Code) + ": " + e.Detail)
	for _, f := range e.Fields {
		s.WriteString("; " + f.Field + ": " + f.Detail)
	}
	if e.Cause != nil {
		s.WriteString(": " + e.Cause.Error())
	}
	return s.String()
}

// New makes an error with a code and a sentence.
func New(code Code, detail string) *Error { return &Error{Code: code, Detail: detail} }

// Is tells whether err is a problem with this code.
func Is(err error, code Code) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == code
}

// Fields collects wrong fields, so that all are reported together.
type Fields []Field

// Add notes one wrong field.
func (f *Fields) Add(field, detail string) { *f = append(*f, Field{field, detail}) }

// Err gives nil when no field is wrong, otherwise an invalid_request that lists them all.
func (f Fields) Err() error {
	if len(f) == 0 {
		return nil
	}
	detail := "a field is wrong"
	if len(f) > 1 {
		detail = "several fields are wrong"
	}
	return &Error{Code: InvalidRequest, Detail: detail, Fields: f}
}
