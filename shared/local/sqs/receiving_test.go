package sqs_test

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/nethouse-academy/albato/shared/local/sqs"
)

func TestReceiving(t *testing.T) {
	run(t, []behaviour{
		{"Q14 long polling", func(t *testing.T, c *client) {
			u := c.create("q", attrs{"ReceiveMessageWaitTimeSeconds": "3"})
			took(t, 2*time.Second, func() { equal(t, "empty", len(c.receive(u, 1, 2)), 0) })
			took(t, 3*time.Second, func() { equal(t, "the queue's own wait", len(c.receive(u, 1, 0)), 0) })
			time.AfterFunc(time.Second, func() { c.send(u, "hi") })
			took(t, time.Second, func() { equal(t, "body", *c.receive(u, 1, 20)[0].Body, "hi") })
			// It also wakes when what is in flight becomes visible again.
			took(t, 20*time.Second, func() { equal(t, "in flight", len(c.receive(u, 1, 20)), 0) })
			took(t, 10*time.Second, func() { equal(t, "visible again", len(c.receive(u, 1, 20)), 1) })
		}},
		{"Q14 who waits first is served first, each message to one", func(t *testing.T, c *client) {
			u := c.create("q", nil)
			got := make(chan string, 3)
			for i := range 3 {
				go func() {
					ms := c.receive(u, 1, 20)
					got <- strconv.Itoa(i) + *ms[0].Body
				}()
				synctest.Wait()
			}
			for _, body := range []string{"a", "b", "c"} {
				c.send(u, body)
				synctest.Wait()
			}
			equal(t, "served", []string{<-got, <-got, <-got}, []string{"0a", "1b", "2c"})
		}},
		{"Q15 a poll whose client has gone takes nothing", func(t *testing.T, c *client) {
			u := c.create("q", nil)
			ctx, cancel := context.WithTimeout(c.ctx, 500*time.Millisecond)
			defer cancel()
			_, err := c.sdk.ReceiveMessage(ctx, &awssqs.ReceiveMessageInput{QueueUrl: &u, WaitTimeSeconds: 10})
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("error %v", err)
			}
			c.send(u, "kept")
			m := c.one(u)
			equal(t, "receive count", m.Attributes["ApproximateReceiveCount"], "1")
		}},
		{"Q16 bounds of the numbers", func(t *testing.T, c *client) {
			u := c.create("q", nil)
			for i := range 12 {
				c.send(u, strconv.Itoa(i))
			}
			equal(t, "at once", len(c.receive(u, 10, 0)), 10)
			equal(t, "the rest", len(c.receive(u, 10, 0)), 2)
			for _, in := range []awssqs.ReceiveMessageInput{{MaxNumberOfMessages: 11}, {MaxNumberOfMessages: -1}, {WaitTimeSeconds: 21}, {VisibilityTimeout: 43201}} {
				in.QueueUrl = &u
				_, err := c.sdk.ReceiveMessage(c.ctx, &in)
				wantCode(t, err, "InvalidParameterValue", "Must be between")
			}
			_, zero := raw(c.server, "ReceiveMessage", `{"QueueUrl":"`+u+`","MaxNumberOfMessages":0}`)
			equal(t, "zero", zero["__type"], "com.amazonaws.sqs#InvalidParameterValue")
		}},
		{"the quota of messages in flight", func(t *testing.T, c *client) {
			c.server.LimitInFlight(3)
			u, f := c.create("q", nil), c.create("q.fifo", fifo())
			for i := range 5 {
				c.send(u, strconv.Itoa(i))
				c.send(f, strconv.Itoa(i), group(strconv.Itoa(i)))
			}
			c.wantBodies(u, "0", "1", "2")
			_, err := c.sdk.ReceiveMessage(c.ctx, &awssqs.ReceiveMessageInput{QueueUrl: &u})
			wantCode(t, err, "OverLimit", "limit is 3")
			ms := c.wantBodies(f, "0", "1", "2")
			c.wantBodies(f) // a FIFO queue answers nothing instead of an error
			c.must(c.delete(f, ms[0]))
			c.wantBodies(f, "3")
		}},
		{"Q17 system attributes, only those asked for", testSystemAttributes},
		{"Q18 Q19 redelivery after the visibility timeout", func(t *testing.T, c *client) {
			u := c.create("q", attrs{"VisibilityTimeout": "2"})
			c.send(u, "x")
			first := c.one(u)
			took(t, 2*time.Second, func() {
				again := c.receive(u, 1, 20)[0]
				equal(t, "receive count", again.Attributes["ApproximateReceiveCount"], "2")
				equal(t, "MessageId", again.MessageId, first.MessageId)
				if *again.ReceiptHandle == *first.ReceiptHandle {
					t.Fatal("the same receipt handle")
				}
				c.must(c.hide(u, again, 0))
			})
			out, err := c.sdk.ReceiveMessage(c.ctx, &awssqs.ReceiveMessageInput{QueueUrl: &u, VisibilityTimeout: 7})
			c.must(err)
			equal(t, "taken", len(out.Messages), 1)
			took(t, 7*time.Second, func() { equal(t, "own timeout", len(c.receive(u, 1, 20)), 1) })
		}},
		{"Q20 ChangeMessageVisibility, twelve hours in all", testVisibility},
		{"Q21 a message that is visible again", func(t *testing.T, c *client) {
			u := c.create("q", attrs{"VisibilityTimeout": "1"})
			c.send(u, "x")
			m := c.one(u)
			time.Sleep(time.Second)
			wantCode(t, c.hide(u, m, 10), "AWS.SimpleQueueService.MessageNotInflight", "")
			c.must(c.delete(u, c.one(u)))
			wantCode(t, c.hide(u, m, 10), "InvalidParameterValue", "not available for visibility timeout change")
		}},
		{"Q22 Q23 batches fail entry by entry", testAcknowledgeBatches},
		{"Q24 handles that are none", func(t *testing.T, c *client) {
			u, other := c.create("q", nil), c.create("other", nil)
			c.send(u, "x")
			m := c.one(u)
			garbage := types.Message{ReceiptHandle: ptr("garbage")}
			wantCode(t, c.delete(u, garbage), "ReceiptHandleIsInvalid", "not a valid receipt handle")
			wantCode(t, c.hide(u, garbage, 1), "ReceiptHandleIsInvalid", "")
			wantCode(t, c.delete(other, m), "ReceiptHandleIsInvalid", "")
			forged := []byte(*m.ReceiptHandle)
			forged[8] ^= 1
			wantCode(t, c.delete(u, types.Message{ReceiptHandle: ptr(string(forged))}), "ReceiptHandleIsInvalid", "")
			c.must(c.delete(u, m))
			c.must(c.delete(u, m))
			c.wantCounts(u, sqs.Counts{})
		}},
		{"Q25 late and superseded handles on a standard queue", func(t *testing.T, c *client) {
			u := c.create("q", attrs{"VisibilityTimeout": "1"})
			c.send(u, "x")
			old := c.one(u)
			time.Sleep(time.Second)
			current := c.one(u)
			c.must(c.delete(u, old)) // succeeds, and deletes nothing
			c.wantCounts(u, sqs.Counts{InFlight: 1})
			wantCode(t, c.hide(u, old, 1), "InvalidParameterValue", "expired")
			time.Sleep(time.Second)
			c.must(c.delete(u, current))
			c.wantCounts(u, sqs.Counts{})
		}},
	})
}

func testSystemAttributes(t *testing.T, c *client) {
	u := c.create("q", nil)
	time.Sleep(1500 * time.Millisecond)
	c.send(u, "x")
	time.Sleep(time.Second)
	ask := func(names ...types.MessageSystemAttributeName) attrs {
		out, err := c.sdk.ReceiveMessage(c.ctx, &awssqs.ReceiveMessageInput{QueueUrl: &u, MessageSystemAttributeNames: names})
		c.must(err)
		c.must(c.hide(u, out.Messages[0], 0))
		return out.Messages[0].Attributes
	}
	sent, first := "946684801500", "946684802500" // a bubble begins at 2000-01-01T00:00:00Z
	equal(t, "two", ask("ApproximateReceiveCount", "SentTimestamp"), attrs{"ApproximateReceiveCount": "1", "SentTimestamp": sent})
	time.Sleep(time.Second)
	equal(t, "none", len(ask()), 0)
	all := ask("All")
	sender := all["SenderId"]
	equal(t, "all", all, attrs{"ApproximateReceiveCount": "3", "SentTimestamp": sent, "ApproximateFirstReceiveTimestamp": first, "SenderId": sender})
	_, bad := raw(c.server, "ReceiveMessage", `{"QueueUrl":"`+u+`","AttributeNames":["Shoe"]}`)
	equal(t, "unknown", bad["__type"], "com.amazonaws.sqs#InvalidAttributeName")
}

func testVisibility(t *testing.T, c *client) {
	u := c.create("q", attrs{"VisibilityTimeout": "2"})
	c.send(u, "x")
	c.must(c.hide(u, c.one(u), 0))
	m := c.one(u)
	c.must(c.hide(u, m, 5))
	took(t, 5*time.Second, func() { m = c.receive(u, 1, 20)[0] })
	wantCode(t, c.hide(u, m, 43201), "InvalidParameterValue", "Must be between 0 and 43200")
	c.must(c.hide(u, m, 43200))
	time.Sleep(time.Hour)
	c.must(c.hide(u, m, 11*3600))
	wantCode(t, c.hide(u, m, 11*3600+1), "InvalidParameterValue", "Total VisibilityTimeout for the message is beyond the limit [43200 seconds]")
	time.Sleep(11*time.Hour - time.Second)
	c.wantBodies(u)
	time.Sleep(time.Second)
	c.wantBodies(u, "x")
}

func testAcknowledgeBatches(t *testing.T, c *client) {
	u := c.create("q", nil)
	for _, body := range []string{"x", "y", "z"} {
		c.send(u, body)
	}
	ms := c.wantBodies(u, "x", "y", "z")
	hidden, err := c.sdk.ChangeMessageVisibilityBatch(c.ctx, &awssqs.ChangeMessageVisibilityBatchInput{QueueUrl: &u, Entries: []types.ChangeMessageVisibilityBatchRequestEntry{
		{Id: ptr("bad"), ReceiptHandle: ptr("garbage")}, {Id: ptr("ok"), ReceiptHandle: ms[0].ReceiptHandle, VisibilityTimeout: 0},
		{Id: ptr("long"), ReceiptHandle: ms[1].ReceiptHandle, VisibilityTimeout: 43201}}})
	c.must(err)
	equal(t, "hidden", *hidden.Successful[0].Id, "ok")
	equal(t, "not hidden", []string{*hidden.Failed[0].Id, *hidden.Failed[0].Code, *hidden.Failed[1].Id, *hidden.Failed[1].Code},
		[]string{"bad", "ReceiptHandleIsInvalid", "long", "InvalidParameterValue"})
	c.wantBodies(u, "x")

	deleted, err := c.sdk.DeleteMessageBatch(c.ctx, &awssqs.DeleteMessageBatchInput{QueueUrl: &u, Entries: []types.DeleteMessageBatchRequestEntry{
		{Id: ptr("1"), ReceiptHandle: ms[1].ReceiptHandle}, {Id: ptr("bad"), ReceiptHandle: ptr("garbage")}, {Id: ptr("2"), ReceiptHandle: ms[2].ReceiptHandle}}})
	c.must(err)
	equal(t, "deleted", []string{*deleted.Successful[0].Id, *deleted.Successful[1].Id}, []string{"1", "2"})
	equal(t, "not deleted", []any{*deleted.Failed[0].Id, *deleted.Failed[0].Code, deleted.Failed[0].SenderFault}, []any{"bad", "ReceiptHandleIsInvalid", true})
	c.wantCounts(u, sqs.Counts{InFlight: 1})
}

// A clock that is moved by hand: who waited first is served first, also when a
// later call is the first to notice the time.
func TestMovedClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Unix(1_795_000_000, 0)
		s := sqs.New(sqs.Options{Now: func() time.Time { return now }})
		_, err := s.CreateQueue("q.fifo", fifo())
		c := newClient(t, s, inMemory{s})
		c.must(err)
		c.send(s.QueueURL("http://sqs.test", "q.fifo"), "x", group("A"))
		receive := func(wait time.Duration) []sqs.Message {
			ms, err := s.Receive(t.Context(), "q.fifo", 10, wait)
			c.must(err)
			return ms
		}
		equal(t, "first", len(receive(0)), 1)
		waited := make(chan []sqs.Message)
		go func() { waited <- receive(time.Hour) }()
		synctest.Wait()
		now = now.Add(30 * time.Second)
		equal(t, "the late one", len(receive(0)), 0)
		took(t, 0, func() { equal(t, "who waited", len(<-waited), 1) })
	})
}
