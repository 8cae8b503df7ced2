package apigw_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/nethouse-academy/albato/shared/apigw"
	"github.com/nethouse-academy/albato/shared/problem"
)

// FuzzDecode: whatever a stranger sends is read or refused with a 4xx, and what is read is JSON
// that the standard library reads too.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		`{}`, `{"name":"x"}`, `{"a":1,"a":2}`, `[`, "\xff", `{"nested":{"id":1e400}}`, `{"from":"x"}`, strings.Repeat("[", 99),
		`{"name":"\ud800"}`, `{"actions":[null]}`, `{"":0}`, `{"nested":{"a/b":1}}`, "{\"\\u0000\":1}", `{"from":"0000-00-00T00:00:00Z"}`,
	} {
		f.Add("application/json", s)
	}
	f.Add("application/json; charset=utf-8; x=\"", "{}")
	f.Fuzz(func(t *testing.T, contentType, text string) {
		var v body
		err := apigw.Decode(jsonRequest(contentType, text), limit, &v)
		status, _ := statusOf(t, err)
		if status != 200 && (status < 400 || status > 499) {
			t.Fatalf("%d for %q: %v", status, text, err)
		}
		if err == nil && !json.Valid([]byte(text)) {
			t.Fatalf("%q was taken for JSON", text)
		}
		var p *problem.Error
		if err != nil && !errors.As(err, &p) {
			t.Fatalf("%T is no problem", err)
		}
	})
}

// FuzzEvent: whatever an event holds, it is served or refused with a 4xx that is a problem.
func FuzzEvent(f *testing.F) {
	f.Add("GET", "/v1/echo/x", "a=1", "x-request-id", "r", "", false)
	f.Add("", "", "", "", "", "", false)
	f.Add("POST", "*", "%", "content-type", "application/json", "////", true)
	f.Add("\x00", "//\xff?#", ";", "\r\n", "\x00", "\xff", false)
	f.Fuzz(func(t *testing.T, method, path, query, name, value, body string, encoded bool) {
		ev := events.APIGatewayV2HTTPRequest{RawPath: path, RawQueryString: query, Body: body, IsBase64Encoded: encoded,
			Headers: map[string]string{name: value}}
		ev.RequestContext.HTTP.Method, ev.RequestContext.RequestID = method, "gateway-id"
		res := serve(t, echoHandler(), ev)
		if res.StatusCode < 200 || res.StatusCode > 499 {
			t.Fatalf("%d", res.StatusCode)
		}
		if res.StatusCode >= 400 && method != http.MethodHead {
			problemOf(t, res)
		}
	})
}
