package webhook_test

import (
	"context"
	"crypto/x509"
	"encoding/binary"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nethouse-academy/albato/shared/webhook"
)

// newClient is a client of a local run, with a short deadline.
func newClient(t testing.TB, change func(*webhook.Options)) *webhook.Client {
	t.Helper()
	o := webhook.Options{Rules: local, Version: "1.2.3", Timeout: 5 * time.Second}
	if change != nil {
		change(&o)
	}
	c := webhook.NewClient(o)
	t.Cleanup(c.Close)
	return c
}

func request(link string) webhook.Request {
	return webhook.Request{Link: webhook.Link(link), DeliveryID: "dlv_1", Attempt: 1, Body: []byte(`{"a":1}`),
		Secrets: []webhook.Secret{webhook.NewSecret()}}
}

// rawServer answers each connection with a function of its own, below HTTP.
func rawServer(t *testing.T, serve func(net.Conn)) (link string, conns *atomic.Int64) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	conns = new(atomic.Int64)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conns.Add(1)
			go func() {
				defer func() { _ = conn.Close() }()
				serve(conn)
			}()
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-done })
	return "http://" + l.Addr().String() + "/wh/38/x/", conns
}

// readRequest reads one request with a small body off a raw connection.
func readRequest(conn net.Conn) string {
	var got strings.Builder
	buf := make([]byte, 4096)
	for !strings.HasSuffix(got.String(), `{"a":1}`) {
		n, err := conn.Read(buf)
		if err != nil {
			return got.String()
		}
		got.Write(buf[:n])
	}
	return got.String()
}

// tlsServer speaks HTTP/2 if asked to; the pool holds its certificate.
func tlsServer(t testing.TB, http2 bool, h http.HandlerFunc) (link string, pool *x509.CertPool) {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.EnableHTTP2 = http2
	s.StartTLS()
	t.Cleanup(s.Close)
	pool = x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return s.URL + "/wh/38/x/", pool
}

// nameServer is a DNS server on a socket of its own: each A query of a name gets the next list of
// addresses, the last one for ever. No list at all means that the name does not exist.
func nameServer(t testing.TB, answers ...[]string) *net.Resolver {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf, asked := make([]byte, 1500), 0
		for {
			n, from, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			var addrs []string
			if questionType(buf[:n]) == typeA && len(answers) > 0 {
				addrs = answers[min(asked, len(answers)-1)]
				asked++
			}
			_, _ = pc.WriteTo(dnsAnswer(buf[:n], addrs, len(answers) > 0), from)
		}
	}()
	t.Cleanup(func() { _ = pc.Close(); <-done })
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", pc.LocalAddr().String())
	}}
}

const (
	typeA     = 1
	dnsHeader = 12
)

// questionEnd is where the one question of a query ends (RFC 1035 §4.1.2).
func questionEnd(query []byte) int {
	i := dnsHeader
	for query[i] != 0 {
		i += int(query[i]) + 1
	}
	return i + 1 + 4
}

func questionType(query []byte) uint16 {
	return binary.BigEndian.Uint16(query[questionEnd(query)-4:])
}

func dnsAnswer(query []byte, addrs []string, exists bool) []byte {
	out := append([]byte{}, query[:questionEnd(query)]...)
	flags := uint16(0x8180) // an answer, recursion available
	if !exists {
		flags |= 3 // no such name
	}
	binary.BigEndian.PutUint16(out[2:], flags)
	binary.BigEndian.PutUint16(out[6:], uint16(len(addrs)))
	binary.BigEndian.PutUint32(out[8:], 0) // no authority, no additional records
	for _, a := range addrs {
		ip := netip.MustParseAddr(a).As4()
		out = append(out, 0xc0, dnsHeader, 0, typeA, 0, 1, 0, 0, 0, 0, 0, 4)
		out = append(out, ip[:]...)
	}
	return out
}
