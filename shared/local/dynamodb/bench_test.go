package dynamodb_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/nethouse-academy/albato/shared/local/dynamodb"
)

// benchClients is how many clients call at once; tableSizes is how many items
// are there already: the figures must not depend on it.
const benchClients = 16

var tableSizes = []int{1_000, 200_000}

func attrs(pk, sk string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{
		"pk": &types.AttributeValueMemberS{Value: pk}, "sk": &types.AttributeValueMemberS{Value: sk},
		"payload": &types.AttributeValueMemberS{Value: strings.Repeat("x", 200)},
		"n":       &types.AttributeValueMemberN{Value: "17"},
	}
}

// benchTable is a table of the given number of items, 20 a partition, with one
// key schema as the project's: no index.
func benchTable(b *testing.B, items int) *dynamodb.Server {
	s := dynamodb.New(dynamodb.Options{})
	mustPost(b, s, "CreateTable", `"BillingMode":"PAY_PER_REQUEST",
		"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"S"}],
		"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}]`)
	pad := `"payload":{"S":"` + strings.Repeat("x", 200) + `"},"n":{"N":"17"}`
	for i := 0; i < items; i += 20 {
		requests := make([]string, 20)
		for j := range requests {
			requests[j] = putRequest(key("p"+strconv.Itoa(i/20), strconv.Itoa(j), pad))
		}
		mustPost(b, s, "BatchWriteItem", `"RequestItems":{"orders":[`+strings.Join(requests, ",")+`]}`)
	}
	return s
}

// overHTTP runs call from 16 clients, each with the real SDK over a loopback
// socket, b.N calls in all. The client's own work is most of the time measured.
func overHTTP(b *testing.B, s http.Handler, call func(client *sdk.Client, i int) error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server := &http.Server{Handler: s}
	go server.Serve(listener)
	defer server.Close()
	transport := &http.Transport{MaxIdleConnsPerHost: benchClients}
	defer transport.CloseIdleConnections()
	client := newClient(&http.Client{Transport: transport}, "http://"+listener.Addr().String())
	var next atomic.Int64
	var wg sync.WaitGroup
	b.ResetTimer()
	for range benchClients {
		wg.Go(func() {
			for i := int(next.Add(1)); i <= b.N; i = int(next.Add(1)) {
				if err := call(client, i); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
}

func perSize(b *testing.B, call func(items int) func(client *sdk.Client, i int) error) {
	for _, items := range tableSizes {
		b.Run(strconv.Itoa(items), func(b *testing.B) { overHTTP(b, benchTable(b, items), call(items)) })
	}
}

func BenchmarkPutItem(b *testing.B) {
	perSize(b, func(items int) func(*sdk.Client, int) error {
		return func(client *sdk.Client, i int) error {
			pk, sk := fmt.Sprint("p", i*7919%(items/20)), strconv.Itoa(i%20)
			_, err := client.PutItem(context.Background(), &sdk.PutItemInput{TableName: aws.String("orders"), Item: attrs(pk, sk)})
			return err
		}
	})
}

func BenchmarkBatchWriteItem(b *testing.B) {
	perSize(b, func(items int) func(*sdk.Client, int) error {
		return func(client *sdk.Client, i int) error {
			writes := make([]types.WriteRequest, 10)
			for j := range writes {
				writes[j].PutRequest = &types.PutRequest{Item: attrs(fmt.Sprint("p", (i*7919+j)%(items/20)), strconv.Itoa(i%20))}
			}
			_, err := client.BatchWriteItem(context.Background(), &sdk.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{"orders": writes}})
			return err
		}
	})
}

func BenchmarkBatchGetItem(b *testing.B) {
	perSize(b, func(items int) func(*sdk.Client, int) error {
		return func(client *sdk.Client, i int) error {
			keys := make([]map[string]types.AttributeValue, 11)
			for j := range keys {
				keys[j] = attrs(fmt.Sprint("p", (i*7919+j)%(items/20)), strconv.Itoa(i%20))
				delete(keys[j], "payload")
				delete(keys[j], "n")
			}
			_, err := client.BatchGetItem(context.Background(), &sdk.BatchGetItemInput{
				RequestItems: map[string]types.KeysAndAttributes{"orders": {Keys: keys, ConsistentRead: aws.Bool(true)}}})
			return err
		}
	})
}

// BenchmarkHandler is the server's own work for a call, with no socket and no
// client: what it takes from the two cores it shares.
func BenchmarkHandler(b *testing.B) {
	pad := `"payload":{"S":"` + strings.Repeat("x", 200) + `"},"n":{"N":"17"}`
	writes, keys := make([]string, 10), make([]string, 11)
	for i := range keys {
		keys[i] = key(fmt.Sprint("p", i), "1")
		writes[i%10] = putRequest(key(fmt.Sprint("p", i%10), "1", pad))
	}
	for _, c := range []struct{ op, body string }{
		{"PutItem", `{"TableName":"orders","Item":` + key("p1", "1", pad) + `}`},
		{"Query", `{"TableName":"orders","KeyConditionExpression":"#0 = :0 AND begins_with (#1, :1)","ExpressionAttributeNames":{"#0":"pk","#1":"sk"}` + values(`":0":{"S":"p1"},":1":{"S":"1"}`) + `}`},
		{"UpdateItem", `{"TableName":"orders","Key":` + key("p1", "1") + `,"UpdateExpression":"SET ver = if_not_exists(ver, :z) + :o","ConditionExpression":"attribute_exists(pk)"` + values(`":z":{"N":"0"},":o":{"N":"1"}`) + `}`},
		{"BatchWriteItem", `{"RequestItems":{"orders":[` + strings.Join(writes, ",") + `]}}`},
		{"BatchGetItem", `{"RequestItems":{"orders":{"Keys":[` + strings.Join(keys, ",") + `]}}}`},
	} {
		b.Run(c.op, func(b *testing.B) {
			s := benchTable(b, 1_000)
			b.ReportAllocs()
			for b.Loop() {
				r, _ := http.NewRequest(http.MethodPost, "/", strings.NewReader(c.body))
				r.Header = http.Header{"X-Amz-Target": {"DynamoDB_20120810." + c.op}, "Content-Type": {"application/x-amz-json-1.0"}}
				w := httptest.NewRecorder()
				if s.ServeHTTP(w, r); w.Code != http.StatusOK {
					b.Fatal(w.Body)
				}
			}
		})
	}
}
