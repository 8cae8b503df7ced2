package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/nethouse-academy/albato/shared/connection"
	"github.com/nethouse-academy/albato/shared/delivery"
	"github.com/nethouse-academy/albato/shared/telemetry"
)

// bus takes events for other systems.
type bus interface {
	PutEvents(ctx context.Context, in *eventbridge.PutEventsInput, opts ...func(*eventbridge.Options)) (*eventbridge.PutEventsOutput, error)
}

// observer turns what the protocol reports into log lines, metrics, and events for the Academy.
type observer struct {
	log     *slog.Logger
	metrics *telemetry.Metrics
	bus     bus
	busName string
	now     func() time.Time
	gauges  gauges
}

var _ delivery.Observer = (*observer)(nil)

var verdictNames = map[delivery.Verdict]string{delivery.Success: "success", delivery.Refusal: "refusal",
	delivery.Trouble: "trouble", delivery.Gone: "gone", delivery.OwnFault: "own_fault"}

// Attempted writes the one line of an attempt.
func (o *observer) Attempted(ctx context.Context, d delivery.Delivery, v delivery.Verdict) {
	level := slog.LevelInfo
	if v != delivery.Success {
		level = slog.LevelWarn
	}
	o.log.LogAttrs(ctx, level, "delivery attempted", append(ids(d),
		slog.Int(telemetry.Attempt, d.Attempts), slog.Int(telemetry.Status, d.LastStatus), slog.String(telemetry.Code, d.LastError),
		slog.String(telemetry.State, verdictNames[v]), telemetry.Milliseconds(telemetry.DurationMS, d.Duration))...)
	o.metrics.Count("Attempts", 1)
	o.metrics.Milliseconds("AttemptDuration", d.Duration)
	if v == delivery.Success || v == delivery.Refusal {
		o.gauges.took(d)
	} else {
		o.gauges.waits(d, o.now())
	}
}

// settledMetrics names what is counted of each status.
var settledMetrics = map[delivery.Status]string{delivery.Delivered: "Delivered", delivery.Failed: "Failed",
	delivery.Skipped: "Skipped", delivery.Waiting: "Held"}

// Settled counts a delivery's new status; a delivered one also with the time since it was accepted.
func (o *observer) Settled(ctx context.Context, d delivery.Delivery) {
	o.metrics.Count(settledMetrics[d.Status], 1)
	if d.Status == delivery.Delivered {
		o.metrics.Milliseconds("AcceptedToDelivered", o.now().Sub(d.CreatedAt))
		return
	}
	if d.Status == delivery.Waiting {
		o.gauges.waits(d, o.now())
	}
	o.log.LogAttrs(ctx, slog.LevelInfo, "delivery "+string(d.Status), ids(d)...)
}

func ids(d delivery.Delivery) []slog.Attr {
	return []slog.Attr{slog.String(telemetry.DeliveryID, d.ID), slog.String(telemetry.EventID, d.EventID),
		slog.String(telemetry.ConnectionID, d.ConnectionID), slog.String(telemetry.AccountID, d.AccountID),
		slog.String(telemetry.Action, string(d.Action))}
}

// change is the detail of an event that tells of a connection's new state.
type change struct {
	AccountID      string     `json:"account_id"`
	ConnectionID   string     `json:"connection_id"`
	ConnectionName string     `json:"connection_name"`
	State          string     `json:"state"`
	Previous       string     `json:"previous_state"`
	Since          time.Time  `json:"since"`
	LastStatus     int        `json:"last_status,omitempty"`
	LastError      string     `json:"last_error,omitempty"`
	NextAttemptAt  *time.Time `json:"next_attempt_at,omitempty"`
}

// turns names the event of each new state.
var turns = map[connection.State]string{connection.Failing: "connection.failing",
	connection.Suspended: "connection.suspended", connection.Healthy: "connection.recovered"}

// Turned tells the Academy, so that it can write to the organiser. An event that cannot be put is only logged: the page
// and the API show the state all the same.
func (o *observer) Turned(ctx context.Context, c connection.Connection, before connection.State) {
	h := c.Health
	o.log.LogAttrs(ctx, slog.LevelWarn, turns[h.State], slog.String(telemetry.ConnectionID, c.ID),
		slog.String(telemetry.AccountID, c.AccountID), slog.String(telemetry.Code, h.LastError), slog.Int(telemetry.Status, h.LastStatus))
	o.metrics.Count("Turned"+map[connection.State]string{connection.Failing: "Failing", connection.Suspended: "Suspended",
		connection.Healthy: "Healthy"}[h.State], 1)
	detail := change{AccountID: c.AccountID, ConnectionID: c.ID, ConnectionName: c.Name, State: string(h.State),
		Previous: string(before), Since: h.Since, LastStatus: h.LastStatus, LastError: h.LastError}
	if !h.NextAttemptAt.IsZero() {
		detail.NextAttemptAt = &h.NextAttemptAt
	}
	text, err := json.Marshal(detail)
	if err != nil {
		o.fault(ctx, "describing a change", err)
		return
	}
	out, err := o.bus.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{{
		EventBusName: &o.busName, Source: aws.String("nethouse.academy.albato"), DetailType: aws.String(turns[h.State]),
		Detail: aws.String(string(text)), Time: &h.Since}}})
	if err == nil && out.FailedEntryCount > 0 {
		o.log.LogAttrs(ctx, slog.LevelError, "event refused", slog.String(telemetry.Code, aws.ToString(out.Entries[0].ErrorCode)))
	}
	if err != nil {
		o.fault(ctx, "telling of a change", err)
	}
}

// fault is our own: nothing is lost by it, but somebody should look.
func (o *observer) fault(ctx context.Context, doing string, err error) {
	o.log.LogAttrs(ctx, slog.LevelError, "fault while "+doing, telemetry.Err(err))
	o.metrics.Count("OwnFaults", 1)
}

func (o *observer) flush() {
	o.gauges.flush(o.metrics)
	_ = o.metrics.Flush() // a metric that is not written is no reason to fail
}
