package dynamodb_test

import (
	"encoding/json"
	"fmt"
	"hash/crc32"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nethouse-academy/albato/shared/local/dynamodb"
)

// step is one request of a scenario. Its request is in, with the name of the
// scenario's table added; want is what the answer must be:
//   - JSON: the whole body, whatever the status (members in any order)
//   - !Code or !Code: text: an error of that code, its message with that text
//   - nothing: any success
type step struct{ op, in, want string }

// scenario is a case of the conformance list: its steps run in order against
// a fresh table "orders" with the keys pk and sk (strings) and the index
// by_group (g1, g2).
type scenario struct {
	id, name string
	steps    []step
}

const createOrders = `"BillingMode":"PAY_PER_REQUEST",
	"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"S"},
		{"AttributeName":"g1","AttributeType":"S"},{"AttributeName":"g2","AttributeType":"S"}],
	"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}],
	"GlobalSecondaryIndexes":[{"IndexName":"by_group","Projection":{"ProjectionType":"ALL"},
		"KeySchema":[{"AttributeName":"g1","KeyType":"HASH"},{"AttributeName":"g2","KeyType":"RANGE"}]}]`

// newServer has the table "orders".
func newServer(t testing.TB) *dynamodb.Server {
	s := dynamodb.New(dynamodb.Options{Now: func() time.Time { return time.Unix(1795421100, 0) }})
	mustPost(t, s, "CreateTable", createOrders)
	return s
}

// post sends a request about the table "orders" straight to the handler and
// checks what every answer must have.
func post(t testing.TB, s http.Handler, op, in string) (status int, body string) {
	t.Helper()
	members := `"TableName":"orders"`
	if strings.HasPrefix(op, "Batch") || strings.HasPrefix(op, "Transact") || op == "ListTables" || strings.Contains(in, `"TableName"`) {
		members = ""
	} else if in != "" {
		members += ","
	}
	return postRaw(t, s, op, "{"+members+in+"}")
}

func postRaw(t testing.TB, s http.Handler, op, body string) (int, string) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("X-Amz-Target", "DynamoDB_20120810."+op)
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if got, want := w.Header().Get("X-Amz-Crc32"), crc32.ChecksumIEEE(w.Body.Bytes()); got != strconv.FormatUint(uint64(want), 10) {
		t.Fatalf("%s: X-Amz-Crc32 is %s, the body's is %d", op, got, want)
	}
	if w.Header().Get("X-Amzn-RequestId") == "" || w.Header().Get("Content-Type") != "application/x-amz-json-1.0" {
		t.Fatalf("%s: headers %v", op, w.Header())
	}
	if !json.Valid(w.Body.Bytes()) {
		t.Fatalf("%s: not JSON: %s", op, w.Body)
	}
	return w.Code, w.Body.String()
}

func mustPost(t testing.TB, s http.Handler, op, in string) string {
	t.Helper()
	status, body := post(t, s, op, in)
	if status != http.StatusOK {
		t.Fatalf("%s %.200s: %d %s", op, in, status, body)
	}
	return body
}

func (st step) run(t testing.TB, s http.Handler) {
	t.Helper()
	status, body := post(t, s, st.op, st.in)
	switch {
	case st.want == "":
		if status != http.StatusOK {
			t.Fatalf("%s %.200s\n got %d %s", st.op, st.in, status, body)
		}
	case st.want[0] == '!':
		code, text, _ := strings.Cut(st.want[1:], ": ")
		wantFault(t, st.op+" "+st.in, status, body, code, text)
	default:
		if !sameJSON(t, body, st.want) {
			t.Fatalf("%s %.300s\n got %s\nwant %s", st.op, st.in, body, st.want)
		}
	}
}

func wantFault(t testing.TB, what string, status int, body, code, text string) {
	t.Helper()
	var f struct {
		Type    string `json:"__type"`
		Message string `json:"message"` // Message too: the match ignores case
	}
	if err := json.Unmarshal([]byte(body), &f); err != nil {
		t.Fatal(err)
	}
	if status != http.StatusBadRequest || f.Type[strings.IndexByte(f.Type, '#')+1:] != code || !strings.Contains(f.Message, text) {
		t.Fatalf("%.300s\n got %d %.500s\nwant 400 %s: …%s…", what, status, body, code, text)
	}
}

func sameJSON(t testing.TB, a, b string) bool {
	t.Helper()
	var x, y any
	if err := json.Unmarshal([]byte(a), &x); err != nil {
		t.Fatalf("%v in %s", err, a)
	}
	if err := json.Unmarshal([]byte(b), &y); err != nil {
		t.Fatalf("%v in %s", err, b)
	}
	return reflect.DeepEqual(x, y)
}

// key is a primary key, or an item of it and more attributes.
func key(pk, sk string, more ...string) string {
	attrs := append([]string{fmt.Sprintf(`"pk":{"S":%q},"sk":{"S":%q}`, pk, sk)}, more...)
	return "{" + strings.Join(attrs, ",") + "}"
}

func put(pk, sk string, more ...string) step {
	return step{"PutItem", `"Item":` + key(pk, sk, more...), "{}"}
}

// holds expects an item to be exactly that.
func holds(pk, sk string, more ...string) step {
	return step{"GetItem", `"ConsistentRead":true,"Key":` + key(pk, sk), `{"Item":` + key(pk, sk, more...) + `}`}
}

func absent(pk, sk string) step {
	return step{"GetItem", `"ConsistentRead":true,"Key":` + key(pk, sk), `{}`}
}

// update is an UpdateItem of the item a/1.
func update(expression, more, want string) step {
	return step{"UpdateItem", `"Key":` + key("a", "1") + `,"UpdateExpression":` + strconv.Quote(expression) + more, want}
}

func values(members string) string { return `,"ExpressionAttributeValues":{` + members + `}` }

func TestConformance(t *testing.T) {
	seen := make(map[string]bool)
	for _, list := range [][]scenario{tableScenarios(), writeScenarios(), updateScenarios(), valueScenarios(),
		expressionScenarios(), queryScenarios(), indexScenarios(), batchScenarios(), transactionScenarios()} {
		for _, sc := range list {
			seen[sc.id] = true
			t.Run(sc.id+" "+sc.name, func(t *testing.T) {
				s := newServer(t)
				for _, st := range sc.steps {
					st.run(t, s)
				}
			})
		}
	}
	// These are tests of their own below: they need loops or goroutines.
	for _, id := range []string{"D04", "D19", "D24", "D36", "D45", "D50", "D52", "D53"} {
		seen[id] = true
	}
	for i := 1; i <= 53; i++ {
		if id := fmt.Sprintf("D%02d", i); !seen[id] {
			t.Errorf("no scenario %s", id)
		}
	}
}
