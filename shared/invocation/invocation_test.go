package invocation_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/nethouse-academy/albato/shared/invocation"
)

type flushes int

func (f *flushes) Flush() error {
	*f++
	return errors.New("a log that cannot be written")
}

// same feeds payload to a handler and compares what it got with what encoding/json makes of it.
func same[In any](t *testing.T, payload []byte) {
	t.Helper()
	var got, want In
	var out flushes
	h := invocation.Handler(func(_ context.Context, in In) (int, error) {
		got = in
		return 1, nil
	}, &out)
	if answer, err := h.Invoke(t.Context(), payload); err != nil || string(answer) != "1" || out != 1 {
		t.Fatalf("%s, %v, %d flushes", answer, err, out)
	}
	if err := json.Unmarshal(payload, &want); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestEventsAreReadAsByEncodingJSON(t *testing.T) {
	files, err := filepath.Glob("../../functions/*/events/*.json")
	if err != nil || len(files) < 5 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		payload, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(f, "sender") {
			same[events.SQSEvent](t, payload)
		} else {
			same[events.APIGatewayV2HTTPRequest](t, payload)
		}
	}
	// Half a character: what somebody posts is for the handler to judge, not a reason to fail.
	same[events.APIGatewayV2HTTPRequest](t, []byte(`{"version":"2.0","version":"2.0","body":"\ud800 \u2028"}`))
}

func TestAnswersAreWrittenAsByEncodingJSON(t *testing.T) {
	for _, answer := range []any{
		events.SQSEventResponse{}, events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{{ItemIdentifier: "m1"}}},
		events.APIGatewayV2HTTPResponse{StatusCode: 202, Headers: map[string]string{"b": "2", "a": "1"}, Body: "{\"ё\":1}\n\x00"},
		events.APIGatewayV2HTTPResponse{StatusCode: 200, Body: "AAAA", IsBase64Encoded: true, Cookies: []string{}},
	} {
		var out flushes
		h := invocation.Handler(func(context.Context, struct{}) (any, error) { return answer, nil }, &out)
		got, err := h.Invoke(t.Context(), []byte("{}"))
		if err != nil {
			t.Fatal(err)
		}
		want, err := json.Marshal(answer)
		if err != nil || string(got) != string(want) {
			t.Errorf("got  %s\nwant %s, %v", got, want, err)
		}
	}
}

func TestFailuresAreReported(t *testing.T) {
	var out flushes
	failed := errors.New("failed")
	h := invocation.Handler(func(context.Context, []int) (int, error) { return 0, failed }, &out)
	if _, err := h.Invoke(t.Context(), []byte("[]")); !errors.Is(err, failed) {
		t.Errorf("err = %v", err)
	}
	if _, err := h.Invoke(t.Context(), []byte("{")); err == nil {
		t.Error("an event that is not JSON was taken")
	}
	if out != 2 {
		t.Errorf("%d flushes", out)
	}
}
