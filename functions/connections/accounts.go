package main

import (
	"net/http"
	"net/url"
	"time"

	"github.com/oklog/ulid/v2"

	accounts "github.com/nethouse-academy/albato/shared/account"
	"github.com/nethouse-academy/albato/shared/apigw"
	"github.com/nethouse-academy/albato/shared/problem"
)

// accountView is an account as Albato shows it beside a saved connection.
type accountView struct {
	AccountID string `json:"account_id"`
	Name      string `json:"name"`
}

// accountOf names an account by its id until it is given a name.
func accountOf(id, name string) accountView {
	if name == "" {
		name = id
	}
	return accountView{id, name}
}

// getAccount is what Albato calls to check an account token.
func (h *handler) getAccount(w http.ResponseWriter, r *http.Request, _ url.Values) error {
	id := r.PathValue("account")
	name, err := h.store.AccountName(r.Context(), id)
	if err != nil {
		return unavailable(err)
	}
	apigw.WriteJSON(w, r, http.StatusOK, accountOf(id, name))
	return nil
}

func (h *handler) patchAccount(w http.ResponseWriter, r *http.Request, _ url.Values) error {
	var body struct {
		Name *string `json:"name"`
	}
	if err := apigw.Decode(r, maxBody, &body); err != nil {
		return err
	}
	if body.Name == nil {
		return h.getAccount(w, r, nil)
	}
	id := r.PathValue("account")
	name, err := accounts.Name(*body.Name)
	if err != nil {
		return err
	}
	if err := h.store.SetAccountName(r.Context(), id, name); err != nil {
		return unavailable(err)
	}
	apigw.WriteJSON(w, r, http.StatusOK, accountOf(id, name))
	return nil
}

// tokenView is an account token as callers see it; the token itself is there once, when it was made.
type tokenView struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Hint      string    `json:"hint"`
	CreatedAt time.Time `json:"created_at"`
	Token     string    `json:"token,omitzero"`
}

func tokenOf(k accounts.Token) tokenView {
	return tokenView{ID: k.ID, Name: k.Name, Hint: k.Hint, CreatedAt: k.CreatedAt.UTC()}
}

const (
	defaultTokenName = "Albato"
	tokenIDPrefix    = "tok_"
)

func (h *handler) createToken(w http.ResponseWriter, r *http.Request, _ url.Values) error {
	var body struct {
		Name string `json:"name"`
	}
	if err := apigw.DecodeOptional(r, maxBody, &body); err != nil {
		return err
	}
	name, err := accounts.Name(body.Name)
	if err != nil {
		return err
	}
	if name == "" {
		name = defaultTokenName
	}
	secret := accounts.NewToken()
	hash, _ := accounts.TokenHash(secret)
	k := accounts.Token{ID: tokenIDPrefix + ulid.Make().String(), AccountID: r.PathValue("account"), Name: name,
		Hint: accounts.Hint(secret), Hash: hash, CreatedAt: h.clock()}
	if err := h.store.CreateToken(r.Context(), k); err != nil {
		return unavailable(err)
	}
	view := tokenOf(k)
	view.Token = secret
	w.Header().Set("Location", "/v1/accounts/"+k.AccountID+"/tokens/"+k.ID)
	apigw.WriteJSON(w, r, http.StatusCreated, view)
	return nil
}

func (h *handler) listTokens(w http.ResponseWriter, r *http.Request, _ url.Values) error {
	all, err := h.store.Tokens(r.Context(), r.PathValue("account"))
	if err != nil {
		return unavailable(err)
	}
	views := make([]tokenView, len(all))
	for i, k := range all {
		views[i] = tokenOf(k)
	}
	apigw.WriteJSON(w, r, http.StatusOK, map[string]any{"tokens": views})
	return nil
}

func (h *handler) getToken(w http.ResponseWriter, r *http.Request, _ url.Values) error {
	all, err := h.store.Tokens(r.Context(), r.PathValue("account"))
	if err != nil {
		return unavailable(err)
	}
	for _, k := range all {
		if k.ID == r.PathValue("token") {
			apigw.WriteJSON(w, r, http.StatusOK, tokenOf(k))
			return nil
		}
	}
	return problem.New(problem.NotFound, "")
}

// deleteToken revokes a token. What was subscribed with it goes on: the organiser sees it on his page.
func (h *handler) deleteToken(w http.ResponseWriter, r *http.Request, _ url.Values) error {
	id := r.PathValue("token")
	if !validID(tokenIDPrefix, id) {
		return problem.New(problem.NotFound, "")
	}
	found, err := h.store.DeleteToken(r.Context(), r.PathValue("account"), id)
	if err != nil {
		return unavailable(err)
	}
	if !found {
		return problem.New(problem.NotFound, "")
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
