// Package inmemory gives tests the real AWS clients over the in-memory DynamoDB and SQS, without a socket: every call goes
// through the whole SDK and the whole protocol, takes no real time, and works inside a testing/synctest bubble.
package inmemory

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/nethouse-academy/albato/shared/local/dynamodb"
	"github.com/nethouse-academy/albato/shared/local/sqs"
)

// TableName is the table that New makes.
const TableName = "table"

// Services are an in-memory DynamoDB with the project's table, and an in-memory SQS with its queues.
type Services struct {
	DynamoDB *dynamodb.Server
	SQS      *sqs.Server

	// URLs of the queues.
	Deliveries, Retries, DeadLetters string

	// Addresses of other services to use instead, empty for those in memory.
	dynamodb, sqs string
}

// New makes the services. now is their clock, nil for the real one.
//
// With the environment variables TEST_DYNAMODB_ENDPOINT and TEST_SQS_ENDPOINT the clients speak to services that listen
// there instead, over real HTTP, so that the same tests show whether others' DynamoDB and SQS agree with ours. The table and
// the queues are then made anew each time, so one test at a time may use such a service; DynamoDB and SQS are idle, count
// nothing, and now is not that service's clock.
func New(now func() time.Time, visibility time.Duration) (*Services, error) {
	if now == nil {
		now = time.Now
	}
	s := &Services{DynamoDB: dynamodb.New(dynamodb.Options{Now: now}), SQS: sqs.New(sqs.Options{Now: now, BaseURL: "http://sqs.local"}),
		dynamodb: os.Getenv("TEST_DYNAMODB_ENDPOINT"), sqs: os.Getenv("TEST_SQS_ENDPOINT")}
	if err := s.createTable(context.Background()); err != nil {
		return nil, err
	}
	for name, url := range map[string]*string{"deliveries.fifo": &s.Deliveries, "retries.fifo": &s.Retries, "dead-letters.fifo": &s.DeadLetters} {
		if err := s.createQueue(context.Background(), name, visibility, url); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *Services) createTable(ctx context.Context) error {
	db := s.DB(nil)
	if s.dynamodb != "" {
		_, err := db.DeleteTable(ctx, &awsdynamodb.DeleteTableInput{TableName: aws.String(TableName)})
		if absent := (*types.ResourceNotFoundException)(nil); err != nil && !errors.As(err, &absent) {
			return err
		}
	}
	_, err := db.CreateTable(ctx, &awsdynamodb.CreateTableInput{TableName: aws.String(TableName),
		BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String("sk"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema: []types.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash},
			{AttributeName: aws.String("sk"), KeyType: types.KeyTypeRange}}})
	return err
}

func (s *Services) createQueue(ctx context.Context, name string, visibility time.Duration, url *string) error {
	queues := s.Queues(nil)
	if s.sqs != "" {
		if old, err := queues.GetQueueUrl(ctx, &awssqs.GetQueueUrlInput{QueueName: &name}); err == nil {
			if _, err := queues.DeleteQueue(ctx, &awssqs.DeleteQueueInput{QueueUrl: old.QueueUrl}); err != nil {
				return err
			}
		}
	}
	out, err := queues.CreateQueue(ctx, &awssqs.CreateQueueInput{QueueName: &name,
		Attributes: map[string]string{"FifoQueue": "true", "DeduplicationScope": "messageGroup",
			"FifoThroughputLimit": "perMessageGroupId", "VisibilityTimeout": seconds(visibility)}})
	if err == nil {
		*url = *out.QueueUrl
	}
	return err
}

func seconds(d time.Duration) string {
	if d == 0 {
		d = 2 * time.Minute
	}
	return strconv.Itoa(int(d.Seconds()))
}

// DB gives a client; wrap, if not nil, stands between the client and the service, for faults and delays.
func (s *Services) DB(wrap func(http.RoundTripper) http.RoundTripper) *awsdynamodb.Client {
	return awsdynamodb.New(awsdynamodb.Options{Region: "us-east-1", Credentials: fictitious, Retryer: aws.NopRetryer{},
		BaseEndpoint: aws.String(cmp.Or(s.dynamodb, "http://dynamodb.local")), HTTPClient: client(s.DynamoDB, s.dynamodb, wrap)})
}

// Queues gives a client; wrap as in DB.
func (s *Services) Queues(wrap func(http.RoundTripper) http.RoundTripper) *awssqs.Client {
	return awssqs.New(awssqs.Options{Region: "us-east-1", Credentials: fictitious, Retryer: aws.NopRetryer{},
		BaseEndpoint: aws.String(cmp.Or(s.sqs, "http://sqs.local")), HTTPClient: client(s.SQS, s.sqs, wrap)})
}

var fictitious = credentials.NewStaticCredentialsProvider("AKIDLOCAL", "local", "")

func client(h http.Handler, elsewhere string, wrap func(http.RoundTripper) http.RoundTripper) *http.Client {
	var t http.RoundTripper = Transport{h}
	if elsewhere != "" {
		// One that serves a single connection at a time must not be kept waiting by an idle one.
		t = whole{&http.Transport{DisableKeepAlives: true}}
	}
	if wrap != nil {
		t = wrap(t)
	}
	return &http.Client{Transport: t}
}

// whole reads an answer to its end before it hands it on: emulators close connections at odd moments.
type whole struct{ next http.RoundTripper }

func (w whole) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := w.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response, nil
}

// Transport answers requests by calling a handler.
type Transport struct{ Handler http.Handler }

// RoundTrip calls the handler in the caller's goroutine.
func (t Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	if r.Body == nil {
		r.Body = http.NoBody
	}
	w := &answer{header: http.Header{}, status: http.StatusOK}
	t.Handler.ServeHTTP(w, r)
	_ = r.Body.Close()
	return &http.Response{StatusCode: w.status, Status: http.StatusText(w.status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.header, Body: io.NopCloser(bytes.NewReader(w.body.Bytes())), ContentLength: int64(w.body.Len()), Request: r}, nil
}

// answer is an http.ResponseWriter in memory.
type answer struct {
	header http.Header
	body   bytes.Buffer
	status int
	wrote  bool
}

func (w *answer) Header() http.Header { return w.header }

func (w *answer) WriteHeader(status int) {
	if !w.wrote {
		w.status, w.wrote = status, true
	}
}

func (w *answer) Write(b []byte) (int, error) {
	w.wrote = true
	return w.body.Write(b)
}
