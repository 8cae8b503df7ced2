package main

import (
	"net/http"
	"testing"
	"time"

	"github.com/nethouse-academy/albato/shared/auth"
	"github.com/nethouse-academy/albato/shared/event"
	"github.com/nethouse-academy/albato/shared/openapi/contract"
	"github.com/nethouse-academy/albato/shared/queue"
	"github.com/nethouse-academy/albato/shared/telemetry"
)

func TestRoutesAreAsDescribed(t *testing.T) {
	i := newIntake(t)
	i.connect(t, "con_01KAR8ZJ5T7QK2M9C4X6B1V3NS", true, event.OrderCreate, event.OrderTicketCancel)
	h := handler{connections: i.table, queue: queue.New(i.cloud.Queues(nil), i.cloud.Deliveries),
		metrics: telemetry.NewMetrics(&i.logs, "intake", time.Now), log: telemetry.NewLogger(&i.logs, "info", "intake", "test"), now: time.Now}
	routes := h.routes(auth.NewKeys(secret(`{"api_key":"`+key+`"}`), time.Now))
	contract.Suite{
		Serves:        func(path string) bool { return path == "/v1/events" },
		Patterns:      routes.Patterns(),
		Authorization: "Bearer " + key,
		World:         func(*testing.T) (http.Handler, map[string]string) { return routes, nil },
	}.Run(t)
}
