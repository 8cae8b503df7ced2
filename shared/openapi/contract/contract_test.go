package contract_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/nethouse-academy/albato/shared/event"
	"github.com/nethouse-academy/albato/shared/openapi"
	"github.com/nethouse-academy/albato/shared/openapi/contract"
)

type content map[string]struct {
	Schema   json.RawMessage
	Examples map[string]struct {
		Summary string
		Value   json.RawMessage
	}
}

type document struct {
	Paths                map[string]map[string]json.RawMessage
	Webhooks, Components struct {
		Delivery  struct{ Post operation }
		Responses map[string]response
	}
}

type operation struct {
	RequestBody struct{ Content content }
	Responses   map[string]response
}

type response struct {
	Ref     string `json:"$ref"`
	Content content
}

func read(t *testing.T) document {
	t.Helper()
	text, err := openapi.Document("v1")
	if err != nil {
		t.Fatal(err)
	}
	var d document
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d document) operation(t *testing.T, path, method string) operation {
	t.Helper()
	var o operation
	if err := json.Unmarshal(d.Paths[path][method], &o); err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return o
}

func TestTheCatalogueIsInTheDocument(t *testing.T) {
	d := read(t)
	for name, c := range map[string]content{
		"POST /v1/events": d.operation(t, "/v1/events", "post").RequestBody.Content, "webhook": d.Webhooks.Delivery.Post.RequestBody.Content,
	} {
		examples := c["application/json"].Examples
		for _, trigger := range event.Triggers() {
			if examples[string(trigger.Action)].Summary != trigger.Title {
				t.Errorf("%s: the example of %s is %+v", name, trigger.Action, examples[string(trigger.Action)])
			}
		}
		if len(examples) != len(event.Triggers()) {
			t.Errorf("%s has %d examples", name, len(examples))
		}
	}
	if posted, err := event.Parse(d.operation(t, "/v1/events", "post").RequestBody.Content["application/json"].Examples["order_complete"].Value); err != nil ||
		posted.Action != event.OrderComplete {
		t.Errorf("%+v, %v", posted, err)
	}
	headers := map[string]string{"content-type": "application/json", "user-agent": "NethouseAcademy-Albato/v1", "webhook-id": "dlv_01KARCAHV0N6D2B4F8Q1T5XZ3M",
		"webhook-timestamp": "1795421100", "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", "webhook-attempt": "1"}
	for name, e := range d.Webhooks.Delivery.Post.RequestBody.Content["application/json"].Examples {
		if err := contract.CheckDelivery(headers, string(e.Value)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name := range headers {
		if name == "content-type" {
			continue
		}
		less := maps.Clone(headers)
		less[name] = "?"
		if contract.CheckDelivery(less, `{"id":"e","action":"order_create","occurred_at":"2026-11-23T08:00:00Z","account_id":"a","test":false,"data":{"action":"order_create","order":{"id":1}}}`) == nil {
			t.Errorf("a wrong %s is not seen", name)
		}
	}
	if contract.CheckDelivery(headers, `{"id":"e"}`) == nil {
		t.Error("a wrong body is not seen")
	}
}

// headers are those that any answer of their kind may carry.
func headers(kind, status, path string) http.Header {
	h := http.Header{"Content-Type": {kind}, "X-Request-Id": {"r1"}}
	switch {
	case status == "401":
		h.Set("WWW-Authenticate", "Bearer")
	case status == "201" && !strings.HasSuffix(path, "page-sessions"), strings.HasSuffix(path, "/subscriptions") && status == "200":
		h.Set("Location", "/v1/accounts/a")
	}
	return h
}

// What the document shows as an answer is one.
func TestExamplesOfAnswers(t *testing.T) {
	c := contract.Load(t)
	d := read(t)
	checked := 0
	for _, path := range slices.Sorted(maps.Keys(d.Paths)) {
		for method := range d.Paths[path] {
			if method == "parameters" {
				continue
			}
			for status, r := range d.operation(t, path, method).Responses {
				if r.Ref != "" {
					r = d.Components.Responses[strings.TrimPrefix(r.Ref, "#/components/responses/")]
				}
				for kind, media := range r.Content {
					for name, e := range media.Examples {
						checked++
						if err := c.CheckAnswer(strings.ToUpper(method), path, status, headers(kind, status, path), e.Value); err != nil {
							t.Errorf("%s %s %s, example %s: %v", method, path, status, name, err)
						}
					}
				}
			}
		}
	}
	if checked < 100 {
		t.Errorf("only %d examples", checked)
	}
	t.Logf("%d examples of answers", checked)
}

// What is not as described is seen.
func TestCheckSeesEveryKindOfFault(t *testing.T) {
	c := contract.Load(t)
	ok := contract.Exchange{Method: "GET", Path: "/healthz", Status: 200, Header: headers("application/json", "200", ""), Body: []byte(`{"status":"ok","version":"v1"}`)}
	made := contract.Exchange{Method: "POST", Path: "/v1/accounts/a/subscriptions", Status: 201, Header: headers("application/json", "201", "/subscriptions"),
		RequestHeader: http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer x"}},
		RequestBody:   []byte(`{"action":"order_create","webhook_url":"https://h.albato.ru/"}`),
		Body:          []byte(`{"id":"sub_01KAR8ZJ5T7QK2M9C4X6B1V3NS_order_create","action":"order_create","connection_id":"con_01KAR8ZJ5T7QK2M9C4X6B1V3NS"}`)}
	for name, x := range map[string]struct {
		from   contract.Exchange
		change func(*contract.Exchange)
		right  bool
	}{
		"as it is":                 {ok, func(*contract.Exchange) {}, true},
		"made, as it is":           {made, func(*contract.Exchange) {}, true},
		"HEAD":                     {ok, func(x *contract.Exchange) { x.Method, x.Body = "HEAD", nil }, true},
		"HEAD with a body":         {ok, func(x *contract.Exchange) { x.Method = "HEAD" }, false},
		"one more member":          {ok, func(x *contract.Exchange) { x.Body = []byte(`{"status":"ok","version":"v1","x":1}`) }, false},
		"one less":                 {ok, func(x *contract.Exchange) { x.Body = []byte(`{"status":"ok"}`) }, false},
		"another value":            {ok, func(x *contract.Exchange) { x.Body = []byte(`{"status":"no","version":"v1"}`) }, false},
		"another status":           {ok, func(x *contract.Exchange) { x.Status = 202 }, false},
		"another content type":     {ok, func(x *contract.Exchange) { x.Header.Set("Content-Type", "text/plain") }, false},
		"no request id":            {ok, func(x *contract.Exchange) { x.Header.Del("X-Request-Id") }, false},
		"a header more":            {ok, func(x *contract.Exchange) { x.Header.Set("Location", "/") }, false},
		"an address not described": {ok, func(x *contract.Exchange) { x.Path = "/health" }, false},
		"a method not described":   {ok, func(x *contract.Exchange) { x.Method = "POST" }, false},
		"not found, as a problem": {ok, func(x *contract.Exchange) {
			x.Path, x.Status = "/x", 404
			x.Header.Set("Content-Type", "application/problem+json")
		}, true},
		"not found, as something":   {ok, func(x *contract.Exchange) { x.Path, x.Status = "/x", 404 }, false},
		"a wrong request was taken": {made, func(x *contract.Exchange) { x.RequestBody = []byte(`{"action":"order_create"}`) }, false},
		"an unknown field was taken": {made, func(x *contract.Exchange) {
			x.RequestBody = []byte(strings.Replace(string(x.RequestBody), "{", `{"x":1,`, 1))
		}, false},
		"no Location": {made, func(x *contract.Exchange) { x.Header.Del("Location") }, false},
		"not a time": {made, func(x *contract.Exchange) {
			x.Path, x.RequestBody, x.Body = "/v1/accounts/a/tokens", []byte(`{}`), []byte(`{"id":"tok_01KAR8ZJ5T7QK2M9C4X6B1V3NS","name":"","hint":"","created_at":"yesterday","token":"alb_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}`)
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			changed := x.from
			changed.Header = x.from.Header.Clone()
			x.change(&changed)
			if err := c.Check(changed); (err == nil) != x.right {
				t.Errorf("it says %v", err)
			}
		})
	}
}
