package webhook_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/nethouse-academy/albato/shared/webhook"
)

func TestWhatTheReceiverGets(t *testing.T) {
	for name, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			var got *http.Request
			var body []byte
			link, pool := tlsServer(t, http2, func(_ http.ResponseWriter, r *http.Request) {
				got = r
				body, _ = io.ReadAll(r.Body)
			})
			now := time.Now()
			c := newClient(t, func(o *webhook.Options) {
				o.RootCAs, o.Now = pool, func() time.Time { return now }
			})
			r := request(strings.TrimSuffix(link, "/") + "/a%2Fb%253D/?x=%D1%8F&y")
			r.Attempt, r.Body = 3, []byte(`{"name":"Курс «Go»","html":"<b>"}`)
			if res := c.Post(t.Context(), r); !res.Delivered() || res.Status != 200 || res.Err != nil {
				t.Fatalf("%+v", res)
			}
			want := map[string]string{
				"Content-Type": "application/json; charset=utf-8", "User-Agent": "NethouseAcademy-Albato/1.2.3",
				"Webhook-Id": "dlv_1", "Webhook-Timestamp": fmt.Sprint(now.Unix()), "Webhook-Attempt": "3",
				"Accept-Encoding": "identity",
			}
			for k, v := range want {
				if got.Header.Get(k) != v {
					t.Errorf("%s: %q, want %q", k, got.Header.Get(k), v)
				}
			}
			for k := range got.Header {
				if _, ok := want[k]; !ok && k != "Webhook-Signature" && k != "Content-Length" {
					t.Errorf("unexpected header %s", k)
				}
			}
			if got.Method != "POST" || got.RequestURI != "/wh/38/x/a%2Fb%253D/?x=%D1%8F&y" {
				t.Errorf("%s %s, want the link byte for byte", got.Method, got.RequestURI)
			}
			if (got.ProtoMajor == 2) != http2 {
				t.Errorf("protocol %s", got.Proto)
			}
			if string(body) != string(r.Body) {
				t.Errorf("body %s, want %s", body, r.Body)
			}
			wh, err := standardwebhooks.NewWebhook(r.Secrets[0].Reveal())
			if err != nil {
				t.Fatal(err)
			}
			if err := wh.Verify(body, got.Header); err != nil {
				t.Errorf("the public library: %v", err)
			}
		})
	}
}

func TestUnsignedDeliveryDoesNotLeave(t *testing.T) {
	link, conns := rawServer(t, func(c net.Conn) { readRequest(c) })
	r := request(link)
	r.Secrets = nil
	res := newClient(t, nil).Post(t.Context(), r)
	if res.Code != webhook.CodeInternal || !res.OurFault() || conns.Load() != 0 {
		t.Errorf("%+v, %d connections", res, conns.Load())
	}
}

func TestStatusDecides(t *testing.T) {
	var status atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(int(status.Load()))
	}))
	defer s.Close()
	c := newClient(t, nil)
	for _, n := range []int{200, 201, 202, 204, 299, 300, 304, 400, 404, 410, 429, 500, 503, 599} {
		status.Store(int64(n))
		res := c.Post(t.Context(), request(s.URL+"/x"))
		wantCode := ""
		if n/100 != 2 {
			wantCode = fmt.Sprintf("http_%d", n)
		}
		if res.Status != n || res.Code != wantCode || res.Delivered() != (n/100 == 2) || res.Err != nil || res.OurFault() {
			t.Errorf("%d: %+v", n, res)
		}
	}
}

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
	const deadline = 150 * time.Millisecond
	for name, serve := range map[string]func(net.Conn){
		"silence":      func(c net.Conn) { readRequest(c); _, _ = io.Copy(io.Discard, c) },
		"nothing read": func(c net.Conn) { drip(c, "") },
		"dripped headers": func(c net.Conn) {
			readRequest(c)
			drip(c, "HTTP/1.1 200 OK\r\nA: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb")
		},
		"dripped status":  func(c net.Conn) { readRequest(c); drip(c, "HTTP/1.1 200 OKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKK") },
		"endless interim": func(c net.Conn) { readRequest(c); drip(c, "HTTP/1.1 103 Early Hints\r\n\r\n") },
	} {
		t.Run(name, func(t *testing.T) {
			if name == "nothing read" {
				serve = func(c net.Conn) { _, _ = io.Copy(io.Discard, io.LimitReader(c, 10)); <-t.Context().Done() }
			}
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
	const deadline = 150 * time.Millisecond
	for status, delivered := range map[string]bool{"200 OK": true, "500 No": false} {
		link, _ := rawServer(t, func(c net.Conn) {
			readRequest(c)
			_, _ = c.Write([]byte("HTTP/1.1 " + status + "\r\nContent-Length: 100000\r\n\r\n"))
			drip(c, "a")
		})
		c := newClient(t, func(o *webhook.Options) { o.Timeout = deadline })
		res := c.Post(t.Context(), request(link))
		if res.Delivered() != delivered || res.Status == 0 || res.Duration > 20*deadline {
			t.Errorf("%s: %+v", status, res)
		}
		if !strings.HasPrefix(string(res.Response), "a") {
			t.Errorf("%s: response %q, want what had come", status, res.Response)
		}
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
	const size = 16 << 20
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

// Our own end is not the receiver's fault.
func TestInterruptionIsNotTheReceiversTimeout(t *testing.T) {
	link, _ := rawServer(t, func(c net.Conn) { readRequest(c); _, _ = io.Copy(io.Discard, c) })
	c := newClient(t, nil)
	canceled, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	ended, stop := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer stop()
	before, cancelBefore := context.WithCancel(t.Context())
	cancelBefore()
	for name, ctx := range map[string]context.Context{"canceled": canceled, "deadline of the caller": ended, "ended before": before} {
		if res := c.Post(ctx, request(link)); res.Code != webhook.CodeInterrupted || !res.OurFault() {
			t.Errorf("%s: %+v, want interrupted", name, res)
		}
	}
}

func TestManyPostsToOneHostShareFewConnections(t *testing.T) {
	for name, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			var served atomic.Int64
			var mu sync.Mutex
			from := map[string]bool{}
			link, pool := tlsServer(t, http2, func(_ http.ResponseWriter, r *http.Request) {
				served.Add(1)
				mu.Lock()
				from[r.RemoteAddr] = true
				mu.Unlock()
			})
			c := newClient(t, func(o *webhook.Options) { o.RootCAs = pool })
			const senders, each = 10, 50
			var wg sync.WaitGroup
			for range senders {
				wg.Go(func() {
					for range each {
						if res := c.Post(t.Context(), request(link)); !res.Delivered() {
							t.Errorf("%+v", res)
						}
					}
				})
			}
			wg.Wait()
			if served.Load() != senders*each || len(from) > 2*senders {
				t.Errorf("%d posts over %d connections", served.Load(), len(from))
			}
		})
	}
}

// A frozen process does not notice that its connections were closed meanwhile.
func TestConnectionsAreNotReusedAfterAFreeze(t *testing.T) {
	link, conns := rawServer(t, func(c net.Conn) {
		for readRequest(c) != "" {
			if _, err := c.Write([]byte("HTTP/1.1 204 No Content\r\n\r\n")); err != nil {
				return
			}
		}
	})
	c := newClient(t, nil)
	for i, want := range []int64{1, 1, 2} {
		if i == 2 {
			c.Freeze(time.Minute)
		}
		if res := c.Post(t.Context(), request(link)); !res.Delivered() {
			t.Fatalf("%+v", res)
		}
		if conns.Load() != want {
			t.Errorf("after post %d: %d connections, want %d", i+1, conns.Load(), want)
		}
	}
}
