package main

import (
	"strings"
	"testing"

	"github.com/nethouse-academy/albato/shared/apigw/hostile"
	"github.com/nethouse-academy/albato/shared/event"
)

// with puts a value into a good event.
func with(value string) string {
	return `{"id":"e1","account_id":"academy-1001","occurred_at":"2026-11-23T08:00:00Z","data":{"action":"order_create","order":{"id":1},"x":` + value + `}}`
}

// wrong are bodies with a value where one of the event's own is wanted.
func wrong() []hostile.Request {
	var out []hostile.Request
	for _, body := range []func(string) string{
		func(v string) string { return strings.Replace(with(`1`), `"e1"`, v, 1) },
		func(v string) string { return strings.Replace(with(`1`), `"academy-1001"`, v, 1) },
		func(v string) string { return strings.Replace(with(`1`), `"2026-11-23T08:00:00Z"`, v, 1) },
		func(v string) string { return strings.Replace(with(`1`), `"order_create"`, v, 1) },
		func(v string) string { return strings.Replace(with(`1`), `{"id":1}`, v, 1) },
		func(v string) string { return strings.Replace(with(`1`), `{"id":1}`, `{"id":`+v+`}`, 1) },
		func(v string) string { return `{"data":` + v + `}` },
		func(v string) string { return v },
	} {
		out = append(out, hostile.Values(body)...)
	}
	return out
}

func TestHostileBodiesAreRefused(t *testing.T) {
	i := newIntake(t)
	i.connect(t, "con_1", true, event.OrderCreate)
	for _, r := range hostile.Requests(with, event.MaxBytes) {
		hostile.Answered(t, r.Name, i.post(t, r.Event("POST", "/v1/events", key)), r.Status)
	}
	for _, r := range wrong() {
		hostile.Answered(t, r.Name+" in "+r.Body[:min(len(r.Body), 80)], i.post(t, r.Event("POST", "/v1/events", key)), 0)
	}
}

// FuzzHandler: whatever API Gateway hands over, the answer is no 5xx, and what is taken is a whole event.
func FuzzHandler(f *testing.F) {
	i := newIntake(f)
	i.connect(f, "con_1", true, event.OrderCreate)
	for _, r := range append(hostile.Requests(with, event.MaxBytes), wrong()...) {
		if len(r.Body) < 64<<10 { // the mutations of large bodies are slow and find nothing
			f.Add(r.ContentType, r.ContentEncoding, r.Body, r.Base64)
		}
	}
	f.Fuzz(func(t *testing.T, contentType, contentEncoding, body string, encoded bool) {
		r := hostile.Request{ContentType: contentType, ContentEncoding: contentEncoding, Body: body, Base64: encoded}
		res := i.post(t, r.Event("POST", "/v1/events", key))
		hostile.Answered(t, body, res, 0)
		i.logs.Reset()
		if res.StatusCode == 202 && !strings.HasPrefix(res.Body, `{"id":"`) {
			t.Errorf("%q was taken with %s", body, res.Body)
		}
	})
}
