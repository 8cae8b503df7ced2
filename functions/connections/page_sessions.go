package main

import (
	"net/http"
	"net/url"
	"time"

	"github.com/nethouse-academy/albato/shared/apigw"
	"github.com/nethouse-academy/albato/shared/auth"
)

// pageSession makes an address that opens the organiser's page signed in. The token stands in the fragment, which no
// browser sends to a server or gives as a referrer.
func (h *handler) pageSession(w http.ResponseWriter, r *http.Request, _ url.Values) error {
	var body struct {
		TTLSeconds *int64 `json:"ttl_seconds"`
	}
	if err := apigw.DecodeOptional(r, maxBody, &body); err != nil {
		return err
	}
	token, expires, err := h.keys.IssuePageToken(r.Context(), r.PathValue("account"), lifetime(body.TTLSeconds))
	if err != nil {
		return err
	}
	page := url.URL{Scheme: h.scheme(r), Host: r.Host, Path: "/page", Fragment: "token=" + token}
	apigw.WriteJSON(w, r, http.StatusCreated, struct {
		URL       string    `json:"url"`
		ExpiresAt time.Time `json:"expires_at"`
	}{page.String(), expires})
	return nil
}

// lifetime is the default's 0 for none; what is out of bounds stays so, without overflowing.
func lifetime(seconds *int64) time.Duration {
	if seconds == nil {
		return 0
	}
	if *seconds <= 0 || *seconds > int64(auth.MaxTTL/time.Second) {
		return -1
	}
	return time.Duration(*seconds) * time.Second
}

// scheme is https: API Gateway serves nothing else. Only a run on one's own machine, which takes links to itself, has no
// certificate.
func (h *handler) scheme(r *http.Request) string {
	if h.rules.AllowLoopback && r.Header.Get("X-Forwarded-Proto") == "http" {
		return "http"
	}
	return "https"
}
