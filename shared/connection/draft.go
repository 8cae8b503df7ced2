package connection

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/nethouse-academy/albato/shared/event"
	"github.com/nethouse-academy/albato/shared/problem"
	"github.com/nethouse-academy/albato/shared/webhook"
)

const (
	// DefaultName is the name of a connection that was given none.
	DefaultName = "Albato"
	// MaxNameLength is the longest name, in characters.
	MaxNameLength = 100
)

// Draft is what somebody asks a new connection to be. Only the link is needed.
type Draft struct {
	Link    string
	Name    string
	Actions []event.Action
	Enabled bool
	Origin  Origin
}

// New makes a connection of a draft: healthy, version 1. The error is an invalid_request that names every wrong field as
// the HTTP contract calls it.
func New(d Draft, accountID, id string, rules webhook.Rules, secret webhook.Secret, now time.Time) (Connection, error) {
	c := Connection{ID: id, AccountID: accountID, Link: webhook.Link(d.Link), Actions: slices.Clone(d.Actions),
		Enabled: d.Enabled, Origin: d.Origin, Version: 1, CreatedAt: now, UpdatedAt: now, Secret: secret,
		Health: Health{State: Healthy, Since: now}}
	var wrong problem.Fields
	checkLink(d.Link, rules, &wrong)
	c.Name = checkName(d.Name, &wrong)
	checkActions(d.Actions, &wrong)
	if d.Enabled && len(d.Actions) == 0 {
		wrong.Add("enabled", msgNoAction)
	}
	if err := wrong.Err(); err != nil {
		return Connection{}, err
	}
	return c, nil
}

// Patch is what somebody asks to change; what is nil stays as it is.
type Patch struct {
	Link    *string
	Name    *string
	Actions *[]event.Action
	Enabled *bool
}

// Apply changes c as the patch says, with what that means for delivery, and counts Version up; a patch that changes
// nothing leaves c as it is. The error is an invalid_request that names every wrong field; c is then unchanged.
func (c *Connection) Apply(p Patch, rules webhook.Rules, now time.Time) error {
	changed := *c
	var wrong problem.Fields
	if p.Link != nil {
		checkLink(*p.Link, rules, &wrong)
		changed.Link = webhook.Link(*p.Link)
	}
	if p.Name != nil {
		changed.Name = checkName(*p.Name, &wrong)
	}
	if p.Actions != nil {
		checkActions(*p.Actions, &wrong)
		changed.Actions = slices.Clone(*p.Actions)
	}
	if p.Enabled != nil {
		changed.Enabled = *p.Enabled
	}
	if changed.Enabled && len(changed.Actions) == 0 {
		field := "actions"
		if p.Enabled != nil {
			field = "enabled"
		}
		wrong.Add(field, msgNoAction)
	}
	if err := wrong.Err(); err != nil {
		return err
	}
	c.become(changed, now)
	return nil
}

// become turns c into changed by the acts that bear on delivery.
func (c *Connection) become(changed Connection, now time.Time) {
	relinked, switched := changed.Link != c.Link, changed.Enabled != c.Enabled
	if !relinked && !switched && changed.Name == c.Name && slices.Equal(changed.Actions, c.Actions) {
		return
	}
	c.Link, c.Name, c.Actions = changed.Link, changed.Name, changed.Actions
	switch {
	case switched && changed.Enabled:
		c.SwitchOn(now)
	case switched:
		c.SwitchOff()
	case relinked:
		c.Relinked(now)
	}
	c.Version++
	c.UpdatedAt = now
}

// What an organiser is told.
const (
	msgNoAction    = "Отметьте хотя бы одно событие: без него включать нечего."
	msgNameLong    = "Название слишком длинное: допустимо не больше 100 символов."
	msgNameControl = "В названии есть недопустимые символы, например перенос строки."
)

func checkLink(raw string, rules webhook.Rules, wrong *problem.Fields) {
	var e *webhook.LinkError
	if err := rules.Check(raw); errors.As(err, &e) {
		wrong.Add("webhook_url", e.Message)
	}
}

// checkName gives the name without the space around it, or the default for an empty one.
func checkName(name string, wrong *problem.Fields) string {
	name = strings.TrimSpace(name)
	switch {
	case name == "":
		return DefaultName
	case utf8.RuneCountInString(name) > MaxNameLength:
		wrong.Add("name", msgNameLong)
	case strings.ContainsFunc(name, unicode.IsControl):
		wrong.Add("name", msgNameControl)
	}
	return name
}

// checkActions names each wrong place of the list, not what stands there: that may be anything.
func checkActions(actions []event.Action, wrong *problem.Fields) {
	seen := make(map[event.Action]bool, len(actions))
	for i, a := range actions {
		field := "actions." + strconv.Itoa(i)
		switch {
		case !a.Valid():
			wrong.Add(field, "must be one of "+actionNames())
		case seen[a]:
			wrong.Add(field, "repeats an action")
		}
		seen[a] = true
		if len(*wrong) > maxWrong {
			return
		}
	}
}

func actionNames() string {
	var names []string
	for _, t := range event.Triggers() {
		names = append(names, string(t.Action))
	}
	return strings.Join(names, ", ")
}

// maxWrong keeps a list of a thousand wrong actions from becoming an answer of a thousand sentences.
const maxWrong = 10
