package local_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/nethouse-academy/albato/shared/local"
	"github.com/nethouse-academy/albato/shared/local/albato"
	"github.com/nethouse-academy/albato/shared/local/iam"
	"github.com/nethouse-academy/albato/shared/local/localtest"
)

// Every route and every turn of the protocol, on the permissions that the template gives: nothing is denied (the stack
// denies what is not granted), and nothing is granted that is not needed.
func TestPermissionsAreJustEnough(t *testing.T) {
	s := localtest.Start(t, local.Options{Parameters: map[string]string{"RetrySchedule": "1s,1h,1h", "VisibilityTimeout": "3", "DeliveryTimeout": "1400ms"}})
	everything(t, s)
	idle := func() (out []string) {
		for id := range s.Functions {
			used := s.Used(id)
			for _, g := range s.Policies[id].Grants() {
				if name := id + ": " + g.String(); !slices.Contains(used, g) {
					out = append(out, name)
				}
			}
		}
		return out
	}
	t.Cleanup(func() {
		if left := idle(); len(left) > 0 {
			t.Logf("granted and never used:\n%s", strings.Join(left, "\n"))
		}
	})
	s.Eventually("every permission is used", func() bool { return len(idle()) == 0 })
	for line := range strings.SplitSeq(s.Log.String(), "\n") {
		if strings.Contains(line, "not authorized") || strings.Contains(line, "AccessDenied") {
			t.Errorf("denied: %s", line)
		}
	}
}

func everything(t *testing.T, s *localtest.Stack) {
	const account = "/v1/accounts/a"
	good, bad := s.Connect("a", s.Link("good"), "order_update"), s.Connect("a", s.Link("bad"), "order_update")
	post := func(order int) {
		s.Must(202, "POST", "/v1/events", event("a", fmt.Sprint("e", order), "order_update", order), nil)
	}
	behave := func(name, query string) {
		r, err := http.NewRequest("PUT", s.Link(name)+query, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil || response.StatusCode != 204 {
			t.Fatalf("%v, %v", response, err)
		}
		response.Body.Close()
	}
	state := func(id, want string) {
		t.Helper()
		s.Eventually("the connection is "+want, func() bool {
			var c struct{ Health struct{ State string } }
			s.Must(200, "GET", account+"/connections/"+id, nil, &c)
			return c.Health.State == want
		})
	}
	post(1)
	s.Arrivals("good", 1)
	behave("bad", "?status=500")
	post(2)
	s.Eventually("the token of the failing connection sleeps for an hour", func() bool {
		var c struct{ Health struct{ Attempts int } }
		s.Must(200, "GET", account+"/connections/"+bad, nil, &c)
		return c.Health.Attempts >= 2
	})
	post(3)
	behave("bad", "")
	s.Must(202, "POST", account+"/connections/"+bad+"/resume", nil, nil) // wakes the sleeping token
	state(bad, "healthy")
	waitFor(s, "bad", "e2", "e3")
	behave("bad", "?status=410")
	post(4)
	state(bad, "suspended")
	behave("bad", "")
	s.Must(202, "POST", account+"/connections/"+bad+"/resume", nil, nil)
	state(bad, "healthy")

	var journal struct{ Deliveries []struct{ ID string } }
	s.Must(200, "GET", account+"/connections/"+good+"/deliveries", nil, &journal)
	s.Must(202, "POST", account+"/connections/"+good+"/deliveries/"+journal.Deliveries[0].ID+"/retry", nil, nil)
	s.Must(200, "GET", account+"/connections/"+good+"/deliveries/"+journal.Deliveries[0].ID, nil, nil)
	s.Must(202, "POST", account+"/connections/"+good+"/replay", map[string]any{"from": "2026-11-01T00:00:00Z", "to": "2026-12-01T00:00:00Z"}, nil)
	s.Must(200, "POST", account+"/connections/"+good+"/test", map[string]any{"action": "order_create"}, nil)
	s.Must(200, "POST", account+"/connections/"+good+"/secret/rotate", nil, nil)
	s.Must(200, "PATCH", account+"/connections/"+good, map[string]any{"enabled": false}, nil)
	s.Must(201, "POST", account+"/page-sessions", map[string]any{}, nil)
	s.Must(200, "DELETE", account+"/orders/1/deliveries", nil, nil)

	// A link so slow that a batch of one order does not fit into an invocation: what there was no time for is given back.
	s.Connect("b", s.Link("slow")+"?delay=1s", "order_update")
	for i := range 6 {
		s.Must(202, "POST", "/v1/events", event("b", fmt.Sprint("s", i), "order_update", 1), nil)
	}
	s.Arrivals("slow", 6)

	sendRaw(t, s, "DeliveriesQueue", "no message of ours")
	s.Eventually("a dead letter", func() bool {
		c, err := s.SQS.Counts(s.Queues["DeadLettersQueue"])
		return err == nil && c.Visible == 1
	})
	s.Must(204, "DELETE", account+"/connections/"+bad, nil, nil)
	s.Must(204, "DELETE", account, nil, nil)
	s.Must(404, "GET", account+"/connections/"+good, nil, nil)
	aMinuteLater(t, s, "a") // the connections themselves are deleted now
}

// waitFor waits until the events of those ids came to the link of that name.
func waitFor(s *localtest.Stack, name string, ids ...string) {
	for n := 1; ; n++ {
		got := s.Arrivals(name, n)
		if !slices.ContainsFunc(ids, func(id string) bool {
			return !slices.ContainsFunc(got, func(r albato.Request) bool {
				return r.Status == 200 && strings.Contains(r.Body, fmt.Sprintf(`{"id":%q,`, id))
			})
		}) {
			return
		}
		n = len(got)
	}
}

// sendRaw puts a message into a queue, as an operator might.
func sendRaw(t *testing.T, s *localtest.Stack, queue, body string) {
	t.Helper()
	endpoint := s.Endpoints["AWS_ENDPOINT_URL_SQS"]
	r, err := http.NewRequest("POST", endpoint, strings.NewReader(fmt.Sprintf(
		`{"QueueUrl":%q,"MessageBody":%q,"MessageGroupId":"g","MessageDeduplicationId":"d"}`, s.SQS.QueueURL(endpoint, s.Queues[queue]), body)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	r.Header.Set("X-Amz-Target", "AmazonSQS.SendMessage")
	response, err := http.DefaultClient.Do(r)
	if err != nil || response.StatusCode != 200 {
		t.Fatalf("%v, %v", response, err)
	}
	response.Body.Close()
}

// A function that does more than it is granted is denied on this machine too.
func TestWhatIsNotGrantedIsDenied(t *testing.T) {
	err := change(t, "                - sqs:ReceiveMessage\n", "")
	if err == nil || !strings.Contains(err.Error(), "SenderFunction is not authorized to perform: sqs:ReceiveMessage") {
		t.Errorf("error %v", err)
	}
	if (iam.Policy{}).Allows("sqs:SendMessage", "q") {
		t.Error("an empty policy allows something")
	}
}
