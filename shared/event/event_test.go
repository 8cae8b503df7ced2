package event_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/oklog/ulid/v2"

	"github.com/nethouse-academy/albato/shared/event"
	"github.com/nethouse-academy/albato/shared/problem"
)

func sample(t testing.TB, action string) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("samples", action+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestParseKeepsDataByteForByte(t *testing.T) {
	data := `{ "action":"order_complete" , "order":{"id":98400120000000000000001,"z":1.50,"a":"\u041a\/<&>"},` + "\n\t" + `"b":1e+400,"a":-0.0 }`
	e, err := event.Parse([]byte(`{"id":"e1","account_id":"a:1","occurred_at":"2026-11-23T11:05:00.25+03:00","data":` + data + `}`))
	if err != nil {
		t.Fatal(err)
	}
	if string(e.Data) != data {
		t.Errorf("data = %s", e.Data)
	}
	if e.OrderID != "98400120000000000000001" {
		t.Errorf("order id = %s", e.OrderID)
	}
	want := `{"id":"e1","action":"order_complete","occurred_at":"2026-11-23T08:05:00.25Z","account_id":"a:1","test":false,"data":` + data + `}`
	if got := string(e.Body(false)); got != want {
		t.Errorf("body = %s\nwant   %s", got, want)
	}
}

func TestParseAcceptsEverySample(t *testing.T) {
	for _, trigger := range event.Triggers() {
		e, err := event.Parse(sample(t, string(trigger.Action)))
		if err != nil {
			t.Errorf("%s: %v", trigger.Action, err)
		}
		if e.Action != trigger.Action || e.OrderID != "9840012" || e.AccountID != "academy-1001" {
			t.Errorf("%s: parsed as %+v", trigger.Action, e)
		}
	}
}

// TestParseNamesEveryWrongField: one row a rule; the wanted fields must be reported together, and no others.
func TestParseNamesEveryWrongField(t *testing.T) {
	order := `"order":{"id":1}`
	for name, c := range map[string]struct {
		raw    string
		status int // 0: every 422
		fields string
	}{
		"empty object":          {`{}`, 0, "id account_id occurred_at data"},
		"all wrong at once":     {`{"id":"","account_id":7,"occurred_at":"yesterday","data":{"action":"x","order":{}}}`, 0, "id account_id occurred_at data.action data.order.id"},
		"id too long":           {full(`"` + strings.Repeat("i", 129) + `"`), 0, "id"},
		"id with a space":       {full(`"a b"`), 0, "id"},
		"id a number":           {full(`1`), 0, "id"},
		"unknown field":         {`{"id":"1","account_id":"a","occurred_at":"2026-11-23T08:05:00Z","extra":1,"data":{"action":"order_create",` + order + `}}`, 0, "extra"},
		"names are exact":       {`{"ID":"1","account_id":"a","occurred_at":"2026-11-23T08:05:00Z","data":{"action":"order_create",` + order + `}}`, 0, "ID id"},
		"data a string":         {withData(`"x"`), 0, "data"},
		"data null":             {withData(`null`), 0, "data"},
		"no action, no order":   {withData(`{}`), 0, "data.action data.order.id"},
		"action of another day": {withData(`{"action":"order_refund",` + order + `}`), 0, "data.action"},
		"order a number":        {withData(`{"action":"order_create","order":5}`), 0, "data.order"},
		"order id true":         {withData(`{"action":"order_create","order":{"id":true}}`), 0, "data.order.id"},
		"order id empty":        {withData(`{"action":"order_create","order":{"id":""}}`), 0, "data.order.id"},
		"order id with NUL":     {withData(`{"action":"order_create","order":{"id":"a\u0000"}}`), 0, "data.order.id"},
		"order id no queue has": {withData(`{"action":"order_create","order":{"id":"a\uffff"}}`), 0, "data.order.id"},
		"order id too long":     {withData(`{"action":"order_create","order":{"id":` + strings.Repeat("1", 129) + `}}`), 0, "data.order.id"},
		"ticket missing":        {withData(`{"action":"order_ticket_cancel",` + order + `}`), 0, "data.order_ticket.id"},
		"ticket null":           {withData(`{"action":"order_ticket_update",` + order + `,"order_ticket":null}`), 0, "data.order_ticket.id"},
		"ticket without id":     {withData(`{"action":"order_ticket_create",` + order + `,"order_ticket":{}}`), 0, "data.order_ticket.id"},
		"time before 1970":      {`{"id":"1","account_id":"a","occurred_at":"1969-12-31T23:59:59Z","data":{"action":"order_create",` + order + `}}`, 0, "occurred_at"},
		"time without a zone":   {`{"id":"1","account_id":"a","occurred_at":"2026-11-23T08:05:00","data":{"action":"order_create",` + order + `}}`, 0, "occurred_at"},
		"array":                 {`[]`, 0, ""},
		"too deep":              {withData(strings.Repeat(`{"a":`, 65) + `1` + strings.Repeat(`}`, 65)), 400, ""},
		"not JSON":              {`{"id":`, 400, ""},
		"nothing":               {``, 400, ""},
		"two values":            {full(`"1"`) + `{}`, 400, ""},
		"trailing rubbish":      {full(`"1"`) + `x`, 400, ""},
		"name twice":            {`{"id":"1","id":"2"}`, 400, ""},
		"name twice in data":    {withData(`{"action":"order_create",` + order + `,"action":"order_update"}`), 400, ""},
		"invalid UTF-8":         {withData("{\"action\":\"order_create\"," + order + ",\"x\":\"\xff\"}"), 400, ""},
		"raw NUL in a string":   {withData("{\"action\":\"order_create\"," + order + ",\"x\":\"\x00\"}"), 400, ""},
		"lone surrogate":        {withData(`{"action":"order_create",` + order + `,"x":"\ud800"}`), 400, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := event.Parse([]byte(c.raw))
			var p *problem.Error
			if !errors.As(err, &p) || p.Code != problem.InvalidRequest || p.Status != c.status {
				t.Fatalf("error = %v", err)
			}
			var got []string
			for _, f := range p.Fields {
				got = append(got, f.Field)
			}
			if strings.Join(got, " ") != c.fields {
				t.Errorf("fields = %q, want %q", got, c.fields)
			}
		})
	}
	if _, err := event.Parse(make([]byte, event.MaxBytes+1)); !problem.Is(err, problem.PayloadTooLarge) {
		t.Errorf("over the size limit: %v", err)
	}
}

func full(id string) string {
	return `{"id":` + id + `,"account_id":"a","occurred_at":"2026-11-23T08:05:00Z","data":{"action":"order_create","order":{"id":1}}}`
}

func withData(data string) string {
	return `{"id":"1","account_id":"a","occurred_at":"2026-11-23T08:05:00Z","data":` + data + `}`
}

func TestDeliveryIDIsDeterministicAndSortsByTime(t *testing.T) {
	at := time.Date(2026, 11, 23, 8, 5, 0, 0, time.UTC)
	e := event.Event{ID: "e1", AccountID: "a", OccurredAt: at}
	id := e.DeliveryID("con_1")
	if id != e.DeliveryID("con_1") {
		t.Error("the same event gave another id")
	}
	u, err := ulid.ParseStrict(strings.TrimPrefix(id, "dlv_"))
	if err != nil || !u.Timestamp().Equal(at) {
		t.Errorf("%s: time %v, %v", id, u.Timestamp(), err)
	}
	later := e
	later.OccurredAt = at.Add(time.Millisecond)
	if later.DeliveryID("con_1") <= id {
		t.Error("a later event does not sort later")
	}
	other := event.Event{ID: "e1con_1", AccountID: "a", OccurredAt: at}
	if other.DeliveryID("") == id || e.DeliveryID("con_2") == id {
		t.Error("two deliveries share an id")
	}
}

func TestSampleIsFictitiousAndMarked(t *testing.T) {
	at := time.Date(2026, 11, 23, 8, 5, 0, 1, time.UTC)
	for _, trigger := range event.Triggers() {
		body := event.Sample(trigger.Action, "a1", "test-1", at).Body(true)
		var got struct {
			ID     string       `json:"id"`
			Action event.Action `json:"action"`
			Test   bool         `json:"test"`
			Data   struct {
				Action event.Action `json:"action"`
			} `json:"data"`
		}
		if err := json.Unmarshal(body, &got); err != nil {
			t.Fatal(err)
		}
		if got.ID != "test-1" || got.Action != trigger.Action || got.Data.Action != trigger.Action || !got.Test {
			t.Errorf("%s: %+v", trigger.Action, got)
		}
		if trigger.Title == "" || trigger.Description == "" {
			t.Errorf("%s has no words", trigger.Action)
		}
	}
}

// FuzzParse: whatever comes, Parse neither panics nor changes data: what it accepts is valid JSON, stands in the input
// byte for byte, and its body is valid JSON with the same data at its end.
func FuzzParse(f *testing.F) {
	for _, trigger := range event.Triggers() {
		f.Add(sample(f, string(trigger.Action)))
	}
	f.Add([]byte(withData(`{"action":"order_create","order":{"id":"\u00e9\\"},"n":123456789012345678901234567890.10}`)))
	f.Fuzz(func(t *testing.T, raw []byte) {
		before := bytes.Clone(raw)
		e, err := event.Parse(raw)
		if !bytes.Equal(before, raw) {
			t.Fatal("the input was changed")
		}
		if err != nil {
			var p *problem.Error
			if !errors.As(err, &p) {
				t.Fatalf("not a problem: %v", err)
			}
			return
		}
		if !bytes.Contains(raw, e.Data) || !utf8.Valid(e.Data) {
			t.Fatal("data is not what came in")
		}
		body := e.Body(false)
		if !jsontext.Value(body).IsValid() || !bytes.HasSuffix(body, append([]byte(`"data":`), append(e.Data, '}')...)) {
			t.Fatalf("body = %q", body)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	raw := sample(b, "order_complete")
	b.ReportAllocs()
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		e, err := event.Parse(raw)
		if err != nil {
			b.Fatal(err)
		}
		_ = e.Body(false)
	}
}
