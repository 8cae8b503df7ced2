package apigateway

import (
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// request is what the payload of one request is made from.
type request struct {
	*http.Request
	routeKey   string
	id         string
	parameters map[string]string
	body       []byte
	at         time.Time
}

// encodeRequest makes the payload, format 2.0. It is written by hand since every request passes here.
func encodeRequest(r request) ([]byte, error) {
	query, err := queryParameters(r.URL.RawQuery)
	if err != nil {
		return nil, err
	}
	e := encoder{b: make([]byte, 0, 2048+len(r.body)*5/4)}
	e.raw(`{"version":"2.0","routeKey":`).text(r.routeKey)
	e.raw(`,"rawPath":`).text(r.URL.Path) // decoded: so it is, against its name, on an HTTP API
	e.raw(`,"rawQueryString":`).text(r.URL.RawQuery)
	if cookies := r.Header["Cookie"]; len(cookies) > 0 {
		e.raw(`,"cookies":`).list(splitCookies(cookies))
	}
	e.raw(`,"headers":`).headers(r)
	if query != nil {
		e.raw(`,"queryStringParameters":`).object(query)
	}
	e.raw(`,"requestContext":{"accountId":"123456789012","apiId":"local","domainName":`).text(r.Host)
	e.raw(`,"domainPrefix":"local","http":{"method":`).text(r.Method)
	e.raw(`,"path":`).text(r.URL.Path).raw(`,"protocol":`).text(r.Proto)
	e.raw(`,"sourceIp":`).text(sourceIP(r.Request)).raw(`,"userAgent":`).text(r.UserAgent())
	e.raw(`},"requestId":`).text(r.id).raw(`,"routeKey":`).text(r.routeKey)
	e.raw(`,"stage":"$default","time":`).text(r.at.UTC().Format("02/Jan/2006:15:04:05 +0000"))
	e.raw(`,"timeEpoch":`).raw(strconv.FormatInt(r.at.UnixMilli(), 10)).raw(`}`)
	if r.parameters != nil {
		e.raw(`,"pathParameters":`).object(r.parameters)
	}
	if len(r.body) > 0 {
		if isText(r.Header.Get("Content-Type"), r.body) {
			e.raw(`,"body":`).bytes(r.body).raw(`,"isBase64Encoded":false}`)
		} else {
			e.raw(`,"body":"`)
			e.b = base64.StdEncoding.AppendEncode(e.b, r.body)
			e.raw(`","isBase64Encoded":true}`)
		}
	} else {
		e.raw(`,"isBase64Encoded":false}`)
	}
	return e.b, nil
}

// isText tells whether a body travels as text. AWS does not document the list; this is what it was seen to do: text/*
// and three kinds of application/*, everything else, a missing type included, is base64. A body that is not UTF-8 is
// base64 too: JSON could not carry it unchanged.
func isText(contentType string, body []byte) bool {
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) {
		return false
	}
	switch kind {
	case "application/json", "application/xml", "application/javascript":
	default:
		if !strings.HasPrefix(kind, "text/") {
			return false
		}
	}
	return utf8.Valid(body)
}

func splitCookies(headers []string) []string {
	var out []string
	for _, h := range headers {
		for c := range strings.SplitSeq(h, ";") {
			out = append(out, strings.TrimSpace(c))
		}
	}
	return out
}

// encoder appends JSON.
type encoder struct{ b []byte }

func (e *encoder) raw(s string) *encoder { e.b = append(e.b, s...); return e }

// text appends s as a JSON string; what is not UTF-8 becomes U+FFFD.
func (e *encoder) text(s string) *encoder {
	e.b, _ = jsontext.AppendQuote(e.b, s)
	return e
}

func (e *encoder) bytes(s []byte) *encoder {
	e.b, _ = jsontext.AppendQuote(e.b, s)
	return e
}

func (e *encoder) list(items []string) {
	e.raw(`[`)
	for i, s := range items {
		if i > 0 {
			e.raw(`,`)
		}
		e.text(s)
	}
	e.raw(`]`)
}

func (e *encoder) object(m map[string]string) {
	e.raw(`{`)
	for i, name := range slices.Sorted(maps.Keys(m)) {
		if i > 0 {
			e.raw(`,`)
		}
		e.text(name).raw(`:`).text(m[name])
	}
	e.raw(`}`)
}

// headers appends the headers: names in lower case, several of one name joined by commas, cookies left out, and those
// the gateway adds.
func (e *encoder) headers(r request) {
	e.raw(`{"host":`).text(r.Host)
	if r.ContentLength >= 0 && (r.ContentLength > 0 || r.Header["Content-Type"] != nil) {
		e.raw(`,"content-length":"`).raw(strconv.FormatInt(r.ContentLength, 10)).raw(`"`)
	}
	forwarded := sourceIP(r.Request)
	for name, values := range r.Header {
		switch name {
		case "Cookie", "Connection", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Amzn-Trace-Id":
		case "X-Forwarded-For":
			forwarded = strings.Join(values, ",") + ", " + forwarded
		default:
			e.raw(`,`).text(strings.ToLower(name)).raw(`:`).text(strings.Join(values, ","))
		}
	}
	port := "80"
	if i := strings.LastIndexByte(r.Host, ':'); i >= 0 && !strings.HasSuffix(r.Host, "]") {
		port = r.Host[i+1:]
	}
	e.raw(`,"x-forwarded-for":`).text(forwarded).raw(`,"x-forwarded-port":`).text(port)
	e.raw(`,"x-forwarded-proto":"http","x-amzn-trace-id":"`)
	e.b = fmt.Appendf(e.b, `Root=1-%08x-%08x%016x"}`, r.at.Unix(), rand.Uint32(), rand.Uint64())
}

// response is the answer of a function, format 2.0.
type response struct {
	StatusCode      *int              `json:"statusCode"`
	Headers         map[string]string `json:"headers"`
	Cookies         []string          `json:"cookies"`
	Body            string            `json:"body"`
	IsBase64Encoded bool              `json:"isBase64Encoded"`
}

// writeResponse answers the client with what the function returned. An answer without a status is, whole, the body of
// a 200. Nothing is written when there is an error.
func writeResponse(w http.ResponseWriter, payload []byte) error {
	var out response
	if err := json.Unmarshal(payload, &out); err != nil || out.StatusCode == nil {
		if !jsontext.Value(payload).IsValid() {
			return errors.New("the function's answer is not JSON")
		}
		w.Header().Set("Content-Type", "application/json")
		_, err := w.Write(payload)
		return err
	}
	if *out.StatusCode < 200 || *out.StatusCode > 599 {
		return fmt.Errorf("status %d", *out.StatusCode)
	}
	body := []byte(out.Body)
	if out.IsBase64Encoded {
		var err error
		if body, err = base64.StdEncoding.DecodeString(out.Body); err != nil {
			return err
		}
	}
	h := w.Header()
	for name, value := range out.Headers {
		if !strings.EqualFold(name, "Content-Length") { // the gateway counts for itself
			h.Set(name, value)
		}
	}
	for _, c := range out.Cookies {
		h.Add("Set-Cookie", c)
	}
	if h.Get("Content-Type") == "" && len(body) > 0 {
		h.Set("Content-Type", "text/plain; charset=utf-8")
	}
	if *out.StatusCode != http.StatusNoContent && *out.StatusCode != http.StatusNotModified {
		h.Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(*out.StatusCode)
	_, _ = w.Write(body)
	return nil
}
