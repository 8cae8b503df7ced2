package main

import (
	"net/http"
	"testing"
	"time"

	"github.com/nethouse-academy/albato/shared/delivery"
)

// Tests go out at once and past everything that waits, so there is an end to them: for one connection and a minute, and
// whatever else the connection has in its log.
func TestTestsAreNoLoad(t *testing.T) {
	w := newWorld(t)
	r := newReceiver(t, http.StatusOK, "")
	path, other := w.create(`{"webhook_url":"`+r.URL+`/x"}`), w.create(`{"webhook_url":"`+r.URL+`/y"}`)
	w.logged(path, delivery.Delivered, delivery.Failed)
	for range maxTests {
		w.want(http.StatusOK, "POST", path+"/test", `{"action":"order_create"}`)
		w.clock.move(time.Second)
	}
	refused := w.want(http.StatusTooManyRequests, "POST", path+"/test", `{"action":"order_create"}`)
	if refused.text("code") != "rate_limited" || refused.Header.Get("Retry-After") != "60" {
		t.Errorf("%v %s", refused.Header, refused.raw)
	}
	if len(r.requests) != maxTests {
		t.Errorf("%d requests were sent", len(r.requests))
	}
	w.want(http.StatusOK, "POST", other+"/test", `{"action":"order_create"}`)
	w.clock.move(time.Minute - maxTests*time.Second + time.Millisecond)
	w.want(http.StatusOK, "POST", path+"/test", `{"action":"order_create"}`) // the first has left the minute
	w.want(http.StatusTooManyRequests, "POST", path+"/test", `{"action":"order_create"}`)
	w.faults.set(func(operation string) bool { return operation == "Query" })
	w.want(http.StatusServiceUnavailable, "POST", other+"/test", `{"action":"order_create"}`)
}
