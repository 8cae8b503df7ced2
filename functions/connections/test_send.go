package main

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/oklog/ulid/v2"

	"github.com/nethouse-academy/albato/shared/apigw"
	"github.com/nethouse-academy/albato/shared/connection"
	"github.com/nethouse-academy/albato/shared/delivery"
	"github.com/nethouse-academy/albato/shared/event"
	"github.com/nethouse-academy/albato/shared/problem"
	"github.com/nethouse-academy/albato/shared/telemetry"
	"github.com/nethouse-academy/albato/shared/webhook"
)

// testResult is what became of a test.
type testResult struct {
	Delivered  bool           `json:"delivered"`
	DeliveryID string         `json:"delivery_id"`
	Status     *int           `json:"status"`
	DurationMS int64          `json:"duration_ms"`
	Error      *string        `json:"error"`
	ErrorText  *string        `json:"error_text"`
	Response   string         `json:"response"` // the beginning of the answer
	Request    jsontext.Value `json:"request"`  // the body as it was sent
}

// test sends an action's sample once, at once, whatever the connection's state, which it does not change: the receiver
// learns the fields from it, and the organiser sees whether his link works.
func (h *handler) test(w http.ResponseWriter, r *http.Request, _ url.Values) error {
	var body struct {
		Action event.Action `json:"action"`
	}
	if err := apigw.Decode(r, maxBody, &body); err != nil {
		return err
	}
	if !body.Action.Valid() {
		var wrong problem.Fields
		wrong.Add("action", "must be one of the actions of /v1/triggers")
		return wrong.Err()
	}
	c, err := h.connection(r)
	if err != nil {
		return err
	}
	if err := h.mayTest(r.Context(), c); err != nil {
		return err
	}
	e := event.Sample(body.Action, c.AccountID, "test-"+ulid.Make().String(), h.now())
	d, result, err := h.send(r.Context(), c, e)
	if err != nil {
		return err
	}
	if err := h.store.Record(r.Context(), []delivery.Delivery{d}); err != nil {
		h.warn(r.Context(), "logging a test", err) // it was sent, which is what was asked for
	}
	apigw.WriteJSON(w, r, http.StatusOK, testResult{
		Delivered: result.Delivered(), DeliveryID: d.ID, Status: orNull(result.Status),
		DurationMS: result.Duration.Milliseconds(), Error: orNull(result.Code), ErrorText: orNull(webhook.Explain(result.Code)),
		Response: string(result.Response), Request: d.Body,
	})
	return nil
}

// maxTests is how many tests a connection sends within a minute: more than a person clicks for all six actions, too few to
// make a load of them, since tests wait for nothing and for nobody.
const maxTests = 30

// mayTest keeps tests from being sent in a loop. Those that are on their way at this moment are not counted yet; how many
// these can be is the gateway's limit.
func (h *handler) mayTest(ctx context.Context, c connection.Connection) error {
	n, err := h.store.CountTests(ctx, c.ID, h.now().Add(-time.Minute))
	if err != nil {
		return unavailable(err)
	}
	if n >= maxTests {
		return &problem.Error{Code: problem.RateLimited, Detail: "this connection has sent 30 tests within a minute", RetryAfter: time.Minute}
	}
	return nil
}

// send posts a sample and gives its entry in the log. The error is a fault of our own, which says nothing of the link.
func (h *handler) send(ctx context.Context, c connection.Connection, e event.Event) (delivery.Delivery, webhook.Result, error) {
	now := h.clock()
	d := delivery.Delivery{ID: e.DeliveryID(c.ID), EventID: e.ID, AccountID: c.AccountID, ConnectionID: c.ID, Action: e.Action,
		OrderID: e.OrderID, Test: true, Status: delivery.Failed, CreatedAt: now, Body: e.Body(true),
		ExpiresAt: now.Add(h.retention)}
	result := h.poster.Post(ctx, webhook.Request{Link: c.Link, DeliveryID: d.ID, Attempt: 1, Body: d.Body, Secrets: c.Secrets(now)})
	if result.OurFault() {
		return d, result, unavailable(result.Err)
	}
	if result.Delivered() {
		d.Status = delivery.Delivered
	}
	d.Note(delivery.Attempt{At: now, Status: result.Status, Error: result.Code, Duration: result.Duration,
		Response: string(result.Response)})
	return d, result, nil
}

// warn notes what went wrong without failing the request.
func (h *handler) warn(ctx context.Context, doing string, err error) {
	h.log.LogAttrs(ctx, slog.LevelWarn, doing, telemetry.Err(err), slog.String(telemetry.RequestID, apigw.RequestID(ctx)))
}
