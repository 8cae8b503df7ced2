package account

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"time"
)

const (
	// MaxTokens is how many tokens an account may have at once: one for each place it is used in, and some to change over.
	MaxTokens = 10

	tokenPrefix = "alb_"
	tokenBytes  = 32
)

// Token is an account token as it is kept: enough to tell it from others, not enough to use it.
type Token struct {
	ID        string // tok_ and a ULID
	AccountID string
	Name      string // what the organiser calls it
	Hint      string // the last four characters
	Hash      string // see TokenHash
	CreatedAt time.Time
}

// NewToken makes a secret: alb_ and 32 random bytes in base64url. It is shown once and kept as its hash alone. The prefix
// lets a reader of a leak, or a scanner of repositories, know what was found.
func NewToken() string {
	var b [tokenBytes]byte
	_, _ = rand.Read(b[:]) // never fails, by its documentation
	return tokenPrefix + base64.RawURLEncoding.EncodeToString(b[:])
}

// TokenHash gives the form in which a secret is kept and found: its SHA-256 in hexadecimal. ok is false for what cannot be
// an account token, which need not be looked up. A fast hash serves, since 256 random bits cannot be guessed.
func TokenHash(secret string) (hash string, ok bool) {
	encoded, ok := strings.CutPrefix(secret, tokenPrefix)
	if !ok || len(encoded) != base64.RawURLEncoding.EncodedLen(tokenBytes) { // the decoder would skip line breaks
		return "", false
	}
	if _, err := base64.RawURLEncoding.Strict().DecodeString(encoded); err != nil {
		return "", false
	}
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:]), true
}

// Hint gives what may be shown of a secret later.
func Hint(secret string) string { return secret[max(0, len(secret)-4):] }
