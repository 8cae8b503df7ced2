// Package iam holds the functions of the local stack to the permissions that the template gives them: what AWS would
// deny is denied here, so that a missing permission shows on a developer's machine and not after the deployment. It also
// remembers what was used, so that a permission nobody needs shows too.
//
// It knows what the template uses: statements that allow actions, named in full, on resources, named in full.
package iam

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Policy is what a role may do.
type Policy struct{ grants map[Grant]bool }

// Grant is one action on one resource.
type Grant struct{ Action, Resource string }

func (g Grant) String() string { return g.Action + " on " + g.Resource }

// ParsePolicies reads the Policies property of a function, resolved: inline policy documents. A managed policy, a
// condition, a denial and a wildcard are errors.
func ParsePolicies(policies any) (Policy, error) {
	p := Policy{map[Grant]bool{}}
	list, ok := policies.([]any)
	if policies != nil && !ok {
		return p, fmt.Errorf("policies: a list of policy documents is supported, not %T", policies)
	}
	for _, item := range list {
		document, ok := item.(map[string]any)
		if !ok {
			return p, fmt.Errorf("policies: %v is not a policy document", item)
		}
		for _, s := range asList(document["Statement"]) {
			statement, ok := s.(map[string]any)
			if !ok {
				return p, fmt.Errorf("policies: %v is not a statement", s)
			}
			if err := p.add(statement); err != nil {
				return p, err
			}
		}
	}
	return p, nil
}

func (p Policy) add(statement map[string]any) error {
	for name, value := range statement {
		if !slices.Contains([]string{"Sid", "Effect", "Action", "Resource"}, name) || name == "Effect" && value != "Allow" {
			return fmt.Errorf("policies: %s: %s %v is not supported", statement["Sid"], name, value)
		}
	}
	for _, action := range asList(statement["Action"]) {
		for _, resource := range asList(statement["Resource"]) {
			g := Grant{fmt.Sprint(action), fmt.Sprint(resource)}
			if strings.Contains(g.String(), "*") {
				return fmt.Errorf("policies: %s: wildcards are not supported: %s", statement["Sid"], g)
			}
			p.grants[g] = true
		}
	}
	return nil
}

func asList(v any) []any {
	if list, ok := v.([]any); ok {
		return list
	}
	return []any{v}
}

// Allows tells whether the policy allows the action on the resource.
func (p Policy) Allows(action, resource string) bool { return p.grants[Grant{action, resource}] }

// Grants are the policy's grants, sorted.
func (p Policy) Grants() []Grant { return sorted(p.grants) }

func sorted(grants map[Grant]bool) []Grant {
	return slices.SortedFunc(maps.Keys(grants), func(a, b Grant) int { return strings.Compare(a.String(), b.String()) })
}

// Guard knows the roles of the functions, and what each has used of its own.
type Guard struct {
	mu    sync.RWMutex
	roles map[string]Policy // by access key
	used  map[string]map[Grant]bool
}

// NewGuard returns a guard of no roles.
func NewGuard() *Guard { return &Guard{roles: map[string]Policy{}, used: map[string]map[Grant]bool{}} }

// Role adds a role; requests signed with the access key are held to it.
func (g *Guard) Role(accessKey string, p Policy) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.roles[accessKey] = p
	g.used[accessKey] = map[Grant]bool{}
}

// Used tells what the role of that access key has been allowed so far, sorted.
func (g *Guard) Used(accessKey string) []Grant {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return sorted(g.used[accessKey])
}

// Check allows or denies, and remembers what it allows. Somebody without a role is the developer, who may do everything.
func (g *Guard) Check(accessKey, action, resource string) error {
	use := Grant{action, resource}
	g.mu.RLock()
	role, held := g.roles[accessKey]
	known := g.used[accessKey][use]
	g.mu.RUnlock()
	if !held || known {
		return nil
	}
	if !role.Allows(action, resource) {
		return fmt.Errorf("%s is not authorized to perform: %s on resource: %s because no identity-based policy allows the %s action",
			accessKey, action, resource, action)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.used[accessKey][use] = true
	return nil
}
