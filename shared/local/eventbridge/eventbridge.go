// Package eventbridge is an in-memory Amazon EventBridge that takes PutEvents and remembers what came
// (https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html). It has no rules and no targets.
package eventbridge

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nethouse-academy/albato/shared/local/awsjson"
)

// keep is how many events are remembered.
const keep = 1000

// Event is an event as a rule would see it.
type Event struct {
	ID         string          `json:"id"`
	Time       time.Time       `json:"time"`
	Bus        string          `json:"bus"`
	Source     string          `json:"source"`
	DetailType string          `json:"detail-type"`
	Resources  []string        `json:"resources"`
	Detail     json.RawMessage `json:"detail"`
}

// Server is an http.Handler that takes events for one bus.
type Server struct {
	http.Handler
	bus    string
	notify func(Event)

	mu     sync.Mutex
	events []Event
}

// New makes a server with the bus of that name; notify, when not nil, is told of each event.
func New(bus string, notify func(Event)) *Server {
	s := &Server{bus: bus, notify: notify}
	s.Handler = awsjson.Handler("AWSEvents", map[string]awsjson.Operation{"PutEvents": s.put})
	return s
}

// Events returns the last events, oldest first.
func (s *Server) Events() []Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.events)
}

type entry struct {
	Time                                     *float64 // seconds since 1970
	Source, DetailType, Detail, EventBusName string
	Resources                                []string
	TraceHeader                              string
}

type answer struct {
	EventID      string `json:"EventId,omitempty"`
	ErrorCode    string `json:",omitempty"`
	ErrorMessage string `json:",omitempty"`
}

func (s *Server) put(input []byte) (any, error) {
	var in struct{ Entries []entry }
	if err := awsjson.Decode(input, &in); err != nil {
		return nil, err
	}
	if n := len(in.Entries); n < 1 || n > 10 {
		return nil, awsjson.Errorf("ValidationException", "%d entries; PutEvents takes 1 to 10", n)
	}
	out := struct {
		FailedEntryCount int
		Entries          []answer
	}{}
	for _, e := range in.Entries {
		bus := e.EventBusName[strings.LastIndexByte(e.EventBusName, '/')+1:] // a name or an ARN
		if bus == "" {
			bus = "default"
		}
		a := check(e, bus == s.bus)
		if a.ErrorCode != "" {
			out.FailedEntryCount++
		} else {
			s.add(a.EventID, bus, e)
		}
		out.Entries = append(out.Entries, a)
	}
	return out, nil
}

// check refuses an entry as PutEvents does, one by one.
func check(e entry, busKnown bool) answer {
	var detail map[string]any
	switch {
	case !busKnown:
		return answer{ErrorCode: "ResourceNotFoundException", ErrorMessage: "Event bus " + e.EventBusName + " does not exist."}
	case e.Source == "":
		return answer{ErrorCode: "InvalidArgument", ErrorMessage: "Parameter Source is not valid. Reason: Source is a required argument."}
	case e.DetailType == "":
		return answer{ErrorCode: "InvalidArgument", ErrorMessage: "Parameter DetailType is not valid. Reason: DetailType is a required argument."}
	case json.Unmarshal([]byte(e.Detail), &detail) != nil:
		return answer{ErrorCode: "MalformedDetail", ErrorMessage: "Detail is malformed."}
	}
	a, b := rand.Uint64(), rand.Uint64()
	return answer{EventID: fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x", a>>32, a>>16&0xffff, a&0xfff, 0x8000|b>>48&0x3fff, b&0xffffffffffff)}
}

func (s *Server) add(id, bus string, e entry) {
	at := time.Now()
	if e.Time != nil {
		at = time.UnixMilli(int64(*e.Time * 1000))
	}
	event := Event{id, at.UTC(), bus, e.Source, e.DetailType, e.Resources, json.RawMessage(e.Detail)}
	s.mu.Lock()
	s.events = append(s.events, event)
	if len(s.events) > keep {
		s.events = slices.Delete(s.events, 0, len(s.events)-keep)
	}
	s.mu.Unlock()
	if s.notify != nil {
		s.notify(event)
	}
}
