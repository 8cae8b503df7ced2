package main

import (
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/nethouse-academy/albato/shared/apigw"
	"github.com/nethouse-academy/albato/shared/apigw/hostile"
	"github.com/nethouse-academy/albato/shared/delivery"
)

// takers are the routes that read a body, each with a body that has a place for a value.
var takers = []struct {
	method, path string
	body         func(value string) string
	optional     bool // the body may be left out
}{
	{"POST", "/connections", func(v string) string { return `{"webhook_url":"` + link + `x","name":` + v + `}` }, false},
	{"POST", "/connections", func(v string) string { return `{"webhook_url":` + v + `}` }, false},
	{"POST", "/connections", func(v string) string { return `{"webhook_url":"` + link + `y","actions":[` + v + `]}` }, false},
	{"POST", "/connections", func(v string) string { return `{"webhook_url":"` + link + `z","enabled":` + v + `}` }, false},
	{"PATCH", "{one}", func(v string) string { return `{"name":` + v + `}` }, false},
	{"PATCH", "{one}", func(v string) string { return `{"actions":` + v + `}` }, false},
	{"POST", "{one}/test", func(v string) string { return `{"action":` + v + `}` }, false},
	{"POST", "{one}/resume", func(v string) string { return `{"x":` + v + `}` }, true},
	{"POST", "{one}/secret/rotate", func(v string) string { return `{"x":` + v + `}` }, true},
	{"POST", "{one}/deliveries/{delivery}/retry", func(v string) string { return `{"x":` + v + `}` }, true},
	{"POST", "{one}/replay", func(v string) string { return `{"from":` + v + `,"to":"2026-12-01T00:00:00Z"}` }, false},
	{"POST", "{one}/replay", func(v string) string {
		return `{"from":"2026-11-01T00:00:00Z","to":"2026-12-01T00:00:00Z","cursor":` + v + `,"dry_run":true}`
	}, false},
	{"POST", "/page-sessions", func(v string) string { return `{"ttl_seconds":` + v + `}` }, true},
	{"POST", "/tokens", func(v string) string { return `{"name":` + v + `}` }, true},
	{"PATCH", "", func(v string) string { return `{"name":` + v + `}` }, false},
	{"POST", "/subscriptions", func(v string) string { return `{"action":"order_create","webhook_url":` + v + `}` }, false},
	{"POST", "/subscriptions", func(v string) string { return `{"webhook_url":"` + link + `s","action":` + v + `}` }, false},
}

// target is the function behind its Lambda handler, with a connection and an entry that paths can name.
type target struct {
	*world
	serve apigw.LambdaFunc
	names *strings.Replacer
}

func newTarget(t testing.TB) target {
	t.Helper()
	w := newWorld(t)
	path := w.createAs(link)
	id := w.logged(path, delivery.Failed)[0]
	w.poster = refusing{}
	return target{w, apigw.Handler(w.handler.routes(), apigw.WithLogger(w.log)), strings.NewReplacer("{one}", strings.TrimPrefix(path, "/v1/accounts/"+account), "{delivery}", id)}
}

func (x target) send(t testing.TB, method, path string, r hostile.Request) events.APIGatewayV2HTTPResponse {
	t.Helper()
	res, err := x.serve(t.Context(), r.Event(method, "/v1/accounts/"+account+x.names.Replace(path), apiKey))
	if err != nil {
		t.Fatal(err)
	}
	x.logs.Reset()
	return res
}

func TestHostileBodiesAreRefused(t *testing.T) {
	x := newTarget(t)
	for _, to := range takers {
		for _, r := range hostile.Requests(to.body, maxBody) {
			if to.optional && strings.TrimSpace(r.Body) == "" && len(r.Body) <= maxBody {
				r.Status = 0
			}
			hostile.Answered(t, to.method+" "+to.path+", "+r.Name, x.send(t, to.method, to.path, r), r.Status, link)
		}
	}
}

// What stands beside the body: numbers, times, cursors and versions out of all bounds are the caller's fault.
func TestHostileParametersAreRefused(t *testing.T) {
	x := newTarget(t)
	good := hostile.Request{ContentType: "application/json", Body: `{"name":"x"}`}
	bad := []string{"", "-1", "0", "101", "1e3", "0x1", " 1", "1.0", "9223372036854775808", "99999999999999999999999", "١", "NaN", "null", "'", "1;2", "\x00", "\xff", strings.Repeat("9", 9000)}
	for _, value := range bad {
		for _, name := range []string{"limit", "cursor"} {
			ev := good.Event("GET", "/v1/accounts/"+account+x.names.Replace("{one}/deliveries"), apiKey)
			ev.RawQueryString = name + "=" + escape(value)
			res, err := x.serve(t.Context(), ev)
			if err != nil {
				t.Fatal(err)
			}
			want := 422
			if name == "cursor" && value == "" {
				want = 200
			}
			hostile.Answered(t, name+" "+value, res, want, link)
		}
		ev := good.Event("GET", "/v1/accounts/"+account+x.names.Replace("{one}/deliveries/summary"), apiKey)
		ev.RawQueryString = "hours=" + escape(value)
		if res, err := x.serve(t.Context(), ev); err != nil || res.StatusCode != 422 && value != "101" {
			t.Errorf("hours %q: %d %s, %v", value, res.StatusCode, res.Body, err)
		}
		ev = good.Event("PATCH", "/v1/accounts/"+account+x.names.Replace("{one}"), apiKey)
		for _, match := range []string{value, `"` + value + `"`, `W/"` + value + `"`, `"1", "` + value + `"`} {
			ev.Headers["if-match"] = match
			res, err := x.serve(t.Context(), ev)
			if stale := match == `"0"` || match == `"101"` || match == `W/"0"` || match == `W/"101"`; err != nil || stale && res.StatusCode != 412 || !stale && res.StatusCode != 400 {
				t.Errorf("If-Match %q: %d %.200s, %v", match, res.StatusCode, res.Body, err)
			}
		}
	}
	if c := x.saved(x.names.Replace("/v1/accounts/" + account + "{one}")); c.Version != 1 {
		t.Errorf("something was changed: version %d", c.Version)
	}
}

// escape writes every byte as its code.
func escape(s string) string {
	const digits = "0123456789abcdef"
	var b strings.Builder
	for i := range len(s) {
		b.WriteString("%" + string(digits[s[i]>>4]) + string(digits[s[i]&15]))
	}
	return b.String()
}

// FuzzHandler: whatever API Gateway hands over for whichever route, the answer is no 5xx and does not show the link.
func FuzzHandler(f *testing.F) {
	x := newTarget(f)
	for i, to := range takers {
		for _, r := range hostile.Requests(to.body, maxBody) {
			if len(r.Body) <= maxBody { // what is longer is not read
				f.Add(uint(i), r.ContentType, r.ContentEncoding, r.Body, r.Base64)
			}
		}
	}
	f.Fuzz(func(t *testing.T, route uint, contentType, contentEncoding, body string, encoded bool) {
		to := takers[route%uint(len(takers))]
		r := hostile.Request{ContentType: contentType, ContentEncoding: contentEncoding, Body: body, Base64: encoded}
		hostile.Answered(t, to.method+" "+to.path+" "+body, x.send(t, to.method, to.path, r), 0, link)
	})
}
