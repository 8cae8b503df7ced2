package table

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/nethouse-academy/albato/shared/connection"
	"github.com/nethouse-academy/albato/shared/delivery"
	"github.com/nethouse-academy/albato/shared/event"
)

func deliveryItem(d delivery.Delivery) item {
	i := deliveryKey(d.ConnectionID, d.ID)
	i.setText("account_id", d.AccountID)
	i.setText("event_id", d.EventID)
	i.setText("action", string(d.Action))
	i.setText("order_id", d.OrderID)
	i.setText("status", string(d.Status))
	i.setText("retry", d.Retry)
	i.setBool("test", d.Test)
	if d.Status == delivery.Waiting {
		i.setText("sequence", string(d.Sequence))
	}
	i.setNumber("attempts", int64(d.Attempts))
	i.setTime("created_at", d.CreatedAt)
	i.setTime("last_attempt_at", d.LastAttemptAt)
	i.setNumber("last_status", int64(d.LastStatus))
	i.setText("last_error", d.LastError)
	i.setNumber("duration_ms", d.Duration.Milliseconds())
	i.setText("history", encodeHistory(d))
	if len(d.Body) > 0 {
		i["payload"] = &types.AttributeValueMemberB{Value: compress(d.Body)}
	}
	i.setNumber("expires_at", unixUp(d.ExpiresAt))
	return i
}

// unixUp rounds up: an entry is kept for at least its time.
func unixUp(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Add(time.Second - 1).Unix()
}

// logAttributes are all but the payload.
var logAttributes = []string{"pk", "sk", "account_id", "event_id", "action", "order_id", "status", "retry", "test", "sequence",
	"attempts", "created_at", "last_attempt_at", "last_status", "last_error", "duration_ms", "history", "expires_at"}

func toDelivery(i item) (delivery.Delivery, error) {
	d := delivery.Delivery{
		ID: "dlv_" + strings.TrimPrefix(i.text("sk"), deliveryPrefix), ConnectionID: strings.TrimPrefix(i.text("pk"), connectionPrefix),
		AccountID: i.text("account_id"), EventID: i.text("event_id"), Action: event.Action(i.text("action")), OrderID: i.text("order_id"),
		Test: i.boolean("test"), Status: delivery.Status(i.text("status")), Retry: i.text("retry"),
		Sequence: connection.Sequence(i.text("sequence")),
		Attempts: int(i.number("attempts")), CreatedAt: i.time("created_at"), LastAttemptAt: i.time("last_attempt_at"),
		LastStatus: int(i.number("last_status")), LastError: i.text("last_error"),
		Duration: time.Duration(i.number("duration_ms")) * time.Millisecond, ExpiresAt: time.Unix(i.number("expires_at"), 0).UTC(),
	}
	d.History = decodeHistory(i.text("history"), d)
	if payload, ok := i["payload"].(*types.AttributeValueMemberB); ok {
		body, err := decompress(payload.Value)
		if err != nil {
			return d, err
		}
		d.Body = body
	}
	return d, nil
}

// storedAttempt is delivery.Attempt in few bytes.
type storedAttempt struct {
	At       int64  `json:"t"` // Unix milliseconds
	Status   int    `json:"s,omitempty"`
	Error    string `json:"e,omitempty"`
	Duration int64  `json:"d,omitempty"` // milliseconds
	Response string `json:"r,omitempty"`
}

// encodeHistory leaves out the one attempt of a delivery that got through at once and was answered with nothing: the
// entry's other attributes say all of it, and most entries are like that.
func encodeHistory(d delivery.Delivery) string {
	if len(d.History) == 0 || len(d.History) == 1 && d.Attempts == 1 && d.History[0].Response == "" {
		return ""
	}
	stored := make([]storedAttempt, len(d.History))
	for n, a := range d.History {
		stored[n] = storedAttempt{a.At.UnixMilli(), a.Status, a.Error, a.Duration.Milliseconds(), a.Response}
	}
	b, err := json.Marshal(stored)
	if err != nil {
		return "" // numbers and strings always marshal
	}
	return string(b)
}

func decodeHistory(s string, d delivery.Delivery) []delivery.Attempt {
	var stored []storedAttempt
	if s == "" {
		if d.Attempts == 1 {
			return []delivery.Attempt{{At: d.LastAttemptAt, Status: d.LastStatus, Error: d.LastError, Duration: d.Duration}}
		}
		return nil
	}
	if json.Unmarshal([]byte(s), &stored) != nil {
		return nil // a log without its history is still a log
	}
	history := make([]delivery.Attempt, len(stored))
	for n, a := range stored {
		history[n] = delivery.Attempt{At: time.UnixMilli(a.At).UTC(), Status: a.Status, Error: a.Error,
			Duration: time.Duration(a.Duration) * time.Millisecond, Response: a.Response}
	}
	return history
}

// Lookup: see delivery.Log.
func (t *Table) Lookup(ctx context.Context, connections []delivery.ConnectionKey, deliveries []delivery.Key) (delivery.Snapshot, error) {
	s := delivery.Snapshot{Connections: make(map[delivery.ConnectionKey]connection.Connection, len(connections)),
		Deliveries: make(map[delivery.Key]delivery.Delivery, len(deliveries))}
	keys := make([]map[string]types.AttributeValue, 0, len(connections)+len(deliveries))
	for _, k := range connections {
		keys = append(keys, connectionKey(k.AccountID, k.ConnectionID))
	}
	for _, k := range deliveries {
		keys = append(keys, deliveryKey(k.ConnectionID, k.DeliveryID))
	}
	err := t.batchGet(ctx, keys, lookupProjection, func(i item) error {
		if strings.HasPrefix(i.text("pk"), accountPrefix) {
			c := toConnection(i)
			s.Connections[delivery.ConnectionKey{AccountID: c.AccountID, ConnectionID: c.ID}] = c
			return nil
		}
		d, err := toDelivery(i)
		s.Deliveries[delivery.Key{ConnectionID: d.ConnectionID, DeliveryID: d.ID}] = d
		return err
	})
	return s, err
}

// Load: see delivery.Log.
func (t *Table) Load(ctx context.Context, keys []delivery.Key) (map[delivery.Key]delivery.Delivery, error) {
	found := make(map[delivery.Key]delivery.Delivery, len(keys))
	wanted := make([]map[string]types.AttributeValue, 0, len(keys))
	seen := make(map[delivery.Key]bool, len(keys))
	for _, k := range keys {
		if !seen[k] {
			seen[k] = true
			wanted = append(wanted, deliveryKey(k.ConnectionID, k.DeliveryID))
		}
	}
	return found, t.batchGet(ctx, wanted, nil, func(i item) error {
		d, err := toDelivery(i)
		found[delivery.Key{ConnectionID: d.ConnectionID, DeliveryID: d.ID}] = d
		return err
	})
}

// lookupProjection is the union of what is read of connections and of deliveries: one call reads both.
var lookupProjection = project(append([]string{"name", "webhook_url", "actions", "enabled", "origin", "version", "updated_at", "secret",
	"previous_secret", "previous_secret_until", "deleted", "generation", "held_through", "skip_through", "state", "since",
	"next_attempt_at", "alone", "token_sent_at", "token_handle"}, logAttributes...))

// projection is an expression that is built once.
type projection struct {
	text  *string
	names map[string]string
}

func project(names []string) *projection {
	var list expression.ProjectionBuilder
	for _, n := range names {
		list = expression.AddNames(list, expression.Name(n))
	}
	e, err := expression.NewBuilder().WithProjection(list).Build()
	if err != nil {
		panic(err) // the names are constants
	}
	return &projection{e.Projection(), e.Names()}
}

// batchGet reads items consistently, at most 100 a call (16 MB), and leaves out what has expired.
func (t *Table) batchGet(ctx context.Context, keys []map[string]types.AttributeValue, p *projection, found func(item) error) error {
	for len(keys) > 0 {
		page := keys[:min(len(keys), 100)]
		keys = keys[len(page):]
		request := types.KeysAndAttributes{Keys: page, ConsistentRead: aws.Bool(true)}
		if p != nil {
			request.ProjectionExpression, request.ExpressionAttributeNames = p.text, p.names
		}
		err := retry(ctx, func() (bool, error) {
			out, err := t.db.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{
				RequestItems: map[string]types.KeysAndAttributes{t.name: request}})
			if err != nil {
				return false, err
			}
			for _, i := range out.Responses[t.name] {
				if t.expired(i) {
					continue
				}
				if err := found(i); err != nil {
					return false, err
				}
			}
			rest, more := out.UnprocessedKeys[t.name]
			request.Keys = rest.Keys
			return !more || len(rest.Keys) == 0, nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Record: see delivery.Log.
func (t *Table) Record(ctx context.Context, entries []delivery.Delivery) error {
	writes := make([]types.WriteRequest, len(entries))
	for n, d := range entries {
		writes[n].PutRequest = &types.PutRequest{Item: deliveryItem(d)}
	}
	return t.batchWrite(ctx, writes)
}

// batchWrite writes at most 25 items a call (16 MB).
func (t *Table) batchWrite(ctx context.Context, writes []types.WriteRequest) error {
	for len(writes) > 0 {
		page := writes[:min(len(writes), 25)]
		writes = writes[len(page):]
		err := retry(ctx, func() (bool, error) {
			out, err := t.db.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{t.name: page}})
			if err != nil {
				return false, err
			}
			page = out.UnprocessedItems[t.name]
			return len(page) == 0, nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
