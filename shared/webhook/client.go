package webhook

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Options configure a [Client]. The zero value of each field but Rules is a sensible default.
type Options struct {
	// Rules are checked before every attempt.
	Rules Rules
	// Version goes into the user agent.
	Version string
	// Timeout is the one deadline of an attempt, from dialling to the last byte read; default 10 s.
	Timeout time.Duration
	// MaxConnsPerHost limits connections to one host, 0 for no limit. All links of a receiver share
	// one host, so a limit below the sender's concurrency makes attempts wait for each other.
	MaxConnsPerHost int
	// MaxIdleConnsPerHost is how many connections to one host are kept alive; default 64.
	MaxIdleConnsPerHost int
	// Resolver looks hosts up, nil for the system's. What it answers passes the same guard.
	Resolver *net.Resolver
	// RootCAs are the certificate authorities trusted, nil for the system's.
	RootCAs *x509.CertPool
	// Refuse refuses more addresses than the guard already does; it cannot allow any. It is asked
	// when dialling and again before each use of a connection kept alive.
	Refuse func(netip.AddrPort) bool
	// Now is the clock of the timestamps, nil for the real one.
	Now func() time.Time
}

const (
	defaultTimeout  = 10 * time.Second
	defaultIdle     = 64
	maxRead         = 16 << 10 // of an answer
	maxKept         = 1 << 10
	maxHeaders      = 32 << 10
	idleTimeout     = 45 * time.Second
	h2PingAfter     = 5 * time.Second // of silence while a request waits
	h2PingTimeout   = 3 * time.Second
	userAgentPrefix = "NethouseAcademy-Albato/"
)

// Client posts deliveries. A process needs one; it keeps connections alive and is safe for
// concurrent use.
//
// It follows no redirect, uses no proxy, asks for no compression and undoes none, reads at most
// 16 KiB of an answer and 32 KiB of headers, and connects to nothing but public addresses on port
// 443 (and, with Rules.AllowLoopback, to this machine for links that name it).
type Client struct {
	rules     Rules
	transport *http.Transport
	timeout   time.Duration
	userAgent string
	now       func() time.Time
	lastUsed  atomic.Int64 // wall clock, Unix nanoseconds
}

// NewClient returns a client with these options.
func NewClient(o Options) *Client {
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.MaxIdleConnsPerHost <= 0 {
		o.MaxIdleConnsPerHost = defaultIdle
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	g := &guard{resolver: o.Resolver, timeout: o.Timeout, allowLoopback: o.Rules.AllowLoopback, refuse: o.Refuse}
	return &Client{
		rules: o.Rules, timeout: o.Timeout, now: o.Now, userAgent: userAgentPrefix + product(o.Version),
		transport: &http.Transport{
			Proxy:                  nil, // on purpose: an environment variable must not redirect deliveries
			DialContext:            g.dial,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.RootCAs},
			TLSHandshakeTimeout:    o.Timeout, // bounds a handshake that outlives its request
			ForceAttemptHTTP2:      true,
			DisableCompression:     true,
			MaxConnsPerHost:        o.MaxConnsPerHost,
			MaxIdleConns:           2 * o.MaxIdleConnsPerHost,
			MaxIdleConnsPerHost:    o.MaxIdleConnsPerHost,
			IdleConnTimeout:        idleTimeout,
			MaxResponseHeaderBytes: maxHeaders,
			// A dead HTTP/2 connection would otherwise swallow every attempt to its host.
			HTTP2: &http.HTTP2Config{SendPingTimeout: h2PingAfter, PingTimeout: h2PingTimeout},
		},
	}
}

// product keeps what a user agent may hold (RFC 9110 §5.6.2, token).
func product(version string) string {
	version = strings.Map(func(c rune) rune {
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.ContainsRune("._-+", c) {
			return c
		}
		return -1
	}, version)
	if version == "" {
		return "dev"
	}
	return version
}

// Request is one attempt to deliver.
type Request struct {
	Link       Link
	DeliveryID string // webhook-id, the same on every attempt
	Attempt    int    // from 1
	Body       []byte // sent as it is
	// Secrets sign, the current one first, then the previous one while both are valid. At least one.
	Secrets []Secret
	// Timeout shortens the client's, for a caller that has less time left; 0 leaves it.
	Timeout time.Duration
}

// Result is what became of an attempt. It may be logged: its log form has neither the receiver's
// answer nor the error's text.
type Result struct {
	// Status of the answer, 0 without one.
	Status int
	// Code is empty for a 2xx, otherwise stable: see the Code constants, and http_<status>.
	Code string
	// Err is why there was no answer. It never contains the link.
	Err error
	// RetryAfter is what the receiver asked for, 0 if nothing.
	RetryAfter time.Duration
	// Response is the beginning of the answer's body, at most 1 KiB of valid UTF-8. It may hold
	// personal data: it is for the organiser, not for logs.
	Response []byte
	// Duration of the attempt.
	Duration time.Duration
}

// Delivered tells whether the receiver has taken the delivery: any 2xx.
func (r Result) Delivered() bool { return r.Code == "" && r.Status/100 == 2 }

// OurFault tells that the attempt says nothing about the receiver and must not be counted: it was
// interrupted from our side or failed inside of us.
func (r Result) OurFault() bool { return r.Code == CodeInterrupted || r.Code == CodeInternal }

// LogValue gives what may be logged.
func (r Result) LogValue() slog.Value {
	return slog.GroupValue(slog.Int("status", r.Status), slog.String("code", r.Code),
		slog.Int64("duration_ms", r.Duration.Milliseconds()))
}

// errDeadline tells our own deadline from the end of the caller's context.
var errDeadline = errors.New("no complete answer in time")

// Post makes one attempt. Everything that can happen is in the result; nothing is retried, but for
// a request of which not a byte was sent because a kept connection had been closed.
//
// If ctx ends first the code is [CodeInterrupted] and the receiver may or may not have got it. Once
// the status line has come it decides, whatever happens to the rest of the answer: an answered
// delivery must not be sent twice for the sake of a body nobody needs.
func (c *Client) Post(ctx context.Context, r Request) Result {
	start := time.Now()
	c.dropStale(start)
	res := c.post(ctx, r)
	res.Duration = time.Since(start)
	return res
}

func (c *Client) post(parent context.Context, r Request) Result {
	if err := c.rules.Check(r.Link.Reveal()); err != nil {
		return Result{Code: CodeBlocked, Err: err}
	}
	timeout := c.timeout
	if r.Timeout > 0 {
		timeout = min(timeout, r.Timeout)
	}
	ctx, cancel := context.WithTimeoutCause(parent, timeout, errDeadline)
	defer cancel()
	var seen progress
	req, err := c.request(httptrace.WithClientTrace(ctx, seen.trace()), r)
	if err != nil {
		return Result{Code: CodeInternal, Err: err}
	}
	res, err := c.transport.RoundTrip(req)
	if err != nil {
		return Result{Code: classify(ctx, err, &seen), Err: err}
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode < 200 {
		return Result{Status: res.StatusCode, Code: CodeInvalidResponse, Err: errors.New("the receiver switched protocols")}
	}
	out := Result{Status: res.StatusCode, RetryAfter: retryAfter(res.Header.Get("Retry-After"), c.now())}
	if out.Status/100 != 2 {
		out.Code = httpCode(out.Status)
	}
	out.Response = readSome(res)
	return out
}

func (c *Client) request(ctx context.Context, r Request) (*http.Request, error) {
	now := c.now()
	signature, err := SignatureHeader(r.Secrets, r.DeliveryID, now, r.Body)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.Link.Reveal(), bytes.NewReader(r.Body))
	if err != nil {
		return nil, errors.New("the link cannot be requested") // the error itself repeats the link
	}
	req.Header = http.Header{
		"Content-Type":      {"application/json; charset=utf-8"},
		"User-Agent":        {c.userAgent},
		"Accept-Encoding":   {"identity"},
		"Webhook-Id":        {r.DeliveryID},
		"Webhook-Timestamp": {strconv.FormatInt(now.Unix(), 10)},
		"Webhook-Signature": {signature},
		"Webhook-Attempt":   {strconv.Itoa(r.Attempt)},
	}
	return req, nil
}

// dropStale closes kept connections after a pause by the wall clock. A function is frozen between
// invocations and its timers with it: the receiver has long closed what the transport still
// believes in, and a request written to it would be lost without a way to know.
func (c *Client) dropStale(now time.Time) {
	last := c.lastUsed.Swap(now.UnixNano())
	if last != 0 && now.UnixNano()-last > int64(idleTimeout) {
		c.transport.CloseIdleConnections()
	}
}

// Close closes the connections kept alive.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// readSome reads a little of the answer, so that the connection can be used again after a short
// one; a longer one is left where it is, and its connection closed.
func readSome(res *http.Response) []byte {
	kept, err := io.ReadAll(io.LimitReader(res.Body, maxKept))
	if err == nil {
		_, _ = io.CopyN(io.Discard, res.Body, maxRead-maxKept)
	}
	if e := res.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return nil // we said identity; what it hides is not worth a decompressor
	}
	return validPrefix(kept)
}

// validPrefix makes text of what was kept: no half character at the cut, U+FFFD for what is not
// UTF-8, and never more than maxKept bytes.
func validPrefix(b []byte) []byte {
	if len(b) == maxKept {
		b = trimPartialRune(b)
	}
	b = bytes.ToValidUTF8(b, []byte("\uFFFD"))
	if len(b) > maxKept {
		b = trimPartialRune(b[:maxKept])
	}
	return b
}

func retryAfter(value string, now time.Time) time.Duration {
	value = strings.TrimSpace(value)
	if value == "" {
		return 0
	}
	if seconds, err := strconv.ParseUint(value, 10, 64); err == nil || errors.Is(err, strconv.ErrRange) {
		return time.Duration(min(seconds, uint64(maxRetryAfter/time.Second))) * time.Second
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), maxRetryAfter)
}

// maxRetryAfter keeps a stranger's number from overflowing; whoever schedules has his own cap.
const maxRetryAfter = 7 * 24 * time.Hour

func httpCode(status int) string { return fmt.Sprintf("http_%d", status) }
