// Package event holds what the Academy posts: an event of an order or a ticket, one of six actions. It parses strictly,
// reports every wrong field at once, and keeps the Academy's data byte for byte.
package event

import (
	"crypto/sha256"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"
)

// Action is one of the six triggers of Nethouse.Academy; its value is what Albato's filter compares.
type Action string

// The six actions, in the order in which an order lives through them.
const (
	OrderCreate       Action = "order_create"
	OrderTicketCreate Action = "order_ticket_create"
	OrderTicketUpdate Action = "order_ticket_update"
	OrderUpdate       Action = "order_update"
	OrderComplete     Action = "order_complete"
	OrderTicketCancel Action = "order_ticket_cancel"
)

// Valid tells whether a is one of the six actions.
func (a Action) Valid() bool { _, ok := byAction[a]; return ok }

// needsTicket: the action is about one ticket, which the event must name.
func (a Action) needsTicket() bool {
	return strings.HasPrefix(string(a), "order_ticket_")
}

// Event is one accepted event. The zero value is not valid; Parse makes one.
type Event struct {
	ID         string    // the Academy's idempotency key, 1–128 of A-Za-z0-9_.:-
	AccountID  string    // the organiser's account, 1–64 of the same
	OccurredAt time.Time // UTC; part of the identity, so a repeat carries the same one
	Action     Action
	OrderID    string // data.order.id: a number's digits as written, or the string
	Data       []byte // the Academy's object exactly as it came
}

// Body is the JSON that the receiver gets. It is built once, when the event is accepted, and only copied afterwards.
// The action stands twice, beside data and in it, because it is not documented which of the two Albato's filter
// `data.action` means.
func (e Event) Body(test bool) []byte {
	b := make([]byte, 0, len(e.Data)+len(e.ID)+len(e.AccountID)+160)
	b = append(b, `{"id":"`...)
	b = append(b, e.ID...) // ids are of a set of characters that needs no escaping
	b = append(b, `","action":"`...)
	b = append(b, e.Action...)
	b = append(b, `","occurred_at":"`...)
	b = e.OccurredAt.UTC().AppendFormat(b, time.RFC3339Nano)
	b = append(b, `","account_id":"`...)
	b = append(b, e.AccountID...)
	b = append(b, `","test":`...)
	b = strconv.AppendBool(b, test)
	b = append(b, `,"data":`...)
	b = append(b, e.Data...)
	return append(b, '}')
}

// Posted is the request with which the Academy would post e.
func (e Event) Posted() []byte {
	b := make([]byte, 0, len(e.Data)+len(e.ID)+len(e.AccountID)+100)
	b = append(b, `{"id":"`...)
	b = append(b, e.ID...)
	b = append(b, `","account_id":"`...)
	b = append(b, e.AccountID...)
	b = append(b, `","occurred_at":"`...)
	b = e.OccurredAt.UTC().AppendFormat(b, time.RFC3339Nano)
	b = append(b, `","data":`...)
	b = append(b, e.Data...)
	return append(b, '}')
}

// DeliveryID is the id of this event's delivery to one connection: `dlv_` and a ULID whose time is OccurredAt and whose
// entropy is the first 80 bits of SHA-256(account, event id, connection id). The same event always gives the same id,
// which is what makes a repeat harmless days later, and ids sort by the time of the event.
func (e Event) DeliveryID(connectionID string) string {
	h := sha256.New()
	// NUL cannot stand in an id, so no two triples hash alike.
	fmt.Fprintf(h, "%s\x00%s\x00%s", e.AccountID, e.ID, connectionID)
	var id ulid.ULID
	_ = id.SetTime(ulid.Timestamp(e.OccurredAt)) // Parse has refused times that do not fit
	_ = id.SetEntropy(h.Sum(nil)[:10])           // ten bytes always fit
	return "dlv_" + id.String()
}
