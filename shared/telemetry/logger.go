// Package telemetry writes the functions' log lines and metrics, and makes it hard to leak.
//
// No body, link, token, secret, e-mail or phone may stand in a log line. Care alone does not keep
// that promise, so the handler writes only attributes whose key is on a list: what is put under any
// other key is lost, visibly. Errors go through [Err], which removes what errors tend to carry.
package telemetry

import (
	"io"
	"log/slog"
	"strings"
)

// The keys a log line may have.
const (
	RequestID    = "request_id"
	AccountID    = "account_id"
	ConnectionID = "connection_id"
	DeliveryID   = "delivery_id"
	EventID      = "event_id"
	OrderID      = "order_id"
	Action       = "action"
	Attempt      = "attempt"
	Status       = "status"
	Code         = "code"
	State        = "state"
	Count        = "count"
	DurationMS   = "duration_ms"
	NextAttempt  = "next_attempt_at"
	Method       = "method"
	Route        = "route"
	Queue        = "queue"
	Function     = "function"
	Service      = "service"
	Version      = "version"
	Error        = "error"
	Stack        = "stack"
	MessageID    = "message_id"
	Link         = "link" // the masked form alone: it must be a slog.LogValuer
	Address      = "address"
)

// Dropped stands in place of a value whose key is not on the list.
const Dropped = "[dropped]"

// maxValue is the longest text a value may have, in bytes; nothing on the list needs more.
const maxValue = 1024

// NewLogger returns a logger that writes one JSON object a line to w, with service and version in
// each. level is debug, info, warn or error, in any case; anything else means info.
func NewLogger(w io.Writer, level, service, version string) *slog.Logger {
	var l slog.Level
	if l.UnmarshalText([]byte(level)) != nil {
		l = slog.LevelInfo
	}
	h := slog.NewJSONHandler(w, &slog.HandlerOptions{Level: l, ReplaceAttr: replace})
	return slog.New(h).With(slog.String(Service, service), slog.String(Version, version))
}

// replace is asked for every attribute that is not a group, after LogValuers are resolved.
func replace(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 {
		switch a.Key {
		case slog.TimeKey:
			return a
		case slog.LevelKey:
			if l, ok := a.Value.Any().(slog.Level); ok {
				return slog.String(a.Key, l.String()) // as it is, a level costs a JSON encoder
			}
		case slog.MessageKey:
			return slog.String(a.Key, clean(a.Value.String()))
		}
	}
	if !allowed[a.Key] || !allGroupsAllowed(groups) {
		return slog.String(safeKey(a.Key), Dropped)
	}
	switch a.Value.Kind() {
	case slog.KindString:
		return slog.String(a.Key, clean(a.Value.String()))
	case slog.KindAny:
		// Encoders print what is inside a struct, whatever its String method hides.
		if err, ok := a.Value.Any().(error); ok {
			return slog.String(a.Key, ErrText(err))
		}
		if s, ok := a.Value.Any().([]string); ok {
			return slog.String(a.Key, clean(strings.Join(s, " < ")))
		}
		return slog.String(a.Key, Dropped)
	}
	return a
}

// A group's name is no place for a value either.
func allGroupsAllowed(groups []string) bool {
	for _, g := range groups {
		if !allowed[g] {
			return false
		}
	}
	return true
}

// safeKey keeps a key that reads like an identifier, so that the mistake can be found.
func safeKey(key string) string {
	if len(key) > 40 {
		return "unlisted"
	}
	for _, c := range key {
		if (c < 'a' || c > 'z') && c != '_' {
			return "unlisted"
		}
	}
	return key
}

var allowed = map[string]bool{
	RequestID: true, AccountID: true, ConnectionID: true, DeliveryID: true, EventID: true, OrderID: true,
	Action: true, Attempt: true, Status: true, Code: true, State: true, Count: true, DurationMS: true,
	NextAttempt: true, Method: true, Route: true, Queue: true, Function: true, Service: true, Version: true,
	Error: true, Stack: true, MessageID: true, Link: true, Address: true,
}
