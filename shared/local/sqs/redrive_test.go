package sqs_test

import (
	"testing"
	"time"

	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/nethouse-academy/albato/shared/local/sqs"
)

func TestRedrive(t *testing.T) {
	run(t, []behaviour{
		{"Q26 after maxReceiveCount the message is a dead letter", func(t *testing.T, c *client) {
			d := c.create("dead", nil)
			u := c.create("q", attrs{"VisibilityTimeout": "1", "RedrivePolicy": redriveTo(c, d, 2)})
			sent := c.send(u, "poison", func(i *sending) {
				i.MessageAttributes = map[string]types.MessageAttributeValue{"a": {DataType: ptr("String"), StringValue: ptr("v")}}
			})
			for range 2 {
				c.one(u)
				time.Sleep(time.Second)
			}
			// A poll that waits at the dead-letter queue is served by the move.
			time.AfterFunc(3*time.Second, func() { c.wantBodies(u) })
			took(t, 3*time.Second, func() {
				m := c.receive(d, 10, 20)[0]
				equal(t, "letter", []string{*m.Body, *m.MessageId, *m.MessageAttributes["a"].StringValue}, []string{"poison", *sent.MessageId, "v"})
				equal(t, "source", m.Attributes["DeadLetterQueueSourceArn"], c.attributes(u)["QueueArn"])
				equal(t, "receives over all queues", m.Attributes["ApproximateReceiveCount"], "3")
			})
			c.wantCounts(u, sqs.Counts{})
		}},
		{"Q27 sources of a dead-letter queue; targets that are refused", func(t *testing.T, c *client) {
			d, f := c.create("dead", nil), c.create("dead.fifo", fifo())
			u := c.create("q", attrs{"RedrivePolicy": redriveTo(c, d, 5)})
			out, err := c.sdk.ListDeadLetterSourceQueues(c.ctx, &awssqs.ListDeadLetterSourceQueuesInput{QueueUrl: &d})
			c.must(err)
			equal(t, "sources", out.QueueUrls, []string{u})
			missing := `{"deadLetterTargetArn":"arn:aws:sqs:eu-central-1:123456789012:missing","maxReceiveCount":5}`
			wantCode(t, c.createFails("r", attrs{"RedrivePolicy": missing}), "InvalidParameterValue", "does not exist")
			wantCode(t, c.createFails("r", attrs{"RedrivePolicy": redriveTo(c, f, 5)}), "InvalidParameterValue", "same type")
			closed := c.create("closed", attrs{"RedriveAllowPolicy": `{"redrivePermission":"byQueue","sourceQueueArns":["arn:aws:sqs:eu-central-1:123456789012:friend"]}`})
			wantCode(t, c.createFails("r", attrs{"RedrivePolicy": redriveTo(c, closed, 5)}), "InvalidParameterValue", "does not allow")
			c.create("friend", attrs{"RedrivePolicy": redriveTo(c, closed, 5)})
		}},
		{"Q28 a move task brings dead letters back as new messages", testMoveTask},
		{"Q39 a FIFO group goes on when its head is moved away", func(t *testing.T, c *client) {
			d := c.create("dead.fifo", fifo())
			u := c.create("q.fifo", fifo("VisibilityTimeout", "1", "RedrivePolicy", redriveTo(c, d, 1)))
			for _, body := range []string{"poison", "next", "last"} {
				c.send(u, body, group("A"))
			}
			sent := c.one(u)
			time.Sleep(time.Second)
			c.wantBodies(u, "next", "last")
			m := c.one(d)
			equal(t, "letter", []string{*m.Body, *m.MessageId, m.Attributes["MessageGroupId"]}, []string{"poison", *sent.MessageId, "A"})
			equal(t, "its deduplication id is its message id", m.Attributes["MessageDeduplicationId"], *sent.MessageId)
			wantCode(t, c.delete(d, sent), "ReceiptHandleIsInvalid", "")
		}},
		{"without its dead-letter queue a message is delivered on", func(t *testing.T, c *client) {
			d := c.create("dead", nil)
			u := c.create("q", attrs{"VisibilityTimeout": "1", "RedrivePolicy": redriveTo(c, d, 1)})
			_, err := c.sdk.DeleteQueue(c.ctx, &awssqs.DeleteQueueInput{QueueUrl: &d})
			c.must(err)
			c.send(u, "x")
			for range 3 {
				c.one(u)
				time.Sleep(time.Second)
			}
		}},
	})
}

func testMoveTask(t *testing.T, c *client) {
	d := c.create("dead.fifo", fifo())
	u := c.create("q.fifo", fifo("VisibilityTimeout", "0", "RedrivePolicy", redriveTo(c, d, 1)))
	v := c.create("other.fifo", fifo())
	start := func(from, to string) (*awssqs.StartMessageMoveTaskOutput, error) {
		in := &awssqs.StartMessageMoveTaskInput{SourceArn: ptr(c.attributes(from)["QueueArn"])}
		if to != "" {
			in.DestinationArn = ptr(c.attributes(to)["QueueArn"])
		}
		return c.sdk.StartMessageMoveTask(c.ctx, in)
	}
	var ids []string
	for _, body := range []string{"1", "2"} {
		ids = append(ids, *c.send(u, body, group("A")).MessageId)
	}
	c.wantBodies(u, "1", "2")
	c.wantBodies(u)
	c.wantCounts(d, sqs.Counts{Visible: 2})
	time.Sleep(time.Minute)

	out, err := start(d, "")
	c.must(err)
	if *out.TaskHandle == "" {
		t.Fatal("no TaskHandle")
	}
	for i, m := range c.wantBodies(u, "1", "2") {
		equal(t, "receive count", m.Attributes["ApproximateReceiveCount"], "1")
		equal(t, "sent anew", m.Attributes["SentTimestamp"], "946684860000")
		if *m.MessageId == ids[i] {
			t.Fatal("AWS gives a redriven message a new id")
		}
	}
	c.wantBodies(u) // dead letters once more
	_, err = start(d, v)
	c.must(err)
	c.wantBodies(v, "1", "2")

	list, err := c.sdk.ListMessageMoveTasks(c.ctx, &awssqs.ListMessageMoveTasksInput{SourceArn: ptr(c.attributes(d)["QueueArn"]), MaxResults: ptr(int32(10))})
	c.must(err)
	equal(t, "tasks", len(list.Results), 2)
	newest := list.Results[0]
	equal(t, "newest", []any{*newest.Status, *newest.DestinationArn, newest.ApproximateNumberOfMessagesMoved},
		[]any{"COMPLETED", c.attributes(v)["QueueArn"], int64(2)})

	_, err = start(u, "")
	wantCode(t, err, "InvalidParameterValue", "Dead Letter Queue")
	_, err = start(d, c.create("standard", nil))
	wantCode(t, err, "InvalidParameterValue", "same type")
}
