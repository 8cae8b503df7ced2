package apigw_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/nethouse-academy/albato/shared/apigw"
	"github.com/nethouse-academy/albato/shared/telemetry"
)

// accept is a function as small as the intake: a body read, an answer written, a line logged.
func accept(t testing.TB) func() {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/events", func(w http.ResponseWriter, r *http.Request) {
		body, err := apigw.Body(r, 256<<10)
		if err != nil {
			apigw.WriteError(w, r, err)
			return
		}
		apigw.WriteJSON(w, r, http.StatusAccepted, struct {
			N int `json:"n"`
		}{len(body)})
	})
	f := apigw.Handler(apigw.Routes(mux), apigw.WithLogger(telemetry.NewLogger(io.Discard, "info", "test", "1")))
	ev := event("POST", "/v1/events", `{"a":"`+strings.Repeat("x", 2000)+`"}`)
	return func() {
		if res, _ := f(context.Background(), ev); res.StatusCode != http.StatusAccepted {
			t.Fatal(res.Body)
		}
	}
}

func BenchmarkHandler(b *testing.B) {
	f := accept(b)
	b.ReportAllocs()
	for b.Loop() {
		f()
	}
}

// The adapter's part of a request's allocations is small; a change that multiplies it shows here.
func TestAdapterAllocatesLittle(t *testing.T) {
	if n := testing.AllocsPerRun(100, accept(t)); n > 60 {
		t.Errorf("%v allocations a request, want at most 60", n)
	}
}
