package sqs_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/nethouse-academy/albato/shared/local/sqs"
)

func TestQueues(t *testing.T) {
	run(t, []behaviour{
		{"Q01 attributes are read back, defaults are those of AWS", testAttributes},
		{"Q02 creating again", func(t *testing.T, c *client) {
			first := c.create("q", attrs{"VisibilityTimeout": "5"})
			equal(t, "same again", c.create("q", attrs{"VisibilityTimeout": "5"}), first)
			equal(t, "without attributes", c.create("q", nil), first)
			wantCode(t, c.createFails("q", attrs{"VisibilityTimeout": "6"}), "QueueAlreadyExists", "VisibilityTimeout")
		}},
		{"Q03 GetQueueUrl, ListQueues by prefix and page", func(t *testing.T, c *client) {
			a1, a2, b := c.create("a1", nil), c.create("a2", nil), c.create("b", nil)
			got, err := c.sdk.GetQueueUrl(c.ctx, &awssqs.GetQueueUrlInput{QueueName: ptr("b")})
			c.must(err)
			equal(t, "URL", *got.QueueUrl, b)
			list, err := c.sdk.ListQueues(c.ctx, &awssqs.ListQueuesInput{QueueNamePrefix: ptr("a")})
			c.must(err)
			equal(t, "prefix", list.QueueUrls, []string{a1, a2})
			var pages [][]string
			for p := awssqs.NewListQueuesPaginator(c.sdk, &awssqs.ListQueuesInput{MaxResults: ptr(int32(2))}); p.HasMorePages(); {
				page, err := p.NextPage(c.ctx)
				c.must(err)
				pages = append(pages, page.QueueUrls)
			}
			equal(t, "pages", pages, [][]string{{a1, a2}, {b}})
		}},
		{"Q04 a queue that is not there", func(t *testing.T, c *client) {
			gone := c.create("q", nil) + "-gone"
			_, err := c.sdk.GetQueueUrl(c.ctx, &awssqs.GetQueueUrlInput{QueueName: ptr("none")})
			if typed := new(types.QueueDoesNotExist); !errors.As(err, &typed) {
				t.Fatalf("not typed: %v", err)
			}
			_, err = c.trySend(gone, "x")
			wantCode(t, err, "AWS.SimpleQueueService.NonExistentQueue", "does not exist")
			_, err = c.sdk.ReceiveMessage(c.ctx, &awssqs.ReceiveMessageInput{QueueUrl: &gone})
			wantCode(t, err, "AWS.SimpleQueueService.NonExistentQueue", "")
			wantCode(t, c.delete(gone, types.Message{ReceiptHandle: ptr("x")}), "AWS.SimpleQueueService.NonExistentQueue", "")
			other := strings.Replace(c.create("q", nil), "123456789012", "210987654321", 1)
			_, err = c.trySend(other, "x")
			wantCode(t, err, "AWS.SimpleQueueService.NonExistentQueue", "")
		}},
		{"Q05 the wire shape of an error", func(t *testing.T, c *client) {
			resp, body := raw(c.server, "GetQueueUrl", `{"QueueName":"none"}`)
			equal(t, "status", resp.StatusCode, 400)
			equal(t, "__type", body["__type"], "com.amazonaws.sqs#QueueDoesNotExist")
			equal(t, "message", body["message"], "The specified queue does not exist.")
			equal(t, "query error", resp.Header.Get("x-amzn-query-error"), "AWS.SimpleQueueService.NonExistentQueue;Sender")
			equal(t, "content type", resp.Header.Get("Content-Type"), "application/x-amz-json-1.0")
		}},
		{"Q29 counts of waiting, in flight, delayed", func(t *testing.T, c *client) {
			u := c.create("q", nil)
			for range 4 {
				c.send(u, "v")
			}
			c.send(u, "d", delay(60))
			c.one(u)
			c.wantCounts(u, sqs.Counts{Visible: 3, InFlight: 1, Delayed: 1})
			out, err := c.sdk.GetQueueAttributes(c.ctx, &awssqs.GetQueueAttributesInput{QueueUrl: &u, AttributeNames: []types.QueueAttributeName{
				"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"}})
			c.must(err)
			equal(t, "those asked for only", out.Attributes, attrs{"ApproximateNumberOfMessages": "3",
				"ApproximateNumberOfMessagesNotVisible": "1", "ApproximateNumberOfMessagesDelayed": "1"})
		}},
		{"Q30 PurgeQueue, once a minute", func(t *testing.T, c *client) {
			u := c.create("q", nil)
			purge := func() error {
				_, err := c.sdk.PurgeQueue(c.ctx, &awssqs.PurgeQueueInput{QueueUrl: &u})
				return err
			}
			for range 5 {
				c.send(u, "v")
			}
			c.send(u, "d", delay(1))
			c.one(u)
			c.must(purge())
			c.wantCounts(u, sqs.Counts{})
			wantCode(t, purge(), "AWS.SimpleQueueService.PurgeQueueInProgress", "60 seconds")
			time.Sleep(time.Minute)
			c.wantBodies(u)
			c.must(purge())
		}},
		{"Q31 SetQueueAttributes takes effect; tags", testSetAttributes},
		{"Q32 DeleteQueue; the name is free after a minute", func(t *testing.T, c *client) {
			u := c.create("q", nil)
			c.send(u, "x")
			m := c.one(u)
			_, err := c.sdk.DeleteQueue(c.ctx, &awssqs.DeleteQueueInput{QueueUrl: &u})
			c.must(err)
			_, err = c.trySend(u, "x")
			wantCode(t, err, "AWS.SimpleQueueService.NonExistentQueue", "")
			wantCode(t, c.createFails("q", nil), "AWS.SimpleQueueService.QueueDeletedRecently", "60 seconds")
			time.Sleep(time.Minute)
			c.create("q", nil)
			c.wantCounts(u, sqs.Counts{})
			wantCode(t, c.delete(u, m), "ReceiptHandleIsInvalid", "")
		}},
		{"Q33 names and attributes out of bounds", testBadQueues},
		{"Q43 retention of 60 s and no less", func(t *testing.T, c *client) {
			u := c.create("q", attrs{"MessageRetentionPeriod": "60"})
			wantCode(t, c.createFails("r", attrs{"MessageRetentionPeriod": "59"}), "InvalidAttributeValue", "MessageRetentionPeriod")
			c.send(u, "flying")
			c.send(u, "waiting")
			c.one(u)
			time.Sleep(59 * time.Second)
			c.wantCounts(u, sqs.Counts{Visible: 2})
			time.Sleep(time.Second)
			c.wantBodies(u)
			c.wantCounts(u, sqs.Counts{})
		}},
	})
}

func ptr[T any](v T) *T { return &v }

func testAttributes(t *testing.T, c *client) {
	dead := c.create("dead", nil)
	set := attrs{"VisibilityTimeout": "7", "DelaySeconds": "3", "MessageRetentionPeriod": "1209600", "ReceiveMessageWaitTimeSeconds": "2",
		"MaximumMessageSize": "2048", "KmsMasterKeyId": "alias/aws/sqs", "RedriveAllowPolicy": `{"redrivePermission":"denyAll"}`}
	got := c.attributes(c.create("q", set))
	for k, v := range set {
		equal(t, k, got[k], v)
	}
	for k, v := range (attrs{"VisibilityTimeout": "30", "MessageRetentionPeriod": "345600", "DelaySeconds": "0", "MaximumMessageSize": "1048576",
		"ReceiveMessageWaitTimeSeconds": "0", "QueueArn": "arn:aws:sqs:eu-central-1:123456789012:dead", "CreatedTimestamp": "946684800"}) {
		equal(t, "default "+k, c.attributes(dead)[k], v)
	}
	policy := `{"deadLetterTargetArn":"arn:aws:sqs:eu-central-1:123456789012:dead","maxReceiveCount":"3"}`
	equal(t, "RedrivePolicy", c.attributes(c.create("r", attrs{"RedrivePolicy": policy}))["RedrivePolicy"], strings.Replace(policy, `"3"`, `3`, 1))
	f := c.attributes(c.create("f.fifo", fifo("DeduplicationScope", "messageGroup", "FifoThroughputLimit", "perMessageGroupId")))
	for k, v := range (attrs{"FifoQueue": "true", "ContentBasedDeduplication": "true", "DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId"}) {
		equal(t, k, f[k], v)
	}
}

func testSetAttributes(t *testing.T, c *client) {
	u := c.create("q", nil)
	set := func(url string, a attrs) error {
		_, err := c.sdk.SetQueueAttributes(c.ctx, &awssqs.SetQueueAttributesInput{QueueUrl: &url, Attributes: a})
		return err
	}
	c.must(set(u, attrs{"VisibilityTimeout": "1"}))
	c.send(u, "x")
	c.one(u)
	time.Sleep(time.Second)
	c.one(u)
	wantCode(t, set(u, attrs{"FifoQueue": "true"}), "InvalidAttributeName", "FifoQueue")

	tag := func(k, v string) {
		_, err := c.sdk.TagQueue(c.ctx, &awssqs.TagQueueInput{QueueUrl: &u, Tags: attrs{k: v}})
		c.must(err)
	}
	tag("k", "old")
	tag("l", "2")
	tag("k", "new")
	out, err := c.sdk.ListQueueTags(c.ctx, &awssqs.ListQueueTagsInput{QueueUrl: &u})
	c.must(err)
	equal(t, "tags", out.Tags, attrs{"k": "new", "l": "2"})

	// The delay of a FIFO queue applies to what waits already.
	f := c.create("f.fifo", fifo("DelaySeconds", "100"))
	c.send(f, "1", group("A"))
	c.wantCounts(f, sqs.Counts{Delayed: 1})
	c.must(set(f, attrs{"DelaySeconds": "10"}))
	time.Sleep(10 * time.Second)
	c.wantBodies(f, "1")
}

func testBadQueues(t *testing.T, c *client) {
	for _, b := range []struct {
		name       string
		attributes attrs
		code, says string
	}{
		{"bad name!", nil, "InvalidParameterValue", "alphanumeric"},
		{strings.Repeat("n", 81), nil, "InvalidParameterValue", "80"},
		{"q.fifo", nil, "InvalidParameterValue", "alphanumeric"},
		{"q", attrs{"FifoQueue": "true"}, "InvalidParameterValue", ".fifo"},
		{"q.fifo", attrs{"FifoQueue": "false"}, "InvalidAttributeName", "FifoQueue"},
		{"q", attrs{"ContentBasedDeduplication": "true"}, "InvalidAttributeName", "ContentBasedDeduplication"},
		{"q", attrs{"VisibilityTimeout": "43201"}, "InvalidAttributeValue", "VisibilityTimeout"},
		{"q", attrs{"DelaySeconds": "901"}, "InvalidAttributeValue", "DelaySeconds"},
		{"q", attrs{"MaximumMessageSize": "1023"}, "InvalidAttributeValue", "MaximumMessageSize"},
		{"q", attrs{"ReceiveMessageWaitTimeSeconds": "21"}, "InvalidAttributeValue", "ReceiveMessageWaitTimeSeconds"},
		{"q", attrs{"Colour": "blue"}, "InvalidAttributeName", "Colour"},
		{"q", attrs{"RedrivePolicy": `{"maxReceiveCount":1}`}, "InvalidParameterValue", "deadLetterTargetArn"},
		{"q", attrs{"RedrivePolicy": `{"deadLetterTargetArn":"a","maxReceiveCount":1001}`}, "InvalidParameterValue", "1001"},
		{"q", attrs{"RedriveAllowPolicy": `{"redrivePermission":"sometimes"}`}, "InvalidParameterValue", "unsupported format"},
		{"q.fifo", fifo("FifoThroughputLimit", "perMessageGroupId"), "InvalidAttributeValue", "DeduplicationScope"},
		{"q.fifo", fifo("DeduplicationScope", "galaxy"), "InvalidAttributeValue", "DeduplicationScope"},
	} {
		wantCode(t, c.createFails(b.name, b.attributes), b.code, b.says)
	}
}
