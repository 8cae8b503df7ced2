package table

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/nethouse-academy/albato/shared/connection"
)

// EraseOrder deletes what is stored of one order in all connections of an account, switched off and deleted ones too:
// log entries with their bodies, and their places in the line. It gives the number of entries deleted, also with an error,
// after which the same call goes on.
func (t *Table) EraseOrder(ctx context.Context, account, order string) (erased int, err error) {
	all, err := t.AllConnections(ctx, account)
	if err != nil {
		return 0, err
	}
	for _, c := range all {
		n, err := t.eraseOrderOf(ctx, c.ID, order)
		erased += n
		if err != nil {
			return erased, err
		}
	}
	return erased, nil
}

// eraseOrderOf reads the connection's whole partition: nothing is sorted by order, and erasure is asked for rarely.
func (t *Table) eraseOrderOf(ctx context.Context, connectionID, order string) (erased int, err error) {
	e, err := expression.NewBuilder().
		WithKeyCondition(expression.Key("pk").Equal(expression.Value(connectionPrefix + connectionID))).
		WithFilter(expression.Name("order_id").Equal(expression.Value(order))).
		WithProjection(names([]string{"pk", "sk"})).Build()
	if err != nil {
		return 0, err
	}
	q := &dynamodb.QueryInput{TableName: &t.name, ConsistentRead: aws.Bool(true),
		KeyConditionExpression: e.KeyCondition(), FilterExpression: e.Filter(), ProjectionExpression: e.Projection(),
		ExpressionAttributeNames: e.Names(), ExpressionAttributeValues: e.Values()}
	for {
		page, err := t.db.Query(ctx, q)
		if err != nil {
			return erased, err
		}
		writes := make([]types.WriteRequest, len(page.Items))
		for n, i := range page.Items {
			writes[n].DeleteRequest = &types.DeleteRequest{Key: i}
		}
		if err := t.batchWrite(ctx, writes); err != nil {
			return erased, err
		}
		for _, i := range page.Items {
			if strings.HasPrefix(item(i).text("sk"), deliveryPrefix) {
				erased++
			}
		}
		if q.ExclusiveStartKey = page.LastEvaluatedKey; len(q.ExclusiveStartKey) == 0 {
			return erased, nil
		}
	}
}

// AllConnections lists an account's connections, those marked as deleted too, consistently.
func (t *Table) AllConnections(ctx context.Context, account string) ([]connection.Connection, error) {
	return t.connections(ctx, account, true)
}

// ForgetAccount deletes the account's own item, if no connection is left in it.
func (t *Table) ForgetAccount(ctx context.Context, account string) error {
	n := expression.Name("connections")
	e, err := expression.NewBuilder().WithCondition(expression.Or(expression.AttributeNotExists(n), n.LessThanEqual(expression.Value(0)))).Build()
	if err != nil {
		return err
	}
	_, err = t.db.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &t.name, Key: key(accountPrefix+account, "ACCOUNT"),
		ConditionExpression: e.Condition(), ExpressionAttributeNames: e.Names(), ExpressionAttributeValues: e.Values()})
	if isConditionFailed(err) {
		return nil // somebody has made a connection meanwhile
	}
	return err
}
