package auth

import (
	"context"
	"fmt"
	"net/http"

	"github.com/nethouse-academy/albato/shared/account"
	"github.com/nethouse-academy/albato/shared/problem"
)

// AccountTokens knows the account tokens that are in force.
type AccountTokens interface {
	// AccountOfToken gives the account of the token with this hash (account.TokenHash), "" when there is none.
	AccountOfToken(ctx context.Context, hash string) (accountID string, err error)
}

// RequireAccount is [Keys.Require] for the few routes that take account tokens as well. A lookup is paid only for what has
// the form of such a token; everywhere else an account token is a 401 like any other stranger's.
func (k *Keys) RequireAccount(tokens AccountTokens, next http.Handler) http.Handler {
	return guard(func(ctx context.Context, header string) (Principal, error) {
		token, _ := bearer(header)
		hash, ok := account.TokenHash(token)
		if !ok {
			return k.Authenticate(ctx, header)
		}
		id, err := tokens.AccountOfToken(ctx, hash)
		switch {
		case err != nil:
			return Principal{}, unavailable(fmt.Errorf("looking up an account token: %w", err))
		case id == "":
			return Principal{}, errUnauthorized()
		}
		return Principal{Kind: KindAccount, AccountID: id}, nil
	}, ownAccount, next)
}

// ownAccount: another account's address is the same 404 as one that does not exist.
func ownAccount(r *http.Request, p Principal) error {
	if id := r.PathValue("account"); id != "" && !p.MayReach(id) {
		return problem.New(problem.NotFound, "")
	}
	return nil
}
