package main

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/nethouse-academy/albato/shared/apigw"
	"github.com/nethouse-academy/albato/shared/auth"
	"github.com/nethouse-academy/albato/shared/connection"
	"github.com/nethouse-academy/albato/shared/delivery"
	"github.com/nethouse-academy/albato/shared/event"
	"github.com/nethouse-academy/albato/shared/problem"
	"github.com/nethouse-academy/albato/shared/telemetry"
)

// connections lists an account's connections.
type connections interface {
	Connections(ctx context.Context, account string, consistent bool) ([]connection.Connection, error)
}

// queuer queues deliveries; after an error the same call may be made again and queues nothing twice.
type queuer interface {
	SendMessages(ctx context.Context, messages []delivery.Message) error
}

type handler struct {
	connections connections
	queue       queuer
	metrics     *telemetry.Metrics
	log         *slog.Logger
	now         func() time.Time
}

func (h *handler) routes(keys *auth.Keys) *apigw.Mux {
	mux := apigw.NewMux()
	mux.Handle("POST /v1/events", keys.RequireAPIKey(http.HandlerFunc(h.post)))
	return mux
}

// accepted is the promise: these deliveries are in a durable queue.
type accepted struct {
	ID         string             `json:"id"`
	Deliveries []acceptedDelivery `json:"deliveries"`
}

type acceptedDelivery struct {
	ID           string `json:"id"`
	ConnectionID string `json:"connection_id"`
}

func (h *handler) post(w http.ResponseWriter, r *http.Request) {
	defer func() { _ = h.metrics.Flush() }() // a metric that is not written is no reason to fail
	if _, err := apigw.Query(r); err != nil {
		apigw.WriteError(w, r, err)
		return
	}
	raw, err := apigw.Body(r, event.MaxBytes)
	if err != nil {
		apigw.WriteError(w, r, err)
		return
	}
	e, err := event.Parse(raw)
	if err != nil {
		apigw.WriteError(w, r, err)
		return
	}
	answer, err := h.accept(r.Context(), e)
	if err != nil {
		h.metrics.Count("IntakeFailed", 1)
		apigw.WriteError(w, r, err)
		return
	}
	apigw.WriteJSON(w, r, http.StatusAccepted, answer)
}

// accept queues one delivery for each connection that wants the event. Nothing is written but the messages, so there is
// nothing that could be half done: the same event again makes the same messages, which the queue (for five minutes) and
// the delivery log (for as long as it is kept) recognise.
func (h *handler) accept(ctx context.Context, e event.Event) (accepted, error) {
	answer := accepted{ID: e.ID, Deliveries: []acceptedDelivery{}}
	all, err := h.connections.Connections(ctx, e.AccountID, false)
	if err != nil {
		return answer, unavailable(err)
	}
	var messages []delivery.Message
	now, body := h.now(), e.Body(false)
	for _, c := range all {
		if !c.Wants(e.Action) {
			continue
		}
		id := e.DeliveryID(c.ID)
		messages = append(messages, delivery.Message{Delivery: delivery.Delivery{ID: id, EventID: e.ID, AccountID: e.AccountID,
			ConnectionID: c.ID, Action: e.Action, OrderID: e.OrderID, CreatedAt: now, Body: body}})
		answer.Deliveries = append(answer.Deliveries, acceptedDelivery{id, c.ID})
	}
	if len(messages) > 0 {
		if err := h.queue.SendMessages(ctx, messages); err != nil {
			return answer, unavailable(err)
		}
	}
	h.metrics.Count("Accepted", len(messages))
	h.logged(ctx, "event accepted", slog.String(telemetry.EventID, e.ID), slog.String(telemetry.AccountID, e.AccountID),
		slog.String(telemetry.Action, string(e.Action)), slog.Int(telemetry.Count, len(messages)))
	return answer, nil
}

// unavailable hides the cause from the caller and keeps it for the log.
func unavailable(cause error) error {
	return &problem.Error{Code: problem.Unavailable, Detail: "the event could not be queued; repeat the same request",
		RetryAfter: time.Second, Cause: cause}
}
