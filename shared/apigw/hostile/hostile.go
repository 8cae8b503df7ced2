// Package hostile makes the requests of people who mean no good, or whose programs are broken: bodies of every wrong size,
// depth, type and encoding. It is for tests alone: the seeds of the functions' fuzz targets, and so a part of every run.
package hostile

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
)

// Request is a body with what says how to read it.
type Request struct {
	Name            string
	ContentType     string
	ContentEncoding string
	Body            string
	Base64          bool // the event's own flag
	// Status is what it must be answered with; 0 stands for any but a 5xx.
	Status int
}

// Answered holds an answer to what every one must be, and to the status want unless that is 0: no 5xx, problems in their
// own type, little text, and in it none of what must stay inside.
func Answered(t testing.TB, name string, res events.APIGatewayV2HTTPResponse, want int, inside ...string) {
	t.Helper()
	if res.StatusCode < 200 || res.StatusCode >= 500 || want != 0 && res.StatusCode != want {
		t.Errorf("%s: %d %.300s, want %d", name, res.StatusCode, res.Body, want)
	}
	if res.StatusCode >= 400 && res.Headers["Content-Type"] != "application/problem+json" {
		t.Errorf("%s: %v", name, res.Headers)
	}
	if len(res.Body) > 64<<10 {
		t.Errorf("%s: an answer of %d bytes", name, len(res.Body))
	}
	for _, secret := range inside {
		if strings.Contains(res.Body, secret) {
			t.Errorf("%s: the answer shows what must stay inside: %.300s", name, res.Body)
		}
	}
}

// Event puts the request into an event of API Gateway (payload 2.0).
func (r Request) Event(method, path, token string) events.APIGatewayV2HTTPRequest {
	ev := events.APIGatewayV2HTTPRequest{Version: "2.0", RawPath: path, Body: r.Body, IsBase64Encoded: r.Base64,
		Headers: map[string]string{"authorization": "Bearer " + token}}
	if r.ContentType != "" {
		ev.Headers["content-type"] = r.ContentType
	}
	if r.ContentEncoding != "" {
		ev.Headers["content-encoding"] = r.ContentEncoding
	}
	ev.RequestContext.RequestID = "hostile"
	ev.RequestContext.HTTP.Method = method
	ev.RequestContext.HTTP.Path = path
	return ev
}

const typeJSON = "application/json"

// Requests are wrong variations of good bodies: with puts a JSON value where one may stand in a body that is otherwise
// good; limit is the greatest size in bytes.
func Requests(with func(value string) string, limit int) []Request {
	out := append(texts(with), sizes(with, limit)...)
	out = append(out, Values(with)...)
	return append(out, encodings(with(`"x"`))...)
}

// texts are no JSON, or not one object of it.
func texts(with func(string) string) []Request {
	good := with(`"x"`)
	const open = `{"id":`
	var out []Request
	for name, body := range map[string]string{
		"blank": " \r\n\t", "not JSON": "hello", "cut short": good[:len(good)-1], "two values": good + good, "something behind": good + "x",
		"a comma too many": strings.TrimSuffix(good, "}") + ",}", "a comment": "/**/" + good, "single quotes": strings.ReplaceAll(good, `"`, "'"),
		"a byte order mark": "\ufeff" + good, "UTF-16": "\xff\xfe{\x00}\x00", "a NUL behind": good + "\x00", "a raw NUL": with("\"a\x00b\""),
		"a raw line break": with("\"a\nb\""), "not UTF-8": with("\"\xff\""), "an overlong slash": with("\"\xc0\xaf\""),
		"a surrogate in UTF-8": with("\"\xed\xa0\x80\""), "half a character": with("\"\xf0\x9f\x98\""), "half a surrogate pair": with(`"\ud800"`),
		"surrogates turned round": with(`"\udc00\ud800"`), "a bad escape": with(`"\x41"`), "NaN": with("NaN"), "Infinity": with("-Infinity"),
		"hexadecimal": with("0x10"), "a leading zero": with("01"), "a leading plus": with("+1"), "no digits": with("1."), "no whole part": with(".5"),
		"a name twice": open + `1,"id":2}`, "a name twice, escaped": open + `1,"\u0069d":2}`, "a name twice, deep": with(`{"a":{"b":1,"b":2}}`),
		"brackets never closed": strings.Repeat("[", 60), "objects never closed": strings.Repeat(`{"a":`, 60), "closed without opening": "}",
	} {
		out = append(out, Request{Name: name, ContentType: typeJSON, Body: body, Status: 400})
	}
	for name, body := range map[string]string{"a list": "[]", "a text": `"x"`, "a number": "1", "true": "true", "null": "null", "a list of objects": "[" + good + "]"} {
		out = append(out, Request{Name: name, ContentType: typeJSON, Body: body, Status: 422})
	}
	return out
}

// sizes are at and over the limits of size and depth.
func sizes(with func(string) string, limit int) []Request {
	filled := func(n int) string {
		return with(`"` + strings.Repeat("x", max(0, n-len(with(`""`)))) + `"`)
	}
	var many strings.Builder
	for i := 0; many.Len() < limit*3/4; i++ {
		fmt.Fprintf(&many, `"%x":1,`, i)
	}
	deep := func(n int) string { return with(strings.Repeat("[", n) + strings.Repeat("]", n)) }
	return []Request{
		{Name: "as large as may be", ContentType: typeJSON, Body: filled(limit)},
		{Name: "a byte too large", ContentType: typeJSON, Body: filled(limit + 1), Status: 413},
		{Name: "far too large", ContentType: typeJSON, Body: strings.Repeat(" ", 1<<20), Status: 413},
		{Name: "a long blank", ContentType: typeJSON, Body: strings.Repeat(" ", limit), Status: 400},
		{Name: "many names", ContentType: typeJSON, Body: "{" + strings.TrimSuffix(many.String(), ",") + "}", Status: 422},
		{Name: "a long name", ContentType: typeJSON, Body: `{"` + strings.Repeat("я", limit/3) + `":1}`, Status: 422},
		{Name: "deep", ContentType: typeJSON, Body: deep(32)}, {Name: "too deep", ContentType: typeJSON, Body: deep(100)},
		{Name: "brackets without end", ContentType: typeJSON, Body: strings.Repeat("[", limit)},
		{Name: "objects without end", ContentType: typeJSON, Body: strings.Repeat(`{"a":`, limit/5)},
		{Name: "far too deep", ContentType: typeJSON, Body: deep(limit/2 - 200)},
		{Name: "many characters of four bytes", ContentType: typeJSON, Body: with(`"` + strings.Repeat("😀", limit/5) + `"`)},
		{Name: "many escapes", ContentType: typeJSON, Body: with(`"` + strings.Repeat(`\u0000`, limit/7) + `"`)},
	}
}

// Values are good JSON whose values are strange.
func Values(with func(string) string) []Request {
	var out []Request
	for name, value := range map[string]string{
		"a NUL": `"a\u0000b"`, "a NUL in a name": `{"\u0000":1}`, "an empty name": `{"":1}`, "control characters": `"\u0001\u001b[31m\u007f"`,
		"a line separator": `"\u2028\u2029"`, "a right-to-left mark": `"\u202e"`, "a noncharacter": `"\uffff"`, "a huge number": "1e400",
		"a huge negative number": "-1e400", "a huge exponent": "1e999999999", "a tiny number": "1e-400", "minus zero": "-0", "more than 64 bits": "18446744073709551616",
		"less than 64 bits": "-9223372036854775809", "ten thousand digits": strings.Repeat("9", 10_000), "a fraction": "0.1", "null": "null",
		"false": "false", "an empty object": "{}", "an empty list": "[]", "a list of nothing": "[null]", "an empty text": `""`,
		"a prototype": `{"__proto__":{"x":1},"constructor":1}`, "markup": `"<script>alert(1)</script>"`, "a format": `"%s%n%d"`, "a query": `"' OR 1=1 --"`,
		"an expression": `"${jndi:ldap://127.0.0.1/x}"`, "a path": `"../../etc/passwd"`, "a key of the table": `"ACCOUNT#a"`, "a time at the edge": `"9999-12-31T23:59:59.999999999Z"`,
		"a time before all": `"0000-01-01T00:00:00Z"`, "a time by another clock": `"1970-01-01T00:00:00+23:59"`, "a leap second": `"2026-12-31T23:59:60Z"`,
	} {
		out = append(out, Request{Name: "value: " + name, ContentType: typeJSON, Body: with(value)})
	}
	return out
}

// encodings are a good body under another name.
func encodings(good string) []Request {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write([]byte(good)) // a buffer takes everything
	_ = z.Close()
	encoded := base64.StdEncoding.EncodeToString
	out := []Request{
		{Name: "base64", ContentType: typeJSON, Body: encoded([]byte(good)), Base64: true},
		{Name: "base64 of what is not UTF-8", ContentType: typeJSON, Body: encoded([]byte("\xff\xfe")), Base64: true, Status: 400},
		{Name: "base64 of nothing", ContentType: typeJSON, Body: "====", Base64: true, Status: 400},
		{Name: "flagged and not base64", ContentType: typeJSON, Body: good, Base64: true, Status: 400},
		{Name: "base64 and not flagged", ContentType: typeJSON, Body: encoded([]byte(good)), Status: 400},
		{Name: "base64 cut short", ContentType: typeJSON, Body: encoded([]byte(good))[:3], Base64: true, Status: 400},
		{Name: "gzip", ContentType: typeJSON, ContentEncoding: "gzip", Body: encoded(packed.Bytes()), Base64: true, Status: 415},
		{Name: "gzip, not said", ContentType: typeJSON, Body: encoded(packed.Bytes()), Base64: true, Status: 400},
		{Name: "said to be gzip", ContentType: typeJSON, ContentEncoding: "gzip", Body: good, Status: 415},
		{Name: "an unknown encoding", ContentType: typeJSON, ContentEncoding: "x", Body: good, Status: 415},
		{Name: "identity", ContentType: typeJSON, ContentEncoding: "identity", Body: good},
		{Name: "UTF-8, said so", ContentType: "application/json; charset=UTF-8", Body: good},
		{Name: "in upper case", ContentType: "APPLICATION/JSON", Body: good},
	}
	for _, kind := range []string{"", "text/plain", "text/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml", "application/json-seq",
		"application/problem+json", "application/json; charset=utf-16", "application/json; charset=latin1", "application/json, text/html", "application/json; x=\"",
		"application/json\x00", "json", "*/*", ";", strings.Repeat("a", 8<<10)} {
		out = append(out, Request{Name: "type: " + kind[:min(len(kind), 40)], ContentType: kind, Body: good, Status: 415})
	}
	return out
}
