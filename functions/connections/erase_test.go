package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/nethouse-academy/albato/shared/delivery"
	"github.com/nethouse-academy/albato/shared/table"
)

func TestAnOrderIsErasedEverywhere(t *testing.T) {
	w := newWorld(t)
	one, off := w.create(on), w.create(`{"webhook_url":"`+link+`off"}`)
	w.logged(one, delivery.Delivered, delivery.Failed)
	w.logged(off, delivery.Delivered, delivery.Skipped)
	w.hold(one, 3) // its first two are those logged before
	if a := w.want(http.StatusOK, "DELETE", "/v1/accounts/other/orders/1/deliveries", ""); string(a.raw) != `{"erased":0}` {
		t.Errorf("another account's: %s", a.raw)
	}
	if a := w.want(http.StatusOK, "DELETE", "/v1/accounts/"+account+"/orders/1/deliveries", ""); string(a.raw) != `{"erased":2}` {
		t.Errorf("answer %s", a.raw)
	}
	for _, path := range []string{one, off} {
		if got := w.want(http.StatusOK, "GET", path+"/deliveries?order_id=1", "").listed(); len(got) != 0 {
			t.Errorf("%s is still listed", got)
		}
		if got := w.want(http.StatusOK, "GET", path+"/deliveries?order_id=2", "").listed(); len(got) != 1 {
			t.Errorf("of another order %d are left", len(got))
		}
	}
	if got := w.want(http.StatusOK, "GET", one, "").health()["waiting"]; got != 2.0 {
		t.Errorf("%v wait", got)
	}
	if a := w.want(http.StatusOK, "DELETE", "/v1/accounts/"+account+"/orders/1/deliveries", ""); string(a.raw) != `{"erased":0}` {
		t.Errorf("again: %s", a.raw)
	}
	w.faults.set(func(operation string) bool { return operation == "Query" })
	if a := w.want(http.StatusServiceUnavailable, "DELETE", "/v1/accounts/"+account+"/orders/2/deliveries", ""); a.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}

func TestAnAccountIsErased(t *testing.T) {
	w := newWorld(t)
	const all = "/v1/accounts/" + account
	w.want(http.StatusNoContent, "DELETE", all, "")
	one, two := w.create(on), w.create(`{"webhook_url":"`+link+`2"}`)
	w.hold(one, 2)
	w.sleep(one)
	w.want(http.StatusCreated, "POST", "/v1/accounts/other/connections", on)

	w.faults.set(func(operation string) bool { return operation == "SendMessage" })
	w.want(http.StatusServiceUnavailable, "DELETE", all, "")
	w.faults.set(nil)
	w.want(http.StatusNoContent, "DELETE", all, "")
	awake := map[string]bool{}
	for _, m := range w.receive(w.cloud.Retries) {
		awake[m.token.ConnectionID] = true
	}
	for _, path := range []string{one, two} {
		if !awake[path[strings.LastIndex(path, "/")+1:]] {
			t.Errorf("no token awake for %s", path)
		}
		w.want(http.StatusNotFound, "GET", path, "")
		if c := w.saved(path); !c.Deleted || c.Enabled {
			t.Errorf("saved %+v", c)
		}
	}
	if a := w.want(http.StatusOK, "GET", collection, ""); string(a.raw) != `{"connections":[]}` {
		t.Errorf("listed %s", a.raw)
	}
	if a := w.want(http.StatusOK, "GET", "/v1/accounts/other/connections", ""); strings.Count(string(a.raw), "con_") != 1 {
		t.Errorf("another account has %s", a.raw)
	}
	w.want(http.StatusNoContent, "DELETE", all, "")

	// The links and the places are free again.
	w.want(http.StatusCreated, "POST", collection, on)
}

// TestWhatIsErasedIsGone: the token that a deletion sends, carried out by the sender's own protocol, leaves nothing of the
// connection in the table.
func TestWhatIsErasedIsGone(t *testing.T) {
	w := newWorld(t)
	path := w.create(on)
	w.logged(path, delivery.Delivered, delivery.Failed)
	w.hold(path, 3)
	c := w.saved(path)
	w.want(http.StatusNoContent, "DELETE", path, "")
	deleted := w.saved(path)
	for more, err := true, error(nil); more; {
		if more, err = w.store.Erase(t.Context(), deleted); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.store.Forget(t.Context(), deleted); err != nil {
		t.Fatal(err)
	}
	if list, _, err := w.store.Deliveries(t.Context(), c, table.Filter{}, 100, ""); err != nil || len(list) != 0 {
		t.Errorf("%d entries are left, %v", len(list), err)
	}
	w.want(http.StatusNotFound, "DELETE", path, "")
}
