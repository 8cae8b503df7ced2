package webhook_test

import (
	"bytes"
	"compress/gzip"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nethouse-academy/albato/shared/webhook"
)

func TestRedirectIsNotFollowed(t *testing.T) {
	var reached atomic.Int64
	inner := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	defer inner.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", inner.URL+"/2018-06-01/runtime/invocation/next")
			w.WriteHeader(status)
		}))
		res := newClient(t, nil).Post(t.Context(), request(s.URL+"/x"))
		s.Close()
		if res.Delivered() || res.Code != fmt.Sprintf("http_%d", status) {
			t.Errorf("%d: %+v, want a failed attempt", status, res)
		}
	}
	if reached.Load() != 0 {
		t.Error("a redirect to loopback was followed")
	}
}

// drip writes a byte now and then until the other side is gone.
func drip(c net.Conn, what string) {
	for {
		for i := range len(what) {
			if _, err := c.Write([]byte{what[i]}); err != nil {
				return
			}
			time.Sleep(2 * time.Millisecond)
		}
	}
}

func TestOneDeadlineOverEverything(t *testing.T) {
	const deadline = 200 * time.Millisecond
	for name, serve := range map[string]func(net.Conn){
		"silence":      func(c net.Conn) { readRequest(c); _, _ = io.Copy(io.Discard, c) },
		"nothing read": func(net.Conn) { <-t.Context().Done() },
		"dripped headers": func(c net.Conn) {
			readRequest(c)
			drip(c, "HTTP/1.1 200 OK\r\nA: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb")
		},
		"dripped status":  func(c net.Conn) { readRequest(c); drip(c, "HTTP/1.1 200 OKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKK") },
		"endless interim": func(c net.Conn) { readRequest(c); drip(c, "HTTP/1.1 103 Early Hints\r\n\r\n") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			link, _ := rawServer(t, serve)
			c := newClient(t, func(o *webhook.Options) { o.Timeout = deadline })
			res := c.Post(t.Context(), request(link))
			if res.Code != webhook.CodeTimeout || res.OurFault() {
				t.Errorf("%+v, want timeout", res)
			}
			if res.Duration < deadline || res.Duration > 20*deadline {
				t.Errorf("took %v, want about %v", res.Duration, deadline)
			}
		})
	}
}

// A caller with little time left shortens the deadline, and nobody lengthens it.
func TestRequestShortensTheDeadline(t *testing.T) {
	link, _ := rawServer(t, func(c net.Conn) { readRequest(c); _, _ = io.Copy(io.Discard, c) })
	const short, long = 100 * time.Millisecond, 20 * time.Second
	for name, tc := range map[string]struct{ client, request time.Duration }{
		"shorter": {long, short}, "longer": {short, long}, "none": {short, 0}, "negative": {short, -1},
	} {
		c := newClient(t, func(o *webhook.Options) { o.Timeout = tc.client })
		r := request(link)
		r.Timeout = tc.request
		if res := c.Post(t.Context(), r); res.Code != webhook.CodeTimeout || res.Duration < short || res.Duration > long/2 {
			t.Errorf("%s: %+v", name, res)
		}
	}
}

// The status line decides: what was answered 200 must not be sent again for the sake of its body.
func TestSlowBodyEndsAtTheDeadlineAndCountsAsAnswered(t *testing.T) {
	const deadline = 500 * time.Millisecond
	for status, delivered := range map[string]bool{"200 OK": true, "500 No": false} {
		t.Run(status, func(t *testing.T) {
			t.Parallel()
			link, _ := rawServer(t, func(c net.Conn) {
				readRequest(c)
				_, _ = c.Write([]byte("HTTP/1.1 " + status + "\r\nContent-Length: 100000\r\n\r\n"))
				drip(c, "a")
			})
			c := newClient(t, func(o *webhook.Options) { o.Timeout = deadline })
			res := c.Post(t.Context(), request(link))
			if res.Delivered() != delivered || res.Status == 0 || res.Duration > 20*deadline {
				t.Errorf("%+v", res)
			}
			if !strings.HasPrefix(string(res.Response), "a") {
				t.Errorf("response %q, want what had come", res.Response)
			}
		})
	}
}

func TestEndlessAnswerIsCutAndItsConnectionDropped(t *testing.T) {
	var sent atomic.Int64
	gone := make(chan struct{})
	link, conns := rawServer(t, func(c net.Conn) {
		defer func() { gone <- struct{}{} }()
		readRequest(c)
		_, _ = c.Write([]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"))
		chunk := []byte("400\r\n" + strings.Repeat("я", 512) + "\r\n")
		for {
			n, err := c.Write(chunk)
			sent.Add(int64(n))
			if err != nil {
				return
			}
		}
	})
	c := newClient(t, nil)
	for range 2 {
		res := c.Post(t.Context(), request(link))
		if !res.Delivered() || len(res.Response) == 0 || len(res.Response) > 1024 {
			t.Errorf("%d, code %q, %d bytes kept", res.Status, res.Code, len(res.Response))
		}
		<-gone // the server's write fails only because the connection was dropped
	}
	if conns.Load() != 2 {
		t.Errorf("%d connections, want a new one after the first was dropped", conns.Load())
	}
	if sent.Load() > 64<<20 {
		t.Errorf("%d bytes were taken", sent.Load())
	}
}

func TestCompressedAnswerIsNotUndone(t *testing.T) {
	const size = 2 << 20
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	if _, err := z.Write(make([]byte, size)); err != nil || z.Close() != nil || bomb.Len() > size/500 {
		t.Fatalf("%d bytes, error %v", bomb.Len(), err)
	}
	var asked string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.Header.Get("Accept-Encoding")
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(bomb.Bytes())
	}))
	defer s.Close()
	res := newClient(t, nil).Post(t.Context(), request(s.URL+"/x"))
	if !res.Delivered() || len(res.Response) != 0 || asked != "identity" {
		t.Errorf("%+v, accept-encoding %q", res, asked)
	}
}

func TestHugeHeadersAreRefused(t *testing.T) {
	huge := strings.Repeat("x", 64<<10)
	raw, _ := rawServer(t, func(c net.Conn) {
		readRequest(c)
		_, _ = c.Write([]byte("HTTP/1.1 200 OK\r\nX-Huge: " + huge + "\r\n\r\n"))
	})
	h := func(w http.ResponseWriter, _ *http.Request) {
		for i := range 64 {
			w.Header().Set(fmt.Sprintf("X-%d", i), huge[:1<<10])
		}
	}
	link2, pool2 := tlsServer(t, true, h)
	for name, tc := range map[string]struct {
		link string
		pool *x509.CertPool
		want string
	}{
		"HTTP/1.1": {raw, nil, webhook.CodeInvalidResponse},
		"HTTP/2":   {link2, pool2, webhook.CodeConnection}, // there it is an error of the connection
	} {
		c := newClient(t, func(o *webhook.Options) { o.RootCAs = tc.pool })
		if res := c.Post(t.Context(), request(tc.link)); res.Code != tc.want {
			t.Errorf("%s: %+v, want %s", name, res, tc.want)
		}
	}
}
