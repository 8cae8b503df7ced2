package table

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/nethouse-academy/albato/shared/connection"
	"github.com/nethouse-academy/albato/shared/delivery"
	"github.com/nethouse-academy/albato/shared/event"
	"github.com/nethouse-academy/albato/shared/problem"
	"github.com/nethouse-academy/albato/shared/webhook"
)

func connectionItem(c connection.Connection) item {
	i := item(connectionKey(c.AccountID, c.ID))
	i.setText("name", c.Name)
	i.setText("webhook_url", c.Link.Reveal())
	i.setText("actions", joinActions(c.Actions))
	i.setBool("enabled", c.Enabled)
	i.setText("origin", string(c.Origin))
	i.setNumber("version", c.Version)
	i.setTime("created_at", c.CreatedAt)
	i.setTime("updated_at", c.UpdatedAt)
	i.setText("secret", c.Secret.Reveal())
	i.setText("previous_secret", c.PreviousSecret.Reveal())
	i.setTime("previous_secret_until", c.PreviousSecretUntil)
	i.setBool("deleted", c.Deleted)
	i["generation"] = number(c.Generation) // always there: conditions compare it
	i.setHealth(c.Health)
	i.setText("held_through", string(c.Health.HeldThrough))
	i.setText("skip_through", string(c.Health.SkipThrough))
	return i
}

// setHealth sets what SaveHealth writes: all but the two marks in the line.
func (i item) setHealth(h connection.Health) {
	i["state"] = text(string(h.State)) // always there: conditions compare it
	i.setTime("since", h.Since)
	i.setNumber("attempts", int64(h.Attempts))
	i.setTime("next_attempt_at", h.NextAttemptAt)
	i.setNumber("last_status", int64(h.LastStatus))
	i.setText("last_error", h.LastError)
	i.setText("alone", h.Alone)
	i.setTime("token_sent_at", h.TokenSentAt)
	i.setText("token_handle", h.TokenHandle)
}

// healthAttributes are those that setHealth may set.
var healthAttributes = []string{"state", "since", "attempts", "next_attempt_at", "last_status", "last_error", "alone",
	"token_sent_at", "token_handle"}

func toConnection(i item) connection.Connection {
	return connection.Connection{
		ID: strings.TrimPrefix(i.text("sk"), connectionPrefix), AccountID: strings.TrimPrefix(i.text("pk"), accountPrefix),
		Name: i.text("name"), Link: webhook.Link(i.text("webhook_url")), Actions: splitActions(i.text("actions")),
		Enabled: i.boolean("enabled"), Origin: connection.Origin(i.text("origin")), Version: i.number("version"),
		CreatedAt: i.time("created_at"), UpdatedAt: i.time("updated_at"),
		Secret: webhook.Secret(i.text("secret")), PreviousSecret: webhook.Secret(i.text("previous_secret")),
		PreviousSecretUntil: i.time("previous_secret_until"),
		Deleted:             i.boolean("deleted"), Generation: i.number("generation"),
		Health: connection.Health{
			State: connection.State(i.text("state")), Since: i.time("since"), Attempts: int(i.number("attempts")),
			NextAttemptAt: i.time("next_attempt_at"), LastStatus: int(i.number("last_status")), LastError: i.text("last_error"),
			HeldThrough: connection.Sequence(i.text("held_through")), SkipThrough: connection.Sequence(i.text("skip_through")),
			Alone: i.text("alone"), TokenSentAt: i.time("token_sent_at"), TokenHandle: i.text("token_handle"),
		},
	}
}

func joinActions(actions []event.Action) string {
	var names []string
	for _, a := range actions {
		names = append(names, string(a))
	}
	return strings.Join(names, ",")
}

func splitActions(s string) []event.Action {
	var actions []event.Action
	for name := range strings.SplitSeq(s, ",") {
		if name != "" {
			actions = append(actions, event.Action(name))
		}
	}
	return actions
}

// Connection reads one, consistently; marked as deleted ones too.
func (t *Table) Connection(ctx context.Context, k delivery.ConnectionKey) (connection.Connection, bool, error) {
	out, err := t.db.GetItem(ctx, &dynamodb.GetItemInput{TableName: &t.name, Key: connectionKey(k.AccountID, k.ConnectionID),
		ConsistentRead: aws.Bool(true)})
	if err != nil || len(out.Item) == 0 {
		return connection.Connection{}, false, err
	}
	return toConnection(out.Item), true, nil
}

// Connections lists an account's connections, oldest first, without those marked as deleted. It is eventually consistent
// unless asked otherwise: a connection that was switched on a moment ago may be missed by an event of that moment.
func (t *Table) Connections(ctx context.Context, account string, consistent bool) ([]connection.Connection, error) {
	all, err := t.connections(ctx, account, consistent)
	return slices.DeleteFunc(all, func(c connection.Connection) bool { return c.Deleted }), err
}

func (t *Table) connections(ctx context.Context, account string, consistent bool) ([]connection.Connection, error) {
	condition := expression.KeyAnd(expression.Key("pk").Equal(expression.Value(accountPrefix+account)),
		expression.Key("sk").BeginsWith(connectionPrefix))
	e, err := expression.NewBuilder().WithKeyCondition(condition).Build()
	if err != nil {
		return nil, err
	}
	var all []connection.Connection
	pages := dynamodb.NewQueryPaginator(t.db, &dynamodb.QueryInput{TableName: &t.name, ConsistentRead: &consistent,
		KeyConditionExpression: e.KeyCondition(), ExpressionAttributeNames: e.Names(), ExpressionAttributeValues: e.Values()})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, i := range page.Items {
			all = append(all, toConnection(i))
		}
	}
	return all, nil
}

func linkKey(account string, link webhook.Link) item {
	sum := sha256.Sum256([]byte(link.Reveal()))
	return key(accountPrefix+account, linkPrefix+hex.EncodeToString(sum[:]))
}

var notThere = expression.AttributeNotExists(expression.Name("pk"))

func (t *Table) linkPut(c connection.Connection) (types.TransactWriteItem, error) {
	i := linkKey(c.AccountID, c.Link)
	i.setText("connection_id", c.ID)
	e, err := expression.NewBuilder().WithCondition(notThere).Build()
	return types.TransactWriteItem{Put: &types.Put{TableName: &t.name, Item: i,
		ConditionExpression: e.Condition(), ExpressionAttributeNames: e.Names()}}, err
}

func (t *Table) linkDelete(c connection.Connection) types.TransactWriteItem {
	return types.TransactWriteItem{Delete: &types.Delete{TableName: &t.name, Key: linkKey(c.AccountID, c.Link)}}
}

// count changes the number of an account's connections by one, if it stays within the limit.
func (t *Table) count(account string, by int) (types.TransactWriteItem, error) {
	b := expression.NewBuilder().WithUpdate(expression.Add(expression.Name("connections"), expression.Value(by)))
	if by > 0 {
		n := expression.Name("connections")
		b = b.WithCondition(expression.Or(expression.AttributeNotExists(n), n.LessThan(expression.Value(connection.MaxPerAccount))))
	}
	e, err := b.Build()
	return types.TransactWriteItem{Update: &types.Update{TableName: &t.name, Key: key(accountPrefix+account, "ACCOUNT"),
		UpdateExpression: e.Update(), ConditionExpression: e.Condition(),
		ExpressionAttributeNames: e.Names(), ExpressionAttributeValues: e.Values()}}, err
}

// Create saves a new connection. One transaction keeps two things true: no link stands twice in an account, and an account
// has no more than connection.MaxPerAccount. Errors: webhook_url_taken, too_many_connections.
func (t *Table) Create(ctx context.Context, c connection.Connection) error {
	link, err1 := t.linkPut(c)
	count, err2 := t.count(c.AccountID, 1)
	e, err3 := expression.NewBuilder().WithCondition(notThere).Build()
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	put := types.TransactWriteItem{Put: &types.Put{TableName: &t.name, Item: connectionItem(c),
		ConditionExpression: e.Condition(), ExpressionAttributeNames: e.Names()}}
	reasons, err := t.transact(ctx, []types.TransactWriteItem{put, link, count})
	switch {
	case err != nil:
		return err
	case reasons == nil:
		return nil
	case reasons[1] == conditionFailed:
		return problem.New(problem.WebhookURLTaken, "another connection of this account has this link")
	case reasons[2] == conditionFailed:
		return problem.New(problem.TooManyConnections, "an account may have up to 20 connections")
	}
	return delivery.ErrMoved
}

// Update saves what a person changed: after is before with the change. It is written on the condition that nobody changed
// the connection since it was read and that its state is what it was, for an act that bears on delivery all of its health;
// otherwise ErrMoved. A new link that another connection has: webhook_url_taken.
func (t *Table) Update(ctx context.Context, before, after connection.Connection) error {
	update, err := t.change(before, after)
	if err != nil {
		return err
	}
	if before.Link == after.Link && before.Deleted == after.Deleted {
		_, err := t.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: update.TableName, Key: update.Key,
			UpdateExpression: update.UpdateExpression, ConditionExpression: update.ConditionExpression,
			ExpressionAttributeNames: update.ExpressionAttributeNames, ExpressionAttributeValues: update.ExpressionAttributeValues})
		if isConditionFailed(err) {
			return delivery.ErrMoved
		}
		return err
	}
	items := []types.TransactWriteItem{{Update: update}, t.linkDelete(before)}
	if after.Deleted {
		count, err := t.count(before.AccountID, -1)
		if err != nil {
			return err
		}
		items = append(items, count)
	} else {
		link, err := t.linkPut(after)
		if err != nil {
			return err
		}
		items = append(items, link)
	}
	reasons, err := t.transact(ctx, items)
	switch {
	case err != nil || reasons == nil:
		return err
	case reasons[0] == conditionFailed:
		return delivery.ErrMoved
	case reasons[2] == conditionFailed:
		return problem.New(problem.WebhookURLTaken, "another connection of this account has this link")
	}
	return delivery.ErrMoved
}

// change is the update of a person's change. An act that bears on delivery (Generation) writes the health too, on the
// condition that all of it is what was read: a token that fell asleep meanwhile has left its new handle there, without which
// nobody could wake it. The marks in the line are not written: what is skipped from now on is copied from held_through
// within the write, so that nothing held meanwhile is left out.
func (t *Table) change(before, after connection.Connection) (*types.Update, error) {
	was, is := connectionItem(before), connectionItem(after)
	var u expression.UpdateBuilder
	for _, name := range []string{"name", "webhook_url", "actions", "enabled", "version", "updated_at", "secret",
		"previous_secret", "previous_secret_until", "deleted", "generation"} {
		u = set(u, is, name)
	}
	if after.Generation != before.Generation {
		for _, name := range healthAttributes {
			u = set(u, is, name)
		}
		if !after.Enabled {
			u = u.Set(expression.Name("skip_through"), expression.IfNotExists(expression.Name("held_through"), expression.Value("")))
		}
	}
	condition := sameAs("generation", was).And(sameAs("version", was), sameAs("state", was))
	if after.Generation != before.Generation {
		for _, name := range healthAttributes {
			condition = condition.And(sameAs(name, was))
		}
	}
	e, err := expression.NewBuilder().WithUpdate(u).WithCondition(condition).Build()
	if err != nil {
		return nil, err
	}
	return &types.Update{TableName: &t.name, Key: connectionKey(before.AccountID, before.ID), UpdateExpression: e.Update(),
		ConditionExpression: e.Condition(), ExpressionAttributeNames: e.Names(), ExpressionAttributeValues: e.Values()}, nil
}

// set writes one attribute of i, or removes it when i has none.
func set(u expression.UpdateBuilder, i item, name string) expression.UpdateBuilder {
	if v, ok := i[name]; ok {
		return u.Set(expression.Name(name), expression.Value(v))
	}
	return u.Remove(expression.Name(name))
}

// sameAs is the condition that an attribute is what it was when it was read.
func sameAs(name string, was item) expression.ConditionBuilder {
	if v, ok := was[name]; ok {
		return expression.Name(name).Equal(expression.Value(v))
	}
	return expression.AttributeNotExists(expression.Name(name))
}
