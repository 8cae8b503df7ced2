package table

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/oklog/ulid/v2"

	"github.com/nethouse-academy/albato/shared/connection"
	"github.com/nethouse-academy/albato/shared/delivery"
	"github.com/nethouse-academy/albato/shared/event"
)

// Filter chooses entries of the log; what is empty chooses all.
type Filter struct {
	Status  delivery.Status // as people see it: delivery.Delivery.StatusFor
	Action  event.Action
	OrderID string
}

// maxPages bounds what one call reads of a log: a page is 1 MB at most.
const maxPages = 10

// ErrCursor is what a cursor gives that is not one, or not of this connection.
var ErrCursor = errors.New("the cursor is not one of this list")

// Deliveries lists a connection's log without bodies, newest first, at most limit entries. next continues where this list
// ends, and is empty when nothing is left. A filter that few entries pass may give fewer than limit, or none, and yet a
// next: a call reads at most maxPages pages. ErrCursor: cursor was not given by this list.
func (t *Table) Deliveries(ctx context.Context, c connection.Connection, f Filter, limit int, cursor string) (list []delivery.Delivery, next string, err error) {
	before, err := parseCursor(journalCursor, c.ID, cursor)
	if err != nil {
		return nil, "", err
	}
	if none(c, f.Status) {
		return nil, "", nil
	}
	q, err := t.journalQuery(c, f, before)
	if err != nil {
		return nil, "", err
	}
	for range maxPages {
		if f == (Filter{}) {
			q.Limit = aws.Int32(int32(limit - len(list) + 1)) //nolint:gosec // limits are at most 100
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
			if len(list) == limit {
				return list, makeCursor(journalCursor, c.ID, deliverySort(list[limit-1].ID)), nil
			}
			list = append(list, d)
		}
		if q.ExclusiveStartKey = page.LastEvaluatedKey; len(q.ExclusiveStartKey) == 0 {
			return list, "", nil
		}
	}
	return list, makeCursor(journalCursor, c.ID, item(q.ExclusiveStartKey).text("sk")), nil
}

// journalQuery reads entries before a place in the log (all when it is empty), newest first.
func (t *Table) journalQuery(c connection.Connection, f Filter, before string) (*dynamodb.QueryInput, error) {
	filter := t.live()
	if f.Action != "" {
		filter = filter.And(expression.Name("action").Equal(expression.Value(string(f.Action))))
	}
	if f.OrderID != "" {
		filter = filter.And(expression.Name("order_id").Equal(expression.Value(f.OrderID)))
	}
	if f.Status != "" {
		filter = filter.And(hasStatus(c, f.Status))
	}
	e, err := expression.NewBuilder().WithKeyCondition(in(c.ID, deliveryPrefix)).WithFilter(filter).
		WithProjection(journalProjection).Build()
	if err != nil {
		return nil, err
	}
	q := &dynamodb.QueryInput{TableName: &t.name, ScanIndexForward: aws.Bool(false),
		KeyConditionExpression: e.KeyCondition(), FilterExpression: e.Filter(), ProjectionExpression: e.Projection(),
		ExpressionAttributeNames: e.Names(), ExpressionAttributeValues: e.Values()}
	if before != "" {
		q.ExclusiveStartKey = key(connectionPrefix+c.ID, before)
	}
	return q, nil
}

var journalProjection = names(logAttributes)

func names(attributes []string) expression.ProjectionBuilder {
	var p expression.ProjectionBuilder
	for _, name := range attributes {
		p = p.AddNames(expression.Name(name))
	}
	return p
}

// live leaves out what is past its time.
func (t *Table) live() expression.ConditionBuilder {
	at := expression.Name("expires_at")
	return expression.Or(expression.AttributeNotExists(at), at.GreaterThan(expression.Value(t.now().Unix())))
}

// none tells whether no entry of c can have this status now.
func none(c connection.Connection, s delivery.Status) bool {
	suspended := c.Health.State == connection.Suspended
	return s == delivery.Held && !suspended || s == delivery.Waiting && suspended
}

// hasStatus is delivery.Delivery.StatusFor as a condition: what is stored as waiting is seen as waiting, held or skipped.
func hasStatus(c connection.Connection, s delivery.Status) expression.ConditionBuilder {
	stored := func(s delivery.Status) expression.ConditionBuilder {
		return expression.Name("status").Equal(expression.Value(string(s)))
	}
	sequence, through := expression.Name("sequence"), expression.Value(string(c.Health.SkipThrough))
	switch s {
	case delivery.Skipped:
		return stored(delivery.Skipped).Or(stored(delivery.Waiting).And(sequence.LessThanEqual(through)))
	case delivery.Waiting, delivery.Held:
		return stored(delivery.Waiting).And(sequence.GreaterThan(through))
	}
	return stored(s)
}

// Delivery reads one entry with its body, consistently.
func (t *Table) Delivery(ctx context.Context, k delivery.Key) (d delivery.Delivery, found bool, err error) {
	out, err := t.db.GetItem(ctx, &dynamodb.GetItemInput{TableName: &t.name, Key: deliveryKey(k.ConnectionID, k.DeliveryID),
		ConsistentRead: aws.Bool(true)})
	if err != nil || len(out.Item) == 0 || t.expired(out.Item) {
		return delivery.Delivery{}, false, err
	}
	d, err = toDelivery(out.Item)
	return d, err == nil, err
}

// latest is how many entries are looked at for the last one that was delivered.
const latest = 25

// LastDelivered gives the newest delivered entry, tests aside, among the latest few whose events happened not after a
// time (the zero time: no matter when).
func (t *Table) LastDelivered(ctx context.Context, connectionID string, notAfter time.Time) (d delivery.Delivery, found bool, err error) {
	condition := in(connectionID, deliveryPrefix)
	if !notAfter.IsZero() {
		condition = between(connectionID, deliveryPrefix, deliveryPrefix+lastULID(notAfter))
	}
	delivered := t.live().And(hasStatus(connection.Connection{}, delivery.Delivered),
		expression.AttributeNotExists(expression.Name("test")))
	e, err := expression.NewBuilder().WithKeyCondition(condition).WithFilter(delivered).WithProjection(journalProjection).Build()
	if err != nil {
		return d, false, err
	}
	page, err := t.db.Query(ctx, &dynamodb.QueryInput{TableName: &t.name, ScanIndexForward: aws.Bool(false), Limit: aws.Int32(latest),
		KeyConditionExpression: e.KeyCondition(), FilterExpression: e.Filter(), ProjectionExpression: e.Projection(),
		ExpressionAttributeNames: e.Names(), ExpressionAttributeValues: e.Values()})
	if err != nil {
		return d, false, err
	}
	for _, i := range page.Items {
		entry, err := toDelivery(i)
		if err != nil {
			return d, false, err
		}
		// The log sorts by the events' time; a retried one may have got through last of all.
		if !found || entry.LastAttemptAt.After(d.LastAttemptAt) {
			d, found = entry, true
		}
	}
	return d, found, nil
}

// CountTests counts the tests that were sent on a connection since a time.
func (t *Table) CountTests(ctx context.Context, connectionID string, since time.Time) (n int, err error) {
	e, err := expression.NewBuilder().WithKeyCondition(between(connectionID, deliveryPrefix+firstULID(since), deliveryPrefix+"~")).
		WithFilter(expression.AttributeExists(expression.Name("test"))).Build()
	if err != nil {
		return 0, err
	}
	q := &dynamodb.QueryInput{TableName: &t.name, Select: types.SelectCount,
		KeyConditionExpression: e.KeyCondition(), FilterExpression: e.Filter(),
		ExpressionAttributeNames: e.Names(), ExpressionAttributeValues: e.Values()}
	for range maxPages {
		page, err := t.db.Query(ctx, q)
		if err != nil {
			return 0, err
		}
		n += int(page.Count)
		if q.ExclusiveStartKey = page.LastEvaluatedKey; len(q.ExclusiveStartKey) == 0 {
			break
		}
	}
	return n, nil
}

// CountWaiting counts what waits of c and will be sent, up to limit; more tells that there is more than that.
func (t *Table) CountWaiting(ctx context.Context, c connection.Connection, limit int) (n int, more bool, err error) {
	e, err := expression.NewBuilder().WithKeyCondition(between(c.ID, afterPointer(c.Health.SkipThrough), waitingPrefix+"~")).
		WithFilter(t.live()).Build()
	if err != nil {
		return 0, false, err
	}
	q := &dynamodb.QueryInput{TableName: &t.name, Select: types.SelectCount,
		KeyConditionExpression: e.KeyCondition(), FilterExpression: e.Filter(),
		ExpressionAttributeNames: e.Names(), ExpressionAttributeValues: e.Values()}
	for range maxPages {
		q.Limit = aws.Int32(int32(limit - n + 1)) //nolint:gosec // the limit is a small constant
		page, err := t.db.Query(ctx, q)
		if err != nil {
			return 0, false, err
		}
		if n += int(page.Count); n > limit {
			return limit, true, nil
		}
		if q.ExclusiveStartKey = page.LastEvaluatedKey; len(q.ExclusiveStartKey) == 0 {
			return n, false, nil
		}
	}
	return n, true, nil
}

// afterPointer is the least sort key behind that of a place in the line.
func afterPointer(s connection.Sequence) string { return waitingPrefix + string(s) + "!" }

// between is the key condition for a range of a connection's partition, both ends included.
func between(connectionID, from, to string) expression.KeyConditionBuilder {
	return expression.KeyAnd(expression.Key("pk").Equal(expression.Value(connectionPrefix+connectionID)),
		expression.Key("sk").Between(expression.Value(from), expression.Value(to)))
}

// firstULID and lastULID bound the ULIDs of one millisecond.
func firstULID(t time.Time) string { return boundary(t, 0x00) }
func lastULID(t time.Time) string  { return boundary(t, 0xff) }

func boundary(t time.Time, filler byte) string {
	var id ulid.ULID
	for i := range id {
		id[i] = filler
	}
	// Times that do not fit are before or after everything, and so is the filler.
	_ = id.SetTime(ulid.Timestamp(t))
	return id.String()
}

// A cursor is a place in a connection's log: what it is for and of, as a checksum, and a ULID. It tells nothing to
// whoever holds it but the time of an event he has seen.
const (
	journalCursor = "journal"
	replayCursor  = "replay"
	checksum      = 8
)

func makeCursor(use, connectionID, sk string) string {
	id, err := ulid.ParseStrict(strings.TrimPrefix(sk, deliveryPrefix))
	if err != nil {
		return "" // every entry's key has one
	}
	return base64.RawURLEncoding.EncodeToString(append(cursorSum(use, connectionID), id[:]...))
}

// parseCursor gives the sort key of a cursor's place; an empty cursor is the beginning.
func parseCursor(use, connectionID, cursor string) (sk string, err error) {
	if cursor == "" {
		return "", nil
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	var id ulid.ULID
	if err != nil || len(raw) != checksum+len(id) || !slices.Equal(raw[:checksum], cursorSum(use, connectionID)) {
		return "", ErrCursor
	}
	copy(id[:], raw[checksum:])
	return deliveryPrefix + id.String(), nil
}

func cursorSum(use, connectionID string) []byte {
	sum := sha256.Sum256([]byte(use + "\x00" + connectionID))
	return sum[:checksum:checksum]
}
