package table

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/nethouse-academy/albato/shared/connection"
	"github.com/nethouse-academy/albato/shared/delivery"
)

func waitingItem(d delivery.Delivery) item {
	i := waitingKey(d.ConnectionID, d.Sequence)
	i.setText("delivery_id", d.ID)
	i.setText("order_id", d.OrderID)
	i.setNumber("expires_at", unixUp(d.ExpiresAt)) // it is of no use without its entry
	return i
}

// Waiting: see delivery.Line.
func (t *Table) Waiting(ctx context.Context, connectionID string, limit int) ([]delivery.Pointer, error) {
	e, err := expression.NewBuilder().WithKeyCondition(in(connectionID, waitingPrefix)).Build()
	if err != nil {
		return nil, err
	}
	var line []delivery.Pointer
	var start map[string]types.AttributeValue
	for len(line) < limit {
		page, err := t.db.Query(ctx, &dynamodb.QueryInput{TableName: &t.name, ConsistentRead: aws.Bool(true),
			KeyConditionExpression: e.KeyCondition(), ExpressionAttributeNames: e.Names(), ExpressionAttributeValues: e.Values(),
			Limit: aws.Int32(int32(limit - len(line))), ExclusiveStartKey: start}) //nolint:gosec // limits are small constants
		if err != nil {
			return nil, err
		}
		for _, raw := range page.Items {
			i := item(raw)
			// An expired pointer is still taken out of the line by the token, which finds no entry for it.
			line = append(line, delivery.Pointer{Sequence: connection.Sequence(strings.TrimPrefix(i.text("sk"), waitingPrefix)),
				DeliveryID: i.text("delivery_id"), OrderID: i.text("order_id")})
		}
		if start = page.LastEvaluatedKey; len(start) == 0 {
			break
		}
	}
	return line, nil
}

// Dequeue: see delivery.Line.
func (t *Table) Dequeue(ctx context.Context, connectionID string, sequences []connection.Sequence) error {
	writes := make([]types.WriteRequest, len(sequences))
	for n, s := range sequences {
		writes[n].DeleteRequest = &types.DeleteRequest{Key: waitingKey(connectionID, s)}
	}
	return t.batchWrite(ctx, writes)
}

// in is the key condition for all of one kind in a connection's partition.
func in(connectionID, prefix string) expression.KeyConditionBuilder {
	return expression.KeyAnd(expression.Key("pk").Equal(expression.Value(connectionPrefix+connectionID)),
		expression.Key("sk").BeginsWith(prefix))
}

// Erase: see delivery.Eraser.
func (t *Table) Erase(ctx context.Context, c connection.Connection) (more bool, err error) {
	e, err := expression.NewBuilder().
		WithKeyCondition(expression.Key("pk").Equal(expression.Value(connectionPrefix + c.ID))).
		WithProjection(expression.NamesList(expression.Name("pk"), expression.Name("sk"))).Build()
	if err != nil {
		return false, err
	}
	page, err := t.db.Query(ctx, &dynamodb.QueryInput{TableName: &t.name, ConsistentRead: aws.Bool(true), Limit: aws.Int32(100),
		KeyConditionExpression: e.KeyCondition(), ProjectionExpression: e.Projection(),
		ExpressionAttributeNames: e.Names(), ExpressionAttributeValues: e.Values()})
	if err != nil {
		return false, err
	}
	writes := make([]types.WriteRequest, len(page.Items))
	for n, i := range page.Items {
		writes[n].DeleteRequest = &types.DeleteRequest{Key: i}
	}
	return len(page.LastEvaluatedKey) > 0, t.batchWrite(ctx, writes)
}

// Forget: see delivery.Eraser.
func (t *Table) Forget(ctx context.Context, c connection.Connection) error {
	_, err := t.db.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &t.name, Key: connectionKey(c.AccountID, c.ID)})
	return err
}
