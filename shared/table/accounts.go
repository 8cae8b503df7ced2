package table

import (
	"context"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/nethouse-academy/albato/shared/account"
	"github.com/nethouse-academy/albato/shared/problem"
)

func accountKey(id string) item { return key(accountPrefix+id, "ACCOUNT") }

func tokenKey(accountID, id string) item { return key(accountPrefix+accountID, tokenPrefix+id) }

// hashKey is found without knowing the account: it is what a caller's token leads to.
func hashKey(hash string) item { return key(tokenPrefix+hash, "TOKEN") }

// AccountName gives the name that was set for an account; "" when there is none.
func (t *Table) AccountName(ctx context.Context, accountID string) (string, error) {
	out, err := t.db.GetItem(ctx, &dynamodb.GetItemInput{TableName: &t.name, Key: accountKey(accountID), ConsistentRead: aws.Bool(true)})
	if err != nil {
		return "", err
	}
	return item(out.Item).text("name"), nil
}

// SetAccountName sets the name of an account; "" removes it.
func (t *Table) SetAccountName(ctx context.Context, accountID, name string) error {
	is := item{}
	is.setText("name", name)
	e, err := expression.NewBuilder().WithUpdate(set(expression.UpdateBuilder{}, is, "name")).Build()
	if err != nil {
		return err
	}
	_, err = t.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: &t.name, Key: accountKey(accountID), UpdateExpression: e.Update(),
		ExpressionAttributeNames: e.Names(), ExpressionAttributeValues: e.Values()})
	return err
}

// CreateToken saves a token in one transaction that keeps an account to account.MaxTokens; over that: conflict.
func (t *Table) CreateToken(ctx context.Context, k account.Token) error {
	entry, lookup := tokenKey(k.AccountID, k.ID), hashKey(k.Hash)
	entry.setText("name", k.Name)
	entry.setText("hint", k.Hint)
	entry.setText("hash", k.Hash)
	entry.setTime("created_at", k.CreatedAt)
	lookup.setText("account_id", k.AccountID)
	count, err1 := t.countTokens(k.AccountID, 1)
	fresh, err2 := expression.NewBuilder().WithCondition(notThere).Build()
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	put := func(i item) types.TransactWriteItem {
		return types.TransactWriteItem{Put: &types.Put{TableName: &t.name, Item: i, ConditionExpression: fresh.Condition(),
			ExpressionAttributeNames: fresh.Names()}}
	}
	reasons, err := t.transact(ctx, []types.TransactWriteItem{count, put(entry), put(lookup)})
	switch {
	case err != nil || reasons == nil:
		return err
	case reasons[0] == conditionFailed:
		return problem.New(problem.Conflict, "an account may have up to 10 tokens: revoke one first")
	}
	return errors.New("the token is not new")
}

// countTokens changes the number of an account's tokens by one, if it stays within the limit. Fewer is always possible: a
// token that cannot be revoked would be worse than a number that is too small.
func (t *Table) countTokens(accountID string, by int) (types.TransactWriteItem, error) {
	n := expression.Name("tokens")
	b := expression.NewBuilder().WithUpdate(expression.Add(n, expression.Value(by)))
	if by > 0 {
		b = b.WithCondition(expression.Or(expression.AttributeNotExists(n), n.LessThan(expression.Value(account.MaxTokens))))
	}
	e, err := b.Build()
	return types.TransactWriteItem{Update: &types.Update{TableName: &t.name, Key: accountKey(accountID), UpdateExpression: e.Update(),
		ConditionExpression: e.Condition(), ExpressionAttributeNames: e.Names(), ExpressionAttributeValues: e.Values()}}, err
}

// Tokens lists an account's tokens, oldest first.
func (t *Table) Tokens(ctx context.Context, accountID string) ([]account.Token, error) {
	condition := expression.KeyAnd(expression.Key("pk").Equal(expression.Value(accountPrefix+accountID)),
		expression.Key("sk").BeginsWith(tokenPrefix))
	e, err := expression.NewBuilder().WithKeyCondition(condition).Build()
	if err != nil {
		return nil, err
	}
	// One page holds them all: there are few, and each is small.
	out, err := t.db.Query(ctx, &dynamodb.QueryInput{TableName: &t.name, ConsistentRead: aws.Bool(true),
		KeyConditionExpression: e.KeyCondition(), ExpressionAttributeNames: e.Names(), ExpressionAttributeValues: e.Values()})
	if err != nil {
		return nil, err
	}
	tokens := make([]account.Token, len(out.Items))
	for n, raw := range out.Items {
		i := item(raw)
		tokens[n] = account.Token{ID: strings.TrimPrefix(i.text("sk"), tokenPrefix), AccountID: accountID, Name: i.text("name"),
			Hint: i.text("hint"), Hash: i.text("hash"), CreatedAt: i.time("created_at")}
	}
	return tokens, nil
}

// DeleteToken revokes a token at once: authentication reads consistently. found is false when there is none.
func (t *Table) DeleteToken(ctx context.Context, accountID, id string) (found bool, err error) {
	out, err := t.db.GetItem(ctx, &dynamodb.GetItemInput{TableName: &t.name, Key: tokenKey(accountID, id), ConsistentRead: aws.Bool(true)})
	if err != nil || len(out.Item) == 0 {
		return false, err
	}
	there, err1 := expression.NewBuilder().WithCondition(expression.AttributeExists(expression.Name("pk"))).Build()
	count, err2 := t.countTokens(accountID, -1)
	if err := errors.Join(err1, err2); err != nil {
		return false, err
	}
	reasons, err := t.transact(ctx, []types.TransactWriteItem{
		{Delete: &types.Delete{TableName: &t.name, Key: tokenKey(accountID, id), ConditionExpression: there.Condition(),
			ExpressionAttributeNames: there.Names()}},
		{Delete: &types.Delete{TableName: &t.name, Key: hashKey(item(out.Item).text("hash"))}},
		count,
	})
	return err == nil && reasons == nil, err // for a reason somebody else has just deleted it
}

// ForgetTokens revokes all tokens of an account.
func (t *Table) ForgetTokens(ctx context.Context, accountID string) error {
	tokens, err := t.Tokens(ctx, accountID)
	if err != nil {
		return err
	}
	for _, k := range tokens {
		if _, err := t.DeleteToken(ctx, accountID, k.ID); err != nil {
			return err
		}
	}
	return nil
}

// AccountOfToken tells whose the token with this hash is; "" when there is none. It reads consistently, so that a token
// that was revoked is refused at once.
func (t *Table) AccountOfToken(ctx context.Context, hash string) (string, error) {
	out, err := t.db.GetItem(ctx, &dynamodb.GetItemInput{TableName: &t.name, Key: hashKey(hash), ConsistentRead: aws.Bool(true)})
	if err != nil {
		return "", err
	}
	return item(out.Item).text("account_id"), nil
}
