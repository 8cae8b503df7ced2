package main

import (
	"net/http"
	"net/url"

	"github.com/nethouse-academy/albato/shared/apigw"
	"github.com/nethouse-academy/albato/shared/connection"
	"github.com/nethouse-academy/albato/shared/delivery"
	"github.com/nethouse-academy/albato/shared/problem"
	"github.com/nethouse-academy/albato/shared/webhook"
)

// resume is the organiser's "I have fixed it". Of a healthy connection, or one that is off, nothing waits to be sent.
func (h *handler) resume(w http.ResponseWriter, r *http.Request, _ url.Values) error {
	if err := noBody(r); err != nil {
		return err
	}
	after, err := h.tryNow(r)
	if err != nil {
		return err
	}
	return h.answerChanged(w, r, http.StatusAccepted, after)
}

// tryNow lets what waits be tried at once.
func (h *handler) tryNow(r *http.Request) (connection.Connection, error) {
	before, after, err := h.change(r, func(c *connection.Connection) error {
		if c.Enabled && c.Health.State != connection.Healthy {
			c.Resume(h.clock())
		}
		return nil
	})
	if err == nil {
		err = unavailable(h.controls.After(r.Context(), before, after))
	}
	return after, err
}

func (h *handler) rotate(w http.ResponseWriter, r *http.Request, _ url.Values) error {
	if err := noBody(r); err != nil {
		return err
	}
	secret := webhook.NewSecret()
	_, after, err := h.change(r, func(c *connection.Connection) error {
		now := h.clock()
		c.Rotate(secret, now)
		c.Version++
		c.UpdatedAt = now
		return nil
	})
	if err != nil {
		return err
	}
	view, err := h.view(r.Context(), after)
	if err != nil { // the new secret is in force and shown this once
		h.warn(r.Context(), "reading a connection's health", err)
	}
	view.SigningSecret = secret.Reveal()
	return writeConnection(w, r, http.StatusOK, view)
}

// retry queues a delivery again, or lets it be tried at once when it waits already. What is held stays held: it goes out,
// in its order, when the connection is resumed.
func (h *handler) retry(w http.ResponseWriter, r *http.Request, _ url.Values) error {
	if err := noBody(r); err != nil {
		return err
	}
	c, d, err := h.delivery(r)
	if err != nil {
		return err
	}
	if !c.Enabled {
		return problem.New(problem.Conflict, msgOff)
	}
	switch d.StatusFor(c) {
	case delivery.Held:
	case delivery.Waiting:
		if c, err = h.tryNow(r); err != nil {
			return err
		}
	default:
		if len(d.Body) == 0 {
			return problem.New(problem.Conflict, "the body of this delivery is no longer kept")
		}
		if err := h.queue.SendMessages(r.Context(), []delivery.Message{d.Again()}); err != nil {
			return unavailable(err)
		}
	}
	apigw.WriteJSON(w, r, http.StatusAccepted, deliveryOf(d, c))
	return nil
}

const msgOff = "the connection is switched off: nothing is sent until it is switched on"

// noBody takes an empty body or an empty object.
func noBody(r *http.Request) error {
	var none struct{}
	return apigw.DecodeOptional(r, maxBody, &none)
}
