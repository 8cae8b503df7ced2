// Command calls is a Lambda function that makes the two calls to AWS that the intake makes for an event, and does nothing
// else: what an event costs before any of our code has looked at it.
package main

import (
	"context"
	"errors"
	"log"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/nethouse-academy/albato/shared/awsclient"
)

type handler struct {
	query *dynamodb.QueryInput
	db    *dynamodb.Client
	queue *sqs.Client
	url   string
}

// Invoke reads the connections of an account and queues the payload.
func (h handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	found, err := h.db.Query(ctx, h.query)
	if err != nil {
		return nil, err
	}
	invocation, _ := lambdacontext.FromContext(ctx)
	queued, err := h.queue.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &h.url, Entries: []types.SendMessageBatchRequestEntry{{
		Id: aws.String("0"), MessageBody: aws.String(string(payload)), MessageGroupId: aws.String("floor"),
		MessageDeduplicationId: &invocation.AwsRequestID}}})
	if err != nil {
		return nil, err
	}
	if len(found.Items) != 1 || len(queued.Successful) != 1 {
		return nil, errors.New("what should be there is not, or was not queued")
	}
	return []byte("{}"), nil
}

func main() {
	c, err := awsclient.Load()
	if err != nil {
		log.Fatal(err)
	}
	lambda.Start(handler{db: dynamodb.NewFromConfig(c), queue: sqs.NewFromConfig(c), url: os.Getenv("QUEUE_URL"),
		query: &dynamodb.QueryInput{TableName: aws.String(os.Getenv("TABLE_NAME")),
			KeyConditionExpression: aws.String("pk = :partition AND begins_with(sk, :prefix)"),
			ExpressionAttributeValues: map[string]dynamodbtypes.AttributeValue{
				":partition": &dynamodbtypes.AttributeValueMemberS{Value: os.Getenv("PARTITION")},
				":prefix":    &dynamodbtypes.AttributeValueMemberS{Value: "CONNECTION#"}}}})
}
