package auth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/nethouse-academy/albato/shared/problem"
)

const (
	// DefaultTTL is how long a page token is valid unless asked otherwise.
	DefaultTTL = time.Hour
	// MinTTL is the shortest validity: less would end before the page is open.
	MinTTL = time.Minute
	// MaxTTL is the longest validity of a page token, also when it is verified.
	MaxTTL = 24 * time.Hour

	issuer   = "nethouse-academy-albato"
	audience = "albato-page"
)

// IssuePageToken makes a token that reaches one account until expires (whole seconds, UTC). A ttl
// of 0 means [DefaultTTL]; one out of bounds is a 422 for the field ttl_seconds. A secret that
// cannot be read is a 503.
func (k *Keys) IssuePageToken(ctx context.Context, account string, ttl time.Duration) (token string, expires time.Time, err error) {
	if ttl == 0 {
		ttl = DefaultTTL
	}
	if ttl < MinTTL || ttl > MaxTTL {
		var wrong problem.Fields
		wrong.Add("ttl_seconds", fmt.Sprintf("must be from %d to %d", int(MinTTL.Seconds()), int(MaxTTL.Seconds())))
		return "", time.Time{}, wrong.Err()
	}
	if account == "" {
		return "", time.Time{}, errors.New("a page token needs an account")
	}
	set, err := k.current(ctx)
	if err != nil {
		return "", time.Time{}, err
	}
	issued := k.now().UTC().Truncate(time.Second)
	expires = issued.Add(ttl)
	token, err = jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.RegisteredClaims{
		Issuer: issuer, Audience: jwt.ClaimStrings{audience}, Subject: account,
		IssuedAt: jwt.NewNumericDate(issued), ExpiresAt: jwt.NewNumericDate(expires),
	}).SignedString(set.pageKeys[0])
	return token, expires, err
}

// verdict on a page token: it is what decides whether newer keys could change the answer.
type verdict int

const (
	valid     verdict = iota
	otherKey          // perhaps signed with a key we do not know yet
	refused           // signed with our key and still not valid: expired, another audience, …
	malformed         // no token of this kind at all
)

// pageToken verifies a token with each key. The algorithm, the issuer and the audience are pinned,
// an expiry is required and there is no leeway: at the second of expiry the token is refused.
func (s *keySet) pageToken(token string, now time.Time) (account string, v verdict) {
	var claims jwt.RegisteredClaims
	keys := jwt.VerificationKeySet{Keys: make([]jwt.VerificationKey, len(s.pageKeys))}
	for i, k := range s.pageKeys {
		keys.Keys[i] = k
	}
	_, err := jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
		jwt.WithIssuer(issuer), jwt.WithAudience(audience), jwt.WithExpirationRequired(),
		jwt.WithStrictDecoding(), jwt.WithTimeFunc(func() time.Time { return now }),
	).ParseWithClaims(token, &claims, func(*jwt.Token) (any, error) { return keys, nil })
	switch {
	case errors.Is(err, jwt.ErrTokenMalformed), errors.Is(err, jwt.ErrTokenUnverifiable):
		return "", malformed
	case errors.Is(err, jwt.ErrTokenSignatureInvalid):
		return "", otherKey
	case err != nil, claims.Subject == "", claims.IssuedAt == nil,
		claims.ExpiresAt.Sub(claims.IssuedAt.Time) > MaxTTL:
		return "", refused
	}
	return claims.Subject, valid
}
