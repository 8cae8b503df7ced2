package main

import (
	"net/http"
	"strconv"
	"sync"
	"testing"
)

// together makes n calls at once and counts their answers by status and code.
func together(w *world, n int, call func(i int) answer) map[string]int {
	var (
		group  sync.WaitGroup
		mu     sync.Mutex
		counts = map[string]int{}
	)
	for i := range n {
		group.Go(func() {
			a := call(i)
			mu.Lock()
			defer mu.Unlock()
			counts[strconv.Itoa(a.StatusCode)+" "+a.text("code")]++
		})
	}
	group.Wait()
	return counts
}

func TestAnAccountHasTwentyConnectionsHoweverManyAsk(t *testing.T) {
	w := newWorld(t)
	got := together(w, 30, func(i int) answer {
		return w.call("POST", collection, `{"webhook_url":"`+link+strconv.Itoa(i)+`"}`)
	})
	if got["201 "] != 20 || got["409 too_many_connections"] != 10 {
		t.Errorf("answers %v", got)
	}
	list, _ := w.want(http.StatusOK, "GET", collection, "").body["connections"].([]any)
	if len(list) != 20 {
		t.Errorf("%d connections", len(list))
	}
	first := list[0].(map[string]any)["id"].(string)
	w.want(http.StatusNoContent, "DELETE", collection+"/"+first, "")
	w.want(http.StatusCreated, "POST", collection, `{"webhook_url":"`+link+`another"}`)
	if a := w.want(http.StatusConflict, "POST", collection, `{"webhook_url":"`+link+`more"}`); a.text("code") != "too_many_connections" {
		t.Errorf("answer %s", a.raw)
	}
}

func TestOfTwoWhoPasteOneLinkOneGetsIt(t *testing.T) {
	w := newWorld(t)
	got := together(w, 8, func(int) answer { return w.call("POST", collection, on) })
	if got["201 "] != 1 || got["409 webhook_url_taken"] != 7 {
		t.Errorf("answers %v", got)
	}
}

func TestOfTwoTabsWithOneVersionOneWins(t *testing.T) {
	w := newWorld(t)
	path := w.create(on)
	got := together(w, 8, func(i int) answer {
		return w.call("PATCH", path, `{"name":"tab `+strconv.Itoa(i)+`"}`, "If-Match", `"1"`)
	})
	if got["200 "] != 1 || got["412 precondition_failed"] != 7 {
		t.Errorf("answers %v", got)
	}
}

// TestDeletedOnceHoweverOften: the account's count of connections must not be taken down twice.
func TestDeletedOnceHoweverOften(t *testing.T) {
	w := newWorld(t)
	path := w.create(on)
	got := together(w, 8, func(int) answer { return w.call("DELETE", path, "") })
	if got["204 "] != 8 {
		t.Errorf("answers %v", got)
	}
	made := together(w, 25, func(i int) answer {
		return w.call("POST", collection, `{"webhook_url":"`+link+strconv.Itoa(i)+`"}`)
	})
	if made["201 "] != 20 {
		t.Errorf("afterwards %v", made)
	}
}
