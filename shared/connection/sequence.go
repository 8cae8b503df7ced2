package connection

import (
	"fmt"
	"strings"
)

// Sequence is an SQS SequenceNumber (a 128-bit number in decimal, which grows within a message group), padded with
// zeros to 39 digits so that it compares and sorts as text. Empty comes before every number.
// Source: Amazon SQS developer guide, "Message ordering in FIFO queues".
type Sequence string

const sequenceDigits = 39

// ParseSequence reads a SequenceNumber as SQS gives it.
func ParseSequence(s string) (Sequence, error) {
	if s == "" || len(s) > sequenceDigits || strings.Trim(s, "0123456789") != "" {
		return "", fmt.Errorf("%q is not a sequence number", s)
	}
	return Sequence(strings.Repeat("0", sequenceDigits-len(s)) + s), nil
}
