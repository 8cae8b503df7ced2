package webhook_test

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/nethouse-academy/albato/shared/webhook"
)

// recorder stands behind the guard: it notes what the guard would have let through, and refuses
// it, so that no test ever sends a packet to a public address.
type recorder struct {
	mu   sync.Mutex
	seen []netip.AddrPort
}

func (r *recorder) refuse(a netip.AddrPort) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen = append(r.seen, a)
	return true
}

func (r *recorder) passed() []netip.AddrPort {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]netip.AddrPort{}, r.seen...)
}

func guarded(t testing.TB, resolver *net.Resolver, hosts ...string) (*webhook.Client, *recorder) {
	t.Helper()
	var rec recorder
	c := newClient(t, func(o *webhook.Options) {
		o.Rules = webhook.Rules{AllowedHosts: hosts}
		o.Resolver, o.Refuse = resolver, rec.refuse
	})
	return c, &rec
}

func TestOnlyPublicAddressesAreGlobal(t *testing.T) {
	for _, a := range []string{"8.8.8.8", "93.184.216.34", "100.63.255.255", "100.128.0.1", "172.32.0.1", "2a02:6b8::1", "2606:4700::1"} {
		if !webhook.IsGlobal(netip.MustParseAddr(a)) {
			t.Errorf("%s is refused", a)
		}
	}
	for _, a := range []string{
		"0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.8.9.1", "168.63.129.16",
		"169.254.169.254", "169.254.100.1", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1", "192.88.99.1",
		"192.168.1.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255",
		"240.0.0.1", "255.255.255.255",
		"::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "64:ff9b::7f00:1", "64:ff9b::808:808",
		"64:ff9b:1::1", "100::1", "2001::1", "2001:0:53aa::1", "2001:2::1", "2001:10::1", "2001:20::1", "2001:db8::1",
		"2002:7f00:1::", "2002:808:808::1", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1",
		"fe80::1%eth0", "2a02:6b8::1%eth0", "fec0::1", "ff02::1",
	} {
		if webhook.IsGlobal(netip.MustParseAddr(a)) {
			t.Errorf("%s is taken for public", a)
		}
	}
	if webhook.IsGlobal(netip.Addr{}) {
		t.Error("no address at all is taken for public")
	}
}

// What the rules would refuse is given to the dialer all the same: it must not depend on them.
func TestDialerRefusesLiteralsInEverySpelling(t *testing.T) {
	// A resolver that understands the old spellings, as C libraries do.
	resolver := nameServer(t, []string{"127.0.0.1"})
	for _, address := range []string{
		"127.0.0.1:443", "127.0.0.1:9001", "localhost:443", "0.0.0.0:443", "[::]:443", "[::1]:443",
		"2130706433:443", "0x7f000001:443", "0x7f.1:443", "0177.0.0.1:443", "127.1:443", "127.0.1:443",
		"[::ffff:127.0.0.1]:443", "[::ffff:7f00:1]:443", "[::ffff:169.254.169.254]:443", "[::127.0.0.1]:443",
		"[64:ff9b::127.0.0.1]:443", "[64:ff9b::7f00:1]:443", "[64:ff9b:1::1]:443", "[2002:7f00:1::]:443",
		"[2001:0:53aa:64c:0:0:80ff:fffe]:443", "[fe80::1%lo]:443", "[::1%lo]:443",
		"169.254.169.254:443", "[fd00:ec2::254]:443", "168.63.129.16:443", "10.0.0.1:443", "100.100.100.200:443",
		"192.168.0.1:443", "224.0.0.1:443", "255.255.255.255:443",
		"8.8.8.8:80", "8.8.8.8:8443", "[2a02:6b8::1]:80",
	} {
		t.Run(address, func(t *testing.T) {
			c, rec := guarded(t, resolver)
			conn, err := c.Dial(t.Context(), address)
			if err == nil {
				_ = conn.Close()
				t.Fatal("connected")
			}
			// Go does not even look numbers up; what it looks up must be blocked.
			var blocked *webhook.BlockedError
			var dns *net.DNSError
			if !errors.As(err, &blocked) && !errors.As(err, &dns) {
				t.Errorf("error %v, want a BlockedError or no such host", err)
			}
			if p := rec.passed(); len(p) > 0 {
				t.Errorf("the guard let %v through", p)
			}
		})
	}
}

// The local run allows this machine and nothing else, and only to links that name it.
func TestLoopbackIsAllowedByNameOnly(t *testing.T) {
	link, conns := rawServer(t, func(c net.Conn) {
		readRequest(c)
		_, _ = c.Write([]byte("HTTP/1.1 204 No Content\r\n\r\n"))
	})
	c := newClient(t, func(o *webhook.Options) {
		o.Rules = webhook.Rules{AllowedHosts: []string{"hooks.test"}, AllowLoopback: true}
		o.Resolver = nameServer(t, []string{"127.0.0.1"})
	})
	if res := c.Post(t.Context(), request(link)); !res.Delivered() {
		t.Errorf("to this machine: %+v", res)
	}
	if res := c.Post(t.Context(), request("https://hooks.test/x")); res.Code != webhook.CodeBlocked {
		t.Errorf("to a public name that leads here: code %q, want blocked", res.Code)
	}
	for _, address := range []string{"10.0.0.1:443", "169.254.169.254:80", "[::ffff:127.0.0.1]:80", "8.8.8.8:80"} {
		var blocked *webhook.BlockedError
		if _, err := c.Dial(t.Context(), address); !errors.As(err, &blocked) {
			t.Errorf("%s: error %v, want a BlockedError", address, err)
		}
	}
	if n := conns.Load(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}

// DNS rebinding: a public address first, this machine next.
func TestRebindingIsRefused(t *testing.T) {
	c, rec := guarded(t, nameServer(t, []string{"93.184.216.34"}, []string{"127.0.0.1"}), "rebind.test")
	publicOnly := func(when string) {
		t.Helper()
		want := netip.MustParseAddrPort("93.184.216.34:443")
		if p := rec.passed(); len(p) != 1 || p[0] != want {
			t.Errorf("%s the guard had let %v through, want %v alone", when, p, want)
		}
	}
	if res := c.Post(t.Context(), request("https://rebind.test/x")); res.Code != webhook.CodeBlocked {
		t.Errorf("first: code %q, want the recorder's refusal", res.Code)
	}
	publicOnly("after the first answer")
	if res := c.Post(t.Context(), request("https://rebind.test/x")); res.Code != webhook.CodeBlocked {
		t.Errorf("second: code %q, want blocked", res.Code)
	}
	publicOnly("after the second answer")
}

// A name with both kinds of addresses: the dialer goes from one to the next and must ask each time.
func TestEveryAddressOfANameIsAsked(t *testing.T) {
	c, rec := guarded(t, nameServer(t, []string{"127.0.0.1", "93.184.216.34", "10.0.0.1", "1.1.1.1"}), "both.test")
	if res := c.Post(t.Context(), request("https://both.test/x")); res.Code != webhook.CodeBlocked {
		t.Errorf("code %q, want blocked", res.Code)
	}
	for _, a := range rec.passed() {
		if a.Addr().String() != "93.184.216.34" && a.Addr().String() != "1.1.1.1" {
			t.Errorf("the guard let %v through", a)
		}
	}
	if len(rec.passed()) == 0 {
		t.Error("the public addresses were not even asked about")
	}
}

// TestMain sets a proxy before anything runs: net/http reads the environment once a process.
func TestMain(m *testing.M) {
	for _, name := range []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"} {
		if err := os.Setenv(name, "http://198.51.100.7:3128"); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

func TestProxyOfTheEnvironmentIsNotUsed(t *testing.T) {
	c, rec := guarded(t, nameServer(t, []string{"93.184.216.34"}), "hooks.test")
	c.Post(t.Context(), request("https://hooks.test/x"))
	if p := rec.passed(); len(p) != 1 || p[0].String() != "93.184.216.34:443" {
		t.Errorf("asked for %v, want the receiver's own address", p)
	}
}

// A connection kept alive must not outlive the permission to use its address.
func TestKeptConnectionToAnAddressDisallowedMeanwhile(t *testing.T) {
	for name, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			var served, disallowed atomic.Int64
			link, pool := tlsServer(t, http2, func(http.ResponseWriter, *http.Request) { served.Add(1) })
			c := newClient(t, func(o *webhook.Options) {
				o.RootCAs = pool
				o.Refuse = func(netip.AddrPort) bool { return disallowed.Load() == 1 }
			})
			for range 2 {
				if res := c.Post(t.Context(), request(link)); !res.Delivered() {
					t.Fatalf("while allowed: %+v", res)
				}
			}
			disallowed.Store(1)
			if res := c.Post(t.Context(), request(link)); res.Code != webhook.CodeBlocked {
				t.Errorf("code %q, want blocked (%v)", res.Code, res.Err)
			}
			if n := served.Load(); n != 2 {
				t.Errorf("the receiver was reached %d times, want 2", n)
			}
		})
	}
}

// A host taken off the list is not called any more, though a connection to it is open.
func TestRulesAreAskedAtEverySend(t *testing.T) {
	c := newClient(t, func(o *webhook.Options) { o.Rules = public })
	for _, link := range []string{"http://127.0.0.1:1/x", "https://example.com/x", "https://h.albato.ru:8443/x", ""} {
		if res := c.Post(t.Context(), request(link)); res.Code != webhook.CodeBlocked || res.OurFault() {
			t.Errorf("%q: %+v, want blocked", link, res)
		}
	}
}
