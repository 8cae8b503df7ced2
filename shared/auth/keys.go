package auth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"sync"
	"time"

	"github.com/nethouse-academy/albato/shared/problem"
)

const (
	// refreshAfter is how old the keys may get while the secret can be read: a key taken out of the
	// secret stops working within that time.
	refreshAfter = 5 * time.Minute
	// retryAfterUnknown is the least time between two readings that unknown tokens cause, so that a
	// new key works nearly at once and a flood of wrong tokens does not become a flood of calls.
	retryAfterUnknown = 10 * time.Second
	// staleAfter is how long old keys serve when the secret cannot be read.
	staleAfter = time.Hour
	// fetchTimeout leaves time to answer within any function's limit.
	fetchTimeout = 3 * time.Second
)

// Keys checks bearer tokens and makes page tokens. It is safe for concurrent use.
type Keys struct {
	source Source
	now    func() time.Time

	mu      sync.Mutex
	set     *keySet
	fetched time.Time // of set
	tried   time.Time // the last reading, successful or not
	lastErr error     // of the last reading
}

// NewKeys returns Keys that read the secret when first needed, every five minutes after that, and
// when an unknown token comes (it may be made with a key that is newer than ours), then at most
// every ten seconds. While the secret cannot be read the keys known serve on for an hour.
//
// The secret is a JSON object: api_key; previous_api_key, accepted as well when not empty, for
// rotation; page_token_keys, the signing keys of page tokens, the first of which signs. If
// page_token_keys is empty one is derived from each accepted API key by HKDF-SHA256, so that a
// leaked API key that is taken out of the secret takes with it every token made with it. Other
// members are ignored.
func NewKeys(source Source, now func() time.Time) *Keys {
	if now == nil {
		now = time.Now
	}
	return &Keys{source: source, now: now}
}

// current returns the keys, read anew if they are too old.
func (k *Keys) current(ctx context.Context) (*keySet, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.wallClock()
	if k.set != nil && now.Sub(k.fetched) < refreshAfter {
		return k.set, nil
	}
	if k.set == nil || now.Sub(k.tried) >= retryAfterUnknown {
		k.fetch(ctx, now)
	}
	return k.usable(now)
}

// newer returns keys read after set, if that is allowed now. It returns nil when there are none:
// then the token is really unknown. The error says that this cannot be known.
func (k *Keys) newer(ctx context.Context, set *keySet) (*keySet, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.wallClock()
	if k.set == set && now.Sub(k.tried) >= retryAfterUnknown {
		k.fetch(ctx, now)
	}
	if k.lastErr != nil {
		return nil, unavailable(k.lastErr)
	}
	if k.set == set {
		return nil, nil
	}
	return k.set, nil
}

// wallClock is the clock without its monotonic reading, which may stand still while a function is
// frozen between invocations: keys would then seem younger than they are.
func (k *Keys) wallClock() time.Time { return k.now().Round(0) }

// fetch reads the secret; k.mu is held, so that concurrent requests share one reading.
func (k *Keys) fetch(ctx context.Context, now time.Time) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	k.tried = now
	b, err := k.source.Secret(ctx)
	if err != nil {
		k.lastErr = fmt.Errorf("reading the secret: %w", err)
		return
	}
	set, err := parseSecret(b)
	if k.lastErr = err; err == nil {
		k.set, k.fetched = set, now
	}
}

func (k *Keys) usable(now time.Time) (*keySet, error) {
	if k.set == nil || now.Sub(k.fetched) >= staleAfter {
		return nil, unavailable(k.lastErr)
	}
	return k.set, nil
}

// unavailable keeps the cause for the log and shows a 503: a caller whose token we could not check
// must not be told that it is wrong.
func unavailable(cause error) error {
	return fmt.Errorf("%w: %w", problem.New(problem.Unavailable, ""), cause)
}

// isAPIKey compares with every key in constant time; hashes make the lengths equal.
func (s *keySet) isAPIKey(token string) bool {
	sum := sha256.Sum256([]byte(token))
	found := 0
	for i := range s.apiKeys {
		found |= subtle.ConstantTimeCompare(sum[:], s.apiKeys[i][:])
	}
	return found == 1
}
