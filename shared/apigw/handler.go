package apigw

import (
	"bytes"
	"context"
	"encoding/base64"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"

	"github.com/nethouse-academy/albato/shared/problem"
	"github.com/nethouse-academy/albato/shared/telemetry"
)

// LambdaFunc is what lambda.Start takes for an HTTP API with payload format 2.0. Its error is
// always nil: every failure is an HTTP answer.
type LambdaFunc func(context.Context, events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error)

// Option changes what Handler does beside serving.
type Option func(*adapter)

// WithLogger writes one line a request (method, route pattern, status, duration, request id and,
// for a 5xx, the safe form of the error behind it) and one for a panic.
func WithLogger(l *slog.Logger) Option { return func(a *adapter) { a.logger = l } }

// Handler serves events with h.
//
// Every answer carries X-Request-Id (the caller's own when it is sane, otherwise API Gateway's)
// and the security headers that h has not set itself. A panic in h becomes a 500. The answer is
// buffered whole, as Lambda wants it, so h may still change its mind until it returns.
func Handler(h http.Handler, opts ...Option) LambdaFunc {
	a := &adapter{next: h}
	for _, o := range opts {
		o(a)
	}
	return a.serve
}

type adapter struct {
	next   http.Handler
	logger *slog.Logger
}

func (a *adapter) serve(ctx context.Context, ev events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	start := time.Now()
	c := &call{requestID: requestID(&ev)}
	w := &recorder{header: make(http.Header, 8)}
	r, err := newRequest(context.WithValue(ctx, callKey{}, c), &ev)
	if err != nil {
		WriteError(w, r, err)
	} else {
		a.run(w, r)
	}
	w.header.Set("X-Request-Id", c.requestID)
	setSecurityHeaders(w.header)
	if a.logger != nil {
		line := telemetry.HTTPRequest{Method: r.Method, Route: r.Pattern, Status: w.statusCode(),
			Duration: time.Since(start), RequestID: c.requestID}
		if line.Status >= http.StatusInternalServerError {
			line.Err = c.err
		}
		telemetry.LogHTTP(ctx, a.logger, line)
	}
	return w.response(r.Method), nil
}

// run serves and turns a panic into a 500, whatever was written before it.
func (a *adapter) run(w *recorder, r *http.Request) {
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		if a.logger != nil {
			a.logger.LogAttrs(r.Context(), slog.LevelError, "panic",
				slog.String(telemetry.RequestID, RequestID(r.Context())), telemetry.Panic(v))
		}
		w.reset()
		WriteError(w, r, problem.New(problem.Internal, ""))
	}()
	a.next.ServeHTTP(w, r)
}

// newRequest builds the request; on an error the request is still good enough to answer it.
func newRequest(ctx context.Context, ev *events.APIGatewayV2HTTPRequest) (*http.Request, error) {
	h := make(http.Header, len(ev.Headers)+1)
	for k, v := range ev.Headers {
		h[http.CanonicalHeaderKey(k)] = []string{v}
	}
	if len(ev.Cookies) > 0 {
		h["Cookie"] = []string{strings.Join(ev.Cookies, "; ")}
	}
	// An HTTP API gives the path already decoded.
	u := &url.URL{Path: ev.RawPath, RawQuery: ev.RawQueryString}
	if u.Path == "" {
		u.Path = "/"
	}
	r := &http.Request{
		Method: ev.RequestContext.HTTP.Method, URL: u, RequestURI: u.RequestURI(),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: h, Host: ev.RequestContext.DomainName, RemoteAddr: ev.RequestContext.HTTP.SourceIP,
		Body: http.NoBody,
	}
	r = r.WithContext(ctx)
	if ev.Body == "" {
		return r, nil
	}
	if !ev.IsBase64Encoded {
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(ev.Body)), int64(len(ev.Body))
		return r, nil
	}
	body, err := base64.StdEncoding.DecodeString(ev.Body)
	if err != nil {
		return r, malformed("the body could not be read")
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return r, nil
}

// recorder is the http.ResponseWriter that keeps the answer.
type recorder struct {
	header http.Header
	body   bytes.Buffer
	status int
}

// Header returns the headers of the answer.
func (w *recorder) Header() http.Header { return w.header }

// WriteHeader takes the first status; informational ones are not sent by Lambda and are ignored.
func (w *recorder) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
}

// Write keeps a part of the body.
func (w *recorder) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(b)
}

// WriteString keeps a part of the body without a copy of the string.
func (w *recorder) WriteString(s string) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.WriteString(s)
}

func (w *recorder) reset() {
	clear(w.header)
	w.body.Reset()
	w.status = 0
}

func (w *recorder) statusCode() int {
	if w.status == 0 {
		return http.StatusOK
	}
	return w.status
}

func (w *recorder) response(method string) events.APIGatewayV2HTTPResponse {
	res := events.APIGatewayV2HTTPResponse{StatusCode: w.statusCode(), Headers: make(map[string]string, len(w.header))}
	for k, v := range w.header {
		if k == "Set-Cookie" { // cookies cannot be joined by a comma
			res.Cookies = v
			continue
		}
		if len(v) == 1 {
			res.Headers[k] = v[0]
		} else {
			res.Headers[k] = strings.Join(v, ", ")
		}
	}
	switch b := w.body.Bytes(); {
	case method == http.MethodHead:
		if _, ok := res.Headers["Content-Length"]; !ok {
			res.Headers["Content-Length"] = strconv.Itoa(len(b))
		}
	case utf8.Valid(b) && w.header.Get("Content-Encoding") == "":
		res.Body = string(b)
	default:
		res.Body, res.IsBase64Encoded = base64.StdEncoding.EncodeToString(b), true
	}
	return res
}

// setSecurityHeaders fills in what the handler has not decided itself. The policy is that of an
// API: nothing may be loaded from or framed by its answers; the page sets its own.
func setSecurityHeaders(h http.Header) {
	for _, d := range [...]struct{ name, value string }{
		{"Cache-Control", "no-store"},
		{"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
		{"Referrer-Policy", "no-referrer"},
		{"Strict-Transport-Security", "max-age=31536000"},
		{"X-Content-Type-Options", "nosniff"},
	} {
		if _, set := h[d.name]; !set {
			h[d.name] = []string{d.value}
		}
	}
}
