package main

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/nethouse-academy/albato/shared/apigw"
	"github.com/nethouse-academy/albato/shared/connection"
	"github.com/nethouse-academy/albato/shared/delivery"
	"github.com/nethouse-academy/albato/shared/event"
	"github.com/nethouse-academy/albato/shared/problem"
	"github.com/nethouse-academy/albato/shared/table"
)

// replayRequest chooses deliveries by the time of their event, from From until before To.
type replayRequest struct {
	From     time.Time         `json:"from"`
	To       time.Time         `json:"to"`
	Statuses []delivery.Status `json:"statuses"`
	Actions  []event.Action    `json:"actions"` // empty: all
	DryRun   bool              `json:"dry_run"`
	Cursor   string            `json:"cursor"`
}

// replayResult counts one page. What is held is in its line already and counts as queued.
type replayResult struct {
	Matched    int     `json:"matched"`
	Queued     int     `json:"queued"`
	NextCursor *string `json:"next_cursor"`
}

const (
	replayPage = 100  // entries looked at a call: a function's memory and time bound their bodies
	dryRunPage = 1000 // without bodies
)

// replay queues a page of past deliveries again, oldest first. Each is the same delivery, with the same id, and is tried
// by all the rules of a new one. The same call with the answer's cursor goes on; a call that was half carried out may be
// repeated as it was.
func (h *handler) replay(w http.ResponseWriter, r *http.Request, _ url.Values) error {
	var body replayRequest
	if err := apigw.Decode(r, maxBody, &body); err != nil {
		return err
	}
	if err := body.check(); err != nil {
		return err
	}
	c, err := h.connection(r)
	if err != nil {
		return err
	}
	if !c.Enabled && !body.DryRun {
		return problem.New(problem.Conflict, msgOff)
	}
	limit := replayPage
	if body.DryRun {
		limit = dryRunPage
	}
	page, next, err := h.store.Page(r.Context(), c.ID, table.Span{From: body.From, To: body.To, Bodies: !body.DryRun}, limit, body.Cursor)
	if err != nil {
		return cursorProblem(err)
	}
	result := replayResult{NextCursor: orNull(next)}
	var messages []delivery.Message
	for _, d := range page {
		if !body.matches(d, c) {
			continue
		}
		result.Matched++
		switch {
		case body.DryRun:
		case d.StatusFor(c) == delivery.Held, d.StatusFor(c) == delivery.Waiting:
			result.Queued++
		case len(d.Body) > 0:
			result.Queued++
			messages = append(messages, d.Again())
		}
	}
	if err := h.queue.SendMessages(r.Context(), messages); err != nil {
		return unavailable(err)
	}
	apigw.WriteJSON(w, r, http.StatusAccepted, result)
	return nil
}

// check fills in the statuses that are meant when none are given.
func (b *replayRequest) check() error {
	var wrong problem.Fields
	for _, t := range []struct {
		field string
		at    time.Time
	}{{"from", b.From}, {"to", b.To}} {
		switch {
		case t.at.IsZero():
			wrong.Add(t.field, "is required")
		case t.at.UTC().Year() < 1970 || t.at.UTC().Year() > 9999:
			wrong.Add(t.field, "must be a time from 1970 on")
		}
	}
	if len(wrong) == 0 && !b.To.After(b.From) {
		wrong.Add("to", "must be after from")
	}
	for i, s := range b.Statuses {
		if !s.Valid() {
			wrong.Add("statuses."+strconv.Itoa(i), "must be one of delivered, waiting, failed, held, skipped")
		}
	}
	for i, a := range b.Actions {
		if !a.Valid() {
			wrong.Add("actions."+strconv.Itoa(i), "must be one of the actions of /v1/triggers")
		}
	}
	if len(b.Statuses) == 0 {
		b.Statuses = []delivery.Status{delivery.Failed, delivery.Held, delivery.Skipped}
	}
	return wrong.Err()
}

// matches never chooses a test.
func (b *replayRequest) matches(d delivery.Delivery, c connection.Connection) bool {
	return !d.Test && slices.Contains(b.Statuses, d.StatusFor(c)) &&
		(len(b.Actions) == 0 || slices.Contains(b.Actions, d.Action))
}
