package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/nethouse-academy/albato/shared/local"
	"github.com/nethouse-academy/albato/shared/local/localtest"
)

// counter counts what is written to it, but for the local stack's own words before each line.
type counter struct{ bytes atomic.Int64 }

func (c *counter) Write(p []byte) (int, error) {
	for line := range strings.Lines(string(p)) {
		if i := strings.IndexByte(line, '{'); i >= 0 {
			c.bytes.Add(int64(len(line) - i))
		}
	}
	return len(p), nil
}

// TestAnEventTakesWhatTheTableSays counts, on the functions' own binaries, the calls, units and log of events that come one
// by one, and holds the table's figures to them: none is exceeded, and none is more than a third too high.
func TestAnEventTakesWhatTheTableSays(t *testing.T) {
	log := &counter{}
	s := localtest.Start(t, local.Options{Log: log})
	s.Connect("academy-1001", s.Link("cost"), "order_complete")
	post := func(from, to int) {
		for n := from; n < to; n++ {
			body := sampleEvent(t, n)
			s.Must(202, "POST", "/v1/events", body, nil)
			s.Arrivals("cost", n+1)
			s.Eventually("the delivery to be logged", func() bool { return s.DynamoDB.Calls()["BatchWriteItem"] >= int64(n-from+1) })
		}
	}
	post(0, 2) // processes have started and the secret has been read
	s.DynamoDB.ResetCalls()
	s.SQS.ResetCalls()
	log.bytes.Store(0)
	const events = 20
	// From here on the log entries of the first two no longer count.
	post(2, 2+events)

	calls := s.DynamoDB.Calls()
	for _, operation := range []string{"Query", "BatchGetItem", "BatchWriteItem"} {
		if calls[operation] != events {
			t.Errorf("%d events made %d calls of %s", events, calls[operation], operation)
		}
	}
	if len(calls) != 3 {
		t.Errorf("calls of the table: %v", calls)
	}
	if n := s.SQS.Calls()["SendMessageBatch"]; n != events {
		t.Errorf("%d events made %d calls of SendMessageBatch", events, n)
	}
	var reads, writes float64
	for _, u := range s.DynamoDB.Units() {
		reads, writes = reads+u.Read, writes+u.Write
	}
	near := func(what string, counted, assumed float64) {
		t.Helper()
		if counted > assumed || counted < assumed*2/3 {
			t.Errorf("%s: %.2f an event, the table says %.2f", what, counted, assumed)
		}
	}
	near("read units", reads/events, alone.Reads)
	near("write units", writes/events, alone.Writes)
	near("log bytes", float64(log.bytes.Load())/events, alone.LogBytes-systemBytes)
}

// sampleEvent is the Academy's usual event with an id of its own.
func sampleEvent(t *testing.T, n int) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "local", "testdata", "samples", "order_complete.json"))
	var members map[string]json.RawMessage
	if err == nil {
		err = json.Unmarshal(text, &members)
	}
	if err != nil {
		t.Fatal(err)
	}
	members["id"], members["account_id"] = fmt.Appendf(nil, `"cost-%d"`, n), json.RawMessage(`"academy-1001"`)
	if text, err = json.Marshal(members); err != nil {
		t.Fatal(err)
	}
	return text
}

func TestTheTableAddsUp(t *testing.T) {
	var out strings.Builder
	table(&out)
	for _, want := range []string{fmt.Sprintf("**$%.2f**", alone.total()), "DynamoDB, writes", "A month without any event"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the table has no %q:\n%s", want, out.String())
		}
	}
	if full().total() >= alone.total() {
		t.Error("a full batch is no cheaper")
	}
}
