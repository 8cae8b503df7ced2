package telemetry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/nethouse-academy/albato/shared/telemetry"
)

func logged(t *testing.T, level string, write func(*slog.Logger)) (text string, line map[string]any) {
	t.Helper()
	var out bytes.Buffer
	write(telemetry.NewLogger(&out, level, "sender", "1.2.3"))
	if out.Len() > 0 {
		if err := json.Unmarshal(out.Bytes(), &line); err != nil {
			t.Fatalf("%s: %v", &out, err)
		}
	}
	return out.String(), line
}

func TestListedKeysAreWritten(t *testing.T) {
	_, line := logged(t, "info", func(l *slog.Logger) {
		l.Info("delivery attempted",
			telemetry.DeliveryID, "dlv_1", telemetry.ConnectionID, "con_1", telemetry.Status, 200, telemetry.Attempt, int64(3),
			telemetry.DurationMS, 87*time.Millisecond.Milliseconds(), telemetry.Code, "http_404", telemetry.Route, "POST /v1/events",
			telemetry.NextAttempt, time.Unix(0, 0).UTC(), telemetry.OrderID, "79991234567", telemetry.Count, uint(2), telemetry.State, true)
	})
	for key, want := range map[string]any{
		"msg": "delivery attempted", "level": "INFO", "service": "sender", "version": "1.2.3",
		"delivery_id": "dlv_1", "connection_id": "con_1", "status": 200.0, "attempt": 3.0, "duration_ms": 87.0, "code": "http_404",
		"route": "POST /v1/events", "next_attempt_at": "1970-01-01T00:00:00Z", "order_id": "79991234567", "count": 2.0, "state": true,
	} {
		if line[key] != want {
			t.Errorf("%s: %v, want %v", key, line[key], want)
		}
	}
	if line["time"] == nil {
		t.Error("no time")
	}
}

type secretive struct{ Inner string }

func (secretive) String() string { return "masked" }

type valuer struct{ s string }

func (v valuer) LogValue() slog.Value { return slog.StringValue(v.s) }

// Whatever is put under a key that is not listed, or in a form that cannot be looked through, is lost.
func TestOtherKeysAndShapesAreDropped(t *testing.T) {
	const secret = "s3cr3t-of-ivan"
	for name, write := range map[string]func(*slog.Logger){
		"string":              func(l *slog.Logger) { l.Info("x", "body", secret) },
		"number under a name": func(l *slog.Logger) { l.Info("x", "phone_s3cr3t", 79991234567) },
		"bytes":               func(l *slog.Logger) { l.Info("x", "payload", []byte(secret)) },
		"valuer":              func(l *slog.Logger) { l.Info("x", "payload", valuer{secret}) },
		"struct":              func(l *slog.Logger) { l.Info("x", telemetry.Error, secretive{secret}) },
		"pointer":             func(l *slog.Logger) { l.Info("x", telemetry.Status, &secretive{secret}) },
		"map":                 func(l *slog.Logger) { l.Info("x", telemetry.Code, map[string]string{secret: secret}) },
		"bytes under code":    func(l *slog.Logger) { l.Info("x", telemetry.Code, []byte(secret)) },
		"in a group":          func(l *slog.Logger) { l.Info("x", slog.Group("event", "email", secret)) },
		"group of a logger":   func(l *slog.Logger) { l.WithGroup("g").Info("x", telemetry.Code, secret) },
		"secret as the key":   func(l *slog.Logger) { l.Info("x", secret, 1) },
		"bound":               func(l *slog.Logger) { l.With("token", secret).Info("x") },
		"key without a value": func(l *slog.Logger) { l.Info("x", []any{secret}...) },
		"long key":            func(l *slog.Logger) { l.Info("x", strings.Repeat("a", 50)+secret, 1) },
	} {
		t.Run(name, func(t *testing.T) {
			text, _ := logged(t, "info", write)
			if strings.Contains(text, "s3cr3t-of-ivan") || strings.Contains(text, "79991234567") ||
				strings.Contains(text, "czNjcjN0") || !strings.Contains(text, telemetry.Dropped) {
				t.Errorf("%s", text)
			}
		})
	}
}

// A struct that knows what may be logged of it is looked through.
func TestListedKeysWithinAListedGroup(t *testing.T) {
	_, line := logged(t, "info", func(l *slog.Logger) {
		l.Info("x", slog.Group(telemetry.Action, telemetry.Status, 1, "body", "b"))
	})
	group, _ := line["action"].(map[string]any)
	if group["status"] != 1.0 || group["body"] != telemetry.Dropped {
		t.Errorf("%v", line)
	}
}

func TestErrorsAreCleaned(t *testing.T) {
	link := "https://h.albato.ru/wh/38/1lfXyZ9/AbCdEfGhIjKlMnOpQrStUvWxYz/"
	for name, err := range map[string]error{
		"url.Error":         &url.Error{Op: "Post", URL: link, Err: errors.New("refused")},
		"wrapped url.Error": fmt.Errorf("posting: %w", &url.Error{Op: "Post", URL: "odd AbCdEf link", Err: errors.New("refused")}),
		"quoted url.Error":  fmt.Errorf("posting: %w", &url.Error{Op: "Post", URL: "odd \"AbCdEf\" link", Err: errors.New("refused")}),
		"link in a text":    fmt.Errorf("posting to %q: refused", link),
		"path in a text":    errors.New("GET /wh/38/1lfXyZ9/AbCdEfGh refused"),
		"link that was cut": errors.New("GET https://h.albato.ru/wh/38/AbCdEf… refused"),
		"old path":          errors.New(`"/h/38/AbCdEfGh%253D" refused`),
		"secret":            errors.New("refused whsec_AbCdEfGhIjKlMnOpQrStUvWxYz012345="),
		"page token":        errors.New("refused eyJhbGciOiJIUzI1NiJ9.eyJBbCdEfGhIjKlMn.AbCdEf"),
		"account token":     errors.New("refused alb_AbCdEfGhIjKlMnOpQrStUvWxYz0123456789-_Qk9Qw"),
		"bearer":            errors.New("refused Authorization: Bearer AbCdEfGh"),
		"e-mail":            errors.New("refused <AbCdEf@example.com>"),
		"phone":             errors.New("refused +7 (999) 123-45-67"),
		"phone, domestic":   errors.New("refused 8 999 123-45-67."),
		"phone, digits":     errors.New("refused 79991234567"),
		"long":              errors.New("refused " + strings.Repeat("я", 5000)),
	} {
		t.Run(name, func(t *testing.T) {
			for how, write := range map[string]func(*slog.Logger){
				"Err":    func(l *slog.Logger) { l.Error("x", telemetry.Err(err)) },
				"any":    func(l *slog.Logger) { l.Error("x", telemetry.Error, err) },
				"string": func(l *slog.Logger) { l.Error(err.Error()) },
			} {
				if how == "string" && (strings.HasPrefix(name, "phone, ") || strings.Contains(name, "url.Error") && name != "url.Error") {
					continue // without the error's type it looks like an id, or like any other words
				}
				text, _ := logged(t, "info", write)
				for _, leak := range []string{"AbCdEf", "1lfXyZ9", "123-45-67", "79991234567"} {
					if strings.Contains(text, leak) {
						t.Errorf("%s: %s", how, text)
					}
				}
				if !strings.Contains(text, "refused") || len(text) > 1500 {
					t.Errorf("%s: %d bytes: %s", how, len(text), text)
				}
			}
		})
	}
	if telemetry.ErrText(nil) != "" {
		t.Error("no error has no text")
	}
}

func TestMaskedLinkStaysReadable(t *testing.T) {
	_, line := logged(t, "info", func(l *slog.Logger) {
		l.Info("x", telemetry.Link, valuer{"https://h.albato.ru/wh/38/1lf…/…k9Qw/"})
	})
	if line["link"] != "https://h.albato.ru/wh/38/1lf…/…k9Qw/" {
		t.Errorf("%v", line["link"])
	}
}

func TestLevels(t *testing.T) {
	for level, want := range map[string]bool{"debug": true, "DEBUG": true, "info": false, "warn": false, "": false, "loud": false} {
		text, _ := logged(t, level, func(l *slog.Logger) { l.Debug("x") })
		if (text != "") != want {
			t.Errorf("%q: %q", level, text)
		}
	}
	for level, want := range map[string]bool{"info": true, "warn": false, "error": false, "loud": true} {
		text, _ := logged(t, level, func(l *slog.Logger) { l.Info("x") })
		if (text != "") != want {
			t.Errorf("%q: %q", level, text)
		}
	}
}

func TestPanicTellsWhereAndNotWhat(t *testing.T) {
	text, _ := logged(t, "info", func(l *slog.Logger) {
		defer func() { l.Error("panic", telemetry.Panic(recover())) }()
		panic(errors.New("s3cr3t"))
	})
	if strings.Contains(text, "s3cr3t") || !strings.Contains(text, "TestPanicTellsWhereAndNotWhat") || !strings.Contains(text, "*errors.errorString") {
		t.Errorf("%s", text)
	}
	text, _ = logged(t, "info", func(l *slog.Logger) {
		defer func() { l.Error("panic", telemetry.Panic(recover())) }()
		var none []int
		_ = none[len(text)] // a fault of the runtime's own, whose text is safe
	})
	if !strings.Contains(text, "out of range") {
		t.Errorf("%s", text)
	}
}

func TestHTTPLine(t *testing.T) {
	_, line := logged(t, "info", func(l *slog.Logger) {
		telemetry.LogHTTP(context.Background(), l, telemetry.HTTPRequest{Method: "BREW", Route: "GET /x/{id}", Status: 503,
			Duration: 1500 * time.Microsecond, RequestID: "r", Err: errors.New("throttled")})
	})
	for key, want := range map[string]any{"method": "other", "route": "GET /x/{id}", "status": 503.0, "duration_ms": 1.0,
		"request_id": "r", "error": "throttled", "level": "ERROR"} {
		if line[key] != want {
			t.Errorf("%s: %v, want %v", key, line[key], want)
		}
	}
}
