package delivery_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nethouse-academy/albato/shared/webhook"
)

// faultRates are probabilities: of each call, but lostDelete of each acknowledgement and crash of each step.
type faultRates struct {
	crash      float64 // the process dies: before the call, or after it took effect
	call       float64 // the call fails: before it took effect, or after it did
	throttle   float64 // the service refuses
	partial    float64 // a batch is done in part
	lostDelete float64 // the event source mapping's acknowledgement is lost
}

// invocation is one run of the sender. When it is dead nothing that it does has any effect.
type invocation struct {
	w *world

	mu      sync.Mutex
	dead    bool
	faulted bool
}

func newInvocation(w *world) *invocation { return &invocation{w: w} }

func (i *invocation) die() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.dead, i.faulted = true, true
}

func (i *invocation) fault() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.faulted = true
}

func (i *invocation) isDead() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.dead
}

func (i *invocation) isFaulted() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.faulted
}

var errDead = errors.New("the process is dead")

func (i *invocation) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTrip(func(r *http.Request) (*http.Response, error) { return i.call(next, r) })
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// call is one call of AWS, with whatever may befall it.
func (i *invocation) call(next http.RoundTripper, r *http.Request) (*http.Response, error) {
	w, target := i.w, r.Header.Get("X-Amz-Target")
	w.pause(10*time.Millisecond, target)
	if w.chance(.05, "slow "+target) {
		w.pause(3*time.Second, target)
	}
	defer w.pause(5*time.Millisecond, "answer")
	if i.isDead() {
		return nil, errDead
	}
	switch {
	case w.chance(w.rates().crash, "crash "+target):
		if w.chance(.5, "effect") {
			_, _ = next.RoundTrip(r)
		}
		i.die()
		return nil, errDead
	case w.chance(w.rates().call, "call "+target):
		i.fault()
		if w.chance(.5, "effect") {
			_, _ = next.RoundTrip(r)
		}
		return nil, errors.New("the connection was reset")
	case w.chance(w.rates().throttle, "throttle "+target):
		i.fault()
		return refusal(r), nil
	case w.chance(w.rates().partial, "partial") && strings.HasSuffix(target, "BatchWriteItem"):
		i.fault()
		return halfBatchWrite(next, r)
	}
	return next.RoundTrip(r)
}

func refusal(r *http.Request) *http.Response {
	kind := "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"
	switch target := r.Header.Get("X-Amz-Target"); {
	case strings.HasPrefix(target, "AmazonSQS"):
		kind = "com.amazonaws.sqs#RequestThrottled"
	case strings.HasSuffix(target, "TransactWriteItems"):
		return answer(r, http.StatusBadRequest, map[string]any{"__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
			"Message": "Transaction cancelled", "CancellationReasons": []map[string]string{{"Code": "TransactionConflict"}, {"Code": "None"}}})
	case strings.HasSuffix(target, "UpdateItem"):
		kind = "com.amazonaws.dynamodb.v20120810#TransactionConflictException"
	}
	return answer(r, http.StatusBadRequest, map[string]string{"__type": kind, "message": "Rate exceeded"})
}

func answer(r *http.Request, status int, v any) *http.Response {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
		Body: io.NopCloser(bytes.NewReader(b)), ContentLength: int64(len(b)), Request: r}
}

// halfBatchWrite writes the first half of a batch and gives the other back as not processed.
func halfBatchWrite(next http.RoundTripper, r *http.Request) (*http.Response, error) {
	var in struct{ RequestItems map[string][]json.RawMessage }
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		panic(err)
	}
	rest := map[string][]json.RawMessage{}
	for table, writes := range in.RequestItems {
		half := len(writes) / 2
		rest[table] = writes[half:]
		in.RequestItems[table] = writes[:half]
		if half == 0 {
			return answer(r, http.StatusOK, map[string]any{"UnprocessedItems": rest}), nil
		}
	}
	b, err := json.Marshal(in)
	if err != nil {
		panic(err)
	}
	again := r.Clone(r.Context())
	again.Body, again.ContentLength = io.NopCloser(bytes.NewReader(b)), int64(len(b))
	if _, err := next.RoundTrip(again); err != nil {
		return nil, err
	}
	return answer(r, http.StatusOK, map[string]any{"UnprocessedItems": rest}), nil
}

// Post is one attempt at a receiver.
func (i *invocation) Post(ctx context.Context, r webhook.Request) webhook.Result {
	w := i.w
	id := connectionOf(r.Link)
	if w.chance(w.rates().crash, "before "+r.DeliveryID) {
		i.die()
	}
	if i.isDead() {
		return webhook.Result{Code: webhook.CodeInterrupted}
	}
	if w.chance(w.rates().call, "internal "+r.DeliveryID) {
		i.fault()
		return webhook.Result{Code: webhook.CodeInternal}
	}
	w.mu.Lock()
	rec := w.receivers[id]
	b, poison, busy := rec.behaviour, rec.poison[r.DeliveryID], rec.busy
	w.attempts[id] = append(w.attempts[id], time.Now())
	w.mu.Unlock()
	began := time.Now()
	if busy > 0 {
		time.Sleep(busy)
	} else {
		w.pause(100*time.Millisecond, r.DeliveryID)
	}
	result := i.receive(r, b, poison)
	if b == hangs {
		time.Sleep(min(r.Timeout, attemptTimeout) - time.Since(began))
	}
	result.Duration = time.Since(began)
	if w.chance(w.rates().crash, "after "+r.DeliveryID) {
		i.die()
	}
	if i.isDead() || ctx.Err() != nil {
		result = webhook.Result{Code: webhook.CodeInterrupted}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if sends := w.sends[r.DeliveryID]; len(sends) > 0 && sends[len(sends)-1].invocation == i {
		sends[len(sends)-1].seen = result.Status == http.StatusOK
	}
	return result
}

// receive is what the receiver makes of a request, and what it answers.
func (i *invocation) receive(r webhook.Request, b behaviour, poison int) webhook.Result {
	if b == flaps {
		b = []behaviour{takes, fails}[i.w.draw(r.DeliveryID).IntN(2)]
	}
	switch b {
	case fails:
		return webhook.Result{Status: 500, Code: "http_500"}
	case limits:
		return webhook.Result{Status: 429, Code: "http_429", RetryAfter: 90 * time.Second}
	case hangs:
		return webhook.Result{Code: webhook.CodeTimeout}
	case refuses:
		return webhook.Result{Code: webhook.CodeRefused}
	case is410:
		return webhook.Result{Status: 410, Code: "http_410"}
	case isClosed:
		return webhook.Result{Status: 404, Code: "http_404"}
	}
	if poison != 0 {
		return webhook.Result{Status: poison, Code: "http_" + strconv.Itoa(poison)}
	}
	i.w.mu.Lock()
	i.w.sends[r.DeliveryID] = append(i.w.sends[r.DeliveryID], send{at: time.Now(), invocation: i})
	i.w.mu.Unlock()
	if b == deaf {
		return webhook.Result{Code: webhook.CodeConnection}
	}
	return webhook.Result{Status: 200}
}
