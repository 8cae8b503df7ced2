package delivery

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nethouse-academy/albato/shared/connection"
	"github.com/nethouse-academy/albato/shared/event"
)

// A message of either queue is one line of JSON; a delivery's is followed by a line feed and the body to post, as it is.
// The body is never a JSON string within JSON: it would be escaped, longer, and marshalled twice.
type header struct {
	Kind         kind         `json:"kind"`
	AccountID    string       `json:"account_id"`
	ConnectionID string       `json:"connection_id"`
	DeliveryID   string       `json:"delivery_id,omitempty"`
	EventID      string       `json:"event_id,omitempty"`
	Action       event.Action `json:"action,omitempty"`
	OrderID      string       `json:"order_id,omitempty"`
	AcceptedAt   int64        `json:"accepted_at,omitempty"` // Unix milliseconds
	Retry        string       `json:"retry,omitempty"`
	Encoding     string       `json:"encoding,omitempty"` // of the body: "" or "base64"
}

type kind string

const (
	kindDelivery kind = "delivery"
	kindToken    kind = "token"
)

// Message is a queued delivery.
type Message struct {
	Delivery Delivery
	// Retry marks a retry or replay that somebody asked for, by an id of its own; empty: the event's first delivery.
	Retry string
}

// DeduplicationID is the SQS deduplication id: the delivery's id, so that an event posted again within five minutes is
// queued once; a retry has its own, or it would be swallowed.
func (m Message) DeduplicationID() string {
	if m.Retry == "" {
		return m.Delivery.ID
	}
	return m.Delivery.ID + ":" + m.Retry
}

// Encode gives the message's text.
func (m Message) Encode() (string, error) {
	d := m.Delivery
	h := header{Kind: kindDelivery, AccountID: d.AccountID, ConnectionID: d.ConnectionID, DeliveryID: d.ID,
		EventID: d.EventID, Action: d.Action, OrderID: d.OrderID, AcceptedAt: d.CreatedAt.UnixMilli(), Retry: m.Retry}
	body := d.Body
	if !carriable(body) {
		h.Encoding = "base64"
		body = base64.StdEncoding.AppendEncode(nil, body)
	}
	text, err := json.Marshal(h)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	out.Grow(len(text) + 1 + len(body))
	out.Write(text)
	out.WriteByte('\n')
	out.Write(body)
	return out.String(), nil
}

// carriable tells whether SQS takes the body as it is. It refuses U+FFFE and U+FFFF, which JSON allows; every other
// character that it refuses cannot stand unescaped in JSON.
// Source: Amazon SQS API reference, SendMessage, MessageBody.
func carriable(body []byte) bool {
	return !bytes.Contains(body, []byte("\uFFFE")) && !bytes.Contains(body, []byte("\uFFFF"))
}

// Token is the timer and the drain of one connection that is not healthy: the only message of its retries.
type Token struct{ AccountID, ConnectionID string }

// Encode gives the token's text.
func (t Token) Encode() string {
	text, _ := json.Marshal(header{Kind: kindToken, AccountID: t.AccountID, ConnectionID: t.ConnectionID}) // strings always marshal
	return string(text)
}

// Received is a message as a queue handed it over: exactly one of Message and Token is set.
type Received struct {
	Message *Message
	Token   *Token

	MessageID    string // names the message in a partial batch response
	Handle       string // receipt handle
	Sequence     connection.Sequence
	ReceiveCount int
}

// Decode reads a message's text. An error means that it is not ours: it belongs to the dead letters.
func Decode(text string) (*Message, *Token, error) {
	line, body, hasBody := bytes.Cut([]byte(text), []byte("\n"))
	var h header
	if err := json.Unmarshal(line, &h); err != nil {
		return nil, nil, errors.New("the message does not begin with a line of JSON")
	}
	if h.AccountID == "" || h.ConnectionID == "" {
		return nil, nil, errors.New("the message names no connection")
	}
	switch {
	case h.Kind == kindToken:
		return nil, &Token{h.AccountID, h.ConnectionID}, nil
	case h.Kind != kindDelivery || h.DeliveryID == "" || !hasBody:
		return nil, nil, fmt.Errorf("the message is neither a delivery nor a token")
	case h.Encoding == "base64":
		raw, err := base64.StdEncoding.AppendDecode(nil, body)
		if err != nil {
			return nil, nil, errors.New("the message's body is not base64")
		}
		body = raw
	}
	return &Message{Retry: h.Retry, Delivery: Delivery{ID: h.DeliveryID, EventID: h.EventID, AccountID: h.AccountID,
		ConnectionID: h.ConnectionID, Action: h.Action, OrderID: h.OrderID,
		CreatedAt: time.UnixMilli(h.AcceptedAt).UTC(), Body: body}}, nil, nil
}
