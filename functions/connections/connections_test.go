package main

import (
	"net/http"
	"testing"
)

func TestAConnectionLives(t *testing.T) {
	w := newWorld(t)
	made := w.want(http.StatusCreated, "POST", collection, `{"webhook_url":"`+link+`","name":"  CRM ","actions":["order_complete","order_create"]}`)
	path := made.Header.Get("Location")
	t.Logf("%s", made.raw)
	got := w.want(http.StatusOK, "GET", path, "")
	t.Logf("%s", got.raw)
	t.Logf("%s", w.want(http.StatusOK, "PATCH", path, `{"enabled":true}`, "If-Match", `"1"`).raw)
	t.Logf("%s", w.want(http.StatusOK, "GET", collection, "").raw)
	t.Logf("%s", w.want(http.StatusOK, "GET", path+"/deliveries?limit=3", "").raw)
	w.want(http.StatusNoContent, "DELETE", path, "")
	w.want(http.StatusNotFound, "GET", path, "")
}
