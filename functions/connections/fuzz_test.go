package main

import (
	"context"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/nethouse-academy/albato/shared/delivery"
	"github.com/nethouse-academy/albato/shared/webhook"
)

// refusing is a receiver that takes nothing, without a socket.
type refusing struct{}

func (refusing) Post(context.Context, webhook.Request) webhook.Result {
	return webhook.Result{Status: 404, Code: "http_404"}
}

// FuzzRequests: whatever stands in an address or a body, the answer is never a 5xx, and it never shows the link.
func FuzzRequests(f *testing.F) {
	w := newWorld(f)
	path := w.createAs(link) // the same in every process
	w.logged(path, delivery.Failed, delivery.Delivered)
	w.poster = refusing{}
	cursor := w.want(200, "GET", path+"/deliveries?limit=1", "").text("next_cursor")
	id := strings.TrimPrefix(path, collection)
	for _, seed := range [][3]string{
		{"POST", "/connections", on},
		{"POST", "/connections", `{"webhook_url":"` + link + `é","name":"\u0000","actions":[null,"order_create"],"enabled":null}`},
		{"PATCH", "/connections" + id, `{"enabled":false,"name":"\ud800"}`},
		{"PATCH", "/connections" + id, `{"actions":["order_create"]}`},
		{"POST", "/connections" + id + "/test", `{"action":"order_ticket_create"}`},
		{"POST", "/connections" + id + "/resume", `{}`},
		{"POST", "/connections" + id + "/replay", `{"from":"0001-01-01T00:00:00Z","to":"9999-12-31T23:59:59.999999999Z","cursor":"` + cursor + `"}`},
		{"POST", "/connections" + id + "/replay", `{"from":"1970-01-01T00:00:00+23:59","to":"2026-11-24T00:00:00Z","statuses":["delivered"]}`},
		{"GET", "/connections" + id + "/deliveries?limit=1&cursor=" + cursor, ""},
		{"GET", "/connections" + id + "/deliveries?order_id=%F0%9F%98%80&status=held", ""},
		{"GET", "/connections" + id + "/deliveries/summary?hours=168", ""},
		{"DELETE", "/orders/%ef%bf%bf/deliveries", ""},
		{"POST", "/page-sessions", `{"ttl_seconds":1e3}`},
	} {
		f.Add(seed[0], seed[1], seed[2], "")
	}
	f.Add("PATCH", "/connections"+id, `{}`, `"99999999999999999999"`)
	f.Add("PATCH", "/connections"+id, `{}`, `W/"1", *`)
	f.Fuzz(func(t *testing.T, method, target, body, match string) {
		if method == "DELETE" && !strings.Contains(target, "orders") {
			return // the connection is needed by the rest
		}
		u, err := url.ParseRequestURI("/v1/accounts/" + account + target)
		if err != nil || strings.ContainsAny(method, " \x00\r\n") || method == "" {
			return // no such request arrives
		}
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/", strings.NewReader(body))
		r.Method, r.URL, r.RequestURI = method, u, u.RequestURI()
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+apiKey)
		if match != "" {
			r.Header.Set("If-Match", match)
		}
		rec := httptest.NewRecorder()
		w.routes.ServeHTTP(rec, r)
		if rec.Code >= 500 || rec.Code < 200 {
			t.Fatalf("%s %s %q: %d %s", method, target, body, rec.Code, rec.Body)
		}
		if strings.Contains(rec.Body.String(), webhook.Link(link).Reveal()) {
			t.Fatalf("%s %s: the answer shows the link: %s", method, target, rec.Body)
		}
	})
}
