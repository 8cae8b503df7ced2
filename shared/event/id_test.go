package event_test

import (
	"strings"
	"testing"

	"github.com/nethouse-academy/albato/shared/event"
)

func TestIDs(t *testing.T) {
	for id, valid := range map[string]bool{"a": true, "Z": true, "0": true, "9": true, "az.AZ_09:-": true, "": false, "a b": false, "a/b": false,
		"a\n": false, "ж": false, "a@b": false, "[": false, "`": false, "{": false, ";": false, ",": false, "\x00": false,
		strings.Repeat("a", 64): true, strings.Repeat("a", 65): false} {
		if got := event.ValidAccountID(id); got != valid {
			t.Errorf("account %q: %t", id, got)
		}
	}
	for n, valid := range map[int]bool{128: true, 129: false} {
		_, err := event.Parse([]byte(`{"id":"` + strings.Repeat("a", n) + `","account_id":"a","occurred_at":"2026-11-23T08:05:00Z","data":{"action":"order_create","order":{"id":1}}}`))
		if (err == nil) != valid {
			t.Errorf("an event's id of %d characters: %v", n, err)
		}
	}
}
