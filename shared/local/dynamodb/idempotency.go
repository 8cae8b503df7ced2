package dynamodb

import (
	"crypto/sha256"
	"strings"
	"sync"
	"time"
)

// tokenMemoryTime is how long a client request token is remembered.
const tokenMemoryTime = 10 * time.Minute

// tokenMemory remembers which client request tokens were carried out.
type tokenMemory struct {
	mu     sync.Mutex
	tokens map[string]tokenUse
	queue  []string // in the order they were used, oldest first
}

type tokenUse struct {
	digest [sha256.Size]byte
	at     time.Time
}

// once runs a transaction unless its token has been used for the same one; an
// empty token always runs. Tokens are remembered only when it succeeds.
func (m *tokenMemory) once(token string, digest [sha256.Size]byte, now time.Time, run func() (usages, error)) (used usages, repeated bool, err error) {
	if token == "" {
		used, err = run()
		return used, false, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for len(m.queue) > 0 && now.Sub(m.tokens[m.queue[0]].at) >= tokenMemoryTime {
		delete(m.tokens, m.queue[0])
		m.queue = m.queue[1:]
	}
	if use, ok := m.tokens[token]; ok {
		if use.digest != digest {
			return nil, false, &fault{code: serviceNamespace + "IdempotentParameterMismatchException",
				message: "The request uses the same client token as a previous, but non-identical request."}
		}
		return nil, true, nil
	}
	if used, err = run(); err != nil {
		return used, false, err
	}
	if m.tokens == nil {
		m.tokens = make(map[string]tokenUse)
	}
	token = strings.Clone(token) // it may share a request's memory
	m.tokens[token] = tokenUse{digest, now}
	m.queue = append(m.queue, token)
	return used, false, nil
}

// digest identifies a transaction whatever the order of its JSON members.
func digest(requests []*writeRequest) [sha256.Size]byte {
	var b []byte
	text := func(s *string) {
		if s == nil {
			b = append(b, "null,"...)
			return
		}
		b = append(appendString(b, *s), ',')
	}
	for _, r := range requests {
		b = append(b, '0'+byte(r.action), ',')
		text(&r.tableName)
		b = append(appendItem(b, r.item), ',')
		b = append(appendItem(b, r.key), ',')
		text(r.condition)
		text(r.update)
		text(&r.onFailure)
		for _, n := range r.placeholders.names {
			text(&n.placeholder)
			text(&n.name)
		}
		b = append(appendItem(b, r.placeholders.values), '\n')
	}
	return sha256.Sum256(b)
}
