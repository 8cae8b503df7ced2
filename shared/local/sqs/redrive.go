package sqs

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// redrivePolicy sends a message to a dead-letter queue once it was received as
// often as allowed and is due to be received again.
type redrivePolicy struct {
	target      string // ARN
	maxReceives int
}

func (p *redrivePolicy) String() string {
	return fmt.Sprintf(`{"deadLetterTargetArn":"%s","maxReceiveCount":%d}`, p.target, p.maxReceives)
}

// parseRedrivePolicy reads the attribute; the empty text removes the policy. The
// count may be a number or, as many templates have it, a number in quotes.
func parseRedrivePolicy(text string) (*redrivePolicy, *Error) {
	if text == "" {
		return nil, nil
	}
	var in struct {
		Target *string        `json:"deadLetterTargetArn"`
		Max    jsontext.Value `json:"maxReceiveCount"`
	}
	if err := json.Unmarshal([]byte(text), &in, json.RejectUnknownMembers(true)); err != nil {
		return nil, invalidValue(text, "RedrivePolicy", "Amazon SQS can't create the redrive policy, as it's in an unsupported format.")
	}
	if in.Target == nil || in.Max == nil {
		return nil, invalidValue(text, "RedrivePolicy", "Redrive policy needs deadLetterTargetArn and maxReceiveCount.")
	}
	digits := string(in.Max)
	if in.Max.Kind() == '"' {
		b, _ := jsontext.AppendUnquote(nil, in.Max)
		digits = string(b)
	}
	n, err := strconv.Atoi(digits)
	if err != nil || n < 1 || n > 1000 {
		return nil, invalidValue(text, "RedrivePolicy", "Invalid value for maxReceiveCount: "+digits+", valid values are from 1 to 1000 both inclusive.")
	}
	return &redrivePolicy{*in.Target, n}, nil
}

// redriveAllowPolicy says which queues may use a queue for their dead letters.
type redriveAllowPolicy struct {
	text       string
	permission string
	sources    []string // ARNs, for byQueue
}

func parseRedriveAllowPolicy(text string) (*redriveAllowPolicy, *Error) {
	if text == "" {
		return nil, nil
	}
	var in struct {
		Permission string   `json:"redrivePermission"`
		Sources    []string `json:"sourceQueueArns"`
	}
	bad := invalidValue(text, "RedriveAllowPolicy", "Amazon SQS can't create the redrive allow policy, as it's in an unsupported format.")
	if err := json.Unmarshal([]byte(text), &in, json.RejectUnknownMembers(true)); err != nil {
		return nil, bad
	}
	switch in.Permission {
	case "allowAll", "denyAll":
		if in.Sources != nil {
			return nil, bad
		}
	case "byQueue":
		if n := len(in.Sources); n < 1 || n > 10 {
			return nil, bad
		}
	default:
		return nil, bad
	}
	return &redriveAllowPolicy{text, in.Permission, in.Sources}, nil
}

func (p *redriveAllowPolicy) allows(source string) bool {
	return p == nil || p.permission == "allowAll" || p.permission == "byQueue" && slices.Contains(p.sources, source)
}

// checkRedrive verifies that the queue of that ARN may send its dead letters
// where its configuration says.
func (s *Server) checkRedrive(arn string, c config) *Error {
	if c.redrive == nil {
		return nil
	}
	to := s.byARN(c.redrive.target)
	switch {
	case to == nil:
		return invalidValue(c.redrive, "RedrivePolicy", "Dead letter target does not exist.")
	case to.arn == arn:
		return invalidValue(c.redrive, "RedrivePolicy", "Dead letter target is the queue itself.")
	case to.config.fifo != c.fifo:
		return invalidValue(c.redrive, "RedrivePolicy", "Dead-letter queue must be same type of queue as the source.")
	case !to.config.allow.allows(arn):
		return invalidValue(c.redrive, "RedrivePolicy", "The dead letter queue does not allow this source queue.")
	}
	return nil
}
