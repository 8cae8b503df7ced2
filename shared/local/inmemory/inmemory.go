// Package inmemory gives tests the real AWS clients over the in-memory DynamoDB and SQS, without a socket: every call goes
// through the whole SDK and the whole protocol, takes no real time, and works inside a testing/synctest bubble.
package inmemory

import (
	"bytes"
	"context"
	"io"
	"net/http"
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
}

// New makes the services. now is their clock, nil for the real one.
func New(now func() time.Time, visibility time.Duration) (*Services, error) {
	if now == nil {
		now = time.Now
	}
	s := &Services{DynamoDB: dynamodb.New(dynamodb.Options{Now: now}), SQS: sqs.New(sqs.Options{Now: now, BaseURL: "http://sqs.local"})}
	_, err := s.DB(nil).CreateTable(context.Background(), &awsdynamodb.CreateTableInput{TableName: aws.String(TableName),
		BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String("sk"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema: []types.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash},
			{AttributeName: aws.String("sk"), KeyType: types.KeyTypeRange}}})
	if err != nil {
		return nil, err
	}
	for name, url := range map[string]*string{"deliveries.fifo": &s.Deliveries, "retries.fifo": &s.Retries, "dead-letters.fifo": &s.DeadLetters} {
		out, err := s.Queues(nil).CreateQueue(context.Background(), &awssqs.CreateQueueInput{QueueName: aws.String(name),
			Attributes: map[string]string{"FifoQueue": "true", "DeduplicationScope": "messageGroup",
				"FifoThroughputLimit": "perMessageGroupId", "VisibilityTimeout": seconds(visibility)}})
		if err != nil {
			return nil, err
		}
		*url = *out.QueueUrl
	}
	return s, nil
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
		BaseEndpoint: aws.String("http://dynamodb.local"), HTTPClient: client(s.DynamoDB, wrap)})
}

// Queues gives a client; wrap as in DB.
func (s *Services) Queues(wrap func(http.RoundTripper) http.RoundTripper) *awssqs.Client {
	return awssqs.New(awssqs.Options{Region: "us-east-1", Credentials: fictitious, Retryer: aws.NopRetryer{},
		BaseEndpoint: aws.String("http://sqs.local"), HTTPClient: client(s.SQS, wrap)})
}

var fictitious = credentials.NewStaticCredentialsProvider("AKIDLOCAL", "local", "")

func client(h http.Handler, wrap func(http.RoundTripper) http.RoundTripper) *http.Client {
	var t http.RoundTripper = Transport{h}
	if wrap != nil {
		t = wrap(t)
	}
	return &http.Client{Transport: t}
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
