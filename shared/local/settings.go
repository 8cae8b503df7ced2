package local

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// settings are the environment variables that change a parameter of the template, by the parameter.
var settings = []struct{ parameter, variable string }{
	{"RetrySchedule", "RETRY_SCHEDULE"}, {"DeliveryTimeout", "DELIVERY_TIMEOUT"}, {"VisibilityTimeout", "VISIBILITY_TIMEOUT"},
	{"RetentionDays", "RETENTION_DAYS"}, {"AllowedHosts", "ALLOWED_HOSTS"}, {"FrameAncestors", "FRAME_ANCESTORS"},
	{"RegistrationUrl", "REGISTRATION_URL"}, {"LogLevel", "LOG_LEVEL"},
}

// OptionsFromEnvironment reads PORT, API_KEY and the variables that stand for the template's parameters: RETRY_SCHEDULE,
// DELIVERY_TIMEOUT, VISIBILITY_TIMEOUT, RETENTION_DAYS, ALLOWED_HOSTS, FRAME_ANCESTORS, REGISTRATION_URL, LOG_LEVEL.
// A duration may be written 2s or 2. All faults are reported together.
func OptionsFromEnvironment(getenv func(string) string) (Options, error) {
	o := Options{Port: 8080, APIKey: getenv("API_KEY"), Parameters: map[string]string{}}
	var errs []error
	if v := getenv("PORT"); v != "" {
		port, err := strconv.Atoi(v)
		if err != nil || port < 0 || port > 65535 {
			errs = append(errs, fmt.Errorf("PORT=%s is not a port", v))
		}
		o.Port = port
	}
	for _, s := range settings {
		v := getenv(s.variable)
		if v == "" {
			continue
		}
		switch s.parameter {
		case "RetrySchedule":
			steps := strings.Split(v, ",")
			for i := range steps {
				steps[i] = withUnit(strings.TrimSpace(steps[i]))
			}
			v = strings.Join(steps, ",")
		case "DeliveryTimeout":
			v = withUnit(v)
		case "VisibilityTimeout":
			d, err := time.ParseDuration(withUnit(v))
			if err != nil || d < time.Second || d%time.Second != 0 {
				errs = append(errs, fmt.Errorf("VISIBILITY_TIMEOUT=%s is not a number of whole seconds", v))
			}
			v = strconv.Itoa(int(d / time.Second))
			if getenv("DELIVERY_TIMEOUT") == "" && d < 20*time.Second {
				// The sender must be done before its messages come back, so its timeout shrinks with them, and an attempt
				// that does not fit into it would never begin.
				o.Parameters["DeliveryTimeout"] = fmt.Sprintf("%dms", (d / 2).Milliseconds())
			}
		}
		o.Parameters[s.parameter] = v
	}
	return o, errors.Join(errs...)
}

// withUnit adds the seconds to a bare number.
func withUnit(v string) string {
	if _, err := strconv.Atoi(v); err == nil {
		return v + "s"
	}
	return v
}
