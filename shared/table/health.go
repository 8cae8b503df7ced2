package table

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/nethouse-academy/albato/shared/connection"
	"github.com/nethouse-academy/albato/shared/delivery"
)

// SaveHealth: see delivery.Gate. The condition keeps the token from undoing what a person did since it looked (generation),
// and with exact from calling a connection healthy, or an event alone, while something was held behind its back.
func (t *Table) SaveHealth(ctx context.Context, read connection.Connection, health connection.Health, exact bool) error {
	was := connectionItem(read)
	is := item{}
	is.setHealth(health)
	var u expression.UpdateBuilder
	for _, name := range healthAttributes {
		u = set(u, is, name)
	}
	condition := sameAs("generation", was).And(sameAs("state", was))
	if exact {
		condition = condition.And(sameAs("held_through", was))
	}
	return t.updateHealth(ctx, read, u, condition)
}

// TokenSent: see delivery.Gate.
func (t *Table) TokenSent(ctx context.Context, read connection.Connection, at time.Time) error {
	was, is := connectionItem(read), item{}
	is.setTime("token_sent_at", at)
	err := t.updateHealth(ctx, read, set(expression.UpdateBuilder{}, is, "token_sent_at"),
		sameAs("generation", was).And(sameAs("state", was)))
	if err == delivery.ErrMoved {
		return nil
	}
	return err
}

func (t *Table) updateHealth(ctx context.Context, c connection.Connection, u expression.UpdateBuilder, condition expression.ConditionBuilder) error {
	e, err := expression.NewBuilder().WithUpdate(u).WithCondition(condition).Build()
	if err != nil {
		return err
	}
	_, err = t.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: &t.name, Key: connectionKey(c.AccountID, c.ID),
		UpdateExpression: e.Update(), ConditionExpression: e.Condition(),
		ExpressionAttributeNames: e.Names(), ExpressionAttributeValues: e.Values()})
	if isConditionFailed(err) {
		return delivery.ErrMoved
	}
	return err
}

// Hold: see delivery.Line. That the line and held_through move together, and only while the connection is as it was read,
// is what lets the token know that nothing waits: a connection that has just become healthy, was switched off or got a
// new link fails the condition, and its messages are looked at again.
func (t *Table) Hold(ctx context.Context, h delivery.Hold) error {
	was, is := connectionItem(h.Read), item{}
	through := h.Deliveries[len(h.Deliveries)-1].Sequence
	is.setText("held_through", string(max(through, h.Read.Health.HeldThrough)))
	u := set(expression.UpdateBuilder{}, is, "held_through")
	if h.Turn != nil {
		is.setHealth(*h.Turn)
		for _, name := range healthAttributes {
			u = set(u, is, name)
		}
	} else if !h.Wake.IsZero() {
		is.setTime("next_attempt_at", h.Wake)
		u = set(set(u, is, "next_attempt_at"), is, "alone")
	}
	condition := sameAs("generation", was).And(sameAs("state", was), sameAs("held_through", was))
	e, err := expression.NewBuilder().WithUpdate(u).WithCondition(condition).Build()
	if err != nil {
		return err
	}
	items := []types.TransactWriteItem{{Update: &types.Update{TableName: &t.name, Key: connectionKey(h.Read.AccountID, h.Read.ID),
		UpdateExpression: e.Update(), ConditionExpression: e.Condition(),
		ExpressionAttributeNames: e.Names(), ExpressionAttributeValues: e.Values()}}}
	for _, d := range h.Deliveries {
		items = append(items, types.TransactWriteItem{Put: &types.Put{TableName: &t.name, Item: deliveryItem(d)}},
			types.TransactWriteItem{Put: &types.Put{TableName: &t.name, Item: waitingItem(d)}})
	}
	reasons, err := t.transact(ctx, items)
	if err != nil {
		return err
	}
	if reasons != nil {
		return delivery.ErrMoved
	}
	return nil
}
