package event

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/nethouse-academy/albato/shared/problem"
	"github.com/nethouse-academy/albato/shared/strictjson"
)

const (
	// MaxBytes is the size limit of a request that carries an event.
	MaxBytes = 256 << 10
	// maxOrderID bounds data.order.id, which becomes an attribute, a filter and a part of an address.
	maxOrderID = 128
)

const (
	maxEventID   = 128
	maxAccountID = 64
)

// validID tells whether s is 1 to longest characters of A–Z, a–z, 0–9 and _.:- alone.
func validID(s string, longest int) bool {
	if s == "" || len(s) > longest {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '.', c == ':', c == '-':
		default:
			return false
		}
	}
	return true
}

// ValidAccountID tells whether s may be an account's id.
func ValidAccountID(s string) bool { return validID(s, maxAccountID) }

// ValidOrderID tells whether s may be an order's id: 1–128 bytes of UTF-8 without control characters, and without U+FFFE
// and U+FFFF, which a queue's message may not have and the id travels in its head.
func ValidOrderID(s string) bool {
	return s != "" && len(s) <= maxOrderID && utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl) &&
		!strings.ContainsAny(s, "\uFFFE\uFFFF")
}

// Parse reads one event from raw, which it keeps a part of: the caller must not change raw afterwards.
// Errors are *problem.Error: 413 over MaxBytes, 400 when raw is not strict JSON (package strictjson), 422 with every wrong
// field otherwise.
func Parse(raw []byte) (Event, error) {
	if len(raw) > MaxBytes {
		return Event{}, problem.New(problem.PayloadTooLarge, "an event may be up to 256 KiB")
	}
	envelope, err := strictjson.Read(raw)
	if err != nil {
		return Event{}, err
	}
	if envelope.Kind() != '{' {
		return Event{}, problem.New(problem.InvalidRequest, "the body must be a JSON object")
	}
	var e Event
	var wrong problem.Fields
	missing := []string{"id", "account_id", "occurred_at", "data"}
	for name, value := range members(envelope) {
		name := string(name)
		switch name {
		case "id":
			e.ID = matching(value, maxEventID, name, "1–128 characters of A-Za-z0-9_.:-", &wrong)
		case "account_id":
			e.AccountID = matching(value, maxAccountID, name, "1–64 characters of A-Za-z0-9_.:-", &wrong)
		case "occurred_at":
			e.OccurredAt = instant(value, name, &wrong)
		case "data":
			e.data(value, &wrong)
		default:
			wrong.Add(name, "is not a field of an event")
		}
		missing = slices.DeleteFunc(missing, func(m string) bool { return m == name })
	}
	for _, name := range missing {
		wrong.Add(name, "is required")
	}
	if err := wrong.Err(); err != nil {
		return Event{}, err
	}
	return e, nil
}

// data checks what we need of the Academy's object and keeps all of it.
func (e *Event) data(value jsontext.Value, wrong *problem.Fields) {
	if value.Kind() != '{' {
		wrong.Add("data", "must be an object")
		return
	}
	e.Data = value
	var action, order, ticket jsontext.Value
	for name, value := range members(value) {
		switch string(name) {
		case "action":
			action = value
		case "order":
			order = value
		case "order_ticket":
			ticket = value
		}
	}
	switch {
	case action == nil:
		wrong.Add("data.action", "is required")
	case action.Kind() != '"' || !Action(text(action)).Valid():
		wrong.Add("data.action", "must be one of "+strings.Join(actionNames(), ", "))
	default:
		e.Action = Action(text(action))
	}
	e.OrderID = idOf(order, "data.order", wrong)
	if e.Action.needsTicket() {
		idOf(ticket, "data.order_ticket", wrong)
	}
}

// idOf reads the id of an object at path: a number or a string.
func idOf(object jsontext.Value, path string, wrong *problem.Fields) string {
	if object != nil && object.Kind() != '{' && object.Kind() != 'n' {
		wrong.Add(path, "must be an object")
		return ""
	}
	var id jsontext.Value
	for name, value := range members(object) {
		if string(name) == "id" {
			id = value
			break
		}
	}
	if id == nil {
		wrong.Add(path+".id", "is required")
		return ""
	}
	var s string
	switch id.Kind() {
	case '0':
		s = string(id) // the digits as they were written: a float would lose the long ones
	case '"':
		s = text(id)
	default:
		wrong.Add(path+".id", "must be a number or a string")
		return ""
	}
	if !ValidOrderID(s) {
		wrong.Add(path+".id", "must have 1–"+strconv.Itoa(maxOrderID)+" bytes and no control characters")
		return ""
	}
	return s
}

func matching(value jsontext.Value, longest int, name, want string, wrong *problem.Fields) string {
	if value.Kind() == '"' {
		if s := text(value); validID(s, longest) {
			return s
		}
	}
	wrong.Add(name, "must be "+want)
	return ""
}

func instant(value jsontext.Value, name string, wrong *problem.Fields) time.Time {
	if value.Kind() == '"' {
		t, err := time.Parse(time.RFC3339, text(value))
		// The year bounds are those of a ULID's time (from 1970) and of RFC 3339 (four digits).
		if err == nil && t.UTC().Year() >= 1970 && t.UTC().Year() <= 9999 {
			return t.UTC()
		}
	}
	wrong.Add(name, "must be a time as in RFC 3339, for example 2026-11-23T08:05:00Z")
	return time.Time{}
}
