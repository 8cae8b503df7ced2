package local_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/nethouse-academy/albato/shared/local"
	"github.com/nethouse-academy/albato/shared/local/localtest"
)

// problem is an error answer: RFC 9457 with the contract's own members.
type problem struct {
	Type, Title, Detail, Code string
	Status                    int
	RequestID                 string `json:"request_id"`
	Errors                    []struct{ Field, Detail string }
}

// bad is one request that must be refused.
type bad struct {
	name         string
	method, path string
	body         any
	header       []string // pairs
	status       int
	code         string
	fields       string // the wrong fields, sorted, separated by spaces
}

// with returns a valid event with one member changed: path is a dotted name, value its JSON; "" leaves it out.
func with(path, value string) string {
	members := map[string]string{"id": `"e1"`, "account_id": `"a"`, "occurred_at": `"2026-11-23T08:00:00Z"`}
	data := map[string]string{"action": `"order_create"`, "order": `{"id":1}`}
	target := members
	name, nested := strings.CutPrefix(path, "data.")
	if nested {
		target = data
	}
	if target[name] = value; value == "" {
		delete(target, name)
	}
	if _, whole := members["data"]; !whole {
		members["data"] = object(data)
	}
	if path == "data" && value == "" {
		delete(members, "data")
	}
	return object(members)
}

func object(members map[string]string) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(members)) {
		parts = append(parts, fmt.Sprintf("%q:%s", name, members[name]))
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func badEvents() []bad {
	const path = "/v1/events"
	unprocessable := func(name, body, fields string) bad {
		return bad{name, "POST", path, body, nil, 422, "invalid_request", fields}
	}
	malformed := func(name, body string) bad { return bad{name, "POST", path, body, nil, 400, "invalid_request", ""} }
	return []bad{
		malformed("event: empty", ""),
		malformed("event: not JSON", "{"),
		malformed("event: two values", with("id", `"e1"`)+"{}"),
		malformed("event: a name twice", `{"id":"a","id":"b"}`),
		malformed("event: invalid UTF-8", "{\"id\":\"\xff\"}"),
		unprocessable("event: not an object", "[]", ""),
		unprocessable("event: nothing in it", "{}", "account_id data id occurred_at"),
		unprocessable("event: no id", with("id", ""), "id"),
		unprocessable("event: id too long", with("id", `"`+strings.Repeat("x", 129)+`"`), "id"),
		unprocessable("event: id with a space", with("id", `"a b"`), "id"),
		unprocessable("event: id a number", with("id", "5"), "id"),
		unprocessable("event: account too long", with("account_id", `"`+strings.Repeat("x", 65)+`"`), "account_id"),
		unprocessable("event: account with a slash", with("account_id", `"a/b"`), "account_id"),
		unprocessable("event: no time", with("occurred_at", ""), "occurred_at"),
		unprocessable("event: time without a zone", with("occurred_at", `"2026-11-23T08:00:00"`), "occurred_at"),
		unprocessable("event: no data", with("data", ""), "data"),
		unprocessable("event: data a list", with("data", "[]"), "data"),
		unprocessable("event: no action", with("data.action", ""), "data.action"),
		unprocessable("event: unknown action", with("data.action", `"order_delete"`), "data.action"),
		unprocessable("event: no order", with("data.order", ""), "data.order.id"),
		unprocessable("event: order without an id", with("data.order", "{}"), "data.order.id"),
		unprocessable("event: order id an object", with("data.order", `{"id":{}}`), "data.order.id"),
		unprocessable("event: a ticket event without a ticket", with("data.action", `"order_ticket_create"`), "data.order_ticket.id"),
		unprocessable("event: unknown field", with("colour", `"red"`), "colour"),
		unprocessable("event: every wrong field at once", `{"id":"","account_id":"","occurred_at":"","data":{"action":"","order":{"id":true}}}`,
			"account_id data.action data.order.id id occurred_at"),
		{"event: too large", "POST", path, with("data.note", `"`+strings.Repeat("x", 256<<10)+`"`), nil, 413, "payload_too_large", ""},
		{"event: another type", "POST", path, with("id", `"e1"`), []string{"Content-Type", "text/plain"}, 415, "invalid_request", ""},
		{"event: no type", "POST", path, with("id", `"e1"`), []string{"Content-Type", ""}, 415, "invalid_request", ""},
		{"event: no token", "POST", path, with("id", `"e1"`), []string{"Authorization", ""}, 401, "unauthorized", ""},
		{"event: wrong token", "POST", path, with("id", `"e1"`), []string{"Authorization", "Bearer wrong-key"}, 401, "unauthorized", ""},
		{"event: another scheme", "POST", path, with("id", `"e1"`), []string{"Authorization", "Basic local-key"}, 401, "unauthorized", ""},
		{"event: another method", "GET", path, nil, nil, 405, "", ""},
	}
}

func badConnections(one string) []bad {
	const all = "/v1/accounts/a/connections"
	link := func(v string) string { return fmt.Sprintf(`{"webhook_url":%q}`, v) }
	out := []bad{
		{"connection: no body", "POST", all, "", nil, 400, "invalid_request", ""},
		{"connection: not JSON", "POST", all, "{", nil, 400, "invalid_request", ""},
		{"connection: another type", "POST", all, link("https://h.albato.ru/wh/38/abcdefg/x/"), []string{"Content-Type", "text/plain"}, 415, "invalid_request", ""},
		{"connection: no link", "POST", all, "{}", nil, 422, "invalid_request", "webhook_url"},
		{"connection: link a number", "POST", all, `{"webhook_url":5}`, nil, 422, "invalid_request", "webhook_url"},
		{"connection: unknown field", "POST", all, `{"webhook_url":"https://h.albato.ru/wh/38/abcdefg/x/","colour":"red"}`, nil, 422, "invalid_request", "colour"},
		{"connection: unknown action", "POST", all, `{"webhook_url":"https://h.albato.ru/wh/38/abcdefg/x/","actions":["order_delete"]}`, nil, 422, "invalid_request", "actions.0"},
		{"connection: on without an action", "POST", all, `{"webhook_url":"https://h.albato.ru/wh/38/abcdefg/x/","enabled":true}`, nil, 422, "invalid_request", "enabled"},
		{"connection: no token", "POST", all, "{}", []string{"Authorization", ""}, 401, "unauthorized", ""},
		{"connection: wrong token", "GET", all, nil, []string{"Authorization", "Bearer wrong-key"}, 401, "unauthorized", ""},
		{"connections: another method", "PUT", all, "{}", nil, 405, "", ""},
		{"connections: unknown parameter", "GET", all + "?colour=red", nil, nil, 422, "invalid_request", "colour"},
		{"connection: unknown", "GET", all + "/con_01M84E0709JHN706085QH0CA7R", nil, nil, 404, "not_found", ""},
		{"connection: not an id", "GET", all + "/x", nil, nil, 404, "not_found", ""},
		{"connection: of another account", "GET", "/v1/accounts/b/connections/" + one, nil, nil, 404, "not_found", ""},
		{"connection: account not an id", "GET", "/v1/accounts/a$b/connections", nil, nil, 404, "not_found", ""},
		{"patch: on without an action", "PATCH", all + "/" + one, `{"enabled":true}`, nil, 422, "invalid_request", "enabled"},
		{"patch: wrong link", "PATCH", all + "/" + one, link("http://example.com/"), nil, 422, "invalid_request", "webhook_url"},
		{"patch: wrong If-Match", "PATCH", all + "/" + one, `{"name":"x"}`, []string{"If-Match", `"99"`}, 412, "precondition_failed", ""},
		{"patch: of nobody", "PATCH", all + "/con_01M84E0709JHN706085QH0CA7R", `{"name":"x"}`, nil, 404, "not_found", ""},
		{"delete: of nobody", "DELETE", all + "/con_01M84E0709JHN706085QH0CA7R", nil, nil, 404, "not_found", ""},
		{"test: unknown action", "POST", all + "/" + one + "/test", `{"action":"order_delete"}`, nil, 422, "invalid_request", "action"},
		{"test: no action", "POST", all + "/" + one + "/test", `{}`, nil, 422, "invalid_request", "action"},
		{"deliveries: wrong status", "GET", all + "/" + one + "/deliveries?status=lost", nil, nil, 422, "invalid_request", "status"},
		{"deliveries: wrong action", "GET", all + "/" + one + "/deliveries?action=x", nil, nil, 422, "invalid_request", "action"},
		{"deliveries: wrong limit", "GET", all + "/" + one + "/deliveries?limit=0", nil, nil, 422, "invalid_request", "limit"},
		{"deliveries: wrong cursor", "GET", all + "/" + one + "/deliveries?cursor=x", nil, nil, 422, "invalid_request", "cursor"},
		{"delivery: unknown", "GET", all + "/" + one + "/deliveries/dlv_01M84E06AGT9S11Y3VBGZJ52N9", nil, nil, 404, "not_found", ""},
		{"retry: unknown", "POST", all + "/" + one + "/deliveries/dlv_01M84E06AGT9S11Y3VBGZJ52N9/retry", nil, nil, 404, "not_found", ""},
		{"replay: nothing", "POST", all + "/" + one + "/replay", "{}", nil, 422, "invalid_request", "from to"},
		{"page session: too long", "POST", "/v1/accounts/a/page-sessions", `{"ttl_seconds":999999999}`, nil, 422, "invalid_request", "ttl_seconds"},
		{"page session: not positive", "POST", "/v1/accounts/a/page-sessions", `{"ttl_seconds":0}`, nil, 422, "invalid_request", "ttl_seconds"},
		{"unknown path", "GET", "/v2", nil, nil, 404, "not_found", ""},
		{"unknown path of an account", "GET", "/v1/accounts/a/colours", nil, nil, 404, "not_found", ""},
		{"health: another method", "POST", "/healthz", "{}", nil, 405, "", ""},
	}
	for name, v := range map[string]string{
		"http": "http://h.albato.ru/wh/38/abcdefg/x/", "another host": "https://example.com/wh/38/abcdefg/x/", "user": "https://u:p@h.albato.ru/x/",
		"port": "https://h.albato.ru:444/x/", "fragment": "https://h.albato.ru/x/#f", "too long": "https://h.albato.ru/" + strings.Repeat("x", 512),
		"not a link": "albato", "a subdomain": "https://h.albato.ru.example.com/x/", "an address": "https://10.0.0.1/x/", "private": "http://10.0.0.1/x/",
	} {
		out = append(out, bad{"link: " + name, "POST", all, link(v), nil, 422, "invalid_request", "webhook_url"})
	}
	return out
}

// Every rule of the contract about wrong requests, through the front door: status, code, fields, and nothing changed.
func TestWrongRequests(t *testing.T) {
	s := localtest.Start(t, local.Options{})
	var made struct{ ID string }
	s.Must(201, "POST", "/v1/accounts/a/connections", map[string]any{"webhook_url": s.Link("one")}, &made)
	before := s.Do("GET", "/v1/accounts/a/connections", nil)
	for _, c := range append(badEvents(), badConnections(made.ID)...) {
		t.Run(c.name, func(t *testing.T) { refused(t, s, c) })
	}
	if after := s.Do("GET", "/v1/accounts/a/connections", nil); string(after.Body) != string(before.Body) {
		t.Errorf("a refused request changed\n%s\nto\n%s", before.Body, after.Body)
	}
	if n := len(s.Albato.Requests("")); n != 0 {
		t.Errorf("%d requests reached a receiver", n)
	}
}

func refused(t *testing.T, s *localtest.Stack, c bad) {
	t.Helper()
	r := s.Do(c.method, c.path, c.body, c.header...)
	if kind := r.Header.Get("Content-Type"); r.Status != c.status || kind != "application/problem+json" {
		t.Fatalf("%d %s %s, want %d", r.Status, kind, r.Body, c.status)
	}
	var p problem
	r.Decode(t, &p)
	var fields []string
	for _, e := range p.Errors {
		fields = append(fields, e.Field)
		if e.Detail == "" {
			t.Errorf("field %s without a word", e.Field)
		}
	}
	slices.Sort(fields)
	if p.Status != c.status || c.code != "" && p.Code != c.code || p.Title == "" || p.RequestID == "" || strings.Join(fields, " ") != c.fields {
		t.Errorf("%s\nwant code %q, fields %q", r.Body, c.code, c.fields)
	}
	if r.Header.Get("Allow") == "" && c.status == 405 {
		t.Error("no Allow")
	}
	if r.Header.Get("Www-Authenticate") == "" && c.status == 401 {
		t.Error("no WWW-Authenticate")
	}
}

// What the contract forbids only in combination.
func TestConflicts(t *testing.T) {
	s := localtest.Start(t, local.Options{})
	const all = "/v1/accounts/a/connections"
	var one struct{ ID string }
	s.Must(201, "POST", all, map[string]any{"webhook_url": s.Link("0")}, &one)
	refused(t, s, bad{"", "POST", all, map[string]any{"webhook_url": s.Link("0")}, nil, 409, "webhook_url_taken", ""})
	for i := 1; i < 20; i++ {
		s.Must(201, "POST", all, map[string]any{"webhook_url": s.Link(fmt.Sprint(i))}, nil)
	}
	refused(t, s, bad{"", "POST", all, map[string]any{"webhook_url": s.Link("20")}, nil, 409, "too_many_connections", ""})
	refused(t, s, bad{"", "PATCH", all + "/" + one.ID, map[string]any{"webhook_url": s.Link("1")}, nil, 409, "webhook_url_taken", ""})
	s.Must(204, "DELETE", all+"/"+one.ID, nil, nil)
	refused(t, s, bad{"", "GET", all + "/" + one.ID, nil, nil, 404, "not_found", ""})
	s.Must(201, "POST", "/v1/accounts/b/connections", map[string]any{"webhook_url": s.Link("1")}, nil) // the same link of somebody else
	s.Must(201, "POST", all, map[string]any{"webhook_url": s.Link("0")}, nil)                          // a deleted one's link is free again
}
