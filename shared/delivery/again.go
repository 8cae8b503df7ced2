package delivery

import (
	"crypto/sha256"
	"fmt"

	"github.com/oklog/ulid/v2"
)

// Again is the message by which a delivery is sent once more, because somebody asked for it. d must have its body.
//
// The message's id follows from how far the delivery has come: asked for twice before it was dealt with, it is one
// message, which the queue and the log recognise. So a request that was half carried out may simply be repeated.
func (d Delivery) Again() Message {
	last := d.LastAttemptAt
	if last.IsZero() {
		last = d.CreatedAt
	}
	h := sha256.New()
	fmt.Fprintf(h, "%s\x00%s\x00%d", d.ID, d.Retry, d.Attempts)
	var id ulid.ULID
	_ = id.SetTime(ulid.Timestamp(last)) // a time that does not fit leaves the rest, which is enough
	_ = id.SetEntropy(h.Sum(nil)[:10])   // ten bytes always fit
	return Message{Delivery: d, Retry: id.String()}
}
