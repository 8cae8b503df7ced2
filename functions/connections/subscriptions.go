package main

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/oklog/ulid/v2"

	"github.com/nethouse-academy/albato/shared/apigw"
	"github.com/nethouse-academy/albato/shared/connection"
	"github.com/nethouse-academy/albato/shared/delivery"
	"github.com/nethouse-academy/albato/shared/event"
	"github.com/nethouse-academy/albato/shared/problem"
	"github.com/nethouse-academy/albato/shared/webhook"
)

// subscriptionView is one action of a connection that Albato made. The pair is its name, so nothing more is stored.
type subscriptionView struct {
	ID           string       `json:"id"`
	Action       event.Action `json:"action"`
	ConnectionID string       `json:"connection_id"`
}

const subscriptionPrefix = "sub_"

// subscriptionOf names a subscription: sub_<ULID of the connection>_<action>.
func subscriptionOf(c connection.Connection, a event.Action) subscriptionView {
	return subscriptionView{subscriptionPrefix + strings.TrimPrefix(c.ID, "con_") + "_" + string(a), a, c.ID}
}

func parseSubscription(id string) (connectionID string, action event.Action, ok bool) {
	rest, ok1 := strings.CutPrefix(id, subscriptionPrefix)
	name, a, ok2 := strings.Cut(rest, "_")
	return "con_" + name, event.Action(a), ok1 && ok2 && event.Action(a).Valid() && validID("con_", "con_"+name)
}

// subscribe sends an action's events to a link of Albato's from now on. The customer asked for that in Albato, so it needs
// no switch: a link that is known already is switched on, and one in trouble is tried again. Asking for what is there is no
// error.
func (h *handler) subscribe(w http.ResponseWriter, r *http.Request, _ url.Values) error {
	var body struct {
		Action     event.Action `json:"action"`
		WebhookURL string       `json:"webhook_url"`
	}
	if err := apigw.Decode(r, maxBody, &body); err != nil {
		return err
	}
	fresh, err := connection.New(connection.Draft{Link: body.WebhookURL, Actions: []event.Action{body.Action}, Enabled: true,
		Origin: connection.ByAlbato}, r.PathValue("account"), "con_"+ulid.Make().String(), h.rules, webhook.NewSecret(), h.clock())
	if err != nil {
		return inSubscription(err)
	}
	for range maxTries {
		c, status, err := h.subscribeOnce(r.Context(), fresh, body.Action)
		if errors.Is(err, errLinkMoved) {
			continue
		}
		if err != nil {
			return err
		}
		view := subscriptionOf(c, body.Action)
		w.Header().Set("Location", "/v1/accounts/"+c.AccountID+"/subscriptions/"+view.ID)
		apigw.WriteJSON(w, r, status, view)
		return nil
	}
	return problem.New(problem.Conflict, "the link is being changed by others; repeat the request")
}

// errLinkMoved: between two reads the link was connected or disconnected by somebody else.
var errLinkMoved = errors.New("the link has moved")

// subscribeOnce adds the action to the connection that has the link, or makes one. The status is 201 for a new
// subscription and 200 for one that was there.
func (h *handler) subscribeOnce(ctx context.Context, fresh connection.Connection, action event.Action) (c connection.Connection, status int, err error) {
	all, err := h.store.Connections(ctx, fresh.AccountID, true)
	if err != nil {
		return c, 0, unavailable(err)
	}
	i := slices.IndexFunc(all, func(c connection.Connection) bool { return c.Link == fresh.Link })
	if i < 0 {
		err := h.store.Create(ctx, fresh)
		if problem.Is(err, problem.WebhookURLTaken) {
			err = errLinkMoved
		}
		if err != nil && !errors.Is(err, errLinkMoved) {
			err = unavailable(err)
		}
		return fresh, http.StatusCreated, err
	}
	if all[i].Origin != connection.ByAlbato {
		return c, 0, problem.New(problem.WebhookURLTaken, "the organiser has connected this link himself")
	}
	before, after, err := h.changeBy(ctx, delivery.ConnectionKey{AccountID: fresh.AccountID, ConnectionID: all[i].ID}, nil,
		func(c *connection.Connection) error {
			if c.Deleted || c.Link != fresh.Link {
				return errLinkMoved
			}
			if status = http.StatusOK; !slices.Contains(c.Actions, action) {
				status = http.StatusCreated
			}
			return h.want(c, action)
		})
	if problem.Is(err, problem.NotFound) {
		err = errLinkMoved
	}
	if err == nil {
		err = unavailable(h.controls.After(ctx, before, after))
	}
	return after, status, err
}

// want makes a connection that Albato made send an action's events now.
func (h *handler) want(c *connection.Connection, action event.Action) error {
	on, actions := true, c.Actions
	if !slices.Contains(actions, action) {
		actions = append(slices.Clone(actions), action)
	}
	switchedOn := !c.Enabled
	if err := c.Apply(connection.Patch{Actions: &actions, Enabled: &on}, h.rules, h.clock()); err != nil {
		return err
	}
	if !switchedOn && c.Health.State != connection.Healthy {
		c.Resume(h.clock())
	}
	return nil
}

// inSubscription gives wrong fields the names they have here.
func inSubscription(err error) error {
	var p *problem.Error
	if errors.As(err, &p) {
		for i, f := range p.Fields {
			if strings.HasPrefix(f.Field, "actions") {
				p.Fields[i].Field = "action"
			}
		}
	}
	return err
}

func (h *handler) getSubscription(w http.ResponseWriter, r *http.Request, _ url.Values) error {
	id, action, ok := parseSubscription(r.PathValue("subscription"))
	if !ok {
		return problem.New(problem.NotFound, "")
	}
	c, err := h.anyConnection(r.Context(), delivery.ConnectionKey{AccountID: r.PathValue("account"), ConnectionID: id})
	if err != nil {
		return err
	}
	if c.Deleted || !subscribed(c, action) {
		return problem.New(problem.NotFound, "")
	}
	apigw.WriteJSON(w, r, http.StatusOK, subscriptionOf(c, action))
	return nil
}

func subscribed(c connection.Connection, a event.Action) bool {
	return c.Origin == connection.ByAlbato && slices.Contains(c.Actions, a)
}

// unsubscribe takes an action from a connection that Albato made, and with the last one the connection itself; until that
// is erased the same request may be repeated and sends its token again.
func (h *handler) unsubscribe(w http.ResponseWriter, r *http.Request, _ url.Values) error {
	id, action, ok := parseSubscription(r.PathValue("subscription"))
	if !ok {
		return problem.New(problem.NotFound, "")
	}
	before, after, err := h.changeBy(r.Context(), delivery.ConnectionKey{AccountID: r.PathValue("account"), ConnectionID: id}, nil, func(c *connection.Connection) error {
		if !subscribed(*c, action) {
			return problem.New(problem.NotFound, "")
		}
		if c.Deleted || len(c.Actions) == 1 {
			return h.markDeleted(c)
		}
		rest := slices.DeleteFunc(slices.Clone(c.Actions), func(a event.Action) bool { return a == action })
		return c.Apply(connection.Patch{Actions: &rest}, h.rules, h.clock())
	})
	if err != nil {
		return err
	}
	if err := h.controls.After(r.Context(), before, after); err != nil {
		return unavailable(err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
