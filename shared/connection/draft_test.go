package connection_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/nethouse-academy/albato/shared/connection"
	"github.com/nethouse-academy/albato/shared/event"
	"github.com/nethouse-academy/albato/shared/problem"
	"github.com/nethouse-academy/albato/shared/webhook"
)

const draftLink = "https://h.albato.ru/wh/38/1lf4uvs/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA/"

var (
	draftRules = webhook.Rules{AllowedHosts: []string{"h.albato.ru"}}
	draftTime  = time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
)

// fields lists the wrong fields an error names; "" for none.
func fields(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	var p *problem.Error
	if !errors.As(err, &p) || p.Code != problem.InvalidRequest {
		t.Fatalf("error %v is not an invalid_request", err)
	}
	var names []string
	for _, f := range p.Fields {
		names = append(names, f.Field)
	}
	return strings.Join(names, " ")
}

func TestNewNamesEveryWrongField(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*connection.Draft)
		fields string
	}{
		"the link alone":         {func(*connection.Draft) {}, ""},
		"no link":                {func(d *connection.Draft) { d.Link = "" }, "webhook_url"},
		"another host":           {func(d *connection.Draft) { d.Link = "https://example.com/" }, "webhook_url"},
		"a hundred characters":   {func(d *connection.Draft) { d.Name = strings.Repeat("ё", 100) }, ""},
		"space does not count":   {func(d *connection.Draft) { d.Name = " " + strings.Repeat("ё", 100) + "\n" }, ""},
		"one more":               {func(d *connection.Draft) { d.Name = strings.Repeat("ё", 101) }, "name"},
		"a line break in a name": {func(d *connection.Draft) { d.Name = "a\nb" }, "name"},
		"an unknown action":      {func(d *connection.Draft) { d.Actions = []event.Action{"order_create", "order_refund"} }, "actions.1"},
		"an action twice":        {func(d *connection.Draft) { d.Actions = []event.Action{"order_create", "order_create"} }, "actions.1"},
		"on without an action":   {func(d *connection.Draft) { d.Enabled = true }, "enabled"},
		"on with one":            {func(d *connection.Draft) { d.Enabled, d.Actions = true, []event.Action{"order_create"} }, ""},
		"all at once": {func(d *connection.Draft) {
			*d = connection.Draft{Name: strings.Repeat("x", 101), Actions: []event.Action{""}}
		}, "webhook_url name actions.0"},
	} {
		t.Run(name, func(t *testing.T) {
			d := connection.Draft{Link: draftLink}
			c.change(&d)
			got, err := connection.New(d, "a1", "con_1", draftRules, "whsec_s", draftTime)
			if f := fields(t, err); f != c.fields {
				t.Errorf("wrong fields %q, want %q", f, c.fields)
			}
			if err != nil && got.ID != "" {
				t.Error("a connection beside an error")
			}
		})
	}
}

func TestALongListOfWrongActionsHasAShortAnswer(t *testing.T) {
	d := connection.Draft{Link: draftLink, Actions: make([]event.Action, 10_000)}
	_, err := connection.New(d, "a1", "con_1", draftRules, "whsec_s", draftTime)
	if n := len(strings.Fields(fields(t, err))); n == 0 || n > 20 {
		t.Errorf("%d wrong fields", n)
	}
}

func TestNewConnectionIsHealthyAndNamed(t *testing.T) {
	c, err := connection.New(connection.Draft{Link: draftLink, Name: "  "}, "a1", "con_1", draftRules, "whsec_s", draftTime)
	want := connection.Connection{ID: "con_1", AccountID: "a1", Name: "Albato", Link: draftLink, Version: 1, CreatedAt: draftTime,
		UpdatedAt: draftTime, Secret: "whsec_s", Health: connection.Health{State: connection.Healthy, Since: draftTime}}
	if err != nil || !reflect.DeepEqual(c, want) {
		t.Errorf("made %+v, %v", c, err)
	}
}

// failing is a switched-on connection in trouble, whose token sleeps.
func failing() connection.Connection {
	return connection.Connection{ID: "con_1", AccountID: "a1", Name: "CRM", Link: draftLink, Enabled: true, Version: 7, Generation: 3,
		Actions: []event.Action{event.OrderCreate}, UpdatedAt: draftTime,
		Health: connection.Health{State: connection.Failing, Since: draftTime, Attempts: 4, NextAttemptAt: draftTime.Add(time.Hour),
			HeldThrough: "9", TokenSentAt: draftTime, TokenHandle: "handle"}}
}

func ptr[T any](v T) *T { return &v }

func TestApply(t *testing.T) {
	later := draftTime.Add(time.Minute)
	other := draftLink + "other/"
	for name, c := range map[string]struct {
		from   func(*connection.Connection)
		patch  connection.Patch
		change func(*connection.Connection) // what the patch makes of it, beside version and time; nil: nothing at all
		fields string
	}{
		"nothing":                 {},
		"what it is already":      {patch: connection.Patch{Link: ptr(draftLink), Name: ptr(" CRM"), Actions: &[]event.Action{"order_create"}, Enabled: ptr(true)}},
		"a name":                  {patch: connection.Patch{Name: ptr("Таблица")}, change: func(c *connection.Connection) { c.Name = "Таблица" }},
		"an empty name":           {patch: connection.Patch{Name: ptr("")}, change: func(c *connection.Connection) { c.Name = "Albato" }},
		"a long name":             {patch: connection.Patch{Name: ptr(strings.Repeat("n", 101))}, fields: "name"},
		"actions":                 {patch: connection.Patch{Actions: &[]event.Action{"order_update"}}, change: func(c *connection.Connection) { c.Actions = []event.Action{event.OrderUpdate} }},
		"no action while on":      {patch: connection.Patch{Actions: &[]event.Action{}}, fields: "actions"},
		"no action and off":       {patch: connection.Patch{Actions: &[]event.Action{}, Enabled: ptr(false)}, change: func(c *connection.Connection) { c.SwitchOff(); c.Actions = []event.Action{} }},
		"on without an action":    {from: func(c *connection.Connection) { c.Enabled, c.Actions = false, nil }, patch: connection.Patch{Enabled: ptr(true)}, fields: "enabled"},
		"off":                     {patch: connection.Patch{Enabled: ptr(false)}, change: func(c *connection.Connection) { c.SwitchOff() }},
		"on":                      {from: func(c *connection.Connection) { c.Enabled = false }, patch: connection.Patch{Enabled: ptr(true)}, change: func(c *connection.Connection) { c.SwitchOn(later) }},
		"a new link":              {patch: connection.Patch{Link: &other}, change: func(c *connection.Connection) { c.Link = webhook.Link(other); c.Relinked(later) }},
		"a new link and off":      {patch: connection.Patch{Link: &other, Enabled: ptr(false)}, change: func(c *connection.Connection) { c.Link = webhook.Link(other); c.SwitchOff() }},
		"a bad link and an other": {patch: connection.Patch{Link: ptr("x"), Actions: &[]event.Action{"x"}}, fields: "webhook_url actions.0"},
	} {
		t.Run(name, func(t *testing.T) {
			got := failing()
			if c.from != nil {
				c.from(&got)
			}
			want := got
			if c.change != nil {
				c.change(&want)
				want.Version, want.UpdatedAt = 8, later
			}
			err := got.Apply(c.patch, draftRules, later)
			if f := fields(t, err); f != c.fields {
				t.Errorf("wrong fields %q, want %q", f, c.fields)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("became %+v\nwant   %+v", got, want)
			}
		})
	}
}

func TestApplyBearsOnDeliveryOnlyWhereItShould(t *testing.T) {
	c := failing()
	if err := c.Apply(connection.Patch{Name: ptr("x"), Actions: &[]event.Action{"order_update"}}, draftRules, draftTime); err != nil {
		t.Fatal(err)
	}
	if c.Generation != 3 || c.Health != failing().Health {
		t.Errorf("a name and actions touched delivery: %+v", c)
	}
	actions := []event.Action{"order_create"}
	if err := c.Apply(connection.Patch{Actions: &actions}, draftRules, draftTime); err != nil {
		t.Fatal(err)
	}
	if actions[0] = "x"; c.Actions[0] != event.OrderCreate {
		t.Error("the connection shares the caller's list")
	}
}
