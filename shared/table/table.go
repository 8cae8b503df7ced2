// Package table keeps everything in one DynamoDB table: connections, the delivery log, and what waits. It is the only
// place that knows keys, attributes and expressions. Each write that other writers could cross is conditional, and the
// condition is the design: what it keeps true is said above it.
//
//	item        pk                    sk
//	account     ACCOUNT#<account>     ACCOUNT               its name; how many connections and tokens there are
//	token       ACCOUNT#<account>     TOKEN#<id>            what is shown of an account token
//	token used  TOKEN#<sha256 of it>  TOKEN                 whose it is
//	connection  ACCOUNT#<account>     CONNECTION#<id>
//	link taken  ACCOUNT#<account>     LINK#<sha256 of it>   one connection a link and account
//	erasure     ACCOUNT#<account>     ERASURE#<sha256 of an order>   how far one that ran out of time has come
//	delivery    CONNECTION#<id>       DELIVERY#<ulid>       log entry and body; sorted by the event's time
//	waiting     CONNECTION#<id>       WAITING#<sequence>    points to a delivery, in the queue's own order
package table

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/nethouse-academy/albato/shared/connection"
	"github.com/nethouse-academy/albato/shared/delivery"
)

// Table is safe for concurrent use.
type Table struct {
	db   *dynamodb.Client
	name string
	now  func() time.Time
}

// New gives the table of this name.
func New(db *dynamodb.Client, name string, now func() time.Time) *Table {
	return &Table{db: db, name: name, now: now}
}

var (
	_ delivery.Log    = (*Table)(nil)
	_ delivery.Line   = (*Table)(nil)
	_ delivery.Gate   = (*Table)(nil)
	_ delivery.Eraser = (*Table)(nil)
)

const (
	accountPrefix    = "ACCOUNT#"
	connectionPrefix = "CONNECTION#"
	linkPrefix       = "LINK#"
	erasurePrefix    = "ERASURE#"
	tokenPrefix      = "TOKEN#"
	deliveryPrefix   = "DELIVERY#"
	waitingPrefix    = "WAITING#"
)

// item is a DynamoDB item; what is absent is the zero value, since attributes that say nothing cost storage and transfer.
type item map[string]types.AttributeValue

func key(pk, sk string) item { return item{"pk": text(pk), "sk": text(sk)} }

func connectionKey(account, id string) item {
	return key(accountPrefix+account, connectionPrefix+id)
}

func deliveryKey(connectionID, deliveryID string) item {
	return key(connectionPrefix+connectionID, deliverySort(deliveryID))
}

// deliverySort leaves the prefix of the id out: every entry has it.
func deliverySort(deliveryID string) string { return deliveryPrefix + trimDelivery(deliveryID) }

func waitingKey(connectionID string, s connection.Sequence) item {
	return key(connectionPrefix+connectionID, waitingPrefix+string(s))
}

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

func boolean(b bool) types.AttributeValue { return &types.AttributeValueMemberBOOL{Value: b} }

func (i item) setText(name, s string) {
	if s != "" {
		i[name] = text(s)
	}
}

func (i item) setNumber(name string, n int64) {
	if n != 0 {
		i[name] = number(n)
	}
}

func (i item) setTime(name string, t time.Time) {
	if !t.IsZero() {
		i[name] = number(t.UnixMilli())
	}
}

func (i item) setBool(name string, b bool) {
	if b {
		i[name] = boolean(true)
	}
}

func (i item) text(name string) string {
	if v, ok := i[name].(*types.AttributeValueMemberS); ok {
		return v.Value
	}
	return ""
}

func (i item) number(name string) int64 {
	if v, ok := i[name].(*types.AttributeValueMemberN); ok {
		n, _ := strconv.ParseInt(v.Value, 10, 64) // the table has only integers
		return n
	}
	return 0
}

func (i item) time(name string) time.Time {
	if n := i.number(name); n != 0 {
		return time.UnixMilli(n).UTC()
	}
	return time.Time{}
}

func (i item) boolean(name string) bool {
	v, ok := i[name].(*types.AttributeValueMemberBOOL)
	return ok && v.Value
}

// expired tells whether an item is past its time: DynamoDB deletes late, so every read looks itself.
func (t *Table) expired(i item) bool {
	at := i.number("expires_at")
	return at != 0 && at <= t.now().Unix()
}

// retry calls f until it is done, at most five times with growing pauses: for what DynamoDB did not process and for
// transactions that met another one. The pauses are short, since an invocation waits.
func retry(ctx context.Context, f func() (done bool, err error)) error {
	pause := 20 * time.Millisecond
	for try := 1; ; try++ {
		done, err := f()
		if done || err != nil {
			return err
		}
		if try == 5 {
			return errors.New("DynamoDB did not process everything")
		}
		timer := time.NewTimer(pause/2 + rand.N(pause/2))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
		pause *= 2
	}
}

// transact writes items in one transaction and gives the reasons for which it was cancelled, one an item, nil when it
// was done. A transaction that met another one is repeated.
func (t *Table) transact(ctx context.Context, items []types.TransactWriteItem) (reasons []string, err error) {
	err = retry(ctx, func() (bool, error) {
		_, err := t.db.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: items})
		var cancelled *types.TransactionCanceledException
		if !errors.As(err, &cancelled) {
			return true, err
		}
		reasons = make([]string, len(cancelled.CancellationReasons))
		conflict, failed := false, false
		for i, r := range cancelled.CancellationReasons {
			reasons[i] = aws.ToString(r.Code)
			switch reasons[i] {
			case "None":
			case "ConditionalCheckFailed":
				failed = true
			case "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded":
				conflict = true
			default:
				return true, err
			}
		}
		if failed || !conflict {
			return true, nil
		}
		reasons = nil
		return false, nil
	})
	return reasons, err
}

const conditionFailed = "ConditionalCheckFailed"

func isConditionFailed(err error) bool {
	var failed *types.ConditionalCheckFailedException
	return errors.As(err, &failed)
}

func trimDelivery(id string) string {
	const prefix = "dlv_"
	if len(id) > len(prefix) && id[:len(prefix)] == prefix {
		return id[len(prefix):]
	}
	return id
}
