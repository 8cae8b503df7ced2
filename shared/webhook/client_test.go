package webhook_test

import (
	"context"
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
			const senders, each = 10, 20
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

func TestConnectionsToAHostCanBeLimited(t *testing.T) {
	var mu sync.Mutex
	from := map[string]bool{}
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		from[r.RemoteAddr] = true
	}))
	defer s.Close()
	c := newClient(t, func(o *webhook.Options) { o.MaxConnsPerHost = 1 })
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if res := c.Post(t.Context(), request(s.URL+"/x")); !res.Delivered() {
				t.Errorf("%+v", res)
			}
		})
	}
	wg.Wait()
	if len(from) != 1 {
		t.Errorf("%d connections, want one", len(from))
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
