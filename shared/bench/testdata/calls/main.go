// Command calls is a Lambda function that makes the two calls to AWS that the intake makes for an event, and does nothing
// else: what an event costs before any of our code has looked at it.
package main

import (
	"context"
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
	if _, err := h.db.Query(ctx, h.query); err != nil {
		return nil, err
	}
	invocation, _ := lambdacontext.FromContext(ctx)
	_, err := h.queue.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &h.url, Entries: []types.SendMessageBatchRequestEntry{{
		Id: aws.String("0"), MessageBody: aws.String(string(payload)), MessageGroupId: aws.String("floor"),
		MessageDeduplicationId: &invocation.AwsRequestID}}})
	return []byte("{}"), err
}

func main() {
	c, err := awsclient.Load()
	if err != nil {
		log.Fatal(err)
	}
	lambda.Start(handler{db: dynamodb.NewFromConfig(c), queue: sqs.NewFromConfig(c), url: os.Getenv("QUEUE_URL"),
		query: &dynamodb.QueryInput{TableName: aws.String(os.Getenv("TABLE_NAME")),
			KeyConditionExpression: aws.String("pk = :account AND begins_with(sk, :prefix)"),
			ExpressionAttributeValues: map[string]dynamodbtypes.AttributeValue{
				":account": &dynamodbtypes.AttributeValueMemberS{Value: os.Getenv("ACCOUNT")},
				":prefix":  &dynamodbtypes.AttributeValueMemberS{Value: "CONNECTION#"}}}})
}
