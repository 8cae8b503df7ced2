package sqs

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// dedupInterval is how long a FIFO queue remembers a deduplication id, counted
// from the message that was accepted; duplicates do not prolong it.
const dedupInterval = 5 * time.Minute

// dedupWindow remembers the messages accepted lately, those already deleted
// included.
type dedupWindow struct {
	entries map[dedupKey]*dedupEntry
	order   list[*dedupEntry] // oldest first
}

type dedupKey struct {
	group string // empty when the scope is the whole queue
	id    string
}

type dedupEntry struct {
	group, id string
	key       dedupKey
	messageID string
	sequence  string
	at        instant
	turn      node[*dedupEntry]
}

func newDedupKey(perGroup bool, group, id string) dedupKey {
	if perGroup {
		return dedupKey{group, id}
	}
	return dedupKey{"", id}
}

// find answers with the earlier message of that key, nil when there was none.
func (w *dedupWindow) find(k dedupKey, now instant) *dedupEntry {
	if e := w.entries[k]; e != nil && now-e.at < dedupInterval {
		return e
	}
	return nil
}

func (w *dedupWindow) remember(k dedupKey, m *message, now instant) {
	if old := w.entries[k]; old != nil {
		w.order.remove(&old.turn)
	}
	e := &dedupEntry{group: m.group, id: m.dedup, key: k, messageID: m.id, sequence: m.sequence, at: now}
	e.turn.value = e
	if w.entries == nil {
		w.entries = map[dedupKey]*dedupEntry{}
	}
	w.entries[k] = e
	w.order.push(&e.turn)
}

// forget drops what is past the interval, a bounded number at a time: find looks
// at the time itself, and no single call should pay for a whole burst.
func (w *dedupWindow) forget(now instant) {
	for range 64 {
		if w.order.front == nil || now-w.order.front.value.at < dedupInterval {
			return
		}
		e := w.order.front.value
		w.order.remove(&e.turn)
		delete(w.entries, e.key)
	}
}

// rescope changes the keys when the queue's DeduplicationScope changes. Where
// messages of several groups share an id, the latest stands for them.
func (w *dedupWindow) rescope(perGroup bool) {
	old := w.order
	*w = dedupWindow{entries: make(map[dedupKey]*dedupEntry, old.length)}
	for n := old.front; n != nil; n = n.next {
		e := *n.value
		e.turn = node[*dedupEntry]{value: &e}
		e.key = newDedupKey(perGroup, e.group, e.id)
		if earlier := w.entries[e.key]; earlier != nil {
			w.order.remove(&earlier.turn)
		}
		w.entries[e.key] = &e
		w.order.push(&e.turn)
	}
}

// contentID is the deduplication id that a queue with ContentBasedDeduplication
// derives: the SHA-256 of the body, not of the attributes.
func contentID(body string) string {
	sum := sha256.Sum256([]byte(body))
	return hex.EncodeToString(sum[:])
}
