package main

import (
	"context"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"
	"golang.org/x/sync/errgroup"

	"github.com/nethouse-academy/albato/shared/connection"
	"github.com/nethouse-academy/albato/shared/delivery"
	"github.com/nethouse-academy/albato/shared/event"
	"github.com/nethouse-academy/albato/shared/webhook"
)

// connectionView is a connection as callers see it.
type connectionView struct {
	ID            string            `json:"id"`
	AccountID     string            `json:"account_id"`
	Name          string            `json:"name"`
	WebhookURL    string            `json:"webhook_url"` // masked
	Actions       []event.Action    `json:"actions"`
	Enabled       bool              `json:"enabled"`
	Origin        connection.Origin `json:"origin,omitzero"`
	Version       int64             `json:"version"`
	CreatedAt     time.Time         `json:"created_at"`
	UpdatedAt     time.Time         `json:"updated_at"`
	Health        healthView        `json:"health"`
	SigningSecret string            `json:"signing_secret,omitzero"` // after it was made, once
}

// healthView is how the link fares; null is what is not known.
type healthView struct {
	State           connection.State `json:"state"`
	Since           *time.Time       `json:"since"`
	Attempts        int              `json:"attempts"`
	NextAttemptAt   *time.Time       `json:"next_attempt_at"`
	LastStatus      *int             `json:"last_status"`
	LastError       *string          `json:"last_error"`
	LastErrorText   *string          `json:"last_error_text"`
	LastDeliveredAt *time.Time       `json:"last_delivered_at"`
	Waiting         int              `json:"waiting"`
	WaitingMore     bool             `json:"waiting_more"` // there are more than Waiting says
}

// facts are what a connection's log and line tell about it.
type facts struct {
	lastDelivered delivery.Delivery // zero: none is known
	waiting       int
	waitingMore   bool
}

// maxWaiting is how far what waits is counted.
const maxWaiting = 1000

func (h *handler) view(ctx context.Context, c connection.Connection) (connectionView, error) {
	f, err := h.facts(ctx, c)
	return connectionOf(c, c.Health, f), err
}

// views reads the facts of all side by side.
func (h *handler) views(ctx context.Context, all []connection.Connection) ([]connectionView, error) {
	views := make([]connectionView, len(all))
	group, ctx := errgroup.WithContext(ctx)
	for i, c := range all {
		group.Go(func() (err error) {
			views[i], err = h.view(ctx, c)
			return err
		})
	}
	return views, group.Wait()
}

// facts asks no more than the state needs: one small query for a healthy connection.
func (h *handler) facts(ctx context.Context, c connection.Connection) (f facts, err error) {
	var notAfter time.Time
	if c.Health.State != connection.Healthy {
		if notAfter, err = h.troubleSince(ctx, c); err != nil {
			return f, err
		}
	}
	if f.lastDelivered, _, err = h.store.LastDelivered(ctx, c.ID, notAfter); err != nil {
		return f, err
	}
	if c.Enabled && c.Health.State != connection.Healthy {
		f.waiting, f.waitingMore, err = h.store.CountWaiting(ctx, c, maxWaiting)
	}
	return f, err
}

// troubleSince is the time of the event at the head of the line, the zero time when nothing waits: a long trouble has more
// entries that wait than anybody wants to read for the last one that got through.
func (h *handler) troubleSince(ctx context.Context, c connection.Connection) (time.Time, error) {
	head, err := h.store.Waiting(ctx, c.ID, 1)
	if err != nil || len(head) == 0 {
		return time.Time{}, err
	}
	id, err := ulid.ParseStrict(strings.TrimPrefix(head[0].DeliveryID, "dlv_"))
	if err != nil {
		return time.Time{}, nil // ids are made by us
	}
	return id.Timestamp(), nil
}

func connectionOf(c connection.Connection, health connection.Health, f facts) connectionView {
	v := connectionView{
		ID: c.ID, AccountID: c.AccountID, Name: c.Name, WebhookURL: c.Link.String(), Actions: c.Actions,
		Enabled: c.Enabled, Origin: c.Origin, Version: c.Version, CreatedAt: c.CreatedAt.UTC(), UpdatedAt: c.UpdatedAt.UTC(),
		Health: healthView{
			State: health.State, Since: orNull(health.Since.UTC()), Attempts: health.Attempts,
			NextAttemptAt: orNull(health.NextAttemptAt.UTC()), LastStatus: orNull(health.LastStatus),
			LastError: orNull(health.LastError), LastErrorText: orNull(webhook.Explain(health.LastError)),
			LastDeliveredAt: orNull(f.lastDelivered.LastAttemptAt.UTC()),
			Waiting:         f.waiting, WaitingMore: f.waitingMore,
		},
	}
	if health.State == connection.Healthy {
		v.Health.LastStatus = orNull(f.lastDelivered.LastStatus)
	}
	return v
}

// orNull is null for a zero value.
func orNull[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}
