package dynamodb_test

import (
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// found queries the partition "a" and expects these sort keys, in order.
func found(more, vals string, sorts ...string) step {
	items := make([]string, len(sorts))
	for i, s := range sorts {
		items[i] = fmt.Sprintf(`{"sk":{"S":%q}}`, s)
	}
	if vals != "" {
		vals = "," + vals
	}
	return step{"Query", `"ProjectionExpression":"sk",` + more + values(`":p":{"S":"a"}`+vals),
		fmt.Sprintf(`{"Items":[%s],"Count":%d,"ScannedCount":%d}`, strings.Join(items, ","), len(sorts), len(sorts))}
}

func queryScenarios() []scenario {
	filtered := func(filter, vals string, scanned int, sorts ...string) step {
		st := found(`"KeyConditionExpression":"pk = :p","FilterExpression":"`+filter+`"`, vals, sorts...)
		st.want = strings.Replace(st.want, fmt.Sprintf(`"ScannedCount":%d`, len(sorts)), fmt.Sprintf(`"ScannedCount":%d`, scanned), 1)
		return st
	}
	digits := []step{put("a", "0"), put("a", "1"), put("a", "2"), put("a", "3"), put("a", "4"), put("a", "5"), put("b", "1"), put("", "")}[:7]
	query := func(condition, vals string, sorts ...string) step {
		return found(`"KeyConditionExpression":"`+condition+`"`, vals, sorts...)
	}
	invalid := func(more, vals, message string) step {
		return step{"Query", more + values(vals), "!ValidationException: " + message}
	}
	const one = `":a":{"S":"1"}`
	return []scenario{
		{"D17", "a prefix of the sort key, both ways", []step{
			put("a", "JOB#3"), put("a", "JOB#1"), put("a", "META"), put("a", "JOB#2"), put("a", "JOB#10"), put("a", "JOA"), put("a", "JOB"), put("b", "JOB#9"),
			query("pk = :p AND begins_with(sk, :s)", `":s":{"S":"JOB#"}`, "JOB#1", "JOB#10", "JOB#2", "JOB#3"),
			found(`"ScanIndexForward":false,"KeyConditionExpression":"pk = :p AND begins_with(sk, :s)"`, `":s":{"S":"JOB#"}`, "JOB#3", "JOB#2", "JOB#10", "JOB#1"),
			found(`"ScanIndexForward":false,"KeyConditionExpression":"(begins_with(sk, :s)) AND (pk = :p)"`, `":s":{"S":"M"}`, "META"),
			found(`"ScanIndexForward":false,"KeyConditionExpression":"pk = :p"`, "", "META", "JOB#3", "JOB#2", "JOB#10", "JOB#1", "JOB", "JOA"),
		}},
		{"D18", "comparisons of the sort key", append(digits,
			query("pk = :p AND sk BETWEEN :a AND :b", one+`,":b":{"S":"3"}`, "1", "2", "3"),
			query("pk = :p AND sk < :a", one, "0"),
			query("pk = :p AND sk <= :a", one, "0", "1"),
			query("pk = :p AND sk > :a", `":a":{"S":"4"}`, "5"),
			query("pk = :p AND sk >= :a", `":a":{"S":"4"}`, "4", "5"),
			query("pk = :p AND sk = :a", one, "1"),
			found(`"ScanIndexForward":false,"KeyConditionExpression":"pk = :p AND sk <= :a"`, one, "1", "0"),
			found(`"ScanIndexForward":false,"KeyConditionExpression":"pk = :p AND sk < :a"`, one, "0"),
			query("pk = :p AND sk > :a", `":a":{"S":"5"}`),
		)},
		{"D20", "a filter looks at what the limit let in", []step{
			put("a", "0", `"even":{"BOOL":true}`), put("a", "1", `"even":{"BOOL":false}`), put("a", "2", `"even":{"BOOL":true}`), put("a", "3"),
			filtered("even = :t", `":t":{"BOOL":true}`, 4, "0", "2"),
			{"Query", `"Limit":3,"ProjectionExpression":"sk","KeyConditionExpression":"pk = :p","FilterExpression":"even = :t"` + values(`":p":{"S":"a"},":t":{"BOOL":true}`),
				`{"Items":[{"sk":{"S":"0"}},{"sk":{"S":"2"}}],"Count":2,"ScannedCount":3,"LastEvaluatedKey":` + key("a", "2") + `}`},
		}},
		{"D21", "only the count; a limit that is just reached", append(digits,
			step{"Query", `"Select":"COUNT","KeyConditionExpression":"pk = :p"` + values(`":p":{"S":"a"}`), `{"Count":6,"ScannedCount":6}`},
			step{"Query", `"Limit":6,"Select":"COUNT","KeyConditionExpression":"pk = :p"` + values(`":p":{"S":"a"}`),
				`{"Count":6,"ScannedCount":6,"LastEvaluatedKey":` + key("a", "5") + `}`},
			step{"Query", `"Limit":7,"Select":"COUNT","KeyConditionExpression":"pk = :p"` + values(`":p":{"S":"a"}`), `{"Count":6,"ScannedCount":6}`},
			invalid(`"Limit":0,"KeyConditionExpression":"pk = :p"`, `":p":{"S":"a"}`, "greater than or equal to 1"),
			invalid(`"Select":"COUNT","ProjectionExpression":"sk","KeyConditionExpression":"pk = :p"`, `":p":{"S":"a"}`, "Cannot specify"),
			invalid(`"Select":"SPECIFIC_ATTRIBUTES","KeyConditionExpression":"pk = :p"`, `":p":{"S":"a"}`, "Must specify"),
		)},
		{"D22", "queries that cannot be", []step{
			invalid(`"KeyConditionExpression":"sk = :p"`, `":p":{"S":"a"}`, "Query condition missed key schema element: pk"),
			invalid(`"KeyConditionExpression":"pk = :p","FilterExpression":"sk = :p"`, `":p":{"S":"a"}`, "Filter Expression can only contain non-primary key attributes: Primary key attribute: sk"),
			invalid(`"KeyConditionExpression":"pk = :p AND colx = :p"`, `":p":{"S":"a"}`, "Query condition missed key schema element: sk"),
			invalid(`"KeyConditionExpression":"pk > :p"`, `":p":{"S":"a"}`, "Query key condition not supported"),
			invalid(`"KeyConditionExpression":"pk = :p OR sk = :p"`, `":p":{"S":"a"}`, "Invalid operator used in KeyConditionExpression: OR"),
			invalid(`"KeyConditionExpression":"pk = :p AND sk <> :p"`, `":p":{"S":"a"}`, "Invalid operator used in KeyConditionExpression: <>"),
			invalid(`"KeyConditionExpression":"pk = :p AND pk = :p"`, `":p":{"S":"a"}`, "one condition per key"),
			invalid(`"KeyConditionExpression":"pk = :p AND sk.x = :p"`, `":p":{"S":"a"}`, "nested attributes"),
			invalid(`"KeyConditionExpression":"pk = :p"`, `":p":{"N":"1"}`, "Condition parameter type does not match schema type"),
			invalid(`"KeyConditionExpression":"pk = :p"`, `":p":{"S":""}`, "cannot contain an empty string value. Key: pk"),
			invalid(`"FilterExpression":"x = :p"`, `":p":{"S":"a"}`, "KeyConditionExpression parameter must be specified"),
			invalid(`"KeyConditionExpression":"pk = :p","ExclusiveStartKey":{"pk":{"S":"a"}}`, `":p":{"S":"a"}`, "The provided starting key is invalid"),
			invalid(`"KeyConditionExpression":"pk = :p","ExclusiveStartKey":`+key("b", "1"), `":p":{"S":"a"}`, "starting key is outside query boundaries"),
			invalid(`"KeyConditionExpression":"pk = :p AND sk < :p","ExclusiveStartKey":`+key("a", "b"), `":p":{"S":"a"}`, "starting key is outside query boundaries"),
			{"Query", `"KeyConditions":{}`, `!NotImplementedException: "KeyConditions" of Query`},
			{"Query", `"KeyConditionExpression":":p = pk"` + values(`":p":{"S":"a"}`), "!NotImplementedException: first operand"},
		}},
		{"D23", "a numeric sort key orders by value", numericSteps()},
		{"D38", "contains and equality of sets in a filter", []step{
			put("a", "1", `"tags":{"SS":["red","blue"]},"s":{"S":"hello world"},"l":{"L":[{"S":"x"},{"N":"1"}]}`),
			put("a", "2", `"tags":{"SS":["green"]}`),
			filtered("contains(tags, :v)", `":v":{"S":"red"}`, 2, "1"),
			filtered("contains(s, :v)", `":v":{"S":"lo wo"}`, 2, "1"),
			filtered("contains(l, :v)", `":v":{"N":"1"}`, 2, "1"),
			filtered("NOT contains(tags, :v)", `":v":{"S":"red"}`, 2, "2"),
			filtered("tags = :v", `":v":{"SS":["blue","red"]}`, 2, "1"),
			filtered("size(tags) = :v", `":v":{"N":"2"}`, 2, "1"),
		}},
	}
}

const createNumeric = `"TableName":"numeric","BillingMode":"PAY_PER_REQUEST",
	"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"N"}],
	"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}]`

func numericSteps() []step {
	steps := []step{{"CreateTable", createNumeric, ""}}
	for _, n := range []string{"10", "2", "-5", "1.5", "100000000000000000000001", "100000000000000000000002", "-10", "-1.2", "-1.25", "-12.5", "0"} {
		steps = append(steps, step{"PutItem", `"TableName":"numeric","Item":{"pk":{"S":"a"},"sk":{"N":"` + n + `"}}`, ""})
	}
	return append(steps, step{"Query", `"TableName":"numeric","ProjectionExpression":"sk","KeyConditionExpression":"pk = :p AND sk > :n"` +
		values(`":p":{"S":"a"},":n":{"N":"-10.0"}`),
		`{"Items":[{"sk":{"N":"-5"}},{"sk":{"N":"-1.25"}},{"sk":{"N":"-1.2"}},{"sk":{"N":"0"}},{"sk":{"N":"1.5"}},{"sk":{"N":"2"}},{"sk":{"N":"10"}},{"sk":{"N":"100000000000000000000001"}},
			{"sk":{"N":"100000000000000000000002"}}],"Count":9,"ScannedCount":9}`},
		step{"Query", `"TableName":"numeric","KeyConditionExpression":"pk = :p AND begins_with(sk, :n)"` + values(`":p":{"S":"a"},":n":{"N":"1"}`),
			"!ValidationException: begins_with, operand type: N"})
}

// Numbers of any sign and magnitude come back in numeric order, as big.Rat
// knows it, and in the order of <.
func TestNumericOrder(t *testing.T) {
	number := rapid.Custom(func(t *rapid.T) string {
		return rapid.StringMatching(`-?[0-9]{1,18}(\.[0-9]{1,18})?`).Draw(t, "digits") +
			rapid.SampledFrom([]string{"", "e5", "e-5", "E+60", "e-60", "e100", "e-90"}).Draw(t, "exponent")
	})
	rapid.Check(t, func(rt *rapid.T) {
		s := newServer(t)
		mustPost(t, s, "CreateTable", createNumeric)
		list := rapid.SliceOfN(number, 1, 12).Draw(rt, "numbers")
		for _, n := range list {
			mustPost(t, s, "PutItem", `"TableName":"numeric","Item":{"pk":{"S":"a"},"sk":{"N":"`+n+`"}}`)
		}
		rat := func(n string) *big.Rat { r, _ := new(big.Rat).SetString(n); return r }
		slices.SortFunc(list, func(a, b string) int { return rat(a).Cmp(rat(b)) })
		list = slices.CompactFunc(list, func(a, b string) bool { return rat(a).Cmp(rat(b)) == 0 })
		var out struct {
			Items []struct{ SK struct{ N string } }
		}
		body := mustPost(t, s, "Query", `"TableName":"numeric","KeyConditionExpression":"pk = :p"`+values(`":p":{"S":"a"}`))
		if err := json.Unmarshal([]byte(body), &out); err != nil {
			rt.Fatal(err)
		}
		if len(out.Items) != len(list) {
			rt.Fatalf("%d items of %d: %s", len(out.Items), len(list), body)
		}
		for i, it := range out.Items {
			if rat(it.SK.N).Cmp(rat(list[i])) != 0 {
				rt.Fatalf("at %d: %s, want %s", i, it.SK.N, list[i])
			}
		}
		smaller := `"TableName":"numeric","Key":{"pk":{"S":"a"},"sk":{"N":"` + list[0] + `"}},"ConditionExpression":"sk < :n"` + values(`":n":{"N":"`+list[len(list)-1]+`"}`)
		if status, body := post(t, s, "UpdateItem", smaller); (status == 200) != (len(list) > 1) {
			rt.Fatalf("%s < %s: %s", list[0], list[len(list)-1], body)
		}
	})
}
