package sqs_test

import (
	"fmt"
	"testing"
	"time"

	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/nethouse-academy/albato/shared/local/sqs"
)

func TestFIFO(t *testing.T) {
	run(t, []behaviour{
		{"Q34 what a message must carry", func(t *testing.T, c *client) {
			u := c.create("q.fifo", attrs{"FifoQueue": "true"})
			_, err := c.trySend(u, "x", dedup("d"))
			wantCode(t, err, "MissingParameter", "MessageGroupId")
			_, err = c.trySend(u, "x", group("A"))
			wantCode(t, err, "InvalidParameterValue", "ContentBasedDeduplication")
			for _, bad := range []string{"a b", "é", fmt.Sprintf("%0129d", 0)} {
				_, err = c.trySend(u, "x", group(bad), dedup("d"))
				wantCode(t, err, "InvalidParameterValue", "MessageGroupId")
				_, err = c.trySend(u, "x", group("A"), dedup(bad))
				wantCode(t, err, "InvalidParameterValue", "MessageDeduplicationId")
			}
			c.wantCounts(u, sqs.Counts{})
		}},
		{"Q35 order, and a group in flight blocks itself alone", func(t *testing.T, c *client) {
			u := c.create("q.fifo", fifo())
			for i := range 3 {
				c.send(u, fmt.Sprint("a", i), group("A"))
			}
			c.send(u, "b0", group("B"))
			m := c.one(u)
			equal(t, "head", []string{*m.Body, m.Attributes["MessageGroupId"]}, []string{"a0", "A"})
			c.wantBodies(u, "b0")
			c.wantBodies(u)
			c.must(c.delete(u, m))
			ms := c.wantBodies(u, "a1", "a2")
			c.must(c.delete(u, ms[1]))
			c.wantBodies(u)
			c.must(c.hide(u, ms[0], 0))
			c.wantBodies(u, "a1")
		}},
		{"Q35 a receive fills up from several groups, and no group starves another", func(t *testing.T, c *client) {
			u := c.create("q.fifo", fifo("VisibilityTimeout", "5"))
			for i := range 30 {
				c.send(u, fmt.Sprint("a", i), group("A"))
			}
			c.send(u, "b0", group("B"))
			c.send(u, "c0", group("C"))
			for _, m := range c.receive(u, 9, 0) {
				equal(t, "group", m.Attributes["MessageGroupId"], "A")
			}
			time.Sleep(5 * time.Second)
			c.wantBodies(u, "b0", "c0", "a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7")
		}},
		{"Q36 a timeout brings the same head back first", func(t *testing.T, c *client) {
			u := c.create("q.fifo", fifo("VisibilityTimeout", "2"))
			c.send(u, "1", group("A"))
			c.send(u, "2", group("A"))
			c.one(u)
			c.wantBodies(u)
			took(t, 2*time.Second, func() {
				ms := c.receive(u, 10, 20)
				equal(t, "bodies", []string{*ms[0].Body, *ms[1].Body}, []string{"1", "2"})
				equal(t, "receive counts", []string{ms[0].Attributes["ApproximateReceiveCount"], ms[1].Attributes["ApproximateReceiveCount"]}, []string{"2", "1"})
			})
		}},
		{"Q37 deduplication for five minutes, deleted or not", testDeduplication},
		{"Q37 the scope of deduplication", testDeduplicationScope},
		{"Q38 what is wrong in a batch fails alone, order stays", func(t *testing.T, c *client) {
			u := c.create("q.fifo", fifo())
			_, err := c.trySend(u, "x", group("A"), delay(5))
			wantCode(t, err, "InvalidParameterValue", "not valid for this queue type")
			with := func(e types.SendMessageBatchRequestEntry, g string) types.SendMessageBatchRequestEntry {
				e.MessageGroupId = &g
				return e
			}
			out, err := c.sendBatch(u, with(entry("1", "a"), "A"), entry("2", "b"), with(entry("3", "c"), "A"), with(entry("4", "a"), "A"))
			c.must(err)
			equal(t, "failed", []any{len(out.Failed), *out.Failed[0].Id, *out.Failed[0].Code}, []any{1, "2", "MissingParameter"})
			equal(t, "duplicate in one batch", *out.Successful[2].MessageId, *out.Successful[0].MessageId)
			c.wantBodies(u, "a", "c")
		}},
		{"Q40 a handle ends with its visibility timeout", func(t *testing.T, c *client) {
			u := c.create("q.fifo", fifo("VisibilityTimeout", "1"))
			c.send(u, "x", group("A"))
			old := c.one(u)
			time.Sleep(time.Second)
			wantCode(t, c.delete(u, old), "InvalidParameterValue", "The receipt handle has expired")
			wantCode(t, c.hide(u, old, 5), "InvalidParameterValue", "The receipt handle has expired")
			current := c.one(u)
			wantCode(t, c.delete(u, old), "InvalidParameterValue", "The receipt handle has expired")
			c.must(c.delete(u, current))
			c.must(c.delete(u, current))
			c.must(c.delete(u, old))
			c.wantCounts(u, sqs.Counts{})
		}},
		{"retention ends what blocks a group", func(t *testing.T, c *client) {
			u := c.create("q.fifo", fifo("MessageRetentionPeriod", "60", "VisibilityTimeout", "43200"))
			c.send(u, "old", group("A"))
			time.Sleep(time.Second)
			c.send(u, "young", group("A"))
			m := c.one(u)
			took(t, 59*time.Second, func() {
				ms, err := c.server.Receive(c.ctx, u, 10, time.Hour)
				c.must(err)
				equal(t, "received", []any{len(ms), ms[0].Body}, []any{1, "young"})
			})
			c.must(c.delete(u, m))
		}},
	})
}

func testDeduplication(t *testing.T, c *client) {
	u := c.create("q.fifo", fifo())
	drain := func(want ...string) {
		t.Helper()
		for _, m := range c.wantBodies(u, want...) {
			c.must(c.delete(u, m))
		}
	}
	first := c.send(u, "same", group("A"))
	second := c.send(u, "same", group("A"))
	other := c.send(u, "other", group("A"))
	equal(t, "duplicate", []string{*second.MessageId, *second.SequenceNumber}, []string{*first.MessageId, *first.SequenceNumber})
	if len(*first.SequenceNumber) != 20 || len(*other.SequenceNumber) != 20 || *other.SequenceNumber <= *first.SequenceNumber {
		t.Fatalf("sequence numbers %s, %s", *first.SequenceNumber, *other.SequenceNumber)
	}
	c.send(u, "x1", group("A"), dedup("d"))
	equal(t, "digest is of what was sent", *c.send(u, "x2", group("A"), dedup("d")).MD5OfMessageBody, "8e683187a00e5d462a4aeee69e9d3d9c")
	drain("same", "other", "x1")

	time.Sleep(5*time.Minute - time.Nanosecond)
	c.send(u, "same", group("A"))
	c.send(u, "x3", group("A"), dedup("d"))
	drain()
	time.Sleep(time.Nanosecond)
	c.send(u, "x4", group("A"), dedup("d"))
	m := c.one(u)
	equal(t, "after five minutes", []string{*m.Body, m.Attributes["MessageDeduplicationId"]}, []string{"x4", "d"})
}

func testDeduplicationScope(t *testing.T, c *client) {
	u := c.create("q.fifo", fifo())
	send := func(g string) string { return *c.send(u, "x", group(g), dedup("d")).MessageId }
	set := func(scope string) {
		_, err := c.sdk.SetQueueAttributes(c.ctx, &awssqs.SetQueueAttributesInput{QueueUrl: &u, Attributes: attrs{"DeduplicationScope": scope}})
		c.must(err)
	}
	a := send("A")
	equal(t, "by queue", send("B"), a)
	set("messageGroup")
	equal(t, "by group, the same", send("A"), a)
	b := send("B")
	if a == b {
		t.Fatal("another group's message was taken for a duplicate")
	}
	set("queue")
	equal(t, "by queue again", send("C"), b)
	c.wantCounts(u, sqs.Counts{Visible: 2})
}
