package webhook

import (
	"context"
	"net"
	"net/netip"
	"time"
)

// Dial is the client's own way to connect, without the rules for links before it.
func (c *Client) Dial(ctx context.Context, address string) (net.Conn, error) {
	return c.transport.DialContext(ctx, "tcp", address)
}

// Freeze pretends that the process was frozen for so long since its last attempt.
func (c *Client) Freeze(d time.Duration) { c.lastUsed.Add(-int64(d)) }

// IsGlobal is the guard's judgement of one address.
func IsGlobal(a netip.Addr) bool { return isGlobal(a) }
