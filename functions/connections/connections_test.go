package main

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nethouse-academy/albato/shared/delivery"
	"github.com/nethouse-academy/albato/shared/webhook"
)

const on = `{"webhook_url":"` + link + `","actions":["order_complete"],"enabled":true}`

func TestAConnectionIsMade(t *testing.T) {
	w := newWorld(t)
	made := w.want(http.StatusCreated, "POST", collection, `{"webhook_url":"`+link+`","name":"  CRM ","actions":["order_complete","order_create"]}`)
	if want := collection + "/" + made.text("id"); made.Header.Get("Location") != want || made.Header.Get("ETag") != `"1"` {
		t.Errorf("Location %q, ETag %q", made.Header.Get("Location"), made.Header.Get("ETag"))
	}
	if _, err := webhook.ParseSecret(made.text("signing_secret")); err != nil {
		t.Errorf("signing secret %q: %v", made.text("signing_secret"), err)
	}
	got := w.want(http.StatusOK, "GET", collection+"/"+made.text("id"), "")
	delete(made.body, "signing_secret")
	for name, want := range map[string]any{"account_id": account, "name": "CRM", "webhook_url": "https://h.albato.ru/wh/38/1lf…/…AAAA/",
		"enabled": false, "version": 1.0, "created_at": "2026-11-23T09:30:00Z", "updated_at": "2026-11-23T09:30:00Z"} {
		if got.body[name] != want || made.body[name] != want {
			t.Errorf("%s is %v, was %v, want %v", name, got.body[name], made.body[name], want)
		}
	}
	keys := func(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }
	if want := strings.Fields("account_id actions created_at enabled health id name updated_at version webhook_url"); !slices.Equal(keys(got.body), want) || !slices.Equal(keys(made.body), want) {
		t.Errorf("members %v and %v", keys(got.body), keys(made.body))
	}
	if want := strings.Fields("attempts last_delivered_at last_error last_error_text last_status next_attempt_at since state waiting waiting_more"); !slices.Equal(keys(got.health()), want) {
		t.Errorf("members of health %v", keys(got.health()))
	}
	if got.Header.Get("ETag") != `"1"` {
		t.Errorf("ETag %q", got.Header.Get("ETag"))
	}
	if strings.Contains(string(made.raw), "AAAAAAAA") {
		t.Error("the answer shows the link")
	}
}

func TestAPatchChangesWhatItNames(t *testing.T) {
	w := newWorld(t)
	path := w.create(`{"webhook_url":"` + link + `"}`)
	w.clock.move(time.Minute)
	step := func(body string, version string, name string, want any) {
		t.Helper()
		a := w.want(http.StatusOK, "PATCH", path, body)
		if a.body[name] != want || a.Header.Get("ETag") != version {
			t.Errorf("%s: %s is %v, want %v; ETag %s, want %s", body, name, a.body[name], want, a.Header.Get("ETag"), version)
		}
		if again := w.want(http.StatusOK, "GET", path, ""); string(again.raw) != string(a.raw) {
			t.Errorf("%s: the answer was\n%s\nand a later one is\n%s", body, a.raw, again.raw)
		}
	}
	step(`{}`, `"1"`, "updated_at", "2026-11-23T09:30:00Z")
	step(`{"name":null,"actions":null}`, `"1"`, "name", "Albato")
	step(`{"name":"Таблица"}`, `"2"`, "name", "Таблица")
	step(`{"name":"Таблица"}`, `"2"`, "updated_at", "2026-11-23T09:31:00Z")
	step(`{"actions":["order_create"],"enabled":true}`, `"3"`, "enabled", true)
	step(`{"webhook_url":"https://h.albato.com/wh/38/x/BBBBBBBBBBBBBBBBBBBBBBBB"}`, `"4"`, "webhook_url", "https://h.albato.com/wh/38/x/…BBBB")
	step(`{"enabled":false,"actions":[]}`, `"5"`, "enabled", false)
}

func TestIfMatch(t *testing.T) {
	w := newWorld(t)
	path := w.create(on)
	w.want(http.StatusOK, "PATCH", path, `{"name":"a"}`, "If-Match", `"1"`)
	for i, c := range []struct {
		tag    string
		status int
	}{{`"1"`, 412}, {`"3"`, 412}, {`W/"1"`, 412}, {`1`, 400}, {`"x"`, 400}, {`"2", "1"`, 400}, {`*`, 200}, {`W/"3"`, 200}} {
		a := w.want(c.status, "PATCH", path, `{"name":"`+strconv.Itoa(i)+`"}`, "If-Match", c.tag)
		if c.status == 412 && a.text("code") != "precondition_failed" {
			t.Errorf("%s: %s", c.tag, a.raw)
		}
	}
	w.want(http.StatusPreconditionFailed, "DELETE", path, "", "If-Match", `"1"`)
	w.want(http.StatusPreconditionFailed, "POST", path+"/secret/rotate", "", "If-Match", `"1"`)
	w.want(http.StatusNoContent, "DELETE", path, "", "If-Match", `"4"`)
}

func TestListIsOldestFirstAndOfOneAccount(t *testing.T) {
	w := newWorld(t)
	if a := w.want(http.StatusOK, "GET", collection, ""); string(a.raw) != `{"connections":[]}` {
		t.Errorf("an account without connections: %s", a.raw)
	}
	var want []any
	for _, n := range []string{"1", "2", "3"} {
		made := w.want(http.StatusCreated, "POST", collection, `{"webhook_url":"`+link+n+`"}`)
		want = append(want, made.body["id"])
	}
	w.want(http.StatusCreated, "POST", "/v1/accounts/other/connections", on)
	w.want(http.StatusNoContent, "DELETE", collection+"/"+want[1].(string), "")
	var got []any
	list, _ := w.want(http.StatusOK, "GET", collection, "").body["connections"].([]any)
	for _, c := range list {
		got = append(got, c.(map[string]any)["id"])
	}
	if !slices.Equal(got, []any{want[0], want[2]}) {
		t.Errorf("listed %v, made %v", got, want)
	}
}

func TestADeletedConnectionIsGone(t *testing.T) {
	w := newWorld(t)
	path := w.create(on)
	id := w.logged(path, delivery.Failed)[0]
	w.want(http.StatusNoContent, "DELETE", path, "")
	for _, r := range [][2]string{{"GET", ""}, {"PATCH", ""}, {"POST", "/test"}, {"POST", "/resume"}, {"POST", "/secret/rotate"},
		{"POST", "/replay"}, {"GET", "/deliveries"}, {"GET", "/deliveries/summary"}, {"GET", "/deliveries/" + id}, {"POST", "/deliveries/" + id + "/retry"}} {
		body := map[string]string{"PATCH": `{}`, "/test": `{"action":"order_create"}`, "/replay": `{"from":"2026-11-23T08:00:00Z","to":"2026-11-23T10:00:00Z"}`}
		a := w.want(http.StatusNotFound, r[0], path+r[1], body[r[0]]+body[r[1]])
		if a.text("code") != "not_found" {
			t.Errorf("%s %s: %s", r[0], r[1], a.raw)
		}
	}
	first := w.saved(path)
	w.clock.move(time.Minute)
	w.want(http.StatusNoContent, "DELETE", path, "") // not erased yet: the token is sent again
	if again := w.saved(path); !again.UpdatedAt.Equal(first.UpdatedAt) || again.Generation != first.Generation {
		t.Error("a repeated deletion is another one")
	}
	w.want(http.StatusCreated, "POST", collection, on)
}

// TestHealthTellsWhatTheLogKnows: what is not stored with the connection is derived from its log and its line.
func TestHealthTellsWhatTheLogKnows(t *testing.T) {
	w := newWorld(t)
	path := w.create(on)
	health := func() map[string]any { t.Helper(); return w.want(http.StatusOK, "GET", path, "").health() }
	w.logged(path, delivery.Delivered, delivery.Delivered, delivery.Failed)
	w.clock.move(time.Minute)
	h := health()
	if h["state"] != "healthy" || h["last_delivered_at"] != "2026-11-23T09:30:02Z" || h["last_status"] != 200.0 || h["last_error"] != nil {
		t.Errorf("healthy: %v", h)
	}
	w.hold(path, 40) // more than are looked at for the last one delivered
	w.clock.move(time.Hour)
	h = health()
	if h["state"] != "failing" || h["since"] != "2026-11-23T09:31:00Z" || h["attempts"] != 1.0 || h["next_attempt_at"] != "2026-11-23T09:31:05Z" ||
		h["last_status"] != 503.0 || h["last_error"] != "http_503" || h["waiting"] != 40.0 || h["waiting_more"] != false ||
		h["last_delivered_at"] != "2026-11-23T09:30:02Z" {
		t.Errorf("failing: %v", h)
	}
	if words, _ := h["last_error_text"].(string); !strings.Contains(words, "503") {
		t.Errorf("words %q", words)
	}
	w.suspend(path)
	if h = health(); h["state"] != "suspended" || h["next_attempt_at"] != nil || h["waiting"] != 40.0 || h["last_delivered_at"] != "2026-11-23T09:30:02Z" {
		t.Errorf("suspended: %v", h)
	}
	w.want(http.StatusOK, "PATCH", path, `{"enabled":false}`)
	if h = health(); h["waiting"] != 0.0 {
		t.Errorf("off: %v", h)
	}
}

func TestAHealthyConnectionCostsOneSmallQuery(t *testing.T) {
	w := newWorld(t)
	path := w.create(on)
	w.cloud.DynamoDB.ResetCalls()
	w.want(http.StatusOK, "GET", path, "")
	if got := w.cloud.DynamoDB.Calls(); !maps.Equal(got, map[string]int64{"GetItem": 1, "Query": 1}) {
		t.Errorf("calls %v", got)
	}
}
