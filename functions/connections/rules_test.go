package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/nethouse-academy/albato/shared/delivery"
)

// TestEveryRule: one row a rule of the contract. {one} is a connection that is on and healthy, {off} one that is off,
// {failed} and {erased} deliveries of {one}, the latter without a body.
func TestEveryRule(t *testing.T) {
	w := newWorld(t)
	one, off := w.create(on), w.create(`{"webhook_url":"`+link+`off"}`)
	failed := w.logged(one, delivery.Failed)[0]
	stale := w.entry(w.saved(one), 9, delivery.Failed)
	stale.Body = nil
	if err := w.store.Record(t.Context(), []delivery.Delivery{stale}); err != nil {
		t.Fatal(err)
	}
	offDelivery := w.logged(off, delivery.Skipped)[0]
	paths := strings.NewReplacer("{one}", one, "{off}", off, "{all}", collection, "{account}", "/v1/accounts/"+account,
		"{failed}", "/deliveries/"+failed, "{erased}", "/deliveries/"+stale.ID, "{skipped}", "/deliveries/"+offDelivery,
		"{unknown}", collection+"/con_01M84DZGNXJ603FEV9KBBC2YJM", "{link}", link)

	const times = `"from":"2026-11-23T08:00:00Z","to":"2026-11-23T10:00:00Z"`
	for name, c := range map[string]struct {
		request string // method, path
		body    string
		status  int
		code    string
		fields  string
	}{
		"create: empty":             {"POST {all}", `{}`, 422, "invalid_request", "webhook_url"},
		"create: not JSON":          {"POST {all}", `{"webhook_url":`, 400, "invalid_request", ""},
		"create: two values":        {"POST {all}", `{}{}`, 400, "invalid_request", ""},
		"create: an array":          {"POST {all}", `[]`, 422, "invalid_request", ""},
		"create: a name twice":      {"POST {all}", `{"name":"a","name":"b"}`, 400, "invalid_request", ""},
		"create: invalid UTF-8":     {"POST {all}", "{\"name\":\"\xff\"}", 400, "invalid_request", ""},
		"create: too large":         {"POST {all}", `{"name":"` + strings.Repeat("a", maxBody) + `"}`, 413, "payload_too_large", ""},
		"create: every field wrong": {"POST {all}", `{"webhook_url":1,"name":{},"actions":"x","enabled":"yes","id":1}`, 422, "invalid_request", "webhook_url name actions enabled id"},
		"create: rules together":    {"POST {all}", `{"webhook_url":"http://x","name":"` + strings.Repeat("a", 101) + `","actions":["x","order_create","order_create"],"enabled":true}`, 422, "invalid_request", "webhook_url name actions.0 actions.2"},
		"create: http":              {"POST {all}", `{"webhook_url":"http://h.albato.ru/wh/38/a/b/"}`, 422, "invalid_request", "webhook_url"},
		"create: a port":            {"POST {all}", `{"webhook_url":"https://h.albato.ru:443/wh/38/a/b/"}`, 422, "invalid_request", "webhook_url"},
		"create: a fragment":        {"POST {all}", `{"webhook_url":"{link}#a"}`, 422, "invalid_request", "webhook_url"},
		"create: user info":         {"POST {all}", `{"webhook_url":"https://u:p@h.albato.ru/wh/38/a/b/"}`, 422, "invalid_request", "webhook_url"},
		"create: too long":          {"POST {all}", `{"webhook_url":"{link}` + strings.Repeat("a", 512) + `"}`, 422, "invalid_request", "webhook_url"},
		"create: on, no action":     {"POST {all}", `{"webhook_url":"{link}2","enabled":true}`, 422, "invalid_request", "enabled"},
		"create: link taken":        {"POST {all}", `{"webhook_url":"{link}"}`, 409, "webhook_url_taken", ""},
		"create: a parameter":       {"POST {all}?dry=1", `{"webhook_url":"{link}3"}`, 422, "invalid_request", "dry"},
		"list: a parameter":         {"GET {all}?page=2&limit=1", "", 422, "invalid_request", "limit page"},
		"get: unknown":              {"GET {unknown}", "", 404, "not_found", ""},
		"get: no id":                {"GET {all}/con_1", "", 404, "not_found", ""},
		"get: invalid UTF-8":        {"GET {all}/%ff", "", 404, "not_found", ""},
		"get: no account":           {"GET /v1/accounts/a%20b/connections", "", 404, "not_found", ""},
		"get: a long account":       {"GET /v1/accounts/" + strings.Repeat("a", 65) + "/connections", "", 404, "not_found", ""},
		"patch: unknown":            {"PATCH {unknown}", `{}`, 404, "not_found", ""},
		"patch: no body":            {"PATCH {one}", ``, 415, "invalid_request", ""},
		"patch: unknown field":      {"PATCH {one}", `{"version":7,"health":{}}`, 422, "invalid_request", "version health"},
		"patch: link taken":         {"PATCH {off}", `{"webhook_url":"{link}"}`, 409, "webhook_url_taken", ""},
		"patch: last action":        {"PATCH {one}", `{"actions":[]}`, 422, "invalid_request", "actions"},
		"patch: on, no action":      {"PATCH {off}", `{"enabled":true}`, 422, "invalid_request", "enabled"},
		"patch: bad link":           {"PATCH {off}", `{"webhook_url":"https://example.com/"}`, 422, "invalid_request", "webhook_url"},
		"delete: unknown":           {"DELETE {unknown}", "", 404, "not_found", ""},
		"test: no action":           {"POST {one}/test", `{}`, 422, "invalid_request", "action"},
		"test: unknown action":      {"POST {one}/test", `{"action":"order_refund"}`, 422, "invalid_request", "action"},
		"test: unknown field":       {"POST {one}/test", `{"action":"order_create","order":1}`, 422, "invalid_request", "order"},
		"test: unknown connection":  {"POST {unknown}/test", `{"action":"order_create"}`, 404, "not_found", ""},
		"resume: a field":           {"POST {one}/resume", `{"now":true}`, 422, "invalid_request", "now"},
		"resume: unknown":           {"POST {unknown}/resume", "", 404, "not_found", ""},
		"rotate: a field":           {"POST {one}/secret/rotate", `{"secret":"mine"}`, 422, "invalid_request", "secret"},
		"rotate: unknown":           {"POST {unknown}/secret/rotate", "", 404, "not_found", ""},
		"journal: every wrong":      {"GET {one}/deliveries?status=lost&action=x&limit=0&order_id=%00&page=1", "", 422, "invalid_request", "page"},
		"journal: all values":       {"GET {one}/deliveries?status=lost&action=x&limit=0&order_id=%00", "", 422, "invalid_request", "status action order_id limit"},
		"journal: limit 101":        {"GET {one}/deliveries?limit=101", "", 422, "invalid_request", "limit"},
		"journal: limit text":       {"GET {one}/deliveries?limit=ten", "", 422, "invalid_request", "limit"},
		"journal: limit twice":      {"GET {one}/deliveries?limit=1&limit=2", "", 422, "invalid_request", "limit"},
		"journal: order not UTF-8":  {"GET {one}/deliveries?order_id=%ff", "", 422, "invalid_request", "order_id"},
		"journal: cursor":           {"GET {one}/deliveries?cursor=abc", "", 422, "invalid_request", "cursor"},
		"journal: bad query":        {"GET {one}/deliveries?a=%zz", "", 400, "invalid_request", ""},
		"journal: unknown":          {"GET {unknown}/deliveries", "", 404, "not_found", ""},
		"delivery: unknown":         {"GET {one}/deliveries/dlv_01M84DZGNXJ603FEV9KBBC2YJM", "", 404, "not_found", ""},
		"delivery: of another":      {"GET {off}{failed}", "", 404, "not_found", ""},
		"delivery: no id":           {"GET {one}/deliveries/01M84DZGNXJ603FEV9KBBC2YJM", "", 404, "not_found", ""},
		"summary: hours 0":          {"GET {one}/deliveries/summary?hours=0", "", 422, "invalid_request", "hours"},
		"summary: hours 169":        {"GET {one}/deliveries/summary?hours=169", "", 422, "invalid_request", "hours"},
		"summary: days":             {"GET {one}/deliveries/summary?days=1", "", 422, "invalid_request", "days"},
		"retry: off":                {"POST {off}{skipped}/retry", "", 409, "conflict", ""},
		"retry: without a body":     {"POST {one}{erased}/retry", "", 409, "conflict", ""},
		"retry: unknown":            {"POST {one}/deliveries/dlv_01M84DZGNXJ603FEV9KBBC2YJM/retry", "", 404, "not_found", ""},
		"retry: a field":            {"POST {one}{failed}/retry", `{"force":true}`, 422, "invalid_request", "force"},
		"replay: empty":             {"POST {one}/replay", `{}`, 422, "invalid_request", "from to"},
		"replay: no times":          {"POST {one}/replay", `{"from":"yesterday","to":1}`, 422, "invalid_request", "from to"},
		"replay: nothing between":   {"POST {one}/replay", `{"from":"2026-11-23T08:00:00Z","to":"2026-11-23T11:00:00+03:00"}`, 422, "invalid_request", "to"},
		"replay: before time":       {"POST {one}/replay", `{"from":"1969-01-01T00:00:00Z","to":"2026-11-23T11:00:00Z"}`, 422, "invalid_request", "from"},
		"replay: lists":             {"POST {one}/replay", `{` + times + `,"statuses":["lost","failed"],"actions":["order_create","x"]}`, 422, "invalid_request", "statuses.0 actions.1"},
		"replay: cursor":            {"POST {one}/replay", `{` + times + `,"cursor":"abc"}`, 422, "invalid_request", "cursor"},
		"replay: unknown field":     {"POST {one}/replay", `{` + times + `,"until":1}`, 422, "invalid_request", "until"},
		"replay: off":               {"POST {off}/replay", `{` + times + `}`, 409, "conflict", ""},
		"replay: unknown":           {"POST {unknown}/replay", `{` + times + `}`, 404, "not_found", ""},
		"session: too short":        {"POST {account}/page-sessions", `{"ttl_seconds":59}`, 422, "invalid_request", "ttl_seconds"},
		"session: too long":         {"POST {account}/page-sessions", `{"ttl_seconds":9223372036854775807}`, 422, "invalid_request", "ttl_seconds"},
		"session: overflows":        {"POST {account}/page-sessions", `{"ttl_seconds":18446744173}`, 422, "invalid_request", "ttl_seconds"},
		"session: zero":             {"POST {account}/page-sessions", `{"ttl_seconds":0}`, 422, "invalid_request", "ttl_seconds"},
		"session: text":             {"POST {account}/page-sessions", `{"ttl_seconds":"60"}`, 422, "invalid_request", "ttl_seconds"},
		"session: unknown field":    {"POST {account}/page-sessions", `{"account":"a"}`, 422, "invalid_request", "account"},
		"erase: no order":           {"DELETE {account}/orders/%00/deliveries", "", 404, "not_found", ""},
		"erase: a parameter":        {"DELETE {account}/orders/1/deliveries?all=1", "", 422, "invalid_request", "all"},
		"erase: the account's":      {"DELETE {account}?force=1", "", 422, "invalid_request", "force"},
		"no such address":           {"GET {account}/nothing", "", 404, "not_found", ""},
		"not a clean address":       {"GET {all}//", "", 404, "not_found", ""},
		"a slash at the end":        {"GET {all}/", "", 404, "not_found", ""},
	} {
		t.Run(name, func(t *testing.T) {
			method, path, _ := strings.Cut(paths.Replace(c.request), " ")
			a := w.call(method, path, paths.Replace(c.body))
			if a.StatusCode != c.status || a.text("code") != c.code || a.Header.Get("Content-Type") != "application/problem+json" {
				t.Fatalf("answer %d %s", a.StatusCode, a.raw)
			}
			if got := a.fields(); got != c.fields {
				t.Errorf("fields %q, want %q", got, c.fields)
			}
		})
	}
	if a := w.call("POST", collection, `{}`, "Content-Type", "text/plain"); a.StatusCode != http.StatusUnsupportedMediaType {
		t.Errorf("another content type: %d", a.StatusCode)
	}
	// None of these changed anything.
	if c := w.saved(one); c.Version != 1 || c.Generation != 0 || len(c.PreviousSecret) != 0 {
		t.Errorf("the connection is now %+v", c)
	}
	if n := len(w.receive(w.cloud.Deliveries)) + w.tokens(); n != 0 {
		t.Errorf("%d messages were sent", n)
	}
}

// fields lists the wrong fields that an answer names.
func (a answer) fields() string {
	list, _ := a.body["errors"].([]any)
	var names []string
	for _, e := range list {
		m, _ := e.(map[string]any)
		name, _ := m["field"].(string)
		names = append(names, name)
	}
	return strings.Join(names, " ")
}

func TestOtherMethodsAreNotAllowed(t *testing.T) {
	w := newWorld(t)
	one := w.create(on)
	for path, allow := range map[string]string{
		collection:                      "GET, HEAD, POST",
		one:                             "DELETE, GET, HEAD, PATCH",
		one + "/test":                   "POST",
		one + "/resume":                 "POST",
		one + "/secret/rotate":          "POST",
		one + "/replay":                 "POST",
		one + "/deliveries":             "GET, HEAD",
		one + "/deliveries/summary":     "GET, HEAD",
		one + "/deliveries/dlv_1/retry": "POST",
		"/v1/accounts/" + account + "/orders/1/deliveries": "DELETE",
		"/v1/accounts/" + account + "/page-sessions":       "POST",
	} {
		a := w.want(http.StatusMethodNotAllowed, "PUT", path, `{}`)
		if a.Header.Get("Allow") != allow || a.text("code") != "invalid_request" {
			t.Errorf("%s: Allow %q, want %q: %s", path, a.Header.Get("Allow"), allow, a.raw)
		}
	}
	if a := w.want(http.StatusOK, "HEAD", one, ""); a.Header.Get("ETag") != `"1"` {
		t.Errorf("HEAD: ETag %q", a.Header.Get("ETag"))
	}
}

// TestLinkProblemsAreInRussian: they are the ones an organiser sees.
func TestLinkProblemsAreInRussian(t *testing.T) {
	w := newWorld(t)
	for _, body := range []string{`{}`, `{"webhook_url":"https://example.com/"}`, `{"webhook_url":"` + link + `","enabled":true}`,
		`{"webhook_url":"` + link + `","name":"` + strings.Repeat("ё", 101) + `"}`} {
		list, _ := w.want(422, "POST", collection, body).body["errors"].([]any)
		if len(list) != 1 {
			t.Fatalf("%s: %v", body, list)
		}
		if detail, _ := list[0].(map[string]any)["detail"].(string); !strings.ContainsAny(detail, "аеиоуы") || strings.Contains(detail, "example.com") {
			t.Errorf("%s: %q", body, detail)
		}
	}
}
