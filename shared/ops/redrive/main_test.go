package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/nethouse-academy/albato/shared/local/inmemory"
	"github.com/nethouse-academy/albato/shared/local/sqs"
)

// TestLettersGoBack fills a dead-letter queue as SQS does, counts, and moves: only when confirmed, and in their order.
func TestLettersGoBack(t *testing.T) {
	ctx := t.Context()
	server := sqs.New(sqs.Options{})
	client := awssqs.New(awssqs.Options{Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""),
		BaseEndpoint: aws.String("http://sqs.local"), HTTPClient: &http.Client{Transport: inmemory.Transport{Handler: server}}})
	create := func(name string, more map[string]string) string {
		attributes := map[string]string{"FifoQueue": "true", "VisibilityTimeout": "0"}
		for k, v := range more {
			attributes[k] = v
		}
		out, err := client.CreateQueue(ctx, &awssqs.CreateQueueInput{QueueName: &name, Attributes: attributes})
		if err != nil {
			t.Fatal(err)
		}
		return *out.QueueUrl
	}
	letters := create("dead-letters.fifo", nil)
	a, err := client.GetQueueAttributes(ctx, &awssqs.GetQueueAttributesInput{QueueUrl: &letters, AttributeNames: []types.QueueAttributeName{"QueueArn"}})
	if err != nil {
		t.Fatal(err)
	}
	source := create("deliveries.fifo", map[string]string{"RedrivePolicy": `{"deadLetterTargetArn":"` + a.Attributes["QueueArn"] + `","maxReceiveCount":"1"}`})
	for _, body := range []string{"one", "two"} {
		if _, err := client.SendMessage(ctx, &awssqs.SendMessageInput{QueueUrl: &source, MessageBody: &body, MessageGroupId: aws.String("con_1"), MessageDeduplicationId: &body}); err != nil {
			t.Fatal(err)
		}
	}
	receive := func(queue string) (bodies []string) {
		out, err := client.ReceiveMessage(ctx, &awssqs.ReceiveMessageInput{QueueUrl: &queue, MaxNumberOfMessages: 10})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range out.Messages {
			bodies = append(bodies, *m.Body)
		}
		return bodies
	}
	for range 3 { // until both were received too often
		receive(source)
	}

	var out strings.Builder
	if err := run(ctx, client, letters, false, &out, time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "dead letters: 2") || !strings.Contains(out.String(), "CONFIRM=yes") {
		t.Errorf("it says %s", out.String())
	}
	if back := receive(source); len(back) != 0 {
		t.Fatalf("%v went back unconfirmed", back)
	}
	out.Reset()
	if err := run(ctx, client, letters, true, &out, time.Millisecond); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	if !strings.Contains(out.String(), "COMPLETED: 2 moved") {
		t.Errorf("it says %s", out.String())
	}
	if back := receive(source); len(back) != 2 || back[0] != "one" || back[1] != "two" {
		t.Errorf("%v went back", back)
	}
	out.Reset()
	if err := run(ctx, client, letters, true, &out, time.Millisecond); err != nil || !strings.Contains(out.String(), "nothing to do") {
		t.Errorf("%v, it says %s", err, out.String())
	}
}
