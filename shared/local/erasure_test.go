package local_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/nethouse-academy/albato/shared/delivery"
	"github.com/nethouse-academy/albato/shared/local"
	"github.com/nethouse-academy/albato/shared/local/localtest"
)

// attributes are one item's, each under its type's letter.
type attributes map[string]map[string]any

func (a attributes) text(name string) string { s, _ := a[name]["S"].(string); return s }

// stored is everything that the table holds.
func stored(t *testing.T, s *localtest.Stack) []attributes {
	t.Helper()
	var out struct {
		Items            []attributes
		LastEvaluatedKey any
	}
	call(t, s, "AWS_ENDPOINT_URL_DYNAMODB", "DynamoDB_20120810.Scan", map[string]any{"TableName": s.Tables["Table"], "ConsistentRead": true}, &out)
	if out.LastEvaluatedKey != nil {
		t.Fatal("the table does not fit into one page")
	}
	return out.Items
}

// keysOf are the keys of what is stored and has a word in any of its attributes.
func keysOf(t *testing.T, s *localtest.Stack, word string) (keys []string) {
	t.Helper()
	for _, i := range stored(t, s) {
		if strings.Contains(fmt.Sprint(i), word) {
			keys = append(keys, i.text("pk")+" "+i.text("sk"))
		}
	}
	return keys
}

func waiting(s *localtest.Stack, path string, n int) {
	s.Eventually(fmt.Sprint(n, " events wait"), func() bool {
		var c struct{ Health struct{ Waiting int } }
		s.Must(200, "GET", path, nil, &c)
		return c.Health.Waiting == n
	})
}

// One order's events, delivered ones and those that wait, go from every connection; what waits of others is sent.
func TestAnOrderIsErased(t *testing.T) {
	s := localtest.Start(t, local.Options{Parameters: map[string]string{"RetrySchedule": "1h"}})
	good := "/v1/accounts/a/connections/" + s.Connect("a", s.Link("good"), "order_update")
	bad := "/v1/accounts/a/connections/" + s.Connect("a", s.Link("bad"), "order_update")
	behave(t, s, "bad", "?status=503")
	for i, order := range []int{71111, 72222, 71111} {
		s.Must(202, "POST", "/v1/events", event("a", fmt.Sprint("e", i), "order_update", order), nil)
	}
	s.Arrivals("good", 3)
	waiting(s, bad, 3)
	journal := func(path, order string) (n int) {
		var list struct{ Deliveries []any }
		s.Must(200, "GET", path+"/deliveries?order_id="+order, nil, &list)
		return len(list.Deliveries)
	}
	s.Eventually("all is logged", func() bool { return journal(good, "71111") == 2 && journal(good, "72222") == 1 })

	var erased struct{ Erased int }
	s.Must(200, "DELETE", "/v1/accounts/b/orders/71111/deliveries", nil, &erased)
	if erased.Erased != 0 || len(keysOf(t, s, "71111")) == 0 {
		t.Error("another account's request erased something")
	}
	s.Must(200, "DELETE", "/v1/accounts/a/orders/71111/deliveries", nil, &erased)
	if left := keysOf(t, s, "71111"); erased.Erased != 4 || len(left) != 0 {
		t.Errorf("%d erased, want 4; still stored: %q", erased.Erased, left)
	}
	if journal(good, "71111")+journal(bad, "71111") != 0 || journal(good, "72222") != 1 || journal(bad, "72222") != 1 {
		t.Error("the journals do not show what is stored")
	}
	waiting(s, bad, 1)
	behave(t, s, "bad", "")
	s.Must(202, "POST", bad+"/resume", nil, nil)
	s.Eventually("the rest is delivered", func() bool {
		var c struct{ Health struct{ State string } }
		s.Must(200, "GET", bad, nil, &c)
		return c.Health.State == "healthy"
	})
	var taken []string
	for _, r := range s.Albato.Requests("/albato/wh/38/bad/") {
		if r.Status == 200 {
			taken = append(taken, r.Body)
		}
	}
	if len(taken) != 1 || !strings.Contains(taken[0], "72222") {
		t.Errorf("after the erasure the link was sent %q", taken)
	}
}

// A connection, and then an account, with events that were delivered and events that wait: the log and what waits go at
// once, the rest (the link, the secrets) when the minute is over in which a sender might still have something to say of it.
// Nothing more is sent, and what is another account's stays.
func TestDeletionLeavesNothing(t *testing.T) {
	s := localtest.Start(t, local.Options{Parameters: map[string]string{"RetrySchedule": "1h"}})
	a, b := furnish(s, "a"), furnish(s, "b")
	bad := s.Connect("a", s.Link("bad"), "order_update")
	behave(t, s, "bad", "?status=503")
	for i := range 3 {
		s.Must(202, "POST", "/v1/events", event("a", fmt.Sprint("w", i), "order_update", i), nil)
	}
	waiting(s, "/v1/accounts/a/connections/"+bad, 3)
	gone := func(what string, words ...string) {
		t.Helper()
		s.Eventually(what+" is gone", func() bool {
			return !slices.ContainsFunc(words, func(w string) bool { return len(keysOf(t, s, w)) > 0 })
		})
	}
	s.Must(204, "DELETE", "/v1/accounts/a/connections/"+bad, nil, nil)
	s.Must(404, "GET", "/v1/accounts/a/connections/"+bad, nil, nil)
	s.Must(404, "GET", "/v1/accounts/a/connections/"+bad+"/deliveries", nil, nil)
	gone("the log and what waits", "pk:map[S:CONNECTION#"+bad)
	sent := len(s.Albato.Requests("/albato/wh/38/bad/"))

	s.Must(204, "DELETE", "/v1/accounts/a", nil, nil)
	gone("what the account had", "pk:map[S:CONNECTION#"+a["connection"], a["token"])
	s.Must(401, "GET", "/v1/accounts/a", nil, nil, "Authorization", "Bearer "+a["secret"])
	var answer struct{ Deliveries []any }
	s.Must(202, "POST", "/v1/events", event("a", "after", "order_update", 9), &answer)
	if len(answer.Deliveries) != 0 {
		t.Errorf("an event after the erasure: %+v", answer)
	}
	aMinuteLater(t, s, "a")
	gone("the account", "ACCOUNT#a", a["connection"], bad, "of-a", "albato-a")
	if n := len(s.Albato.Requests("/albato/wh/38/bad/")); n != sent {
		t.Errorf("%d requests were sent after the deletion", n-sent)
	}
	s.Must(200, "GET", "/v1/accounts/b/connections/"+b["connection"]+"/deliveries/"+b["delivery"], nil, nil)
	s.Must(200, "GET", "/v1/accounts/b", nil, nil, "Authorization", "Bearer "+b["secret"])
	s.Must(204, "DELETE", "/v1/accounts/a", nil, nil) // a repeat is no error
	s.Connect("a", s.Link("bad"), "order_update")     // the link is free again
}

// aMinuteLater makes the deletions of an account's connections two minutes old, and hands the sender their tokens, which
// sleep in the queue until then.
func aMinuteLater(t *testing.T, s *localtest.Stack, account string) {
	t.Helper()
	for _, i := range stored(t, s) {
		if i.text("pk") != "ACCOUNT#"+account || !strings.HasPrefix(i.text("sk"), "CONNECTION#") {
			continue
		}
		call(t, s, "AWS_ENDPOINT_URL_DYNAMODB", "DynamoDB_20120810.UpdateItem", map[string]any{"TableName": s.Tables["Table"],
			"Key": map[string]any{"pk": i["pk"], "sk": i["sk"]}, "UpdateExpression": "SET updated_at = updated_at - :m",
			"ExpressionAttributeValues": map[string]any{":m": map[string]string{"N": "120000"}}}, nil)
		token := delivery.Token{AccountID: account, ConnectionID: strings.TrimPrefix(i.text("sk"), "CONNECTION#")}
		batch, err := json.Marshal(events.SQSEvent{Records: []events.SQSMessage{{MessageId: "m", ReceiptHandle: "h", Body: token.Encode(),
			Attributes: map[string]string{"SequenceNumber": "18849496460467696128", "MessageGroupId": token.ConnectionID}}}})
		if err != nil {
			t.Fatal(err)
		}
		if out, err := s.Functions["SenderFunction"].Invoke(t.Context(), batch); err != nil || strings.Contains(string(out), "itemIdentifier") {
			t.Errorf("the token of %s: %s, %v", token.ConnectionID, out, err)
		}
	}
}

// The parameter decides how long an entry is kept, and no read shows one that is past its time, though DynamoDB has not
// deleted it yet.
func TestEntriesAreKeptForTheirTime(t *testing.T) {
	s := localtest.Start(t, local.Options{Parameters: map[string]string{"RetentionDays": "3"}})
	began := time.Now()
	path := "/v1/accounts/a/connections/" + s.Connect("a", s.Link("kept"), "order_update")
	s.Must(202, "POST", "/v1/events", event("a", "e1", "order_update", 1), nil)
	s.Must(200, "POST", path+"/test", map[string]any{"action": "order_update"}, nil)
	var list struct{ Deliveries []struct{ ID string } }
	s.Eventually("both are logged", func() bool {
		s.Must(200, "GET", path+"/deliveries", nil, &list)
		return len(list.Deliveries) == 2
	})
	ids := []string{list.Deliveries[0].ID, list.Deliveries[1].ID}
	entries := 0
	for _, i := range stored(t, s) {
		if !strings.HasPrefix(i.text("sk"), "DELIVERY#") {
			continue
		}
		entries++
		text, _ := i["expires_at"]["N"].(string)
		at, err := strconv.ParseInt(text, 10, 64)
		if kept := time.Unix(at, 0).Sub(began); err != nil || kept < 3*24*time.Hour-time.Second || kept > 3*24*time.Hour+time.Minute {
			t.Errorf("%s is kept for %v, want 3 days", i.text("sk"), kept)
		}
		// As if three days had passed. The second that was not over keeps it from being deleted meanwhile.
		i["expires_at"] = map[string]any{"N": strconv.FormatInt(time.Now().Unix(), 10)}
		call(t, s, "AWS_ENDPOINT_URL_DYNAMODB", "DynamoDB_20120810.PutItem", map[string]any{"TableName": s.Tables["Table"], "Item": maps.Clone(i)}, nil)
	}
	if entries != 2 {
		t.Fatalf("%d entries are stored", entries)
	}
	s.Must(200, "GET", path+"/deliveries", nil, &list)
	if len(list.Deliveries) != 0 {
		t.Errorf("the list shows %+v", list.Deliveries)
	}
	for _, id := range ids {
		s.Must(404, "GET", path+"/deliveries/"+id, nil, nil)
		s.Must(404, "POST", path+"/deliveries/"+id+"/retry", nil, nil)
	}
	var replayed struct{ Matched, Queued int }
	s.Must(202, "POST", path+"/replay", map[string]any{"from": "2026-11-01T00:00:00Z", "to": "2099-01-01T00:00:00Z", "statuses": []string{"delivered"}}, &replayed)
	if replayed.Matched != 0 || replayed.Queued != 0 {
		t.Errorf("replayed %+v", replayed)
	}
	if summary := string(s.Do("GET", path+"/deliveries/summary?hours=1", nil).Body); strings.Contains(summary, `"delivered":1`) || strings.Contains(summary, `"delivered":2`) {
		t.Errorf("the summary counts them: %s", summary)
	}
	var c struct {
		Health struct {
			LastDeliveredAt *time.Time `json:"last_delivered_at"`
		}
	}
	if s.Must(200, "GET", path, nil, &c); c.Health.LastDeliveredAt != nil {
		t.Errorf("the connection shows one of %v", c.Health.LastDeliveredAt)
	}
}
