package table

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/nethouse-academy/albato/shared/connection"
)

// EraseOrder deletes what is stored of one order in all connections of an account, switched off and deleted ones too:
// log entries with their bodies, and their places in the line. It gives the number of entries deleted. When ctx ends
// first, the place where it stopped is kept for an hour, and the same call goes on from there.
func (t *Table) EraseOrder(ctx context.Context, account, order string) (erased int, err error) {
	all, err := t.AllConnections(ctx, account)
	if err != nil {
		return 0, err
	}
	mark := erasureKey(account, order)
	begun, err := t.db.GetItem(ctx, &dynamodb.GetItemInput{TableName: &t.name, Key: mark, ConsistentRead: aws.Bool(true)})
	if err != nil {
		return 0, err
	}
	at := place{}
	if !t.expired(begun.Item) {
		at = place{item(begun.Item).text("connection_id"), item(begun.Item).text("at")}
	}
	for _, c := range all {
		if c.ID < at.connection {
			continue // connections are listed by their ids
		}
		if c.ID > at.connection {
			at = place{connection: c.ID}
		}
		n, err := t.eraseOrderOf(ctx, &at, order)
		if erased += n; err != nil {
			return erased, errors.Join(err, t.keepPlace(ctx, mark, at))
		}
	}
	if len(begun.Item) > 0 {
		_, err = t.db.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &t.name, Key: mark})
	}
	return erased, err
}

// place is how far an erasure has come: a connection, and the last sort key of it that was looked at.
type place struct{ connection, sk string }

// erasureKey does not repeat the order's id: it is to be forgotten.
func erasureKey(account, order string) item {
	sum := sha256.Sum256([]byte(order))
	return key(accountPrefix+account, erasurePrefix+hex.EncodeToString(sum[:]))
}

// keepPlace has a moment of its own, since the caller's time is up.
func (t *Table) keepPlace(ctx context.Context, mark item, at place) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	mark.setText("connection_id", at.connection)
	mark.setText("at", at.sk)
	mark.setNumber("expires_at", t.now().Add(time.Hour).Unix())
	_, err := t.db.PutItem(ctx, &dynamodb.PutItemInput{TableName: &t.name, Item: mark})
	return err
}

// eraseOrderOf reads a connection's whole partition: nothing is sorted by order, and erasure is asked for rarely.
func (t *Table) eraseOrderOf(ctx context.Context, at *place, order string) (erased int, err error) {
	e, err := expression.NewBuilder().
		WithKeyCondition(expression.Key("pk").Equal(expression.Value(connectionPrefix + at.connection))).
		WithFilter(expression.Name("order_id").Equal(expression.Value(order))).
		WithProjection(names([]string{"pk", "sk"})).Build()
	if err != nil {
		return 0, err
	}
	q := &dynamodb.QueryInput{TableName: &t.name, ConsistentRead: aws.Bool(true),
		KeyConditionExpression: e.KeyCondition(), FilterExpression: e.Filter(), ProjectionExpression: e.Projection(),
		ExpressionAttributeNames: e.Names(), ExpressionAttributeValues: e.Values()}
	if at.sk != "" {
		q.ExclusiveStartKey = key(connectionPrefix+at.connection, at.sk)
	}
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
		at.sk = item(q.ExclusiveStartKey).text("sk")
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
