package auth

import (
	"context"
	"net/http"
	"strings"

	"github.com/nethouse-academy/albato/shared/apigw"
	"github.com/nethouse-academy/albato/shared/problem"
)

// Kind is the kind of token a caller showed.
type Kind int

// The kinds of callers. The zero Kind is nobody.
const (
	KindAPIKey  Kind = iota + 1 // the Academy: every account
	KindPage                    // an organiser's page: one account
	KindAccount                 // Albato, by an account token: one account, and only the routes of RequireAccount
)

// Principal is who calls.
type Principal struct {
	Kind Kind
	// AccountID is the one account the caller reaches; it is empty for the API key.
	AccountID string
}

// MayReach tells whether the account is the caller's.
func (p Principal) MayReach(account string) bool {
	switch p.Kind {
	case KindAPIKey:
		return true
	case KindPage, KindAccount:
		return p.AccountID != "" && p.AccountID == account
	}
	return false
}

// maxToken is far above what our own tokens need and keeps the parser from long strangers.
const maxToken = 4096

// Authenticate tells who shows this Authorization header. The error is a 401 for everything that
// is not a valid token, without saying why, or a 503 if that could not be found out.
func (k *Keys) Authenticate(ctx context.Context, header string) (Principal, error) {
	token, ok := bearer(header)
	if !ok {
		return Principal{}, errUnauthorized()
	}
	set, err := k.current(ctx)
	if err != nil {
		return Principal{}, err
	}
	p, final := k.identify(set, token)
	if final {
		return answer(p)
	}
	newer, err := k.newer(ctx, set)
	if err != nil {
		return Principal{}, err
	}
	if newer != nil {
		p, _ = k.identify(newer, token)
	}
	return answer(p)
}

// identify tries one kind of token after another. final means that newer keys would change nothing.
func (k *Keys) identify(set *keySet, token string) (p Principal, final bool) {
	if set.isAPIKey(token) {
		return Principal{Kind: KindAPIKey}, true
	}
	switch account, v := set.pageToken(token, k.now()); v {
	case valid:
		return Principal{Kind: KindPage, AccountID: account}, true
	case refused:
		return Principal{}, true
	}
	return Principal{}, false
}

func answer(p Principal) (Principal, error) {
	if p.Kind == 0 {
		return Principal{}, errUnauthorized()
	}
	return p, nil
}

// bearer takes the token from "Bearer <token>"; the scheme's case does not matter (RFC 9110 §11.1).
func bearer(header string) (string, bool) {
	scheme, token, ok := strings.Cut(header, " ")
	token = strings.TrimLeft(token, " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") || token == "" || len(token) > maxToken {
		return "", false
	}
	return token, true
}

func errUnauthorized() error { return problem.New(problem.Unauthorized, "") }

type principalKey struct{}

// FromContext returns who calls; ok is false outside of Require and RequireAPIKey.
func FromContext(ctx context.Context) (p Principal, ok bool) {
	p, ok = ctx.Value(principalKey{}).(Principal)
	return p, ok
}

// AllowAccount is nil if the caller in ctx reaches the account, otherwise the same 404 as for
// something that does not exist.
func AllowAccount(ctx context.Context, account string) error {
	if p, ok := FromContext(ctx); ok && p.MayReach(account) {
		return nil
	}
	return problem.New(problem.NotFound, "")
}

// Require serves next for callers with a valid token. If the route has a path value named account,
// it must be an account the caller reaches; otherwise the answer is 404.
func (k *Keys) Require(next http.Handler) http.Handler {
	return guard(k.Authenticate, ownAccount, next)
}

// RequireAPIKey serves next for the Academy's API key alone. Every page token gets a 401 here,
// whichever account the address names.
func (k *Keys) RequireAPIKey(next http.Handler) http.Handler {
	return guard(k.Authenticate, func(_ *http.Request, p Principal) error {
		if p.Kind != KindAPIKey {
			return errUnauthorized()
		}
		return nil
	}, next)
}

func guard(who func(context.Context, string) (Principal, error), allow func(*http.Request, Principal) error, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, err := who(r.Context(), r.Header.Get("Authorization"))
		if err == nil {
			err = allow(r, p)
		}
		if err != nil {
			apigw.WriteError(w, r, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), principalKey{}, p)))
	})
}
