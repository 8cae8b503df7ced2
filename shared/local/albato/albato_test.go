package albato_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nethouse-academy/albato/shared/local/albato"
)

func do(t *testing.T, s http.Handler, method, target, body string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(method, target, strings.NewReader(body)))
	return w
}

func TestAnyLinkTakesAnyPost(t *testing.T) {
	s := albato.New()
	w := do(t, s, "POST", "/albato/wh/38/abc/def/?x=1", `{"action":"order_create"}`)
	if w.Code != 200 || w.Body.String() != "{}" || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	do(t, s, "POST", "/albato/other", "\xff not JSON")
	all := s.Requests("")
	if len(all) != 2 || all[0].Number != 1 || all[0].Path != "/albato/wh/38/abc/def/" || all[0].Query != "x=1" ||
		all[0].Body != `{"action":"order_create"}` || all[0].Status != 200 || all[1].Body != "\xff not JSON" {
		t.Errorf("%+v", all)
	}
	if one := s.Requests("/albato/other"); len(one) != 1 || one[0].Number != 2 {
		t.Errorf("%+v", one)
	}
}

func TestBehaviour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := albato.New()
		for _, c := range []struct {
			method, target string
			status         int
			took           time.Duration
		}{
			{"POST", "/albato/a/?status=500", 500, 0},
			{"POST", "/albato/a/?delay=3s", 200, 3 * time.Second},
			{"POST", "/albato/a/?delay=1s&status=410", 410, time.Second},
			{"POST", "/albato/a/?fail=2", 500, 0},
			{"POST", "/albato/a/?fail=2", 500, 0},
			{"POST", "/albato/a/?fail=2", 200, 0},
			{"POST", "/albato/b/?fail=1&status=429", 429, 0},
			{"POST", "/albato/b/?fail=1&status=429", 200, 0},
			{"POST", "/albato/c/", 200, 0},
			{"PUT", "/albato/c/?status=503&delay=2s", 204, 0},
			{"POST", "/albato/c/", 503, 2 * time.Second},
			{"POST", "/albato/d/", 200, 0},
			{"PUT", "/albato/c/", 204, 0},
			{"POST", "/albato/c/", 200, 0},
			{"PUT", "/albato/a/?fail=1", 204, 0},
			{"POST", "/albato/a/?status=404", 500, 0},
			{"POST", "/albato/a/?status=404", 200, 0},
			{"POST", "/albato/a/?status=99", 400, 0},
			{"PUT", "/albato/a/?delay=soon", 400, 0},
			{"GET", "/albato/a/", 405, 0},
			{"POST", "/albato", 405, 0},
		} {
			before := time.Now()
			if w := do(t, s, c.method, c.target, "{}"); w.Code != c.status || time.Since(before) != c.took {
				t.Errorf("%s %s: %d after %v, want %d after %v", c.method, c.target, w.Code, time.Since(before), c.status, c.took)
			}
		}
	})
}

func TestRetryAfter(t *testing.T) {
	w := do(t, albato.New(), "POST", "/albato/a/?status=503&retry_after=60", "")
	if w.Header().Get("Retry-After") != "60" {
		t.Errorf("%v", w.Header())
	}
}

func TestOldRequestsAreForgotten(t *testing.T) {
	s := albato.New()
	for range 10_003 {
		do(t, s, "POST", "/albato/a/", "x")
	}
	if all := s.Requests(""); len(all) != 10_000 || all[0].Number != 4 {
		t.Errorf("%d kept, the oldest is #%d", len(all), all[0].Number)
	}
	big := strings.Repeat("x", 1<<20)
	for range 70 {
		do(t, s, "POST", "/albato/a/", big)
	}
	if n := len(s.Requests("")); n != 64 {
		t.Errorf("%d bodies of 1 MiB kept, want 64", n)
	}
}

func TestWaitReturnsWithTheArrival(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := albato.New()
		go func() {
			for range 3 {
				time.Sleep(time.Second)
				do(t, s, "POST", "/albato/a/", "x")
			}
		}()
		began := time.Now()
		got, err := s.Wait(t.Context(), "/albato/a/", func(r []albato.Request) bool { return len(r) == 3 })
		if err != nil || len(got) != 3 || time.Since(began) != 3*time.Second {
			t.Errorf("%d after %v, %v", len(got), time.Since(began), err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if got, err := s.Wait(ctx, "", func(r []albato.Request) bool { return len(r) == 4 }); err == nil || len(got) != 3 {
			t.Errorf("%d, %v", len(got), err)
		}
	})
}

func TestJSON(t *testing.T) {
	s := albato.New()
	for _, path := range []string{"/albato/a/", "/albato/b/", "/albato/a/"} {
		do(t, s, "POST", path, "{}")
	}
	for target, want := range map[string]int{
		"/albato.json": 3, "/albato.json?path=/albato/a/": 2, "/albato.json?after=1": 2, "/albato.json?after=2&path=/albato/a/": 1,
		"/albato.json?limit=1": 1, "/albato.json?after=3&wait=1ms": 0,
	} {
		var out struct {
			Total    int64
			Requests []albato.Request
		}
		if err := json.Unmarshal(do(t, s, "GET", target, "").Body.Bytes(), &out); err != nil {
			t.Fatal(err)
		}
		if len(out.Requests) != want || out.Total != 3 {
			t.Errorf("%s: %d of %d, want %d", target, len(out.Requests), out.Total, want)
		}
	}
	if w := do(t, s, "DELETE", "/albato", ""); w.Code != 204 || len(s.Requests("")) != 0 {
		t.Errorf("%d, %d left", w.Code, len(s.Requests("")))
	}
}

func TestThePageEscapesWhatCame(t *testing.T) {
	s := albato.New()
	r := httptest.NewRequest("POST", `/albato/%3Cb%3E/?q="><i>`, strings.NewReader(`{"action":"<script>alert(1)</script>"}`))
	r.Header.Set("X-Evil", "<img src=x>")
	s.ServeHTTP(httptest.NewRecorder(), r)
	w := do(t, s, "GET", "/albato", "")
	page, _ := io.ReadAll(w.Body)
	for _, bad := range []string{"<script>alert", "<img", "<b>", "<i>"} {
		if strings.Contains(string(page), bad) {
			t.Errorf("the page holds %s", bad)
		}
	}
	for _, want := range []string{"&lt;script&gt;alert(1)", "x-evil: &lt;img", "/albato/&lt;b&gt;/"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page lacks %s", want)
		}
	}
}
