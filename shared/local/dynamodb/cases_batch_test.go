package dynamodb_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func putRequest(item string) string   { return `{"PutRequest":{"Item":` + item + `}}` }
func deleteRequest(key string) string { return `{"DeleteRequest":{"Key":` + key + `}}` }

func batchWrite(want string, requests ...string) step {
	return step{"BatchWriteItem", `"RequestItems":{"orders":[` + strings.Join(requests, ",") + `]}`, want}
}

// many makes n texts of keys a/000, a/001, …
func many(n int, make func(key string) string) []string {
	out := []string{}
	for i := range n {
		out = append(out, make(key("a", fmt.Sprintf("%03d", i))))
	}
	return out
}

func batchScenarios() []scenario {
	same := func(k string) string { return k }
	batchGet := func(want, more string, keys ...string) step {
		return step{"BatchGetItem", `"RequestItems":{"orders":{"Keys":[` + strings.Join(keys, ",") + `]` + more + `}}`, want}
	}
	return []scenario{
		{"D27", "25 writes, no more, none twice", []step{
			batchWrite(`{"UnprocessedItems":{}}`, many(25, putRequest)...),
			batchWrite(`{"UnprocessedItems":{}}`, deleteRequest(key("a", "000")), putRequest(key("b", "1")), deleteRequest(key("no", "no"))),
			absent("a", "000"), holds("b", "1"), holds("a", "024"),
			batchWrite("!ValidationException: less than or equal to 25", many(26, putRequest)...),
			batchWrite("!ValidationException: Provided list of item keys contains duplicates", putRequest(key("z", "1")), deleteRequest(key("z", "1"))),
			batchWrite("!ValidationException: Missing the key sk", putRequest(key("z", "1")), putRequest(`{"pk":{"S":"z"}}`)),
			absent("z", "1"), // nothing of a refused batch is done
			batchWrite("!ValidationException: greater than or equal to 1"),
			{"BatchWriteItem", `"RequestItems":{}`, "!ValidationException: greater than or equal to 1"},
			batchWrite("!ValidationException: a WriteRequest holds one", `{}`),
			{"BatchWriteItem", `"RequestItems":{"orders":[` + putRequest(key("z", "1")) + `],"nowhere":[` + putRequest(key("z", "1")) + `]}`, "!ResourceNotFoundException"},
			absent("z", "1"),
		}},
		{"D28", "100 reads, no more, none twice", []step{
			put("a", "0", `"x":{"N":"0"},"y":{"S":"no"}`), put("a", "1", `"x":{"N":"1"},"y":{"S":"no"}`), put("a", "2", `"x":{"N":"2"},"y":{"S":"no"}`),
			batchGet(`{"Responses":{"orders":[{"sk":{"S":"0"},"x":{"N":"0"}},{"sk":{"S":"2"},"x":{"N":"2"}},{"sk":{"S":"1"},"x":{"N":"1"}}]},"UnprocessedKeys":{}}`,
				`,"ProjectionExpression":"sk, #x","ExpressionAttributeNames":{"#x":"x"},"ConsistentRead":true`,
				key("a", "0"), key("a", "2"), key("a", "7"), key("a", "1")),
			batchGet("!ValidationException: Provided list of item keys contains duplicates", "", key("a", "0"), key("a", "0")),
			batchGet("!ValidationException: less than or equal to 100", "", many(101, same)...),
			batchGet(`{"Responses":{"orders":[]},"UnprocessedKeys":{}}`, "", many(100, same)...),
			batchGet("!ValidationException: greater than or equal to 1", ""),
			batchGet("!ValidationException: number of conditions on the keys", "", `{"pk":{"S":"a"}}`),
			batchGet(`!NotImplementedException: RequestItems.AttributesToGet`, `,"AttributesToGet":["x"]`, key("a", "0")),
		}},
	}
}

// More than 16 MB is answered in parts: what was left out can be asked for by
// handing UnprocessedKeys back.
func TestBatchGetLeavesKeys(t *testing.T) {
	s := newServer(t)
	for _, put := range many(50, func(k string) string { return strings.TrimSuffix(k, "}") + "," + text(390<<10) + "}" }) {
		mustPost(t, s, "PutItem", `"Item":`+put)
	}
	request := `{"orders":{"ProjectionExpression":"#s","ExpressionAttributeNames":{"#s":"sk"},"Keys":[` +
		strings.Join(many(50, func(k string) string { return k }), ",") + `]}}`
	got := 0
	for rounds := 1; ; rounds++ {
		var out struct {
			Responses       map[string][]map[string]any
			UnprocessedKeys json.RawMessage
		}
		if err := json.Unmarshal([]byte(mustPost(t, s, "BatchGetItem", `"RequestItems":`+request)), &out); err != nil {
			t.Fatal(err)
		}
		got += len(out.Responses["orders"])
		if string(out.UnprocessedKeys) == "{}" {
			if rounds != 2 || got != 50 {
				t.Errorf("%d items in %d rounds, want 50 in 2", got, rounds)
			}
			return
		}
		request = string(out.UnprocessedKeys)
	}
}
