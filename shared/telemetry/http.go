package telemetry

import (
	"context"
	"log/slog"
	"time"
)

// HTTPRequest is one request that was served.
type HTTPRequest struct {
	Method string
	// Route is the pattern that matched, never the path: paths carry ids.
	Route     string
	Status    int
	Duration  time.Duration
	RequestID string
	// Err is the reason behind a 5xx.
	Err error
}

// LogHTTP writes the one line of a request: an error for a 5xx, otherwise info.
func LogHTTP(ctx context.Context, l *slog.Logger, r HTTPRequest) {
	level := slog.LevelInfo
	if r.Status >= 500 {
		level = slog.LevelError
	}
	attrs := make([]slog.Attr, 0, 6)
	attrs = append(attrs,
		slog.String(Method, knownMethod(r.Method)),
		slog.String(Route, r.Route),
		slog.Int(Status, r.Status),
		Milliseconds(DurationMS, r.Duration),
		slog.String(RequestID, r.RequestID))
	if r.Err != nil {
		attrs = append(attrs, Err(r.Err))
	}
	l.LogAttrs(ctx, level, "request", attrs...)
}

// Milliseconds is a duration as a whole number of milliseconds.
func Milliseconds(key string, d time.Duration) slog.Attr { return slog.Int64(key, d.Milliseconds()) }

// knownMethod does not repeat what a stranger made up.
func knownMethod(m string) string {
	switch m {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS":
		return m
	}
	return "other"
}
