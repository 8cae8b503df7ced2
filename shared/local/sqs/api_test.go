package sqs_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nethouse-academy/albato/shared/local/sqs"
)

func TestGoInterface(t *testing.T) {
	run(t, []behaviour{
		{"a message has all that an event needs", func(t *testing.T, c *client) {
			arn, err := c.server.CreateQueue("q.fifo", fifo("VisibilityTimeout", "60"))
			c.must(err)
			equal(t, "ARN", arn, "arn:aws:sqs:eu-central-1:123456789012:q.fifo")
			u := c.server.QueueURL("http://sqs.test", "q.fifo")
			c.send(u, "x", group("A"), dedup("d"))
			ms, err := c.server.Receive(c.ctx, "q.fifo", 10, 0)
			c.must(err)
			m := ms[0]
			a := m.SystemAttributes()
			equal(t, "times", []time.Time{m.SentAt.UTC(), m.FirstReceivedAt.UTC()}, []time.Time{time.Now().UTC(), time.Now().UTC()})
			equal(t, "attributes", a, attrs{"ApproximateReceiveCount": "1", "SentTimestamp": "946684800000", "ApproximateFirstReceiveTimestamp": "946684800000",
				"MessageGroupId": "A", "MessageDeduplicationId": "d", "SequenceNumber": m.SequenceNumber, "SenderId": m.SenderID})
			equal(t, "no attributes, no digest", m.AttributesMD5(), "")
			c.must(c.server.Delete(u, m.ReceiptHandle))
			c.wantCounts(u, sqs.Counts{})
		}},
		{"Receive wakes at once on arrival, on visibility, on a change of visibility", func(t *testing.T, c *client) {
			u := c.create("q.fifo", fifo("VisibilityTimeout", "120"))
			var m sqs.Message
			receive := func() {
				t.Helper()
				ms, err := c.server.Receive(c.ctx, u, 10, time.Hour)
				c.must(err)
				equal(t, "received", len(ms), 1)
				m = ms[0]
			}
			time.AfterFunc(7*time.Second, func() { c.send(u, "x", group("A")) })
			took(t, 7*time.Second, receive)
			took(t, 120*time.Second, receive)
			handle := m.ReceiptHandle
			time.AfterFunc(3*time.Second, func() { c.must(c.server.ChangeVisibility(u, 0, handle)) })
			took(t, 3*time.Second, receive)
			handle = m.ReceiptHandle
			time.AfterFunc(3*time.Second, func() { c.must(c.server.ChangeVisibility(u, 500*time.Millisecond, handle)) })
			took(t, 3500*time.Millisecond, receive)
			took(t, time.Minute, func() {
				ms, err := c.server.Receive(c.ctx, u, 10, time.Minute)
				c.must(err)
				equal(t, "nothing", len(ms), 0)
			})
		}},
		{"Receive ends with its context and takes nothing", func(t *testing.T, c *client) {
			u := c.create("q.fifo", fifo())
			ctx, cancel := context.WithTimeout(c.ctx, time.Second)
			defer cancel()
			took(t, time.Second, func() {
				if _, err := c.server.Receive(ctx, u, 10, time.Hour); !errors.Is(err, context.DeadlineExceeded) {
					t.Fatal(err)
				}
			})
			c.send(u, "x", group("A"))
			if _, err := c.server.Receive(ctx, u, 10, 0); !errors.Is(err, context.DeadlineExceeded) {
				t.Fatal(err)
			}
			// Served and gone in the same moment: the message goes back.
			m := c.one(u)
			c.must(c.hide(u, m, 10))
			ending := &endsUnseen{Context: c.ctx}
			time.AfterFunc(9*time.Second, func() { ending.over.Store(true) })
			took(t, 10*time.Second, func() {
				if _, err := c.server.Receive(ending, u, 10, time.Hour); !errors.Is(err, context.Canceled) {
					t.Fatal(err)
				}
			})
			equal(t, "receive count", c.one(u).Attributes["ApproximateReceiveCount"], "2")
		}},
		{"a deleted queue ends who waits at it", func(t *testing.T, c *client) {
			u := c.create("q", nil)
			time.AfterFunc(time.Second, func() { raw(c.server, "DeleteQueue", `{"QueueUrl":"`+u+`"}`) })
			took(t, time.Second, func() {
				ms, err := c.server.Receive(c.ctx, u, 1, time.Hour)
				c.must(err)
				equal(t, "none", len(ms), 0)
			})
			_, err := c.server.Receive(c.ctx, u, 1, time.Hour)
			var fault *sqs.Error
			if !errors.As(err, &fault) || fault.Code != "QueueDoesNotExist" {
				t.Fatal(err)
			}
		}},
		{"Delete and ChangeVisibility try every handle", func(t *testing.T, c *client) {
			u := c.create("q", nil)
			c.send(u, "x")
			c.send(u, "y")
			ms, err := c.server.Receive(c.ctx, "q", 10, 0)
			c.must(err)
			err = c.server.ChangeVisibility("q", 0, "garbage", ms[0].ReceiptHandle)
			var fault *sqs.Error
			if !errors.As(err, &fault) || fault.Code != "ReceiptHandleIsInvalid" {
				t.Fatal(err)
			}
			c.wantCounts(u, sqs.Counts{Visible: 1, InFlight: 1})
			if err = c.server.Delete("q", "garbage", ms[1].ReceiptHandle); err == nil {
				t.Fatal("no error")
			}
			c.wantCounts(u, sqs.Counts{Visible: 1})
		}},
		{"Calls counts what came over HTTP", func(t *testing.T, c *client) {
			u := c.create("q", nil)
			c.server.ResetCalls()
			c.send(u, "x")
			c.send(u, "y")
			_, err := c.trySend(u, "")
			wantCode(t, err, "MissingParameter", "")
			c.one(u)
			_, err = c.server.Receive(c.ctx, u, 1, 0)
			c.must(err)
			equal(t, "calls", c.server.Calls(), map[string]int{"SendMessage": 3, "ReceiveMessage": 1})
			c.server.ResetCalls()
			equal(t, "reset", c.server.Calls(), map[string]int{})
		}},
	})
}

// What is not implemented is refused by its name, whether AWS has it or not.
func TestRefusals(t *testing.T) {
	s := sqs.New(sqs.Options{BaseURL: "http://somewhere/"})
	_, made := raw(s, "CreateQueue", `{"QueueName":"q"}`)
	equal(t, "URL", made["QueueUrl"], "http://somewhere/000000000000/q")
	url := `"QueueUrl":"` + made["QueueUrl"].(string) + `"`
	for _, r := range []struct{ operation, body, code, says string }{
		{"AddPermission", `{` + url + `}`, "UnsupportedOperation", "operation AddPermission"},
		{"CancelMessageMoveTask", `{}`, "UnsupportedOperation", "operation CancelMessageMoveTask"},
		{"UntagQueue", `{}`, "UnsupportedOperation", "operation UntagQueue"},
		{"ReceiveMessage", `{` + url + `,"ReceiveRequestAttemptId":"a"}`, "UnsupportedOperation", "parameter ReceiveMessage.ReceiveRequestAttemptId"},
		{"StartMessageMoveTask", `{"SourceArn":"a","MaxNumberOfMessagesPerSecond":5}`, "UnsupportedOperation", "parameter StartMessageMoveTask.MaxNumberOfMessagesPerSecond"},
		{"SendMessageBatch", `{` + url + `,"Entries":[{"Id":"a","Colour":"blue"}]}`, "UnsupportedOperation", "parameter SendMessageBatch.Entries.Colour"},
		{"SendMessage", `{` + url + `,"MessageBody":"x","MessageAttributes":{"a":{"DataType":"String","StringListValues":["x"]}}}`, "UnsupportedOperation", "MessageAttributes.StringListValues"},
		{"SetQueueAttributes", `{` + url + `,"Attributes":{"Policy":"{}"}}`, "UnsupportedOperation", "attribute Policy"},
		{"GetQueueUrl", `{"QueueName":"q","QueueOwnerAWSAccountId":"1"}`, "UnsupportedOperation", "QueueOwnerAWSAccountId"},
		{"SendMessage", `{"MessageBody":"x"}`, "MissingParameter", "QueueUrl"},
		{"SendMessage", `{` + url + `}`, "MissingParameter", "MessageBody"},
		{"DeleteMessage", `{` + url + `}`, "MissingParameter", "ReceiptHandle"},
		{"DeleteMessageBatch", `{` + url + `,"Entries":[{"Id":"a"}]}`, "MissingParameter", "1.ReceiptHandle"},
		{"SendMessageBatch", `{` + url + `,"Entries":[{"Id":"a"}]}`, "MissingParameter", "1.MessageBody"},
		{"SendMessage", `{` + url + `,"MessageBody":5}`, "SerializationException", "not a string"},
		{"SendMessage", `{` + url + `,"MessageBody":"\ud800"}`, "SerializationException", ""},
		{"SendMessage", `{` + url + `,"MessageBody":"x","MessageBody":"y"}`, "SerializationException", "duplicate"},
		{"SendMessage", `{` + url + `,"DelaySeconds":1.5}`, "SerializationException", "1.5"},
		{"SendMessage", `{` + url + `} {}`, "SerializationException", "more than one"},
		{"SendMessage", `{` + url, "SerializationException", ""},
		{"SendMessage", `[]`, "SerializationException", "not an object"},
		{"SendMessage", ``, "SerializationException", ""},
	} {
		resp, body := raw(s, r.operation, r.body)
		message, _ := body["message"].(string)
		if resp.StatusCode != 400 || body["__type"] != "com.amazonaws.sqs#"+r.code || !strings.Contains(message, r.says) {
			t.Errorf("%s %s: %d %v, want %s with %q", r.operation, r.body, resp.StatusCode, body, r.code, r.says)
		}
	}
	if n, _ := s.Counts("q"); n != (sqs.Counts{}) {
		t.Errorf("counts %v after refusals", n)
	}
	for _, r := range []*http.Request{httptest.NewRequest("GET", "/?Action=ListQueues", nil), httptest.NewRequest("POST", "/", strings.NewReader("Action=ListQueues"))} {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != 400 || !strings.Contains(w.Body.String(), "UnsupportedOperation") {
			t.Errorf("%s: %d %s", r.Method, w.Code, w.Body)
		}
	}
	if got := slices.Sorted(func(yield func(string) bool) {
		for k := range s.Calls() {
			if !yield(k) {
				return
			}
		}
	}); slices.Contains(got, "AddPermission") {
		t.Errorf("counted %v", got)
	}
}

// endsUnseen is a context that is over, and whose Done is the last to know.
type endsUnseen struct {
	context.Context
	over atomic.Bool
}

func (e *endsUnseen) Err() error {
	if e.over.Load() {
		return context.Canceled
	}
	return nil
}
