package webhook_test

import (
	"context"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nethouse-academy/albato/shared/webhook"
)

// FuzzLink holds the rules against the dialer. Whatever passes the rules is posted, with the host
// itself on the allow-list, as if an operator had been careless: then the dialer alone stands
// between the link and the network, and it may let through nothing but public addresses on port
// 443. If the host is an address in any spelling that a resolver might understand, the address
// must be judged as what it means.
func FuzzLink(f *testing.F) {
	for _, seed := range []string{
		rawURL, "https://127.0.0.1/", "https://2130706433/", "https://0x7f000001/", "https://0177.0.0.1/", "https://127.1/",
		"https://[::ffff:127.0.0.1]/", "https://[64:ff9b::7f00:1]/", "https://[2002:7f00:1::]/", "https://[fe80::1%25lo]/",
		"https://169.254.169.254/latest/meta-data", "http://localhost:9001/", "https://h.albato.ru@127.0.0.1/",
		"https://h.albato.ru#@127.0.0.1/", `https://h.albato.ru\@127.0.0.1/`, "https://h.albato.ru:443/", "https://8.8.8.8/x",
		"https://h.albato.ru/%253D?a=%zz", "https://①②⑦.⓪.⓪.①/", "https://0/", "https://0x7f.1/x", "//127.0.0.1/",
	} {
		f.Add(seed)
	}
	// A resolver such as a C library's: it understands the old spellings of addresses.
	f.Fuzz(func(t *testing.T, raw string) {
		if public.Check(raw) == nil {
			checkPublicLink(t, raw)
		}
		u, err := url.Parse(raw)
		if err != nil || u.Hostname() == "" {
			return
		}
		careless := webhook.Rules{AllowedHosts: []string{u.Hostname()}}
		if careless.Check(raw) != nil {
			return
		}
		meant, isAddress := oldSpelling(u.Hostname())
		if !isAddress {
			return // a name: what it resolves to is the business of the other tests
		}
		var rec recorder
		c := webhook.NewClient(webhook.Options{Rules: careless, Refuse: rec.refuse, Timeout: 5 * time.Second, Resolver: offline})
		defer c.Close()
		if res := c.Post(t.Context(), request(raw)); res.Code != webhook.CodeBlocked && res.Code != webhook.CodeDNS {
			t.Fatalf("%q: code %q, want it refused", raw, res.Code)
		}
		for _, a := range rec.passed() {
			if a.Port() != 443 || a.Addr() != meant || !plainlyPublic(a.Addr()) {
				t.Fatalf("%q: the guard let %v through", raw, a)
			}
		}
	})
}

// checkPublicLink says what a link is that passed the real rules.
func checkPublicLink(t *testing.T, raw string) {
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatalf("%q passed and cannot be parsed", raw)
	}
	host := strings.ToLower(u.Host)
	if u.Scheme != "https" || host != "h.albato.ru" && host != "h.albato.com" || u.User != nil || u.Fragment != "" || len(raw) > 512 {
		t.Fatalf("%q passed", raw)
	}
	if rest := raw[len("https://")+len(host):]; u.Path != "" && u.RequestURI() != rest {
		t.Fatalf("%q would be sent as %q", raw, u.RequestURI())
	}
}

// offline finds nothing, without a network.
var offline = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
	return nil, &net.DNSError{Err: "offline", IsNotFound: true}
}}

// oldSpelling reads an address as inet_aton does: one to four parts, decimal, octal or hexadecimal;
// or any literal of IPv6.
func oldSpelling(host string) (netip.Addr, bool) {
	if a, err := netip.ParseAddr(host); err == nil {
		return a, true
	}
	parts := strings.Split(host, ".")
	if len(parts) > 4 {
		return netip.Addr{}, false
	}
	var value uint64
	for i, p := range parts {
		n, err := strconv.ParseUint(p, 0, 32)
		last := i == len(parts)-1
		room := uint(8)
		if last {
			room = uint(8 * (5 - len(parts)))
		}
		if err != nil || strings.ContainsAny(p, "_bBoO") || n>>room != 0 {
			return netip.Addr{}, false
		}
		value = value<<room | n
	}
	return netip.AddrFrom4([4]byte{byte(value >> 24), byte(value >> 16), byte(value >> 8), byte(value)}), true
}

// plainlyPublic is a second opinion, made of the standard library's own predicates.
func plainlyPublic(a netip.Addr) bool {
	return a.IsGlobalUnicast() && !a.IsPrivate() && !a.IsLoopback() && !a.IsLinkLocalUnicast() && !a.Is4In6() &&
		a.Zone() == "" && !netip.MustParsePrefix("100.64.0.0/10").Contains(a) && !netip.MustParsePrefix("0.0.0.0/8").Contains(a)
}

// FuzzMask: the hint never gives away the token of a link of the usual form, whatever it is.
func FuzzMask(f *testing.F) {
	f.Add(token)
	f.Add("a/b?c#d")
	f.Add("%41%42")
	f.Fuzz(func(t *testing.T, secret string) {
		masked := webhook.Link("https://h.albato.ru/wh/38/1lfXyZ9/" + secret + "/").String()
		// Two marks and the hints aside, at most 4 characters of the last part are shown.
		if len(secret) > 12 && strings.Contains(masked, secret[:12]) {
			t.Fatalf("%q shows %q", masked, secret[:12])
		}
		if len(masked) > 200 {
			t.Fatalf("%d bytes of %q", len(masked), masked)
		}
	})
}
