package main

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"reflect"
	"strings"

	"github.com/oklog/ulid/v2"

	"github.com/nethouse-academy/albato/shared/apigw"
	"github.com/nethouse-academy/albato/shared/connection"
	"github.com/nethouse-academy/albato/shared/delivery"
	"github.com/nethouse-academy/albato/shared/event"
	"github.com/nethouse-academy/albato/shared/problem"
	"github.com/nethouse-academy/albato/shared/webhook"
)

func (h *handler) create(w http.ResponseWriter, r *http.Request, _ url.Values) error {
	var body struct {
		WebhookURL string         `json:"webhook_url"`
		Name       string         `json:"name"`
		Actions    []event.Action `json:"actions"`
		Enabled    bool           `json:"enabled"`
	}
	if err := apigw.Decode(r, maxBody, &body); err != nil {
		return err
	}
	draft := connection.Draft{Link: body.WebhookURL, Name: body.Name, Actions: body.Actions, Enabled: body.Enabled}
	c, err := connection.New(draft, r.PathValue("account"), "con_"+ulid.Make().String(), h.rules, webhook.NewSecret(), h.clock())
	if err != nil {
		return err
	}
	if err := h.store.Create(r.Context(), c); err != nil {
		return unavailable(err)
	}
	view := connectionOf(c, c.Health, facts{})
	view.SigningSecret = c.Secret.Reveal()
	w.Header().Set("Location", "/v1/accounts/"+c.AccountID+"/connections/"+c.ID)
	return writeConnection(w, r, http.StatusCreated, view)
}

func (h *handler) list(w http.ResponseWriter, r *http.Request, _ url.Values) error {
	all, err := h.store.Connections(r.Context(), r.PathValue("account"), true)
	if err != nil {
		return unavailable(err)
	}
	views, err := h.views(r.Context(), all)
	if err != nil {
		return unavailable(err)
	}
	apigw.WriteJSON(w, r, http.StatusOK, map[string]any{"connections": views})
	return nil
}

func (h *handler) get(w http.ResponseWriter, r *http.Request, _ url.Values) error {
	c, err := h.connection(r)
	if err != nil {
		return err
	}
	return h.answer(w, r, http.StatusOK, c)
}

func (h *handler) patch(w http.ResponseWriter, r *http.Request, _ url.Values) error {
	var body struct {
		WebhookURL *string         `json:"webhook_url"`
		Name       *string         `json:"name"`
		Actions    *[]event.Action `json:"actions"`
		Enabled    *bool           `json:"enabled"`
	}
	if err := apigw.Decode(r, maxBody, &body); err != nil {
		return err
	}
	patch := connection.Patch{Link: body.WebhookURL, Name: body.Name, Actions: body.Actions, Enabled: body.Enabled}
	before, after, err := h.change(r, func(c *connection.Connection) error { return c.Apply(patch, h.rules, h.clock()) })
	if err != nil {
		return err
	}
	if err := h.controls.After(r.Context(), before, after); err != nil {
		return unavailable(err)
	}
	return h.answerChanged(w, r, http.StatusOK, after)
}

// delete marks a connection; its token erases the log and then the connection. Until that has happened the same request
// may be repeated and sends the token again.
func (h *handler) delete(w http.ResponseWriter, r *http.Request, _ url.Values) error {
	before, after, err := h.changeAny(r, h.markDeleted)
	if err != nil {
		return err
	}
	if err := h.controls.After(r.Context(), before, after); err != nil {
		return unavailable(err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// answer writes a connection as it is now.
func (h *handler) answer(w http.ResponseWriter, r *http.Request, status int, c connection.Connection) error {
	view, err := h.view(r.Context(), c)
	if err != nil {
		return unavailable(err)
	}
	return writeConnection(w, r, status, view)
}

// answerChanged is answer after an act, which has succeeded whether or not the facts can be read.
func (h *handler) answerChanged(w http.ResponseWriter, r *http.Request, status int, c connection.Connection) error {
	view, err := h.view(r.Context(), c)
	if err != nil {
		h.warn(r.Context(), "reading a connection's health", err)
	}
	return writeConnection(w, r, status, view)
}

func writeConnection(w http.ResponseWriter, r *http.Request, status int, view connectionView) error {
	w.Header().Set("ETag", apigw.ETag(view.Version))
	apigw.WriteJSON(w, r, status, view)
	return nil
}

// connection reads the one that the path names. A deleted one is not found.
func (h *handler) connection(r *http.Request) (connection.Connection, error) {
	c, err := h.anyConnection(r.Context(), pathKey(r))
	if err == nil && c.Deleted {
		err = problem.New(problem.NotFound, "")
	}
	return c, err
}

func pathKey(r *http.Request) delivery.ConnectionKey {
	return delivery.ConnectionKey{AccountID: r.PathValue("account"), ConnectionID: r.PathValue("connection")}
}

func (h *handler) anyConnection(ctx context.Context, key delivery.ConnectionKey) (connection.Connection, error) {
	if !validID("con_", key.ConnectionID) {
		return connection.Connection{}, problem.New(problem.NotFound, "")
	}
	c, found, err := h.store.Connection(ctx, key)
	if err != nil {
		return c, unavailable(err)
	}
	if !found {
		return c, problem.New(problem.NotFound, "")
	}
	return c, nil
}

// validID: what does not look like an id is not looked up.
func validID(prefix, id string) bool {
	rest, ok := strings.CutPrefix(id, prefix)
	_, err := ulid.ParseStrict(rest)
	return ok && err == nil
}

// change carries out an act on the connection that the path names and saves it; a deleted one is not found.
func (h *handler) change(r *http.Request, act func(*connection.Connection) error) (before, after connection.Connection, err error) {
	return h.changeAny(r, func(c *connection.Connection) error {
		if c.Deleted {
			return problem.New(problem.NotFound, "")
		}
		return act(c)
	})
}

// maxTries is how often an act starts again because the connection changed while it was carried out.
const maxTries = 5

// changeAny is change for deleted connections too.
func (h *handler) changeAny(r *http.Request, act func(*connection.Connection) error) (before, after connection.Connection, err error) {
	version, conditional, err := apigw.IfMatch(r)
	if err != nil {
		return before, after, err
	}
	if !conditional {
		return h.changeBy(r.Context(), pathKey(r), nil, act)
	}
	return h.changeBy(r.Context(), pathKey(r), &version, act)
}

// changeBy carries out an act and saves it. A version that is demanded must be the connection's at every try; without one
// what somebody else has changed meanwhile is no conflict: the act is carried out on top of it.
func (h *handler) changeBy(ctx context.Context, key delivery.ConnectionKey, version *int64, act func(*connection.Connection) error) (before, after connection.Connection, err error) {
	for range maxTries {
		if before, err = h.anyConnection(ctx, key); err != nil {
			return before, after, err
		}
		if version != nil && before.Version != *version {
			return before, after, problem.New(problem.PreconditionFailed, "")
		}
		after = before
		if err := act(&after); err != nil {
			return before, after, err
		}
		if reflect.DeepEqual(before, after) {
			return before, after, nil
		}
		if err = h.store.Update(ctx, before, after); !errors.Is(err, delivery.ErrMoved) {
			return before, after, unavailable(err)
		}
	}
	return before, after, problem.New(problem.Conflict, "the connection is being changed by others; repeat the request")
}

// unavailable makes a 503 of what is no problem of the caller's: DynamoDB or SQS did not do it. The cause is for the log.
func unavailable(err error) error {
	var p *problem.Error
	if err == nil || errors.As(err, &p) {
		return err
	}
	return &problem.Error{Code: problem.Unavailable, Cause: err}
}
