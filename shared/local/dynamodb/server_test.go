package dynamodb_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nethouse-academy/albato/shared/local/dynamodb"
)

// What is not implemented is refused by name.
func TestRefusals(t *testing.T) {
	s := newServer(t)
	for _, st := range []step{
		{"UpdateTable", "", `!NotImplementedException: the operation "UpdateTable"`},
		{"ExecuteStatement", "", `!NotImplementedException: the operation "ExecuteStatement"`},
		{"PutItem", `"Item":` + key("a", "1") + `,"Expected":{}`, `!NotImplementedException: "Expected" of PutItem`},
		{"PutItem", `"Key":` + key("a", "1"), `!NotImplementedException: "Key" of PutItem`},
		{"UpdateItem", `"Key":` + key("a", "1") + `,"AttributeUpdates":{}`, `!NotImplementedException: "AttributeUpdates" of UpdateItem`},
		{"GetItem", `"Key":` + key("a", "1") + `,"AttributesToGet":["x"]`, `!NotImplementedException: "AttributesToGet" of GetItem`},
		{"GetItem", `"Key":` + key("a", "1") + `,"ConditionExpression":"x = y"`, `!NotImplementedException: "ConditionExpression" of GetItem`},
		{"Query", `"QueryFilter":{}`, `!NotImplementedException: "QueryFilter" of Query`},
		{"Scan", `"ScanFilter":{}`, `!NotImplementedException: "ScanFilter" of Scan`},
		{"Scan", `"ConditionalOperator":"OR"`, `!NotImplementedException: "ConditionalOperator" of Scan`},
		{"PutItem", `"Item":` + key("a", "1") + `,"Expected":null`, ""}, // null is absent
		{"PutItem", `"Item":` + key("a", "1") + `,"ReturnItemCollectionMetrics":"SIZE"`, "{}"},
	} {
		st.run(t, s)
	}
}

func TestMalformedRequests(t *testing.T) {
	s := newServer(t)
	for _, c := range []struct{ body, code string }{
		{``, "SerializationException"},
		{`[]`, "SerializationException"},
		{`{"TableName":"orders"`, "SerializationException"},
		{`{"TableName":5}`, "SerializationException"},
		{`{"TableName":"orders","TableName":"orders"}`, "SerializationException"},
		{`{"TableName":"orders","Item":{"pk":{"S":"a"},"sk":{"S":"b"}}} {}`, "SerializationException"},
		{`{"TableName":"orders","Item":{"pk":{"S":"a` + "\xff" + `"},"sk":{"S":"b"}}}`, "SerializationException"},
		{`{"TableName":"orders","Item":{"pk":{"S":"a"},"pk":{"S":"b"},"sk":{"S":"b"}}}`, "SerializationException"},
		{`{"TableName":"orders","Item":{"pk":"a"}}`, "SerializationException"},
		{`{"TableName":"orders"}`, "ValidationException"},
		{`{}`, "ValidationException"},
		{`{"TableName":"orders","Item":{"pk":{"S":"` + strings.Repeat("a", 16<<20) + `"}}}`, "RequestEntityTooLargeException"},
	} {
		status, body := postRaw(t, s, "PutItem", c.body)
		wantFault(t, c.body, status, body, c.code, "")
	}
	for _, change := range []func(*http.Request){
		func(r *http.Request) { r.Method = http.MethodGet },
		func(r *http.Request) { r.Header.Del("X-Amz-Target") },
		func(r *http.Request) { r.Header.Set("X-Amz-Target", "DynamoDBStreams_20120810.ListStreams") },
		func(r *http.Request) { r.Header.Set("Content-Type", "application/cbor") },
	} {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("{}"))
		r.Header.Set("X-Amz-Target", "DynamoDB_20120810.ListTables")
		r.Header.Set("Content-Type", "application/x-amz-json-1.0")
		change(r)
		w := httptest.NewRecorder()
		if s.ServeHTTP(w, r); w.Code != http.StatusBadRequest {
			t.Errorf("%s %v: %d %s", r.Method, r.Header, w.Code, w.Body)
		}
	}
}

// A value is kept though the request it came in with is long gone.
func TestValuesOutliveTheirRequest(t *testing.T) {
	s := newServer(t)
	put("a", "1", `"v":{"S":"kept"}`).run(t, s)
	for range 10 {
		put("b", "1", `"v":{"S":"`+strings.Repeat("?", 100)+`"}`).run(t, s)
	}
	holds("a", "1", `"v":{"S":"kept"}`).run(t, s)
}

func TestCountersOfCallsAndUnits(t *testing.T) {
	s := newServer(t)
	s.ResetCalls()
	put("a", "1", text(2000)).run(t, s)
	put("a", "2").run(t, s)
	step{"PutItem", `"Item":` + key("a", "1") + `,"ConditionExpression":"attribute_not_exists(pk)"`, "!ConditionalCheckFailedException"}.run(t, s)
	holds("a", "2").run(t, s)
	absent("a", "3").run(t, s)
	found(`"KeyConditionExpression":"pk = :p"`, "", "1", "2").run(t, s)
	transaction("{}", `,"ClientRequestToken":"t"`, act("Put", `"Item":`+key("c", "1"))).run(t, s)
	transaction("{}", `,"ClientRequestToken":"t"`, act("Put", `"Item":`+key("c", "1"))).run(t, s)
	step{"UpdateTable", "", "!NotImplementedException"}.run(t, s)
	wantCalls := map[string]int64{"PutItem": 3, "GetItem": 2, "Query": 1, "TransactWriteItems": 2}
	if got := s.Calls(); !maps.Equal(got, wantCalls) {
		t.Errorf("calls %v, want %v", got, wantCalls)
	}
	wantUnits := map[string]dynamodb.Units{
		"PutItem":            {Write: 2 + 1 + 2}, // the failed one costs the item it looked at
		"GetItem":            {Read: 2},
		"Query":              {Read: 0.5},
		"TransactWriteItems": {Read: 2, Write: 2}, // the repeat only reads
	}
	if got := s.Units(); !maps.Equal(got, wantUnits) {
		t.Errorf("units %v, want %v", got, wantUnits)
	}
	s.ResetCalls()
	if len(s.Calls())+len(s.Units()) != 0 {
		t.Errorf("after the reset: %v %v", s.Calls(), s.Units())
	}
}

// The handler needs no sockets and no goroutines, so it runs in a bubble where
// time is synctest's; a token counts for ten minutes and no longer.
func TestClientRequestTokenExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := dynamodb.New(dynamodb.Options{})
		mustPost(t, s, "CreateTable", createOrders)
		add := transaction("{}", `,"ClientRequestToken":"tok"`, act("Update", `"Key":`+key("a", "1")+
			`,"UpdateExpression":"ADD n :v","ExpressionAttributeValues":{":v":{"N":"1"}}`))
		add.run(t, s)
		time.Sleep(10*time.Minute - 1)
		add.run(t, s)
		holds("a", "1", `"n":{"N":"1"}`).run(t, s)
		time.Sleep(time.Nanosecond)
		add.run(t, s)
		holds("a", "1", `"n":{"N":"2"}`).run(t, s)
	})
}

// A cancelled transaction does not use its token up.
func TestCancelledTokenMayRunAgain(t *testing.T) {
	s := newServer(t)
	try := transaction("!TransactionCanceledException", `,"ClientRequestToken":"tok"`, act("Put", `"Item":`+key("a", "1")),
		act("ConditionCheck", `"Key":`+key("b", "1")+`,"ConditionExpression":"attribute_exists(pk)"`))
	try.run(t, s)
	put("b", "1").run(t, s)
	try.want = "{}"
	try.run(t, s)
	holds("a", "1").run(t, s)
}

// Expired items stay until ExpireItems, and only those go whose time is a
// number, past, and not more than five years past.
func TestExpireItems(t *testing.T) {
	now := time.Unix(1795421100, 0)
	s := dynamodb.New(dynamodb.Options{Now: func() time.Time { return now }})
	mustPost(t, s, "CreateTable", createOrders)
	expires := func(v string) string { return `"expires_at":` + v + `,"g1":{"S":"g"},"g2":{"S":"x"}` }
	put("past", "1", expires(`{"N":"1795421099"}`)).run(t, s)
	put("now", "1", expires(`{"N":"1795421100"}`)).run(t, s)
	put("text", "1", expires(`{"S":"1"}`)).run(t, s)
	put("ancient", "1", expires(`{"N":"1600000000"}`)).run(t, s)
	put("never", "1").run(t, s)
	if n := s.ExpireItems(); n != 0 {
		t.Errorf("%d items expired with time to live off", n)
	}
	mustPost(t, s, "UpdateTimeToLive", `"TimeToLiveSpecification":{"AttributeName":"expires_at","Enabled":true}`)
	holds("past", "1", expires(`{"N":"1795421099"}`)).run(t, s)
	if n := s.ExpireItems(); n != 1 {
		t.Errorf("%d items expired, want 1", n)
	}
	absent("past", "1").run(t, s)
	step{"Query", `"Select":"COUNT","IndexName":"by_group","KeyConditionExpression":"g1 = :g"` + values(`":g":{"S":"g"}`), `{"Count":3,"ScannedCount":3}`}.run(t, s)
	for _, request := range many(1100, func(k string) string {
		return putRequest(strings.TrimSuffix(k, "}") + "," + expires(`{"N":"1795421101"}`) + "}")
	}) {
		batchWrite("", request).run(t, s)
	}
	now = now.Add(time.Hour)
	if n := s.ExpireItems(); n != 1101 {
		t.Errorf("%d items expired, want 1101", n)
	}
	var d struct{ Table struct{ ItemCount int } }
	if err := json.Unmarshal([]byte(mustPost(t, s, "DescribeTable", "")), &d); err != nil || d.Table.ItemCount != 3 {
		t.Errorf("%v, %d items left, want 3", err, d.Table.ItemCount)
	}
}
