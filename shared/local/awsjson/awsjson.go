// Package awsjson serves the AWS JSON 1.1 protocol for the small services of the local stack: one POST with the
// operation in X-Amz-Target, a JSON document each way (https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html).
package awsjson

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// Operation answers one call; the error is an *Error, anything else counts as an internal failure.
type Operation func(input []byte) (output any, err error)

// Error is an error of the service, by the name its API reference gives it.
type Error struct {
	Code    string `json:"__type"`
	Message string `json:"message"`
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Errorf makes an Error.
func Errorf(code, format string, args ...any) *Error {
	return &Error{code, fmt.Sprintf(format, args...)}
}

const maxInput = 1 << 20 // bytes

// Handler serves the operations of the service whose target prefix is given ("AWSEvents"). An operation that is not among
// them is refused by name.
func Handler(prefix string, operations map[string]Operation) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		output, err := call(prefix, operations, r)
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		if err != nil {
			failed, ok := err.(*Error)
			status := http.StatusBadRequest
			if !ok {
				failed, status = Errorf("InternalFailure", "%v", err), http.StatusInternalServerError
			}
			w.Header().Set("X-Amzn-Errortype", failed.Code)
			w.WriteHeader(status)
			output = failed
		}
		_ = json.NewEncoder(w).Encode(output)
	})
}

func call(prefix string, operations map[string]Operation, r *http.Request) (any, error) {
	name, ok := strings.CutPrefix(r.Header.Get("X-Amz-Target"), prefix+".")
	if r.Method != http.MethodPost || !ok {
		return nil, Errorf("UnknownOperationException", "this is %s of the local stack; it takes POST with X-Amz-Target: %s.<operation>", prefix, prefix)
	}
	operation, ok := operations[name]
	if !ok {
		return nil, Errorf("UnknownOperationException", "%s is not supported by the local stack", name)
	}
	input, err := io.ReadAll(io.LimitReader(r.Body, maxInput+1))
	if err != nil {
		return nil, err
	}
	if len(input) > maxInput {
		return nil, Errorf("SerializationException", "the request is over 1 MiB")
	}
	return operation(input)
}

// Decode reads an operation's input into v. A parameter that v does not have is refused by name.
func Decode(input []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(input))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return Errorf("SerializationException", "not supported by the local stack: %v", err)
	}
	return nil
}
