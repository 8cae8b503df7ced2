package main

import (
	"net/http"
	"net/url"
	"time"

	"github.com/nethouse-academy/albato/shared/apigw"
	"github.com/nethouse-academy/albato/shared/delivery"
	"github.com/nethouse-academy/albato/shared/problem"
)

// hourView counts the deliveries of the events of one hour, tests aside.
type hourView struct {
	Start     time.Time `json:"start"`
	Delivered int       `json:"delivered"`
	Waiting   int       `json:"waiting"`
	Failed    int       `json:"failed"`
	Held      int       `json:"held"`
	Skipped   int       `json:"skipped"`
}

const (
	defaultHours = 24
	maxHours     = 168
)

// summary counts the deliveries of the last hours, oldest hour first, the present one last.
func (h *handler) summary(w http.ResponseWriter, r *http.Request, query url.Values) error {
	var wrong problem.Fields
	n := number(query, "hours", defaultHours, 1, maxHours, &wrong)
	if err := wrong.Err(); err != nil {
		return err
	}
	c, err := h.connection(r)
	if err != nil {
		return err
	}
	hours, complete, err := h.store.Summary(r.Context(), c, n)
	if err != nil {
		return unavailable(err)
	}
	views := make([]hourView, len(hours))
	for i, one := range hours {
		views[i] = hourView{one.Start, one.Counts[delivery.Delivered], one.Counts[delivery.Waiting],
			one.Counts[delivery.Failed], one.Counts[delivery.Held], one.Counts[delivery.Skipped]}
	}
	apigw.WriteJSON(w, r, http.StatusOK, struct {
		Hours    []hourView `json:"hours"`
		Complete bool       `json:"complete"`
	}{views, complete})
	return nil
}
