package local_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nethouse-academy/albato/shared/local"
	"github.com/nethouse-academy/albato/shared/local/albato"
	"github.com/nethouse-academy/albato/shared/local/localtest"
)

// sample is one event as the Academy posts it.
type sample struct {
	file      []byte
	ID        string          `json:"id"`
	AccountID string          `json:"account_id"`
	At        string          `json:"occurred_at"`
	Data      json.RawMessage `json:"data"`
	action    string
}

// body is what Albato must get of it, byte for byte.
func (s sample) body() string {
	return fmt.Sprintf(`{"id":%q,"action":%q,"occurred_at":%q,"account_id":%q,"test":false,"data":%s}`, s.ID, s.action, s.At, s.AccountID, s.Data)
}

// samples returns the six samples in the order in which a buyer causes them.
func samples(t *testing.T) []sample {
	t.Helper()
	var out []sample
	for _, action := range []string{"order_create", "order_ticket_create", "order_ticket_update", "order_update", "order_complete", "order_ticket_cancel"} {
		text, err := os.ReadFile(filepath.Join("testdata", "samples", action+".json"))
		if err != nil {
			t.Fatal(err)
		}
		s := sample{file: text, action: action}
		if err := json.Unmarshal(text, &s); err != nil {
			t.Fatal(err)
		}
		out = append(out, s)
	}
	return out
}

// The product in one test: two organiser's links, each with events of its own; the Academy posts all six; each link gets
// exactly what it asked for, byte for byte, in order, once; and the journal says so.
func TestTheMainJob(t *testing.T) {
	s := localtest.Start(t, local.Options{})
	events := samples(t)
	account := events[0].AccountID
	wanted := map[string][]string{
		"crm":    {"order_create", "order_update", "order_complete"},
		"sheets": {"order_ticket_create", "order_ticket_update", "order_complete", "order_ticket_cancel"},
	}
	connections := map[string]string{}
	for name, actions := range wanted {
		connections[name] = s.Connect(account, s.Link(name), actions...)
	}
	off := s.Link("off")
	s.Must(201, "POST", "/v1/accounts/"+account+"/connections", map[string]any{"webhook_url": off, "actions": []string{"order_complete"}}, nil)

	accepted := map[string]string{} // delivery by connection and action
	for _, e := range events {
		var answer struct {
			ID         string
			Deliveries []struct {
				ID           string
				ConnectionID string `json:"connection_id"`
			}
		}
		s.Must(202, "POST", "/v1/events", e.file, &answer)
		count := 0
		for name, actions := range wanted {
			if slices.Contains(actions, e.action) {
				count++
				i := slices.IndexFunc(answer.Deliveries, func(d struct {
					ID           string
					ConnectionID string `json:"connection_id"`
				}) bool {
					return d.ConnectionID == connections[name]
				})
				if i < 0 {
					t.Fatalf("%s: no delivery for %s in %+v", e.action, name, answer)
				}
				accepted[connections[name]+e.action] = answer.Deliveries[i].ID
			}
		}
		if answer.ID != e.ID || len(answer.Deliveries) != count {
			t.Errorf("%s: %+v, want %d deliveries", e.action, answer, count)
		}
		s.Must(202, "POST", "/v1/events", e.file, nil) // the Academy repeats itself: nothing more is delivered
	}
	for name, actions := range wanted {
		got := s.Arrivals(name, len(actions))
		checkArrivals(t, name, got, events, actions, func(action string) string { return accepted[connections[name]+action] })
		checkJournal(t, s, account, connections[name], actions, accepted)
	}
	// The sender has said "delivered" of each, so whatever came twice has come by now.
	total := 0
	for _, actions := range wanted {
		total += len(actions)
	}
	if all := s.Albato.Requests(""); len(all) != total {
		t.Errorf("%d requests came, want %d", len(all), total)
	}
	if counts, err := s.SQS.Counts(s.Queues["DeadLettersQueue"]); err != nil || counts.Visible != 0 {
		t.Errorf("dead letters: %+v, %v", counts, err)
	}
}

func checkArrivals(t *testing.T, name string, got []albato.Request, events []sample, actions []string, delivery func(action string) string) {
	t.Helper()
	var want []sample
	for _, e := range events {
		if slices.Contains(actions, e.action) {
			want = append(want, e)
		}
	}
	if len(got) != len(want) {
		t.Fatalf("%s: %d requests, want %d", name, len(got), len(want))
	}
	for i, e := range want {
		r := got[i]
		if r.Body != e.body() {
			t.Errorf("%s: request %d is\n%s\nwant %s\n%s", name, i+1, r.Body, e.action, e.body())
		}
		if r.Method != "POST" || r.Headers["content-type"] != "application/json; charset=utf-8" || r.Headers["webhook-attempt"] != "1" ||
			r.Headers["webhook-id"] != delivery(e.action) || !strings.HasPrefix(r.Headers["webhook-signature"], "v1,") ||
			!strings.HasPrefix(r.Headers["user-agent"], "NethouseAcademy-Albato/") || r.Headers["webhook-timestamp"] == "" {
			t.Errorf("%s: %s with headers %v", name, e.action, r.Headers)
		}
	}
}

// checkJournal waits until the log of a connection knows of every delivery, newest first.
func checkJournal(t *testing.T, s *localtest.Stack, account, connection string, actions []string, accepted map[string]string) {
	t.Helper()
	type entry struct {
		ID, Action, Status string
		OrderID            string `json:"order_id"`
		Attempts           int
		LastStatus         int `json:"last_status"`
		Test               bool
	}
	var journal struct{ Deliveries []entry }
	path := "/v1/accounts/" + account + "/connections/" + connection
	s.Eventually("the journal shows "+strings.Join(actions, ", "), func() bool {
		s.Must(200, "GET", path+"/deliveries", nil, &journal)
		return len(journal.Deliveries) == len(actions) && !slices.ContainsFunc(journal.Deliveries, func(e entry) bool { return e.Status == "" })
	})
	for _, e := range journal.Deliveries {
		if e.Status != "delivered" || e.Attempts != 1 || e.LastStatus != 200 || e.OrderID != "9840012" || e.Test || e.ID != accepted[connection+e.Action] {
			t.Errorf("journal entry %+v, want delivered at the first attempt as %s", e, accepted[connection+e.Action])
		}
	}
	if !slices.IsSortedFunc(journal.Deliveries, func(a, b entry) int { return strings.Compare(b.ID, a.ID) }) {
		t.Errorf("the journal is not newest first: %+v", journal.Deliveries)
	}
	var detail struct {
		Payload json.RawMessage
	}
	first := journal.Deliveries[0]
	s.Must(200, "GET", path+"/deliveries/"+first.ID, nil, &detail)
	for _, r := range s.Albato.Requests("") {
		if r.Headers["webhook-id"] == first.ID && !sameJSON(detail.Payload, []byte(r.Body)) {
			t.Errorf("payload %s, sent %s", detail.Payload, r.Body)
		}
	}
}

// sameJSON compares the members in their order and the numbers in their digits; only white space may differ.
func sameJSON(a, b []byte) bool {
	var x, y bytes.Buffer
	return json.Compact(&x, a) == nil && json.Compact(&y, b) == nil && bytes.Equal(x.Bytes(), y.Bytes())
}
