package delivery

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// MaxDelay caps every wait: SQS hides a message for at most twelve hours.
// Source: Amazon SQS developer guide, "Visibility timeout".
const MaxDelay = 12 * time.Hour

// Schedule lists the waits after the first, second … failed attempt in a row. When all are used up and the next attempt
// fails, the connection is suspended.
type Schedule []time.Duration

// DefaultSchedule ends about three days after the first failure.
const DefaultSchedule = "5s,30s,2m,5m,30m,2h,5h,10h,12h,12h,12h,12h"

// UnmarshalText reads durations separated by commas, as in DefaultSchedule: each from 1s to 12h, 1 to 50 of them.
func (s *Schedule) UnmarshalText(text []byte) error {
	var all Schedule
	var wrong []error
	for part := range strings.SplitSeq(string(text), ",") {
		d, err := time.ParseDuration(strings.TrimSpace(part))
		if err != nil || d < time.Second || d > MaxDelay {
			wrong = append(wrong, fmt.Errorf("%q is not a duration from 1s to 12h", strings.TrimSpace(part)))
		}
		all = append(all, d)
	}
	if len(all) > 50 {
		wrong = append(wrong, errors.New("more than 50 steps"))
	}
	if err := errors.Join(wrong...); err != nil {
		return fmt.Errorf("a retry schedule is a list such as %s: %w", DefaultSchedule, err)
	}
	*s = all
	return nil
}

// Delay is the wait after the given number of failed attempts in a row (at least 1). Jitter, from 0 to 1, adds up to a
// fifth, never less than the step; retryAfter is a floor; MaxDelay is the cap. ok is false when the schedule is used up.
func (s Schedule) Delay(attempts int, jitter float64, retryAfter time.Duration) (d time.Duration, ok bool) {
	if attempts > len(s) {
		return 0, false
	}
	d = s[attempts-1]
	d += time.Duration(jitter * float64(d) / 5)
	return min(max(d, retryAfter), MaxDelay), true
}
