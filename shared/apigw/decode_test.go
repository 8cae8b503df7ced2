package apigw_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nethouse-academy/albato/shared/apigw"
	"github.com/nethouse-academy/albato/shared/problem"
)

type body struct {
	Name    *string   `json:"name"`
	Actions []string  `json:"actions"`
	Enabled *bool     `json:"enabled"`
	TTL     int       `json:"ttl_seconds,omitempty"`
	From    time.Time `json:"from"`
	Nested  struct {
		ID int `json:"id"`
	} `json:"nested"`
	Hidden string `json:"-"`
	Plain  string
}

const limit = 1 << 10

func jsonRequest(contentType, text string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(text))
	r.Header.Set("Content-Type", contentType)
	return r
}

func statusOf(t testing.TB, err error) (int, []string) {
	t.Helper()
	if err == nil {
		return 200, nil
	}
	w := httptest.NewRecorder()
	apigw.WriteError(w, httptest.NewRequest(http.MethodPost, "/", nil), err)
	var p apigw.Problem
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatal(err)
	}
	var fields []string
	for _, f := range p.Errors {
		fields = append(fields, f.Field+": "+f.Detail)
	}
	return w.Code, fields
}

func TestDecode(t *testing.T) {
	const utf8 = "application/json; charset=UTF-8"
	for name, tc := range map[string]struct {
		contentType, text string
		status            int
		fields            []string
	}{
		"empty object":      {"application/json", `{}`, 200, nil},
		"all fields":        {utf8, ` {"name":"я","actions":["a"],"enabled":true,"ttl_seconds":5,"from":"2026-11-23T08:00:00Z","nested":{"id":1}} `, 200, nil},
		"nulls":             {"application/json", `{"name":null,"actions":null,"enabled":null,"ttl_seconds":null,"from":null,"nested":null}`, 200, nil},
		"upper-case type":   {"Application/JSON", `{}`, 200, nil},
		"no type":           {"", `{}`, 415, nil},
		"form":              {"application/x-www-form-urlencoded", `{}`, 415, nil},
		"another charset":   {"application/json; charset=windows-1251", `{}`, 415, nil},
		"problem":           {"application/problem+json", `{}`, 415, nil},
		"broken type":       {"application/json; charset", `{}`, 415, nil},
		"too large":         {"application/json", `{"name":"` + strings.Repeat("a", limit) + `"}`, 413, nil},
		"empty":             {"application/json", ``, 400, nil},
		"blank":             {"application/json", " \n", 400, nil},
		"not JSON":          {"application/json", `{"name":`, 400, nil},
		"single quotes":     {"application/json", `{'name':1}`, 400, nil},
		"comment":           {"application/json", `{}//x`, 400, nil},
		"two values":        {"application/json", `{}{}`, 400, nil},
		"junk after":        {"application/json", `{} x`, 400, nil},
		"twice":             {"application/json", `{"name":"a","name":"b"}`, 400, nil},
		"twice by escape":   {"application/json", `{"name":"a","n\u0061me":"b"}`, 400, nil},
		"twice within":      {"application/json", `{"nested":{"id":1,"id":2}}`, 400, nil},
		"invalid UTF-8":     {"application/json", "{\"name\":\"\xff\"}", 400, nil},
		"lone surrogate":    {"application/json", `{"name":"\ud800"}`, 400, nil},
		"raw NUL":           {"application/json", "{\"name\":\"\x00\"}", 400, nil},
		"byte order mark":   {"application/json", "\ufeff{}", 400, nil},
		"at the depth":      {"application/json", `{"x":` + strings.Repeat("[", 63) + strings.Repeat("]", 63) + `}`, 422, []string{"x: there is no such field"}},
		"over the depth":    {"application/json", `{"x":` + strings.Repeat("[", 64) + strings.Repeat("]", 64) + `}`, 400, nil},
		"depth in a string": {"application/json", `{"name":"` + strings.Repeat(`[\"`, 200) + `"}`, 200, nil},
		"a list":            {"application/json", `[]`, 422, nil},
		"a number":          {"application/json", `1`, 422, nil},
		"null":              {"application/json", `null`, 422, nil},
		"unknown": {"application/json", `{"b":1,"a":2,"name":"x"}`, 422,
			[]string{"b: there is no such field", "a: there is no such field"}},
		"another case": {"application/json", `{"Name":"x"}`, 422, []string{"Name: there is no such field"}},
		"hidden":       {"application/json", `{"-":"x","Hidden":"x","Plain":"x"}`, 422, []string{"-: there is no such field", "Hidden: there is no such field", "Plain: there is no such field"}},
		"every wrong type": {"application/json", `{"name":1,"actions":"a","enabled":"yes","ttl_seconds":1.5,"from":"today","nested":[]}`, 422,
			[]string{"name: must be a string", "actions: must be a list", "enabled: must be true or false", "ttl_seconds: must be an integer",
				"from: must be a time in RFC 3339 form", "nested: must be an object"}},
		"inside a list":   {"application/json", `{"actions":["a",2]}`, 422, []string{"actions.1: must be a string"}},
		"inside a struct": {"application/json", `{"nested":{"id":"x"}}`, 422, []string{"nested.id: must be an integer"}},
		"unknown inside":  {"application/json", `{"nested":{"idd":1}}`, 422, []string{"nested.idd: there is no such field"}},
		"huge number":     {"application/json", `{"ttl_seconds":1e999}`, 422, []string{"ttl_seconds: must be an integer"}},
		"long number":     {"application/json", `{"ttl_seconds":` + strings.Repeat("9", 300) + `}`, 422, []string{"ttl_seconds: must be an integer"}},
		"long name":       {"application/json", `{"` + strings.Repeat("x", 500) + `":1}`, 422, []string{strings.Repeat("x", 64) + "...: there is no such field"}},
		"odd name":        {"application/json", `{"я\n":1}`, 422, []string{"??: there is no such field"}},
	} {
		t.Run(name, func(t *testing.T) {
			var v body
			status, fields := statusOf(t, apigw.Decode(jsonRequest(tc.contentType, tc.text), limit, &v))
			if status != tc.status || !slices.Equal(fields, tc.fields) {
				t.Errorf("%d %q, want %d %q", status, fields, tc.status, tc.fields)
			}
		})
	}
}

func TestCompressedBodyIsUnsupported(t *testing.T) {
	for encoding, want := range map[string]int{"gzip": 415, "br": 415, "identity": 200, "": 200} {
		r := jsonRequest("application/json", "{}")
		r.Header.Set("Content-Encoding", encoding)
		if status, _ := statusOf(t, apigw.Decode(r, limit, &body{})); status != want {
			t.Errorf("%q: %d, want %d", encoding, status, want)
		}
	}
}

func TestDecodeGivesTheValues(t *testing.T) {
	var v body
	err := apigw.Decode(jsonRequest("application/json",
		`{"name":"я\u0000","actions":[],"enabled":false,"ttl_seconds":5,"from":"2026-11-23T08:00:00+03:00","nested":{"id":-1}}`), limit, &v)
	if err != nil {
		t.Fatal(err)
	}
	if *v.Name != "я\x00" || v.Actions == nil || len(v.Actions) != 0 || *v.Enabled || v.TTL != 5 || v.Nested.ID != -1 ||
		!v.From.Equal(time.Date(2026, 11, 23, 5, 0, 0, 0, time.UTC)) {
		t.Errorf("%+v", v)
	}
}

func TestDecodeOptional(t *testing.T) {
	for text, want := range map[string]int{"": 200, " ": 200, `{"ttl_seconds":null}`: 200, `{"ttl_seconds":7}`: 200, `{"x":1}`: 422, `{`: 400} {
		v := body{TTL: 3}
		if status, _ := statusOf(t, apigw.DecodeOptional(jsonRequest("application/json", text), limit, &v)); status != want {
			t.Errorf("%q: %d, want %d", text, status, want)
		}
		if (text == "" || text == `{"ttl_seconds":null}`) && v.TTL != 3 {
			t.Errorf("%q must change nothing", text)
		}
	}
	if status, _ := statusOf(t, apigw.DecodeOptional(jsonRequest("text/plain", "{}"), limit, &body{})); status != 415 {
		t.Errorf("%d, want 415", status)
	}
	if status, _ := statusOf(t, apigw.DecodeOptional(jsonRequest("", ""), limit, &body{})); status != 200 {
		t.Errorf("%d, want no body to need no type", status)
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("broken") }

func TestBodyLimits(t *testing.T) {
	for n, want := range map[int]int{0: 200, limit: 200, limit + 1: 413, 10 * limit: 413} {
		for _, known := range []bool{true, false} {
			r := jsonRequest("application/json", strings.Repeat("x", n))
			if !known {
				r.ContentLength = -1
			}
			b, err := apigw.Body(r, limit)
			if status, _ := statusOf(t, err); status != want || err == nil && len(b) != n {
				t.Errorf("%d bytes, length known %v: %d, want %d", n, known, status, want)
			}
		}
	}
	r := jsonRequest("application/json", "")
	r.Body, r.ContentLength = io.NopCloser(brokenReader{}), -1
	if status, _ := statusOf(t, func() error { _, err := apigw.Body(r, limit); return err }()); status != 400 {
		t.Errorf("%d, want 400", status)
	}
}

func TestQuery(t *testing.T) {
	for query, want := range map[string]struct {
		status int
		fields []string
	}{
		"":                      {200, nil},
		"limit=1&cursor=x%3D":   {200, nil},
		"limit=1&limit=2":       {422, []string{"limit: is given more than once"}},
		"limt=1&b=2&limit=3":    {422, []string{"b: there is no such parameter", "limt: there is no such parameter"}},
		"limit=%zz":             {400, nil},
		"a;b":                   {400, nil},
		"%00=1":                 {422, []string{"?: there is no such parameter"}},
		strings.Repeat("x", 99): {422, []string{strings.Repeat("x", 64) + "...: there is no such parameter"}},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.URL.RawQuery = query
		values, err := apigw.Query(r, "limit", "cursor")
		if status, fields := statusOf(t, err); status != want.status || !slices.Equal(fields, want.fields) {
			t.Errorf("%q: %d %q, want %d %q", query, status, fields, want.status, want.fields)
		}
		if query == "limit=1&cursor=x%3D" && (values.Get("limit") != "1" || values.Get("cursor") != "x=") {
			t.Errorf("%v", values)
		}
	}
}

func TestIfMatch(t *testing.T) {
	for _, tc := range []struct {
		header  []string
		version int64
		present bool
		status  int
	}{
		{nil, 0, false, 200}, {[]string{"*"}, 0, false, 200},
		{[]string{`"3"`}, 3, true, 200}, {[]string{`W/"3"`}, 3, true, 200}, {[]string{` "12" `}, 12, true, 200},
		{[]string{`"0"`}, 0, true, 200}, {[]string{apigw.ETag(1<<63 - 1)}, 1<<63 - 1, true, 200},
		{[]string{``}, 0, false, 400}, {[]string{`3`}, 0, false, 400}, {[]string{`"3`}, 0, false, 400}, {[]string{`"`}, 0, false, 400},
		{[]string{`""`}, 0, false, 400}, {[]string{`"x"`}, 0, false, 400}, {[]string{`"-1"`}, 0, false, 400}, {[]string{`"+1"`}, 0, false, 400},
		{[]string{`"03"`}, 0, false, 400}, {[]string{`"3", "4"`}, 0, false, 400}, {[]string{`"3"`, `"4"`}, 0, false, 400},
		{[]string{`"9223372036854775808"`}, 0, false, 400}, {[]string{`w/"3"`}, 0, false, 400}, {[]string{"*", "*"}, 0, false, 400},
	} {
		r := httptest.NewRequest(http.MethodPatch, "/", nil)
		r.Header["If-Match"] = tc.header
		version, present, err := apigw.IfMatch(r)
		if status, _ := statusOf(t, err); version != tc.version || present != tc.present || status != tc.status {
			t.Errorf("%q: %d, %v, %d, want %+v", tc.header, version, present, status, tc)
		}
	}
}

// An answer repeats little of what was sent, however much of it was wrong.
func TestWrongFieldsAreNamedWithinBounds(t *testing.T) {
	var text strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&text, `"%d":1,`, i)
	}
	for name, in := range map[string]string{"many": "{" + strings.TrimSuffix(text.String(), ",") + "}", "long": `{"` + strings.Repeat("я", 5000) + `":1}`} {
		var v struct{}
		err := apigw.Unmarshal([]byte(in), &v)
		w := httptest.NewRecorder()
		apigw.WriteError(w, httptest.NewRequest(http.MethodPost, "/", nil), err)
		if w.Code != http.StatusUnprocessableEntity || w.Body.Len() > 8<<10 || !strings.Contains(w.Body.String(), "there is no such field") {
			t.Errorf("%s: %d, %d bytes: %.200s", name, w.Code, w.Body.Len(), w.Body)
		}
		var p *problem.Error
		if errors.As(err, &p) && name == "many" && len(p.Fields) != 5000 {
			t.Errorf("the error itself was cut to %d fields", len(p.Fields))
		}
	}
	var wrong problem.Fields
	wrong.Add("a\r\n"+strings.Repeat("b", 1000), "is wrong")
	w := httptest.NewRecorder()
	apigw.WriteError(w, httptest.NewRequest(http.MethodPost, "/", nil), wrong.Err())
	if strings.Contains(w.Body.String(), `\r`) || w.Body.Len() > 500 || wrong[0].Field[1] != '\r' {
		t.Errorf("%s", w.Body)
	}
}
