package dynamodb_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// direct hands a client's requests to a handler without a socket.
type direct struct{ handler http.Handler }

func (d direct) Do(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	d.handler.ServeHTTP(w, r)
	return w.Result(), nil
}

func newClient(c sdk.HTTPClient, url string) *sdk.Client {
	return sdk.New(sdk.Options{Region: "us-east-1", BaseEndpoint: aws.String(url), HTTPClient: c, Retryer: aws.NopRetryer{},
		Credentials: credentials.NewStaticCredentialsProvider("AKIDLOCAL", "secret", "")})
}

type order struct {
	PK    string   `dynamodbav:"pk"`
	SK    string   `dynamodbav:"sk"`
	Total int64    `dynamodbav:"total"`
	Tags  []string `dynamodbav:"tags,stringset,omitempty"`
	Body  []byte   `dynamodbav:"body,omitempty"`
}

// The real client, its expression builder, its waiters and its checksum agree
// with the server.
func TestRealClient(t *testing.T) {
	s := newServer(t)
	ctx, client := context.Background(), newClient(direct{s}, "http://dynamodb.test")
	if err := sdk.NewTableExistsWaiter(client).Wait(ctx, &sdk.DescribeTableInput{TableName: aws.String("orders")}, time.Second); err != nil {
		t.Fatal(err)
	}
	want := order{"a", "1", 1 << 60, []string{"x", "y"}, []byte{0, 255}}
	av, err := attributevalue.MarshalMap(want)
	if err != nil {
		t.Fatal(err)
	}
	isNew := expression.AttributeNotExists(expression.Name("pk")).Or(
		expression.Name("total").LessThan(expression.Value(5)).And(expression.Not(expression.Name("tags").Contains("z")), expression.Name("tags").Size().Equal(expression.Value(2))))
	e, err := expression.NewBuilder().WithCondition(isNew).Build()
	if err != nil {
		t.Fatal(err)
	}
	in := &sdk.PutItemInput{TableName: aws.String("orders"), Item: av, ConditionExpression: e.Condition(),
		ExpressionAttributeNames: e.Names(), ExpressionAttributeValues: e.Values(), ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld}
	if _, err := client.PutItem(ctx, in); err != nil {
		t.Fatal(err)
	}
	_, err = client.PutItem(ctx, in)
	var failed *types.ConditionalCheckFailedException
	if !errors.As(err, &failed) {
		t.Fatalf("a second put: %v", err)
	}
	var got order
	if err := attributevalue.UnmarshalMap(failed.Item, &got); err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, %+v, want %+v", err, got, want)
	}
	e, err = expression.NewBuilder().WithKeyCondition(expression.Key("pk").Equal(expression.Value("a")).And(expression.Key("sk").BeginsWith("1"))).
		WithFilter(expression.Name("total").GreaterThan(expression.Value(1))).WithProjection(expression.NamesList(expression.Name("total"))).Build()
	if err != nil {
		t.Fatal(err)
	}
	pages := sdk.NewQueryPaginator(client, &sdk.QueryInput{TableName: aws.String("orders"), KeyConditionExpression: e.KeyCondition(), FilterExpression: e.Filter(),
		ProjectionExpression: e.Projection(), ExpressionAttributeNames: e.Names(), ExpressionAttributeValues: e.Values()})
	out, err := pages.NextPage(ctx)
	if err != nil || out.Count != 1 || len(out.Items[0]) != 1 {
		t.Errorf("%v, %+v", err, out)
	}
}

// D52: counters lose nothing and one of many conditional puts wins.
func TestConcurrentWrites(t *testing.T) {
	s := newServer(t)
	var wg sync.WaitGroup
	var mu sync.Mutex
	wins := 0
	for range 16 {
		wg.Go(func() {
			status, _ := post(t, s, "PutItem", `"Item":`+key("winner", "1")+`,"ConditionExpression":"attribute_not_exists(pk)"`)
			mu.Lock()
			if status == http.StatusOK {
				wins++
			}
			mu.Unlock()
			for range 25 {
				if status, body := post(t, s, "UpdateItem", `"Key":`+key("a", "1")+`,"UpdateExpression":"ADD n :one"`+values(`":one":{"N":"1"}`)); status != http.StatusOK {
					t.Error(body)
				}
			}
		})
	}
	wg.Wait()
	if wins != 1 {
		t.Errorf("%d winners", wins)
	}
	holds("a", "1", `"n":{"N":"400"}`).run(t, s)
}

// D53: transactions that move money between two tables, both ways round,
// neither make nor lose any, and no reader sees half of one.
func TestConcurrentTransactions(t *testing.T) {
	s := newServer(t)
	mustPost(t, s, "CreateTable", `"TableName":"other",`+createOrders)
	for _, table := range []string{"orders", "other"} {
		step{"PutItem", `"TableName":"` + table + `","Item":` + key("acct", "1", `"bal":{"N":"50"}`), "{}"}.run(t, s)
	}
	move := func(from, to string) (int, string) {
		side := func(table, expression, condition string) string {
			return `{"Update":{"TableName":"` + table + `","Key":` + key("acct", "1") + `,"UpdateExpression":"` + expression + `"` + condition +
				`,"ExpressionAttributeValues":{":o":{"N":"1"}}}}`
		}
		return post(t, s, "TransactWriteItems", `"TransactItems":[`+side(from, "SET bal = bal - :o", `,"ConditionExpression":"bal >= :o"`)+`,`+side(to, "ADD bal :o", "")+`]`)
	}
	read := `"TransactItems":[{"Get":{"TableName":"other","Key":` + key("acct", "1") + `}},{"Get":{"TableName":"orders","Key":` + key("acct", "1") + `}}]`
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			from, to := "orders", "other"
			if g%2 == 1 {
				from, to = to, from
			}
			for range 40 {
				if status, body := move(from, to); status != http.StatusOK {
					wantFault(t, "move", status, body, "TransactionCanceledException", "[ConditionalCheckFailed, None]")
				}
				var a, b int
				_, body := post(t, s, "TransactGetItems", read)
				if _, err := fmt.Sscanf(body, `{"Responses":[{"Item":{"bal":{"N":"%d"},"pk":{"S":"acct"},"sk":{"S":"1"}}},{"Item":{"bal":{"N":"%d"},`, &a, &b); err != nil || a+b != 100 {
					t.Errorf("%v: %d + %d in %s", err, a, b, body)
				}
			}
		})
	}
	wg.Wait()
}

// Every kind of access at once, for the race detector.
func TestConcurrentEverything(t *testing.T) {
	s := newServer(t)
	mustPost(t, s, "UpdateTimeToLive", `"TimeToLiveSpecification":{"AttributeName":"expires_at","Enabled":true}`)
	var wg sync.WaitGroup
	for g := range 6 {
		wg.Go(func() {
			for i := range 60 {
				k := key(fmt.Sprint("p", i%3), fmt.Sprint(g))
				mustPost(t, s, "PutItem", `"Item":`+key(fmt.Sprint("p", i%3), fmt.Sprint(g), `"expires_at":{"N":"1795421099"},"g1":{"S":"g"},"g2":{"S":"x"}`))
				mustPost(t, s, "Query", `"KeyConditionExpression":"pk = :p"`+values(`":p":{"S":"p1"}`))
				mustPost(t, s, "Scan", `"IndexName":"by_group"`)
				mustPost(t, s, "BatchWriteItem", `"RequestItems":{"orders":[`+deleteRequest(k)+`]}`)
				mustPost(t, s, "CreateTable", fmt.Sprintf(`"TableName":"table-%d-%d",%s`, g, i, createOrders))
				mustPost(t, s, "DeleteTable", fmt.Sprintf(`"TableName":"table-%d-%d"`, g, i))
				mustPost(t, s, "DescribeTable", "")
				s.ExpireItems()
				_, _ = s.Calls(), s.Units()
			}
		})
	}
	wg.Wait()
}
