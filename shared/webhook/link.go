package webhook

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
)

// Link is an organiser's webhook link, byte for byte as it was pasted.
//
// The link is a credential: every way to print, log or encode it as JSON or text gives the masked
// form, such as https://h.albato.ru/wh/38/1lf…/…k9Qw/. [Link.Reveal] alone gives the bytes, so that
// a search for Reveal finds every place that needs them.
type Link string

// Reveal returns the link itself. The result must go nowhere but to storage and to the receiver.
func (l Link) Reveal() string { return string(l) }

// String returns the masked link: scheme, host and a hint of the path by which its owner
// recognises it. What cannot be parsed is hidden wholly.
func (l Link) String() string { return mask(string(l)) }

// GoString masks the link in %#v.
func (l Link) GoString() string { return fmt.Sprintf("webhook.Link(%q)", l.String()) }

// Format masks the link under every verb; %x or %d would otherwise print its bytes.
func (l Link) Format(f fmt.State, verb rune) { formatMasked(f, verb, l.String(), l.GoString()) }

// LogValue masks the link in structured logs.
func (l Link) LogValue() slog.Value { return slog.StringValue(l.String()) }

// MarshalJSON encodes the masked link. Decoding takes the plain string.
func (l Link) MarshalJSON() ([]byte, error) { return json.Marshal(l.String()) }

// MarshalText masks the link in text encodings.
func (l Link) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText takes the text as the link: MarshalText alone would make decoders that prefer
// text methods refuse the type.
func (l *Link) UnmarshalText(text []byte) error { *l = Link(text); return nil }

func formatMasked(f fmt.State, verb rune, masked, goSyntax string) {
	switch {
	case verb == 'v' && f.Flag('#'):
		masked = goSyntax
	case verb == 'q':
		masked = `"` + masked + `"`
	}
	_, _ = f.Write([]byte(masked))
}

const (
	hidden = "…"

	// Leading segments say which product and server a link belongs to and are no secret when short.
	shownSegments = 3
	shownPrefix   = 3
	// Four of at least sixteen characters identify a link to its owner and are useless for a guess.
	shownSuffix  = 4
	minForSuffix = 16
)

func mask(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || !printableASCII(u.Host) {
		return hidden
	}
	var b strings.Builder
	b.WriteString(u.Scheme)
	b.WriteString("://")
	b.WriteString(u.Host)
	maskPath(&b, u.EscapedPath())
	if u.RawQuery != "" {
		b.WriteString("?" + hidden)
	}
	return b.String()
}

func maskPath(b *strings.Builder, path string) {
	if path == "" || path == "/" {
		b.WriteString(path)
		return
	}
	segments := strings.Split(strings.Trim(path, "/"), "/")
	last := len(segments) - 1
	for i, s := range segments {
		switch {
		case i == last:
			b.WriteString("/" + maskLast(s))
		case i < shownSegments:
			b.WriteString("/" + maskLeading(s))
		case i == shownSegments:
			b.WriteString("/" + hidden) // one mark for all that is between
		}
	}
	if strings.HasSuffix(path, "/") {
		b.WriteByte('/')
	}
}

func maskLeading(s string) string {
	if len(s) <= shownPrefix {
		return s
	}
	if len(s) < 2*shownPrefix {
		return hidden
	}
	return s[:shownPrefix] + hidden
}

// maskLast hides the segment that carries the token. In the old form of Albato's links a percent
// escape follows the token; it says nothing, so the hint is taken from before it.
func maskLast(s string) string {
	s, _, _ = strings.Cut(s, "%")
	if len(s) < minForSuffix {
		return hidden
	}
	return hidden + s[len(s)-shownSuffix:]
}
