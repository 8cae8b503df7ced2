package contract

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// Wrap serves h and reports every exchange that the description does not allow. The header that the adapter around every
// function adds is taken as there.
func (c *Contract) Wrap(t testing.TB, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
			return
		}
		x := Exchange{Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, RequestHeader: r.Header.Clone(), RequestBody: asked}
		r.Body = io.NopCloser(bytes.NewReader(asked))
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		result := rec.Result()
		x.Status, x.Header = result.StatusCode, result.Header.Clone()
		if x.Header.Get("X-Request-Id") == "" {
			x.Header.Set("X-Request-Id", "adapter")
		}
		if r.Method != http.MethodHead { // whose body no server sends
			x.Body = rec.Body.Bytes()
		}
		if err := c.Check(x); err != nil {
			t.Errorf("not as described: %v", err)
		}
		for name, values := range result.Header {
			w.Header()[name] = values
		}
		w.WriteHeader(x.Status)
		_, _ = w.Write(rec.Body.Bytes())
	})
}

// Transport sends requests by next and reports every exchange that the description does not allow. It is for tests that
// speak to a running API.
func (c *Contract) Transport(t testing.TB, next http.RoundTripper) http.RoundTripper {
	return transport{c, t, next}
}

type transport struct {
	contract *Contract
	t        testing.TB
	next     http.RoundTripper
}

// RoundTrip sends one request.
func (p transport) RoundTrip(r *http.Request) (*http.Response, error) {
	var asked []byte
	if r.Body != nil {
		var err error
		if asked, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		_ = r.Body.Close()
		r = r.Clone(r.Context())
		r.Body = io.NopCloser(bytes.NewReader(asked))
	}
	response, err := p.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	x := Exchange{Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, RequestHeader: r.Header.Clone(), RequestBody: asked,
		Status: response.StatusCode, Header: response.Header.Clone(), Body: body}
	if err := p.contract.Check(x); err != nil {
		p.t.Errorf("not as described: %v", err)
	}
	return response, nil
}
