package main

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/nethouse-academy/albato/shared/apigw"
	"github.com/nethouse-academy/albato/shared/connection"
	"github.com/nethouse-academy/albato/shared/delivery"
	"github.com/nethouse-academy/albato/shared/event"
	"github.com/nethouse-academy/albato/shared/problem"
)

// eraseTime is how long one request erases before it asks to be repeated: less than the function and the gateway have.
const eraseTime = 20 * time.Second

// eraseOrder erases what is stored of one order. A message of it that is in a queue at this moment is still delivered.
func (h *handler) eraseOrder(w http.ResponseWriter, r *http.Request, _ url.Values) error {
	order := r.PathValue("order")
	if !event.ValidOrderID(order) {
		return problem.New(problem.NotFound, "")
	}
	ctx, cancel := context.WithTimeout(r.Context(), eraseTime)
	defer cancel()
	erased, err := h.store.EraseOrder(ctx, r.PathValue("account"), order)
	if err != nil {
		return unfinished(ctx, err)
	}
	apigw.WriteJSON(w, r, http.StatusOK, map[string]int{"erased": erased})
	return nil
}

// eraseAccount revokes an account's tokens and marks all its connections as deleted; the queue's tokens of these erase the
// logs. Until they have, the same request may be repeated and sends them again.
func (h *handler) eraseAccount(w http.ResponseWriter, r *http.Request, _ url.Values) error {
	ctx, cancel := context.WithTimeout(r.Context(), eraseTime)
	defer cancel()
	account := r.PathValue("account")
	if err := h.store.ForgetTokens(ctx, account); err != nil { // first: Albato must not subscribe meanwhile
		return unfinished(ctx, err)
	}
	all, err := h.store.AllConnections(ctx, account)
	if err != nil {
		return unfinished(ctx, err)
	}
	for _, c := range all {
		if err := h.deleteOne(ctx, delivery.ConnectionKey{AccountID: account, ConnectionID: c.ID}); err != nil {
			return unfinished(ctx, err)
		}
	}
	if err := h.store.ForgetAccount(ctx, account); err != nil {
		return unfinished(ctx, err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// deleteOne deletes a connection, whoever else is changing it; one that is gone is no error.
func (h *handler) deleteOne(ctx context.Context, key delivery.ConnectionKey) error {
	before, after, err := h.changeBy(ctx, key, nil, h.markDeleted)
	if problem.Is(err, problem.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return h.controls.After(ctx, before, after)
}

func (h *handler) markDeleted(c *connection.Connection) error {
	if !c.Deleted {
		c.Delete(h.clock())
	}
	return nil
}

// unfinished asks to repeat the request, at once if it was only the time that ran out.
func unfinished(ctx context.Context, err error) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return &problem.Error{Code: problem.Unavailable, RetryAfter: time.Second, Cause: err}
	}
	return unavailable(err)
}
