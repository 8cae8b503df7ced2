package template_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/nethouse-academy/albato/shared/local/template"
)

// routes are the route keys that the functions' events make.
func routes(t *testing.T) map[string]bool {
	t.Helper()
	keys := map[string]bool{}
	each(t, "AWS::Serverless::Function", func(t *testing.T, _ template.Resource, f template.Function) {
		for _, e := range f.Events {
			key := strings.ToUpper(e.Properties.Method) + " " + e.Properties.Path
			if e.Properties.Path == "" {
				key = "$default"
			}
			keys[key] = true
		}
	})
	return keys
}

// Every route is throttled, the dear ones hardest. Settings for a route that does not exist would stop the deployment.
func TestRoutesAreThrottled(t *testing.T) {
	const (
		events   = "ANY /v1/events"
		accounts = "ANY /v1/accounts/{proxy+}"
		tests    = "POST /v1/accounts/{account}/connections/{connection}/test"
		sessions = "POST /v1/accounts/{account}/page-sessions"
		page     = "$default"
	)
	there := routes(t)
	parsed, s := project(t)
	api, _ := parsed.Resource("Api")
	var settings struct {
		DefaultRouteSettings limits
		RouteSettings        map[string]limits
	}
	properties, err := s.Resolve(api.Properties)
	if err != nil {
		t.Fatal(err)
	}
	settings.DefaultRouteSettings = limitsOf(t, properties.(map[string]any)["DefaultRouteSettings"])
	settings.RouteSettings = map[string]limits{}
	for key, v := range properties.(map[string]any)["RouteSettings"].(map[string]any) {
		if !there[key] {
			t.Errorf("there is no route %s", key)
		}
		settings.RouteSettings[key] = limitsOf(t, v)
	}
	of := func(key string) limits {
		if !there[key] {
			t.Errorf("there is no route %s", key)
		}
		if l, own := settings.RouteSettings[key]; own {
			return l
		}
		return settings.DefaultRouteSettings
	}
	for _, order := range [][2]string{{tests, sessions}, {sessions, accounts}, {accounts, events}, {page, events}} {
		less, more := of(order[0]), of(order[1])
		if less.rate >= more.rate || less.burst >= more.burst || less.rate < 1 || less.burst < less.rate {
			t.Errorf("%s has %+v, %s %+v", order[0], less, order[1], more)
		}
	}
}

// limits are a token bucket's: requests a second, and at once.
type limits struct{ rate, burst float64 }

func limitsOf(t *testing.T, v any) limits {
	t.Helper()
	m, _ := v.(map[string]any)
	number := func(name string) float64 {
		n, err := strconv.ParseFloat(fmt.Sprint(m[name]), 64)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return n
	}
	return limits{number("ThrottlingRateLimit"), number("ThrottlingBurstLimit")}
}
