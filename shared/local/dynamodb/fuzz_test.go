package dynamodb_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// FuzzExpression gives a text to every kind of expression: the answer is a
// result, a failed condition, or a fault of validation; never anything else.
func FuzzExpression(f *testing.F) {
	for _, text := range []string{
		"attribute_not_exists(pk)", "a = :v AND (b <> :v OR NOT contains(c, :v))", "n BETWEEN :v AND :w", "a IN (:v, :w)",
		"size(a.b[1].#n) >= :v", "SET a = if_not_exists(b, :v) + :w, c[1] = list_append(d, :v) REMOVE e ADD f :w DELETE g :v",
		"a, b.c, #n[3]", "pk = :v AND begins_with(sk, :v)", "((a = :v))", "a[", "SET", "\xff", "a = :v AND", "REMOVE a.b, a[0]", ":", "#",
	} {
		f.Add(text)
	}
	s := newServer(f)
	put("a", "1", `"a":{"S":"x"},"n":{"N":"1"},"c":{"SS":["x"]},"m":{"M":{"k":{"S":"v"}}},"l":{"L":[{"S":"x"}]}`).run(f, s)
	f.Fuzz(func(t *testing.T, text string) {
		quoted, err := json.Marshal(strings.ToValidUTF8(text, "?"))
		if err != nil {
			t.Fatal(err)
		}
		e := string(quoted)
		mustPost(t, s, "DeleteItem", `"Key":`+key("c", "1"))
		for _, c := range []struct{ op, in string }{
			{"UpdateItem", `"Key":` + key("a", "1") + `,"ConditionExpression":` + e},
			{"UpdateItem", `"Key":` + key("b", "1") + `,"ConditionExpression":"attribute_exists(nothing)","UpdateExpression":` + e},
			{"UpdateItem", `"Key":` + key("c", "1") + `,"UpdateExpression":` + e},
			{"GetItem", `"Key":` + key("a", "1") + `,"ProjectionExpression":` + e},
			{"Query", `"KeyConditionExpression":` + e},
			{"Query", `"KeyConditionExpression":"pk = :v","FilterExpression":` + e},
		} {
			// Names and values are given only where the text uses them, so that
			// evaluation is reached and not just the refusal of what is unused.
			if strings.Contains(text, "#n") {
				c.in += `,"ExpressionAttributeNames":{"#n":"n"}`
			}
			var vals []string
			for _, v := range []string{`":v":{"S":"x"}`, `":w":{"N":"1"}`} {
				if strings.Contains(c.in, v[1:3]) {
					vals = append(vals, v)
				}
			}
			if vals != nil && c.op != "GetItem" {
				c.in += values(strings.Join(vals, ","))
			}
			status, body := post(t, s, c.op, c.in)
			ok := status == http.StatusOK
			for _, allowed := range []string{"#ValidationException", "#ConditionalCheckFailedException", `"NotImplementedException"`} {
				ok = ok || strings.Contains(body, allowed)
			}
			if !ok {
				t.Fatalf("%s %s\n%d %s", c.op, c.in, status, body)
			}
		}
	})
}
