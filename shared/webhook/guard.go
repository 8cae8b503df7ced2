package webhook

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// BlockedError tells that a link's host led to an address that must not be called.
type BlockedError struct{ Addr netip.AddrPort }

// Error names the address; addresses are no secret.
func (e *BlockedError) Error() string { return "address not allowed: " + e.Addr.String() }

const httpsPort = 443

// notGlobal lists what lies within the ranges that look global and is not: IANA's special-purpose
// registries for IPv4 and IPv6 (https://www.iana.org/assignments/iana-ipv4-special-registry,
// https://www.iana.org/assignments/iana-ipv6-special-registry), and addresses by which clouds
// reach into their own machines. Anything IPv6 outside of 2000::/3 is refused without a list:
// loopback, IPv4-mapped and -compatible, NAT64 (64:ff9b::/96, 64:ff9b:1::/48), discard-only, SRv6,
// unique local, link- and site-local, multicast.
var notGlobal = prefixes(
	"0.0.0.0/8",         // this network
	"10.0.0.0/8",        // private
	"100.64.0.0/10",     // shared by carriers (CGNAT), also a cloud's metadata
	"127.0.0.0/8",       // loopback
	"168.63.129.16/32",  // Azure's host
	"169.254.0.0/16",    // link-local, also metadata and Lambda's own
	"172.16.0.0/12",     // private
	"192.0.0.0/24",      // protocol assignments, also Oracle's metadata
	"192.0.2.0/24",      // documentation
	"192.88.99.0/24",    // 6to4 relays
	"192.168.0.0/16",    // private
	"198.18.0.0/15",     // benchmarks
	"198.51.100.0/24",   // documentation
	"203.0.113.0/24",    // documentation
	"224.0.0.0/4",       // multicast
	"240.0.0.0/4",       // reserved, and broadcast
	"2001::/23",         // protocol assignments: Teredo, benchmarks, ORCHID
	"2001:db8::/32",     // documentation
	"2002::/16",         // 6to4: carries any IPv4 address
	"2620:4f:8000::/48", // AS112
	"3fff::/20",         // documentation
	"192.31.196.0/24",   // AS112
	"192.52.193.0/24",   // AMT relays
	"192.175.48.0/24",   // AS112
)

var globalIPv6 = netip.MustParsePrefix("2000::/3")

func prefixes(list ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(list))
	for i, s := range list {
		out[i] = netip.MustParsePrefix(s)
	}
	return out
}

// isGlobal tells whether an address is a plain public one.
func isGlobal(a netip.Addr) bool {
	// No prefix contains an address with a zone, so those end here too.
	if !a.IsValid() || a.Is6() && !globalIPv6.Contains(a) {
		return false
	}
	for _, p := range notGlobal {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

// guard dials, and refuses every address that is not global unicast on port 443. It asks after name
// resolution, in the last moment before connect, so a name that changes its address gains nothing.
type guard struct {
	resolver      *net.Resolver
	timeout       time.Duration
	allowLoopback bool
	refuse        func(netip.AddrPort) bool
}

// dial connects to host:port. Loopback is allowed only for hosts that are loopback by their
// spelling: a public name that resolves to 127.0.0.1 stays refused in a local run too.
func (g *guard) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	loopback := g.allowLoopback && isLoopbackHost(host)
	check := func(a netip.AddrPort) error { return g.check(a, loopback) }
	d := net.Dialer{Timeout: g.timeout, Resolver: g.resolver,
		Control: func(network, address string, _ syscall.RawConn) error {
			a, err := netip.ParseAddrPort(address)
			if err != nil || !strings.HasPrefix(network, "tcp") {
				return &BlockedError{}
			}
			return check(a)
		}}
	conn, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	remote, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if err != nil {
		_ = conn.Close()
		return nil, &BlockedError{}
	}
	return &guardedConn{Conn: conn, remote: netip.AddrPortFrom(remote.Addr().Unmap(), remote.Port()), check: check}, nil
}

func (g *guard) check(a netip.AddrPort, loopback bool) error {
	allowed := isGlobal(a.Addr()) && a.Port() == httpsPort || loopback && isLoopback(a.Addr())
	if !allowed || g.refuse != nil && g.refuse(a) {
		return &BlockedError{a}
	}
	return nil
}

// guardedConn asks again before every write, so that a connection kept alive does not outlive the
// permission to use its address.
type guardedConn struct {
	net.Conn
	remote  netip.AddrPort
	check   func(netip.AddrPort) error
	blocked atomic.Bool
}

// Write sends b, or closes the connection if its address is no longer allowed.
func (c *guardedConn) Write(b []byte) (int, error) {
	if err := c.check(c.remote); err != nil {
		c.blocked.Store(true)
		_ = c.Close()
		return 0, err
	}
	return c.Conn.Write(b)
}
