package main

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/nethouse-academy/albato/shared/apigw"
	"github.com/nethouse-academy/albato/shared/connection"
	"github.com/nethouse-academy/albato/shared/delivery"
	"github.com/nethouse-academy/albato/shared/event"
	"github.com/nethouse-academy/albato/shared/problem"
	"github.com/nethouse-academy/albato/shared/table"
	"github.com/nethouse-academy/albato/shared/webhook"
)

// deliveryView is an entry of the log as callers see it; null is what has not happened yet.
type deliveryView struct {
	ID            string          `json:"id"`
	EventID       string          `json:"event_id"`
	ConnectionID  string          `json:"connection_id"`
	Action        event.Action    `json:"action"`
	OrderID       string          `json:"order_id"`
	Status        delivery.Status `json:"status"`
	Attempts      int             `json:"attempts"`
	CreatedAt     time.Time       `json:"created_at"`
	LastAttemptAt *time.Time      `json:"last_attempt_at"`
	LastStatus    *int            `json:"last_status"`
	LastError     *string         `json:"last_error"`
	ErrorText     *string         `json:"error_text"`
	DurationMS    *int64          `json:"duration_ms"`
	Test          bool            `json:"test"`
}

// deliveryDetail is one entry with all that is known of it.
type deliveryDetail struct {
	deliveryView
	Payload     jsontext.Value `json:"payload"` // the body as it is sent; null once it was erased
	AttemptsLog []attemptView  `json:"attempts_log"`
}

// attemptView is one request to the link; of the answers only the last one's beginning is kept.
type attemptView struct {
	At         time.Time `json:"at"`
	Status     *int      `json:"status"`
	Error      *string   `json:"error"`
	ErrorText  *string   `json:"error_text"`
	DurationMS int64     `json:"duration_ms"`
	Response   string    `json:"response"`
}

func deliveryOf(d delivery.Delivery, c connection.Connection) deliveryView {
	v := deliveryView{ID: d.ID, EventID: d.EventID, ConnectionID: d.ConnectionID, Action: d.Action, OrderID: d.OrderID,
		Status: d.StatusFor(c), Attempts: d.Attempts, CreatedAt: d.CreatedAt.UTC(), LastAttemptAt: orNull(d.LastAttemptAt.UTC()),
		LastStatus: orNull(d.LastStatus), LastError: orNull(d.LastError), ErrorText: orNull(webhook.Explain(d.LastError)),
		Test: d.Test}
	if d.Attempts > 0 {
		ms := d.Duration.Milliseconds()
		v.DurationMS = &ms
	}
	return v
}

func detailOf(d delivery.Delivery, c connection.Connection) deliveryDetail {
	v := deliveryDetail{deliveryView: deliveryOf(d, c), Payload: jsontext.Value(d.Body)}
	for _, a := range d.History {
		v.AttemptsLog = append(v.AttemptsLog, attemptView{At: a.At.UTC(), Status: orNull(a.Status), Error: orNull(a.Error),
			ErrorText: orNull(webhook.Explain(a.Error)), DurationMS: a.Duration.Milliseconds(), Response: a.Response})
	}
	return v
}

const (
	defaultLimit = 50
	maxLimit     = 100
)

func (h *handler) listDeliveries(w http.ResponseWriter, r *http.Request, query url.Values) error {
	var wrong problem.Fields
	filter := table.Filter{Status: delivery.Status(query.Get("status")), Action: event.Action(query.Get("action")),
		OrderID: query.Get("order_id")}
	if filter.Status != "" && !filter.Status.Valid() {
		wrong.Add("status", "must be one of delivered, waiting, failed, held, skipped")
	}
	if filter.Action != "" && !filter.Action.Valid() {
		wrong.Add("action", "must be one of the actions of /v1/triggers")
	}
	if filter.OrderID != "" && !event.ValidOrderID(filter.OrderID) {
		wrong.Add("order_id", "must be the id of an order")
	}
	limit := number(query, "limit", defaultLimit, 1, maxLimit, &wrong)
	if err := wrong.Err(); err != nil {
		return err
	}
	c, err := h.connection(r)
	if err != nil {
		return err
	}
	list, next, err := h.store.Deliveries(r.Context(), c, filter, limit, query.Get("cursor"))
	if err != nil {
		return cursorProblem(err)
	}
	views := make([]deliveryView, len(list))
	for i, d := range list {
		views[i] = deliveryOf(d, c)
	}
	apigw.WriteJSON(w, r, http.StatusOK, struct {
		Deliveries []deliveryView `json:"deliveries"`
		NextCursor *string        `json:"next_cursor"`
	}{views, orNull(next)})
	return nil
}

// number reads a whole number between two bounds from the query.
func number(query url.Values, name string, otherwise, least, most int, wrong *problem.Fields) int {
	if !query.Has(name) {
		return otherwise
	}
	n, err := strconv.Atoi(query.Get(name))
	if err != nil || n < least || n > most {
		wrong.Add(name, "must be a whole number from "+strconv.Itoa(least)+" to "+strconv.Itoa(most))
	}
	return n
}

// cursorProblem names the cursor when it is what is wrong.
func cursorProblem(err error) error {
	if errors.Is(err, table.ErrCursor) {
		var wrong problem.Fields
		wrong.Add("cursor", "must be the next_cursor of the answer before")
		return wrong.Err()
	}
	return unavailable(err)
}

func (h *handler) getDelivery(w http.ResponseWriter, r *http.Request, _ url.Values) error {
	c, d, err := h.delivery(r)
	if err != nil {
		return err
	}
	apigw.WriteJSON(w, r, http.StatusOK, detailOf(d, c))
	return nil
}

// delivery reads the entry that the path names, with its body, and its connection.
func (h *handler) delivery(r *http.Request) (c connection.Connection, d delivery.Delivery, err error) {
	if c, err = h.connection(r); err != nil {
		return c, d, err
	}
	id := r.PathValue("delivery")
	if !validID("dlv_", id) {
		return c, d, problem.New(problem.NotFound, "")
	}
	d, found, err := h.store.Delivery(r.Context(), delivery.Key{ConnectionID: c.ID, DeliveryID: id})
	if err != nil {
		return c, d, unavailable(err)
	}
	if !found {
		return c, d, problem.New(problem.NotFound, "")
	}
	return c, d, nil
}
