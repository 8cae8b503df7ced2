package table

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/oklog/ulid/v2"

	"github.com/nethouse-academy/albato/shared/connection"
	"github.com/nethouse-academy/albato/shared/delivery"
)

// Span is the part of a log that is replayed: the events that happened from From until before To.
type Span struct {
	From, To time.Time
	// Bodies reads entries whole and consistently; otherwise they come without bodies, and it may be a moment late.
	Bodies bool
}

// Page reads a page of a connection's log, oldest first: at most limit entries are looked at, and what has expired is left
// out. next continues, and is empty at the end. ErrCursor: cursor was not given by Page.
func (t *Table) Page(ctx context.Context, connectionID string, s Span, limit int, cursor string) (list []delivery.Delivery, next string, err error) {
	after, err := parseCursor(replayCursor, connectionID, cursor)
	if err != nil {
		return nil, "", err
	}
	b := expression.NewBuilder().WithFilter(t.live()).
		WithKeyCondition(between(connectionID, deliveryPrefix+firstULID(s.From), deliveryPrefix+firstULID(s.To)))
	if !s.Bodies {
		b = b.WithProjection(journalProjection)
	}
	e, err := b.Build()
	if err != nil {
		return nil, "", err
	}
	q := &dynamodb.QueryInput{TableName: &t.name, ConsistentRead: &s.Bodies, Limit: aws.Int32(int32(limit)), //nolint:gosec // at most a thousand
		KeyConditionExpression: e.KeyCondition(), FilterExpression: e.Filter(), ProjectionExpression: e.Projection(),
		ExpressionAttributeNames: e.Names(), ExpressionAttributeValues: e.Values()}
	if after != "" {
		if after < deliveryPrefix+firstULID(s.From) || after > deliveryPrefix+firstULID(s.To) {
			return nil, "", ErrCursor // of another span
		}
		q.ExclusiveStartKey = key(connectionPrefix+connectionID, after)
	}
	page, err := t.db.Query(ctx, q)
	if err != nil {
		return nil, "", err
	}
	for _, i := range page.Items {
		d, err := toDelivery(i)
		if err != nil {
			return nil, "", err
		}
		list = append(list, d)
	}
	if len(page.LastEvaluatedKey) > 0 {
		next = makeCursor(replayCursor, connectionID, item(page.LastEvaluatedKey).text("sk"))
	}
	return list, next, nil
}

// Hour counts the deliveries of events that happened within an hour, by their status as people see it.
type Hour struct {
	Start  time.Time
	Counts map[delivery.Status]int
}

// Summary counts a connection's deliveries, tests aside, by the hour: the present hour and those before it, oldest first.
// complete is false when there were more than maxPages pages of log to read: then the oldest hours lack some.
func (t *Table) Summary(ctx context.Context, c connection.Connection, hours int) (list []Hour, complete bool, err error) {
	first := t.now().UTC().Truncate(time.Hour).Add(time.Duration(1-hours) * time.Hour)
	for i := range hours {
		list = append(list, Hour{first.Add(time.Duration(i) * time.Hour), map[delivery.Status]int{}})
	}
	e, err := expression.NewBuilder().
		WithKeyCondition(between(c.ID, deliveryPrefix+firstULID(first), deliveryPrefix+firstULID(first.Add(time.Duration(hours)*time.Hour)))).
		WithFilter(t.live().And(expression.AttributeNotExists(expression.Name("test")))).
		WithProjection(names([]string{"sk", "status", "sequence"})).Build()
	if err != nil {
		return nil, false, err
	}
	q := &dynamodb.QueryInput{TableName: &t.name, ScanIndexForward: aws.Bool(false),
		KeyConditionExpression: e.KeyCondition(), FilterExpression: e.Filter(), ProjectionExpression: e.Projection(),
		ExpressionAttributeNames: e.Names(), ExpressionAttributeValues: e.Values()}
	for range maxPages {
		page, err := t.db.Query(ctx, q)
		if err != nil {
			return nil, false, err
		}
		for _, i := range page.Items {
			d, err := toDelivery(i)
			if err != nil {
				return nil, false, err
			}
			id, err := ulid.ParseStrict(trimDelivery(d.ID))
			if err != nil {
				return nil, false, err
			}
			if n := int(id.Timestamp().Sub(first) / time.Hour); n >= 0 && n < hours {
				list[n].Counts[d.StatusFor(c)]++
			}
		}
		if q.ExclusiveStartKey = page.LastEvaluatedKey; len(q.ExclusiveStartKey) == 0 {
			return list, true, nil
		}
	}
	return list, false, nil
}
