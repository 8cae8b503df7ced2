package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/nethouse-academy/albato/shared/delivery"
	"github.com/nethouse-academy/albato/shared/openapi/contract"
)

func TestRoutesAreAsDescribed(t *testing.T) {
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"ok":true}`) }))
	defer receiver.Close()
	contract.Suite{
		Serves:        func(path string) bool { return strings.HasPrefix(path, "/v1/accounts/") },
		Patterns:      newWorld(t).handler.routes().Patterns(),
		Authorization: "Bearer " + apiKey,
		World: func(t *testing.T) (http.Handler, map[string]string) {
			w := newWorld(t)
			path := w.create(`{"webhook_url":"` + receiver.URL + `/wh/","actions":["order_complete"],"enabled":true}`)
			values := map[string]string{"account": account, "order": "1", "connection": path[strings.LastIndex(path, "/")+1:],
				"delivery": w.logged(path, delivery.Delivered, delivery.Failed)[1]}
			values["token"] = w.want(http.StatusCreated, "POST", "/v1/accounts/"+account+"/tokens", "").text("id")
			values["subscription"] = w.want(http.StatusCreated, "POST", subscriptions,
				`{"action":"order_create","webhook_url":"`+receiver.URL+`/albato/"}`).text("id")
			return w.handler.routes(), values
		},
	}.Run(t)
}
