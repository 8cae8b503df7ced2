package main

import (
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/nethouse-academy/albato/shared/apigw"
	"github.com/nethouse-academy/albato/shared/auth"
	"github.com/nethouse-academy/albato/shared/delivery"
	"github.com/nethouse-academy/albato/shared/event"
	"github.com/nethouse-academy/albato/shared/problem"
	"github.com/nethouse-academy/albato/shared/queue"
	"github.com/nethouse-academy/albato/shared/table"
	"github.com/nethouse-academy/albato/shared/webhook"
)

// handler serves the routes; all fields are required.
type handler struct {
	store     *table.Table
	queue     *queue.Queue // of deliveries
	controls  delivery.Controls
	poster    delivery.Poster
	keys      *auth.Keys
	rules     webhook.Rules
	retention time.Duration // of log entries
	log       *slog.Logger
	now       func() time.Time
}

// endpoint answers one route, or gives the error to answer with. query has only parameters that the route takes.
type endpoint func(w http.ResponseWriter, r *http.Request, query url.Values) error

// maxBody bounds the bodies of all routes: the longest, a connection with every action, has less than 2 KB.
const maxBody = 16 << 10

func (h *handler) routes() *apigw.Mux {
	mux := apigw.NewMux()
	route := func(pattern string, f endpoint, parameters ...string) {
		mux.Handle(pattern, h.keys.Require(serve(f, parameters)))
	}
	const (
		account     = "/v1/accounts/{account}"
		connections = account + "/connections"
		one         = connections + "/{connection}"
		deliveries  = one + "/deliveries"
		tokens      = account + "/tokens"
		subscribed  = account + "/subscriptions"
	)
	route("POST "+connections, h.create)
	route("GET "+connections, h.list)
	route("GET "+one, h.get)
	route("PATCH "+one, h.patch)
	route("DELETE "+one, h.delete)
	route("POST "+one+"/test", h.test)
	route("POST "+one+"/resume", h.resume)
	route("POST "+one+"/secret/rotate", h.rotate)
	route("POST "+one+"/replay", h.replay)
	route("GET "+deliveries, h.listDeliveries, "status", "action", "order_id", "limit", "cursor")
	route("GET "+deliveries+"/summary", h.summary, "hours")
	route("GET "+deliveries+"/{delivery}", h.getDelivery)
	route("POST "+deliveries+"/{delivery}/retry", h.retry)
	route("DELETE "+account+"/orders/{order}/deliveries", h.eraseOrder)
	route("DELETE "+account, h.eraseAccount)
	route("POST "+tokens, h.createToken)
	route("GET "+tokens, h.listTokens)
	route("GET "+tokens+"/{token}", h.getToken)
	route("DELETE "+tokens+"/{token}", h.deleteToken)
	mux.Handle("POST "+account+"/page-sessions", h.keys.RequireAPIKey(serve(h.pageSession, nil)))
	mux.Handle("PATCH "+account, h.keys.RequireAPIKey(serve(h.patchAccount, nil)))
	// What Albato calls with an account token, and nothing else.
	albato := func(pattern string, f endpoint) {
		mux.Handle(pattern, h.keys.RequireAccount(h.store, serve(f, nil)))
	}
	albato("GET "+account, h.getAccount)
	albato("POST "+subscribed, h.subscribe)
	albato("GET "+subscribed+"/{subscription}", h.getSubscription)
	albato("DELETE "+subscribed+"/{subscription}", h.unsubscribe)
	return mux
}

// serve wraps an endpoint: it refuses what cannot be an account and parameters that do not exist.
func serve(f endpoint, parameters []string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !event.ValidAccountID(r.PathValue("account")) {
			apigw.WriteError(w, r, problem.New(problem.NotFound, ""))
			return
		}
		query, err := apigw.Query(r, parameters...)
		if err == nil {
			err = f(w, r, query)
		}
		if err != nil {
			apigw.WriteError(w, r, err)
		}
	})
}

// clock is the time as it is stored: whole milliseconds, so that an answer says the same as a later one.
func (h *handler) clock() time.Time { return h.now().UTC().Truncate(time.Millisecond) }
