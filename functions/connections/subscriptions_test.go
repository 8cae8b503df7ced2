package main

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nethouse-academy/albato/shared/connection"
	"github.com/nethouse-academy/albato/shared/event"
)

const subscriptions = "/v1/accounts/" + account + "/subscriptions"

// subscribe asks for an action and gives the path of the subscription.
func (w *world) subscribe(status int, action string) (path string) {
	w.Helper()
	a := w.want(status, "POST", subscriptions, `{"action":"`+action+`","webhook_url":"`+link+`"}`)
	if path = a.Header.Get("Location"); path != subscriptions+"/"+a.text("id") {
		w.Fatalf("location %q of %s", path, a.raw)
	}
	return path
}

// made is the one connection that the account should have.
func (w *world) made() connection.Connection {
	w.Helper()
	all, err := w.store.Connections(w.Context(), account, true)
	if err != nil || len(all) != 1 {
		w.Fatalf("%d connections, %v", len(all), err)
	}
	return all[0]
}

func TestASubscriptionIsAConnectionThatIsOn(t *testing.T) {
	w := newWorld(t)
	first := w.subscribe(http.StatusCreated, "order_complete")
	c := w.made()
	if !c.Enabled || c.Origin != connection.ByAlbato || !slices.Equal(c.Actions, []event.Action{event.OrderComplete}) || c.Link != link {
		t.Errorf("made %+v", c)
	}
	if again := w.subscribe(http.StatusOK, "order_complete"); again != first || w.made().Version != 1 {
		t.Errorf("subscribed again: %s, version %d", again, w.made().Version)
	}
	second := w.subscribe(http.StatusCreated, "order_create")
	if c := w.made(); !slices.Equal(c.Actions, []event.Action{event.OrderComplete, event.OrderCreate}) || second == first {
		t.Errorf("one link, two actions: %+v", c)
	}
	if got := w.want(http.StatusOK, "GET", second, ""); got.text("action") != "order_create" || got.text("connection_id") != c.ID {
		t.Errorf("subscription %s", got.raw)
	}
	listed := w.want(http.StatusOK, "GET", collection, "").body["connections"].([]any)[0].(map[string]any)
	if listed["origin"] != "albato" {
		t.Errorf("shown as %v", listed)
	}
	w.want(http.StatusNoContent, "DELETE", first, "")
	w.want(http.StatusNotFound, "DELETE", first, "")
	w.want(http.StatusNotFound, "GET", first, "")
	if c := w.made(); !slices.Equal(c.Actions, []event.Action{event.OrderCreate}) || !c.Enabled {
		t.Errorf("after one of two was given up: %+v", c)
	}
	w.want(http.StatusNoContent, "DELETE", second, "")
	if all, err := w.store.Connections(t.Context(), account, true); err != nil || len(all) != 0 {
		t.Errorf("after the last was given up: %v, %v", all, err)
	}
	if w.tokens() != 1 {
		t.Error("nobody erases the connection")
	}
	w.want(http.StatusNotFound, "GET", second, "")
	w.want(http.StatusNoContent, "DELETE", second, "") // until it is erased: the answer may have been lost, and so may the token
	if w.subscribe(http.StatusCreated, "order_create") == second {
		t.Error("a new subscription has the id of an old one")
	}
}

func TestTheOrganisersLinkStaysHis(t *testing.T) {
	w := newWorld(t)
	path := w.create(`{"webhook_url":"` + link + `","actions":["order_complete"]}`)
	a := w.want(http.StatusConflict, "POST", subscriptions, `{"action":"order_create","webhook_url":"`+link+`"}`)
	if a.text("code") != "webhook_url_taken" {
		t.Errorf("%s", a.raw)
	}
	id := strings.TrimPrefix(path, collection+"/con_")
	for _, method := range []string{"GET", "DELETE"} {
		w.want(http.StatusNotFound, method, subscriptions+"/sub_"+id+"_order_complete", "")
	}
	if c := w.made(); c.Enabled || c.Version != 1 {
		t.Errorf("became %+v", c)
	}
}

func TestSubscribingAgainBringsALinkBack(t *testing.T) {
	for name, trouble := range map[string]func(w *world, path string){
		"switched off by the organiser": func(w *world, path string) { w.want(http.StatusOK, "PATCH", path, `{"enabled":false}`) },
		"suspended":                     func(w *world, path string) { w.hold(path, 2); w.suspend(path) },
		"failing": func(w *world, path string) {
			w.hold(path, 2)
			w.sleep(path)
			w.clock.move(time.Minute)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.subscribe(http.StatusCreated, "order_complete")
			path := collection + "/" + w.made().ID
			trouble(w, path)
			w.tokens()
			w.subscribe(http.StatusOK, "order_complete")
			c := w.saved(path)
			awake := c.Health.State == connection.Healthy || c.Health.State == connection.Failing && !c.Health.NextAttemptAt.After(w.clock.now()) && w.tokens() == 1
			if !c.Enabled || !awake {
				t.Errorf("it is %+v", c)
			}
		})
	}
}

func TestSubscriptionNamesEveryWrongField(t *testing.T) {
	w := newWorld(t)
	for body, fields := range map[string]string{
		`{}`:                             "webhook_url action",
		`{"action":"order_refund"}`:      "webhook_url action",
		`{"webhook_url":"` + link + `"}`: "action",
		`{"action":"order_create","webhook_url":"https://example.com/"}`:    "webhook_url",
		`{"action":"order_create","webhook_url":"` + link + `","event":""}`: "event",
		`{"action":["order_create"],"webhook_url":"` + link + `"}`:          "action",
	} {
		a := w.want(http.StatusUnprocessableEntity, "POST", subscriptions, body)
		var names []string
		for _, e := range a.body["errors"].([]any) {
			names = append(names, e.(map[string]any)["field"].(string))
		}
		if strings.Join(names, " ") != fields {
			t.Errorf("%s: %q, want %q", body, names, fields)
		}
	}
	for _, id := range []string{"x", "sub_", "sub_01KANWBXBWQ0D2P0K5KJ1Q9Q7Y", "sub_x_order_create", "sub_01KANWBXBWQ0D2P0K5KJ1Q9Q7Y_order_refund",
		"sub_01KANWBXBWQ0D2P0K5KJ1Q9Q7Y_order_create"} {
		w.want(http.StatusNotFound, "DELETE", subscriptions+"/"+id, "")
		w.want(http.StatusNotFound, "GET", subscriptions+"/"+id, "")
	}
}

func TestSubscriptionsCountAsConnections(t *testing.T) {
	w := newWorld(t)
	for i := range connection.MaxPerAccount {
		w.create(`{"webhook_url":"` + link + strings.Repeat("a", i+1) + `"}`)
	}
	a := w.want(http.StatusConflict, "POST", subscriptions, `{"action":"order_create","webhook_url":"`+link+`"}`)
	if a.text("code") != "too_many_connections" {
		t.Errorf("%s", a.raw)
	}
}

// All of a link's triggers may be subscribed at the same moment: one connection comes of it, with all of them.
func TestConcurrentSubscriptionsShareAConnection(t *testing.T) {
	w := newWorld(t)
	var group sync.WaitGroup
	statuses := make([]int, len(event.Triggers()))
	for i, trigger := range event.Triggers() {
		group.Go(func() {
			// Whoever lost five races in a row is told to repeat; Albato does.
			for statuses[i] = 409; statuses[i] == 409; {
				a := w.call("POST", subscriptions, `{"action":"`+string(trigger.Action)+`","webhook_url":"`+link+`"}`)
				if statuses[i] = a.StatusCode; a.text("code") == "webhook_url_taken" {
					t.Error("a link that Albato itself has just taken is refused")
					return
				}
			}
		})
	}
	group.Wait()
	if c := w.made(); len(c.Actions) != len(statuses) || slices.ContainsFunc(statuses, func(s int) bool { return s != http.StatusCreated }) {
		t.Errorf("%v: %v", statuses, c.Actions)
	}
}

func TestAccountTokensLetAlbatoSubscribe(t *testing.T) {
	w := newWorld(t)
	path := "/v1/accounts/" + account
	w.want(http.StatusOK, "PATCH", path, `{"name":"  Школа «Ёж» "}`)
	made := w.want(http.StatusCreated, "POST", path+"/tokens", `{"name":"Связки"}`)
	secret := made.text("token")
	listed := w.want(http.StatusOK, "GET", path+"/tokens", "")
	one := w.want(http.StatusOK, "GET", made.Header.Get("Location"), "")
	if secret == "" || strings.Contains(string(listed.raw)+string(one.raw), secret) || !strings.Contains(string(listed.raw), made.text("hint")) {
		t.Errorf("made %s, listed %s", made.raw, listed.raw)
	}

	w.token = secret
	if a := w.want(http.StatusOK, "GET", path, ""); a.text("name") != "Школа «Ёж»" || a.text("account_id") != account {
		t.Errorf("%s", a.raw)
	}
	subscription := w.subscribe(http.StatusCreated, "order_complete")
	w.want(http.StatusNoContent, "DELETE", subscription, "")
	w.want(http.StatusNotFound, "GET", "/v1/accounts/another", "")
	w.want(http.StatusNotFound, "POST", "/v1/accounts/another/subscriptions", `{"action":"order_create","webhook_url":"`+link+`"}`)
	for _, route := range []string{"GET " + collection, "POST " + collection, "POST " + path + "/tokens", "GET " + path + "/tokens",
		"DELETE " + made.Header.Get("Location"), "PATCH " + path, "DELETE " + path, "POST " + path + "/page-sessions",
		"DELETE " + path + "/orders/1/deliveries"} {
		method, target, _ := strings.Cut(route, " ")
		w.want(http.StatusUnauthorized, method, target, "")
	}

	w.token = apiKey
	w.want(http.StatusNoContent, "DELETE", made.Header.Get("Location"), "")
	w.want(http.StatusNotFound, "DELETE", made.Header.Get("Location"), "")
	w.want(http.StatusNotFound, "GET", made.Header.Get("Location"), "")
	w.token = secret
	w.want(http.StatusUnauthorized, "GET", path, "")
	if strings.Contains(w.logs.String(), secret) {
		t.Error("the token stands in the log")
	}
}

func TestErasingAnAccountRevokesItsTokens(t *testing.T) {
	w := newWorld(t)
	path := "/v1/accounts/" + account
	secret := w.want(http.StatusCreated, "POST", path+"/tokens", "").text("token")
	w.want(http.StatusNoContent, "DELETE", path, "")
	w.token = secret
	w.want(http.StatusUnauthorized, "GET", path, "")
}

func TestAccountName(t *testing.T) {
	w := newWorld(t)
	path := "/v1/accounts/" + account
	for _, c := range []struct {
		body   string
		status int
		name   string
	}{
		{`{}`, 200, account}, {`{"name":"Школа"}`, 200, "Школа"}, {`{"name":"a\nb"}`, 422, ""}, {`{"title":"x"}`, 422, ""}, {`{}`, 200, "Школа"},
		{`{"name":""}`, 200, account},
	} {
		if a := w.want(c.status, "PATCH", path, c.body); a.text("name") != c.name {
			t.Errorf("%s: %s", c.body, a.raw)
		}
	}
}

// What DynamoDB or SQS does not do is a 503 that may be repeated, and the repeat does the rest.
func TestSubscriptionsWhenAServiceFails(t *testing.T) {
	down := func(string) bool { return true }
	w := newWorld(t)
	path := "/v1/accounts/" + account
	made := w.want(http.StatusCreated, "POST", path+"/tokens", "")
	subscription := w.subscribe(http.StatusCreated, "order_complete")
	w.faults.set(down)
	for _, c := range [][3]string{
		{"GET", path, ""}, {"PATCH", path, `{"name":"x"}`}, {"POST", path + "/tokens", ""}, {"GET", path + "/tokens", ""},
		{"GET", made.Header.Get("Location"), ""}, {"DELETE", made.Header.Get("Location"), ""}, {"GET", subscription, ""}, {"DELETE", subscription, ""},
		{"POST", subscriptions, `{"action":"order_create","webhook_url":"` + link + `"}`},
		{"POST", subscriptions, `{"action":"order_create","webhook_url":"` + link + `2"}`},
	} {
		if a := w.call(c[0], c[1], c[2]); a.StatusCode != http.StatusServiceUnavailable || a.Header.Get("Retry-After") == "" {
			t.Errorf("%s %s: %d %s", c[0], c[1], a.StatusCode, a.raw)
		}
	}
	w.token = made.text("token")
	if a := w.call("GET", path, ""); a.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a token that cannot be looked up: %d", a.StatusCode)
	}
	w.token = apiKey

	// The connection is marked, and the token that erases it is not sent: the repeat sends it.
	w.faults.set(func(operation string) bool { return operation == "SendMessage" || operation == "SendMessageBatch" })
	w.want(http.StatusServiceUnavailable, "DELETE", subscription, "")
	w.faults.set(nil)
	if n := w.tokens(); n != 0 {
		t.Fatalf("%d tokens", n)
	}
	w.want(http.StatusNoContent, "DELETE", subscription, "")
	if n := w.tokens(); n != 1 {
		t.Errorf("%d tokens", n)
	}
}
