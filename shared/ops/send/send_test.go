package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/nethouse-academy/albato/shared/local"
	"github.com/nethouse-academy/albato/shared/local/localtest"
)

// The program against the whole stack: it uses the public API alone, so nothing of it is made up here.
func TestSend(t *testing.T) {
	s := localtest.Start(t, local.Options{Parameters: map[string]string{"RetrySchedule": "1s,1s"}})
	s.Connect("one", s.Link("crm"), "order_complete", "order_ticket_update")
	s.Connect("many", s.Link("sheet"), "order_create")
	s.Connect("refusing", s.Link("refusing")+"?status=400", "order_complete")
	send := func(args ...string) (code int, out, errOut string) {
		t.Helper()
		var o, e strings.Builder
		code = run(t.Context(), append([]string{"-url", s.URL + "/", "-key", s.APIKey}, args...), &o, &e)
		return code, o.String(), e.String()
	}
	for _, c := range []struct {
		name  string
		args  []string
		code  int
		says  []string
		comes map[string]int // requests to a link
	}{
		{"one", []string{"-account", "one"}, 0, []string{": order_complete, order ", "accepted in ", "1 delivery", "attempt 1: 200 in ", "delivered after "}, map[string]int{"crm": 1}},
		{"a ticket", []string{"-account", "one", "-action", "order_ticket_update"}, 0, []string{"delivered after "}, map[string]int{"crm": 2}},
		{"refused", []string{"-account", "refusing"}, 1, []string{"attempt 1: 400 ", "attempt 2: 400 ", "failed after ", "not everything was delivered"}, map[string]int{"refusing": 2}},
		{"nobody wants it", []string{"-account", "one", "-action", "order_create"}, 1, []string{"0 deliveries", "no connection of one is on and wants order_create"}, map[string]int{"crm": 2}},
		{"no such action", []string{"-action", "order_refund"}, 1, []string{`no action "order_refund"`, "order_ticket_cancel"}, nil},
		{"a wrong key", []string{"-key", "another"}, 1, []string{"401"}, nil},
		{"many", []string{"-account", "many", "-action", "order_create", "-count", "60"}, 0,
			[]string{"60/60 accepted, 60/60 done", "accepted   60 in", "delivered  60 of 60 in", "p50 ", "p99 "}, map[string]int{"sheet": 60}},
		{"many to nobody", []string{"-account", "nobody", "-count", "3"}, 1, []string{"3/3 accepted, 0/0 done", "no connection of nobody"}, nil},
		{"many refused", []string{"-key", "another", "-count", "2"}, 1, []string{"failed     2 × POST /v1/events: 401"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, out, errOut := send(c.args...)
			if code != c.code {
				t.Errorf("code %d, want %d", code, c.code)
			}
			for _, part := range c.says {
				if !strings.Contains(out+errOut, part) {
					t.Errorf("it does not say %q", part)
				}
			}
			for name, n := range c.comes {
				if got := len(s.Albato.Requests("/albato/wh/38/" + name + "/")); got != n {
					t.Errorf("%d requests came to %s, want %d", got, name, n)
				}
			}
			if t.Failed() {
				t.Logf("it said:\n%s%s", out, errOut)
			}
		})
	}
	orders := map[string]bool{}
	for _, r := range s.Albato.Requests("/albato/wh/38/sheet/") {
		_, rest, _ := strings.Cut(r.Body, `"order":{`)
		_, id, _ := strings.Cut(rest, `"id":`)
		orders[id[:10]] = true
	}
	if len(orders) != 60 {
		t.Errorf("60 events of %d orders", len(orders))
	}
}

func TestHelpAndWrongFlags(t *testing.T) {
	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{"-help", 0, "make send"}, {"-count 0", 2, "must be positive"}, {"-parallel 0", 2, "must be positive"}, {"-patience 0s", 2, "must be positive"},
		{"order_create", 2, "no other arguments"}, {"-nonsense", 2, "not defined"},
	} {
		var out, errOut strings.Builder
		if code := run(context.Background(), strings.Fields(c.args), &out, &errOut); code != c.code || !strings.Contains(errOut.String(), c.says) {
			t.Errorf("%s: %d %s", c.args, code, errOut.String())
		}
	}
}

func TestPercentilesAreOfTheNearestRank(t *testing.T) {
	var d []time.Duration
	if got := percentiles(d); got != "-" {
		t.Error(got)
	}
	for i := range 200 {
		d = append(d, time.Duration(200-i)*time.Second)
	}
	if got, want := percentiles(d), "p50 1m40s, p95 3m10s, p99 3m18s, max 3m20s"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := percentiles([]time.Duration{time.Second}); got != "p50 1s, p95 1s, p99 1s, max 1s" {
		t.Error(got)
	}
}
