package sqs_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
	"github.com/nethouse-academy/albato/shared/local/sqs"
)

// behaviour is a case of the service's behaviour, run in a bubble of its own: time
// there costs none. The ids are those of the conformance cases that the stand-in
// is held to; the names say what AWS does.
type behaviour struct {
	name string
	run  func(t *testing.T, c *client)
}

func run(t *testing.T, cases []behaviour) {
	t.Helper()
	for _, b := range cases {
		t.Run(b.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := sqs.New(sqs.Options{Region: "eu-central-1", Account: "123456789012"})
				b.run(t, newClient(t, s, inMemory{s}))
			})
		})
	}
}

// inMemory carries requests to a handler without a socket, so that a bubble's
// clock may run: nothing ever waits for the network.
type inMemory struct{ handler http.Handler }

func (m inMemory) Do(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		r.Body = http.NoBody
	}
	w := httptest.NewRecorder()
	m.handler.ServeHTTP(w, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return w.Result(), nil
}

// client is the real SDK client with the shortest way to say what the cases do.
type client struct {
	t      testing.TB
	ctx    context.Context
	server *sqs.Server
	sdk    *awssqs.Client
}

func newClient(t testing.TB, s *sqs.Server, carrier awssqs.HTTPClient) *client {
	return &client{t: t, ctx: t.Context(), server: s, sdk: awssqs.New(awssqs.Options{
		Region: "eu-central-1", Credentials: credentials.NewStaticCredentialsProvider("id", "key", ""),
		BaseEndpoint: aws.String("http://sqs.test"), HTTPClient: carrier, Retryer: aws.NopRetryer{},
	})}
}

type attrs = map[string]string

func fifo(more ...string) attrs {
	a := attrs{"FifoQueue": "true", "ContentBasedDeduplication": "true"}
	for i := 0; i < len(more); i += 2 {
		a[more[i]] = more[i+1]
	}
	return a
}

func (c *client) create(name string, a attrs) (url string) {
	c.t.Helper()
	out, err := c.sdk.CreateQueue(c.ctx, &awssqs.CreateQueueInput{QueueName: &name, Attributes: a})
	c.must(err)
	return *out.QueueUrl
}

func (c *client) createFails(name string, a attrs) error {
	_, err := c.sdk.CreateQueue(c.ctx, &awssqs.CreateQueueInput{QueueName: &name, Attributes: a})
	return err
}

func (c *client) attributes(url string) attrs {
	c.t.Helper()
	out, err := c.sdk.GetQueueAttributes(c.ctx, &awssqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []types.QueueAttributeName{"All"}})
	c.must(err)
	return out.Attributes
}

func redriveTo(c *client, dead string, max int) string {
	return fmt.Sprintf(`{"deadLetterTargetArn":"%s","maxReceiveCount":%d}`, c.attributes(dead)["QueueArn"], max)
}

type sending = awssqs.SendMessageInput

func group(g string) func(*sending)      { return func(in *sending) { in.MessageGroupId = &g } }
func dedup(id string) func(*sending)     { return func(in *sending) { in.MessageDeduplicationId = &id } }
func delay(seconds int32) func(*sending) { return func(in *sending) { in.DelaySeconds = seconds } }

func (c *client) send(url, body string, with ...func(*sending)) *awssqs.SendMessageOutput {
	c.t.Helper()
	out, err := c.trySend(url, body, with...)
	c.must(err)
	return out
}

func (c *client) trySend(url, body string, with ...func(*sending)) (*awssqs.SendMessageOutput, error) {
	in := &sending{QueueUrl: &url, MessageBody: &body}
	for _, f := range with {
		f(in)
	}
	return c.sdk.SendMessage(c.ctx, in)
}

func (c *client) sendBatch(url string, entries ...types.SendMessageBatchRequestEntry) (*awssqs.SendMessageBatchOutput, error) {
	return c.sdk.SendMessageBatch(c.ctx, &awssqs.SendMessageBatchInput{QueueUrl: &url, Entries: entries})
}

func entry(id, body string) types.SendMessageBatchRequestEntry {
	return types.SendMessageBatchRequestEntry{Id: &id, MessageBody: &body}
}

// receive asks for everything about up to max messages.
func (c *client) receive(url string, max, wait int32) []types.Message {
	c.t.Helper()
	out, err := c.sdk.ReceiveMessage(c.ctx, &awssqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: max, WaitTimeSeconds: wait,
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{"All"}, MessageAttributeNames: []string{"All"}})
	c.must(err)
	return out.Messages
}

// one receives exactly one message, at once.
func (c *client) one(url string) types.Message {
	c.t.Helper()
	ms := c.receive(url, 1, 0)
	if len(ms) != 1 {
		c.t.Fatalf("received %d messages, want 1", len(ms))
	}
	return ms[0]
}

func (c *client) wantBodies(url string, want ...string) []types.Message {
	c.t.Helper()
	ms := c.receive(url, 10, 0)
	got := []string{}
	for _, m := range ms {
		got = append(got, *m.Body)
	}
	if !slices.Equal(got, want) {
		c.t.Fatalf("received %q, want %q", got, want)
	}
	return ms
}

func (c *client) delete(url string, m types.Message) error {
	_, err := c.sdk.DeleteMessage(c.ctx, &awssqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: m.ReceiptHandle})
	return err
}

func (c *client) hide(url string, m types.Message, seconds int32) error {
	_, err := c.sdk.ChangeMessageVisibility(c.ctx, &awssqs.ChangeMessageVisibilityInput{QueueUrl: &url, ReceiptHandle: m.ReceiptHandle, VisibilityTimeout: seconds})
	return err
}

func (c *client) wantCounts(url string, want sqs.Counts) {
	c.t.Helper()
	got, err := c.server.Counts(url)
	c.must(err)
	equal(c.t, "counts", got, want)
}

func (c *client) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

// raw makes a call as it stands, past the SDK.
func raw(s http.Handler, operation, body string) (*http.Response, map[string]any) {
	r := httptest.NewRequest(http.MethodPost, "http://sqs.test/", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	r.Header.Set("X-Amz-Target", "AmazonSQS."+operation)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	out := map[string]any{}
	if err := json.NewDecoder(bytes.NewReader(w.Body.Bytes())).Decode(&out); err != nil {
		panic(fmt.Sprintf("%s: %v in %q", operation, err, w.Body))
	}
	return w.Result(), out
}

// wantCode wants an error of the service with that code, as the SDK shows it, and
// that text in its message.
func wantCode(t testing.TB, err error, code, message string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) {
		t.Fatalf("error %v, want %s", err, code)
	}
	if api.ErrorCode() != code || !strings.Contains(api.ErrorMessage(), message) {
		t.Fatalf("error %s %q, want %s with %q", api.ErrorCode(), api.ErrorMessage(), code, message)
	}
}

func equal(t testing.TB, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%s: %v, want %v", what, got, want)
	}
}

// took wants f to take exactly that long by the bubble's clock.
func took(t testing.TB, want time.Duration, f func()) {
	t.Helper()
	start := time.Now()
	f()
	equal(t, "took", time.Since(start), want)
}
