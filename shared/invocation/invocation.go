// Package invocation is what every function does around its handler: it reads the event, writes the answer, and sees to it
// that the invocation's log lines are out before the process may be frozen.
package invocation

import (
	"context"
	"encoding/json"

	"github.com/aws/aws-lambda-go/lambda"
	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Flusher writes what was held back during an invocation.
type Flusher interface{ Flush() error }

// Start serves invocations until the process ends.
func Start[In, Out any](ctx context.Context, handle func(context.Context, In) (Out, error), out Flusher) {
	lambda.StartWithOptions(Handler(handle, out), lambda.WithContext(ctx))
}

// Handler makes a lambda.Handler of handle. It reads events as encoding/json would, which lambda.StartWithOptions takes, in
// a quarter of the time: with a full batch of messages that is a good part of what an invocation costs.
func Handler[In, Out any](handle func(context.Context, In) (Out, error), out Flusher) lambda.Handler {
	return handler[In, Out]{handle, out}
}

type handler[In, Out any] struct {
	handle func(context.Context, In) (Out, error)
	out    Flusher
}

// lenient takes what encoding/json takes: what stands in a body that somebody posted is for the handler to judge.
var lenient = jsonv2.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

// Invoke serves one invocation. An error, or a panic, is reported to Lambda as the function's failure.
func (h handler[In, Out]) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	defer func() { _ = h.out.Flush() }() // a log that cannot be written is no reason to fail
	var in In
	if err := jsonv2.Unmarshal(payload, &in, lenient); err != nil {
		return nil, err
	}
	answer, err := h.handle(ctx, in)
	if err != nil {
		return nil, err
	}
	return json.Marshal(answer)
}
