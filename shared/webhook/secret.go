package webhook

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"
)

// Secret is a signing secret in the written form of Standard Webhooks: whsec_ and the base64 of 24
// to 64 random bytes. Like a [Link] it is masked wherever it is printed, logged or encoded;
// [Secret.Reveal] alone gives it.
type Secret string

const (
	secretPrefix = "whsec_"
	// The bounds and the prefix are the specification's ("Signature scheme", symmetric).
	minSecret = 24
	maxSecret = 64
	newLength = 32
	// signatureVersion marks the symmetric scheme.
	signatureVersion = "v1,"
)

// ErrSecret is what a malformed secret gives; it never repeats it.
var ErrSecret = errors.New("the signing secret must be whsec_ and the base64 of 24 to 64 bytes")

// NewSecret makes a secret of 32 random bytes.
func NewSecret() Secret {
	var b [newLength]byte
	_, _ = rand.Read(b[:]) // never fails, by its documentation
	return Secret(secretPrefix + base64.StdEncoding.EncodeToString(b[:]))
}

// ParseSecret takes a written secret; the error is [ErrSecret].
func ParseSecret(raw string) (Secret, error) {
	key, err := Secret(raw).key()
	if err != nil || len(key) < minSecret || len(key) > maxSecret {
		return "", ErrSecret
	}
	return Secret(raw), nil
}

// Reveal returns the secret itself, for storage and for the one answer that shows it.
func (s Secret) Reveal() string { return string(s) }

// String masks the secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return secretPrefix + hidden
}

// GoString masks the secret in %#v.
func (s Secret) GoString() string { return fmt.Sprintf("webhook.Secret(%q)", s.String()) }

// Format masks the secret under every verb.
func (s Secret) Format(f fmt.State, verb rune) { formatMasked(f, verb, s.String(), s.GoString()) }

// LogValue masks the secret in structured logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalJSON encodes the masked secret.
func (s Secret) MarshalJSON() ([]byte, error) { return json.Marshal(s.String()) }

// MarshalText masks the secret in text encodings.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText takes the text as the secret, unchecked.
func (s *Secret) UnmarshalText(text []byte) error { *s = Secret(text); return nil }

// key takes shorter secrets too: the bounds are for secrets that are made, and examples of the
// specification itself are below them.
func (s Secret) key() ([]byte, error) {
	encoded, ok := strings.CutPrefix(string(s), secretPrefix)
	if !ok {
		return nil, ErrSecret
	}
	key, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil || len(key) == 0 {
		return nil, ErrSecret
	}
	return key, nil
}

// Sign returns the signature "v1,<base64>" of one message by Standard Webhooks 1.0.0: HMAC-SHA256
// over id, timestamp in seconds and body, joined by full stops. The error is [ErrSecret].
func Sign(s Secret, id string, timestamp time.Time, body []byte) (string, error) {
	key, err := s.key()
	if err != nil {
		return "", err
	}
	mac := hmac.New(sha256.New, key)
	signed := make([]byte, 0, len(id)+len(".1234567890."))
	signed = append(signed, id...)
	signed = append(signed, '.')
	signed = strconv.AppendInt(signed, timestamp.Unix(), 10)
	signed = append(signed, '.')
	mac.Write(signed)
	mac.Write(body)
	var sum [sha256.Size]byte
	return signatureVersion + base64.StdEncoding.EncodeToString(mac.Sum(sum[:0])), nil
}

// SignatureHeader is the value of webhook-signature: one signature a secret, separated by spaces,
// so that a receiver that still has the previous secret verifies too.
func SignatureHeader(secrets []Secret, id string, timestamp time.Time, body []byte) (string, error) {
	if len(secrets) == 0 {
		return "", ErrSecret
	}
	var b strings.Builder
	for i, s := range secrets {
		signature, err := Sign(s, id, timestamp, body)
		if err != nil {
			return "", err
		}
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(signature)
	}
	return b.String(), nil
}
