package delivery

import (
	"net/http"

	"github.com/nethouse-academy/albato/shared/webhook"
)

// Verdict is what an attempt means for the message and for its connection.
type Verdict int

// The verdicts; Judge gives them.
const (
	Success  Verdict = iota // delivered; the link lives
	Refusal                 // the receiver refuses this event: the second time it has failed; the link lives
	Trouble                 // the event waits; the connection is failing
	Gone                    // the event waits; the connection is suspended at once
	OwnFault                // no attempt is counted; the message comes back after its visibility timeout
)

// verdicts lists the answers that mean something of their own; any other 2xx is Success, anything else Trouble.
// Source: RFC 9110, section 15.
var verdicts = map[int]Verdict{
	http.StatusBadRequest:            Refusal, // 400
	http.StatusRequestEntityTooLarge: Refusal, // 413
	http.StatusUnsupportedMediaType:  Refusal, // 415
	http.StatusUnprocessableEntity:   Refusal, // 422
	http.StatusGone:                  Gone,    // 410
}

// Judge is the one place that decides whose fault an attempt's outcome is. status is the HTTP status, 0 when no answer
// was seen; code is the error's code as in package webhook.
//
//	2xx                                     Success
//	400 413 415 422                         Refusal
//	410                                     Gone
//	3xx, other 4xx, 5xx, every network error Trouble
//	our invocation ended, a fault of ours   OwnFault
func Judge(status int, code string) Verdict {
	if code == webhook.CodeInterrupted || code == webhook.CodeInternal {
		return OwnFault
	}
	if status >= 200 && status <= 299 && code == "" {
		return Success
	}
	if v, ok := verdicts[status]; ok {
		return v
	}
	return Trouble
}
