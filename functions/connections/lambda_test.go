package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/nethouse-academy/albato/shared/apigw"
	"github.com/nethouse-academy/albato/shared/auth"
	"github.com/nethouse-academy/albato/shared/connection"
	"github.com/nethouse-academy/albato/shared/delivery"
	"github.com/nethouse-academy/albato/shared/event"
	"github.com/nethouse-academy/albato/shared/webhook"
)

// createAs makes a connection with the id that the sample events name, and gives its path.
func (w *world) createAs(link string) (path string) {
	w.Helper()
	draft := connection.Draft{Link: link, Actions: []event.Action{event.OrderComplete}, Enabled: true}
	c, err := connection.New(draft, account, "con_01M84DZGNXJ603FEV9KBBC2YJM", w.rules, webhook.NewSecret(), w.clock.now())
	if err == nil {
		err = w.store.Create(w.Context(), c)
	}
	if err != nil {
		w.Fatal(err)
	}
	return collection + "/" + c.ID
}

// sampled is the connection and the delivery that the sample events name.
func sampled(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.keys = auth.NewKeys(secret(`{"api_key":"local-key"}`), w.clock.now)
	w.routes = w.handler.routes()
	path := w.createAs(newReceiver(t, 200, "").URL + "/a")
	d := w.entry(w.saved(path), 1, delivery.Failed)
	d.ID, d.OrderID = "dlv_01M84DZGNXJ603FEV9KBBC2YJN", "9840012"
	if err := w.store.Record(t.Context(), []delivery.Delivery{d}); err != nil {
		t.Fatal(err)
	}
	return w
}

// TestSampleEvents feeds the files for `sam local invoke` through the adapter and the handler.
func TestSampleEvents(t *testing.T) {
	wanted := map[string]struct {
		status int
		body   string // a part of it
	}{
		"create":        {201, `"signing_secret":"whsec_`},
		"list":          {200, `"connections":[{"id":"con_01M84DZGNXJ603FEV9KBBC2YJM"`},
		"get":           {200, `"state":"healthy"`},
		"switch-on":     {200, `"enabled":true`},
		"delete":        {204, ""},
		"test":          {200, `"delivered":true`},
		"resume":        {202, `"state":"healthy"`},
		"rotate-secret": {200, `"signing_secret":"whsec_`},
		"deliveries":    {200, `"id":"dlv_01M84DZGNXJ603FEV9KBBC2YJN"`},
		"delivery":      {200, `"payload":{"id":"event-1"`},
		"summary":       {200, `"complete":true`},
		"retry":         {202, `"id":"dlv_01M84DZGNXJ603FEV9KBBC2YJN"`},
		"replay":        {202, `"matched":1,"queued":0`},
		"erase-order":   {200, `{"erased":1}`},
		"erase-account": {204, ""},
		"account":       {200, `{"account_id":"academy-1001","name":"academy-1001"}`},
		"name-account":  {200, `"name":"Школа «Ёж»"`},
		"create-token":  {201, `"token":"alb_`},
		"tokens":        {200, `{"tokens":[]}`},
		"subscribe":     {201, `_order_complete","action":"order_complete"`},
		"page-session":  {201, `"url":"https://api.execute-api.eu-central-1.amazonaws.com/page#token=`},
	}
	files, err := filepath.Glob("events/*.json")
	if err != nil || len(files) < len(wanted) {
		t.Fatalf("%d files for %d events, %v", len(files), len(wanted), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		want, known := wanted[name]
		if !known {
			t.Errorf("it is not said what %s should be answered with", file)
			continue
		}
		t.Run(name, func(t *testing.T) {
			w := sampled(t)
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var ev events.APIGatewayV2HTTPRequest
			d := json.NewDecoder(bytes.NewReader(raw))
			d.DisallowUnknownFields()
			if err := d.Decode(&ev); err != nil {
				t.Fatal(err)
			}
			a, err := apigw.Handler(w.routes, apigw.WithLogger(w.log))(t.Context(), ev)
			if err != nil || a.StatusCode != want.status || !strings.Contains(a.Body, want.body) || (want.body == "") != (a.Body == "") {
				t.Fatalf("answer %d %s, %v", a.StatusCode, a.Body, err)
			}
			if a.Headers["X-Request-Id"] != "sample-"+name || a.Headers["Cache-Control"] != "no-store" {
				t.Errorf("headers %v", a.Headers)
			}
			lines := strings.Split(strings.TrimSpace(w.logs.String()), "\n")
			if len(lines) != 1 || !strings.Contains(lines[0], `"request_id":"sample-`+name+`"`) || !strings.Contains(lines[0], `/v1/accounts/{account}`) {
				t.Errorf("log %q", lines)
			}
			for _, private := range []string{account, "con_01", "dlv_01", "whsec_", "local-key", "albato.ru", "127.0.0.1", "9840012"} {
				if strings.Contains(w.logs.String(), private) {
					t.Errorf("the log has %s: %s", private, w.logs)
				}
			}
		})
	}
}

func TestAFaultIsLoggedAndNotShown(t *testing.T) {
	w := sampled(t)
	w.faults.set(func(operation string) bool { return operation == "GetItem" })
	raw, err := os.ReadFile("events/get.json")
	if err != nil {
		t.Fatal(err)
	}
	var ev events.APIGatewayV2HTTPRequest
	if err := json.Unmarshal(raw, &ev); err != nil {
		t.Fatal(err)
	}
	a, err := apigw.Handler(w.routes, apigw.WithLogger(w.log))(t.Context(), ev)
	if err != nil || a.StatusCode != http.StatusServiceUnavailable || strings.Contains(a.Body, "GetItem") || a.Headers["Retry-After"] == "" {
		t.Errorf("answer %d %s, %v", a.StatusCode, a.Body, err)
	}
	if !strings.Contains(w.logs.String(), "GetItem") || !strings.Contains(w.logs.String(), `"level":"ERROR"`) {
		t.Errorf("log %s", w.logs)
	}
}

func TestEveryFaultOfTheEnvironmentIsNamed(t *testing.T) {
	err := run(t.Context(), map[string]string{"DELIVERY_TIMEOUT": "soon", "RETENTION_DAYS": "many", "ALLOW_LOOPBACK": "perhaps", "TABLE_NAME": ""})
	if err == nil {
		t.Fatal("it runs")
	}
	for _, name := range []string{"TABLE_NAME", "DELIVERIES_QUEUE_URL", "RETRIES_QUEUE_URL", "SECRET_ID", "ALLOWED_HOSTS", "Timeout", "RetentionDays", "AllowLoopback"} {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("%s is not named: %v", name, err)
		}
	}
}
