package delivery_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nethouse-academy/albato/shared/connection"
	"github.com/nethouse-academy/albato/shared/delivery"
	"github.com/nethouse-academy/albato/shared/event"
	"github.com/nethouse-academy/albato/shared/webhook"
)

// TestJudge has a row for every kind of answer: whose fault it is, and so what becomes of the message and the connection.
func TestJudge(t *testing.T) {
	for _, c := range []struct {
		status int
		code   string
		want   delivery.Verdict
	}{
		{200, "", delivery.Success}, {201, "", delivery.Success}, {202, "", delivery.Success}, {204, "", delivery.Success}, {299, "", delivery.Success},
		{400, "http_400", delivery.Refusal}, {413, "http_413", delivery.Refusal}, {415, "http_415", delivery.Refusal}, {422, "http_422", delivery.Refusal},
		{410, "http_410", delivery.Gone},
		{301, "http_301", delivery.Trouble}, {302, "http_302", delivery.Trouble}, {307, "http_307", delivery.Trouble}, {308, "http_308", delivery.Trouble},
		{401, "http_401", delivery.Trouble}, {403, "http_403", delivery.Trouble}, {404, "http_404", delivery.Trouble}, {405, "http_405", delivery.Trouble},
		{408, "http_408", delivery.Trouble}, {409, "http_409", delivery.Trouble}, {425, "http_425", delivery.Trouble}, {429, "http_429", delivery.Trouble},
		{500, "http_500", delivery.Trouble}, {502, "http_502", delivery.Trouble}, {503, "http_503", delivery.Trouble}, {504, "http_504", delivery.Trouble}, {599, "http_599", delivery.Trouble},
		{101, webhook.CodeInvalidResponse, delivery.Trouble},
		{0, webhook.CodeTimeout, delivery.Trouble}, {0, webhook.CodeDNS, delivery.Trouble}, {0, webhook.CodeRefused, delivery.Trouble},
		{0, webhook.CodeTLS, delivery.Trouble}, {0, webhook.CodeConnection, delivery.Trouble}, {0, webhook.CodeBlocked, delivery.Trouble},
		{0, webhook.CodeInvalidResponse, delivery.Trouble}, {0, "", delivery.Trouble},
		{0, webhook.CodeInterrupted, delivery.OwnFault}, {0, webhook.CodeInternal, delivery.OwnFault},
	} {
		if got := delivery.Judge(c.status, c.code); got != c.want {
			t.Errorf("%d %s: %v, want %v", c.status, c.code, got, c.want)
		}
	}
}

func TestScheduleDelay(t *testing.T) {
	s := schedule("5s,30s,12h")
	for _, c := range []struct {
		attempts   int
		jitter     float64
		retryAfter time.Duration
		want       time.Duration
		ok         bool
	}{
		{1, 0, 0, 5 * time.Second, true},
		{1, 1, 0, 6 * time.Second, true}, // a fifth more at most, never less
		{2, .5, 0, 33 * time.Second, true},
		{1, 0, time.Minute, time.Minute, true},           // a floor
		{2, 0, time.Second, 30 * time.Second, true},      // no ceiling
		{1, 0, 100 * time.Hour, delivery.MaxDelay, true}, // the cap
		{3, 1, 0, delivery.MaxDelay, true},
		{4, 0, time.Minute, 0, false}, // used up
	} {
		got, ok := s.Delay(c.attempts, c.jitter, c.retryAfter)
		if got != c.want || ok != c.ok {
			t.Errorf("after %d attempts, jitter %v, Retry-After %v: %v %v, want %v %v", c.attempts, c.jitter, c.retryAfter, got, ok, c.want, c.ok)
		}
	}
}

func TestScheduleText(t *testing.T) {
	total := time.Duration(0)
	for _, d := range schedule(delivery.DefaultSchedule) {
		total += d
	}
	if total < 60*time.Hour || total > 72*time.Hour {
		t.Errorf("the default schedule takes %v; with its jitter it is to end on the third day", total)
	}
	var s delivery.Schedule
	for _, text := range []string{"", "5", "5s,", "0s", "13h", "1s,-2s", "five"} {
		if err := s.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was taken as %v", text, s)
		}
	}
	err := s.UnmarshalText([]byte("5s,0s,13h"))
	if err == nil || !strings.Contains(err.Error(), `"0s"`) || !strings.Contains(err.Error(), `"13h"`) {
		t.Errorf("not every wrong part is named: %v", err)
	}
}

func sampleMessage(body []byte) delivery.Message {
	return delivery.Message{Retry: "r1", Delivery: delivery.Delivery{ID: "dlv_1", EventID: "e1", AccountID: "a1", ConnectionID: "con_1",
		Action: event.OrderCreate, OrderID: `"Заказ" 5`, CreatedAt: time.UnixMilli(1795420800123).UTC(), Body: body}}
}

// FuzzMessage: a body survives the queue byte for byte, and the queue takes every text that carries one.
func FuzzMessage(f *testing.F) {
	f.Add([]byte(`{"data":{"name":"Курс «Go»"}}`))
	f.Add([]byte("{\"data\":\"\uFFFE\uFFFF\"}"))
	f.Add([]byte("{\n\t\"a\":1}\r\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		m := sampleMessage(body)
		text, err := m.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(text, "\uFFFE\uFFFF") {
			t.Error("the queue would refuse this message")
		}
		got, token, err := delivery.Decode(text)
		if err != nil || token != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Delivery.Body, body) {
			t.Errorf("body = %q, want %q", got.Delivery.Body, body)
		}
		got.Delivery.Body, m.Delivery.Body = nil, nil
		if got.Retry != m.Retry || got.Delivery.OrderID != m.Delivery.OrderID || !got.Delivery.CreatedAt.Equal(m.Delivery.CreatedAt) ||
			got.Delivery.ID != m.Delivery.ID || got.Delivery.Action != m.Delivery.Action {
			t.Errorf("got %+v, want %+v", got, m)
		}
	})
}

func TestDecodeRefusesWhatIsNotOurs(t *testing.T) {
	for _, text := range []string{"", "x", "{}", `{"kind":"delivery"}`, `{"kind":"delivery","account_id":"a","connection_id":"c","delivery_id":"d"}`,
		`{"kind":"other","account_id":"a","connection_id":"c"}` + "\n{}", `{"kind":"token","account_id":"a"}`,
		`{"kind":"delivery","account_id":"a","connection_id":"c","delivery_id":"d","encoding":"base64"}` + "\n***"} {
		if m, token, err := delivery.Decode(text); err == nil {
			t.Errorf("%q was taken as %v %v", text, m, token)
		}
	}
	_, token, err := delivery.Decode(delivery.Token{AccountID: "a", ConnectionID: "c"}.Encode())
	if err != nil || *token != (delivery.Token{AccountID: "a", ConnectionID: "c"}) {
		t.Errorf("token = %v, %v", token, err)
	}
}

func TestDeduplicationIDs(t *testing.T) {
	first, retry := sampleMessage(nil), sampleMessage(nil)
	first.Retry = ""
	if first.DeduplicationID() != "dlv_1" {
		t.Errorf("a repeat of an event would be queued twice: %s", first.DeduplicationID())
	}
	if retry.DeduplicationID() == first.DeduplicationID() {
		t.Error("a retry would be swallowed")
	}
}

func TestStatusAsPeopleSeeIt(t *testing.T) {
	sequence := func(s string) connection.Sequence {
		q, err := connection.ParseSequence(s)
		if err != nil {
			t.Fatal(err)
		}
		return q
	}
	waits := delivery.Delivery{Status: delivery.Waiting, Sequence: sequence("10")}
	for _, c := range []struct {
		d      delivery.Delivery
		health connection.Health
		want   delivery.Status
	}{
		{waits, connection.Health{State: connection.Failing}, delivery.Waiting},
		{waits, connection.Health{State: connection.Suspended}, delivery.Held},
		{waits, connection.Health{State: connection.Failing, SkipThrough: sequence("9")}, delivery.Waiting},
		{waits, connection.Health{State: connection.Suspended, SkipThrough: sequence("10")}, delivery.Skipped},
		{delivery.Delivery{Status: delivery.Failed}, connection.Health{State: connection.Suspended}, delivery.Failed},
	} {
		if got := c.d.StatusFor(connection.Connection{Health: c.health}); got != c.want {
			t.Errorf("%v %+v: %s, want %s", c.d.Status, c.health, got, c.want)
		}
	}
}

func TestSequencesSortAsNumbers(t *testing.T) {
	texts := []string{"18849496460467696128", "9", "10", "340282366920938463463374607431768211455", "0"}
	var all []connection.Sequence
	for _, s := range texts {
		q, err := connection.ParseSequence(s)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, q)
	}
	slices.Sort(all)
	var got []string
	for _, q := range all {
		got = append(got, strings.TrimLeft(string(q), "0"))
	}
	if strings.Join(got, " ") != " 9 10 18849496460467696128 340282366920938463463374607431768211455" {
		t.Errorf("order = %q", got)
	}
	for _, bad := range []string{"", "-1", "1x", strings.Repeat("1", 40)} {
		if _, err := connection.ParseSequence(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}
