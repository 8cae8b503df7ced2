// Package template reads the project's SAM template, so that what runs on a developer's machine is made from the very
// file that is deployed. It knows the parts of CloudFormation the project uses; the rest it refuses by name and line.
package template

import (
	"fmt"
	"os"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Template is a parsed template, its intrinsic functions not yet resolved.
type Template struct {
	Parameters map[string]Parameter
	Conditions map[string]any
	// Globals holds the properties that every function has unless it says otherwise (Globals.Function).
	Globals   map[string]any
	Resources []Resource // in the order of the file
	Outputs   map[string]any
}

// Parameter is one parameter of the template.
type Parameter struct {
	Type           string
	Default        string
	Description    string
	AllowedPattern string
	AllowedValues  []string
}

// Resource is one resource, its properties not yet resolved.
type Resource struct {
	ID, Type            string
	Line                int
	DeletionPolicy      string
	UpdateReplacePolicy string
	Condition           string
	Metadata            map[string]any
	Properties          map[string]any
}

// Call is an intrinsic function in a parsed tree: Func is its long name (Ref, Fn::Sub), Line where it stands.
type Call struct {
	Func string
	Arg  any
	Line int
}

// ReadFile parses the template at path.
func ReadFile(path string) (*Template, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	t, err := Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}

// Parse parses a template.
func Parse(data []byte) (*Template, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, err
	}
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		return nil, fmt.Errorf("not a template: the document is not a map")
	}
	t := &Template{Parameters: map[string]Parameter{}}
	err := eachPair(doc.Content[0], func(key string, value *yaml.Node) error {
		switch key {
		case "AWSTemplateFormatVersion", "Transform", "Description", "Metadata":
			return nil
		case "Parameters":
			return eachPair(value, func(name string, n *yaml.Node) error {
				p, err := parseParameter(n)
				t.Parameters[name] = p
				return err
			})
		case "Resources":
			return eachPair(value, func(id string, n *yaml.Node) error {
				r, err := parseResource(id, n)
				t.Resources = append(t.Resources, r)
				return err
			})
		case "Conditions":
			return parseMap(value, &t.Conditions)
		case "Outputs":
			return parseMap(value, &t.Outputs)
		case "Globals":
			return t.parseGlobals(value)
		}
		return fmt.Errorf("line %d: section %s is not supported", value.Line, key)
	})
	if err != nil {
		return nil, err
	}
	return t, nil
}

// Resource returns the resource of that logical id.
func (t *Template) Resource(id string) (Resource, bool) {
	for _, r := range t.Resources {
		if r.ID == id {
			return r, true
		}
	}
	return Resource{}, false
}

func (t *Template) parseGlobals(n *yaml.Node) error {
	return eachPair(n, func(key string, value *yaml.Node) error {
		if key != "Function" {
			return fmt.Errorf("line %d: Globals.%s is not supported", value.Line, key)
		}
		return parseMap(value, &t.Globals)
	})
}

func parseParameter(n *yaml.Node) (Parameter, error) {
	var p struct {
		Type, Default, Description, AllowedPattern string
		AllowedValues                              []string
		MinValue, MaxValue, MinLength, MaxLength   string
		ConstraintDescription                      string
		NoEcho                                     bool
	}
	known := []string{"Type", "Default", "Description", "AllowedPattern", "AllowedValues", "MinValue", "MaxValue",
		"MinLength", "MaxLength", "ConstraintDescription", "NoEcho"}
	fields := map[string]any{
		"Type": &p.Type, "Default": &p.Default, "Description": &p.Description, "AllowedPattern": &p.AllowedPattern,
		"AllowedValues": &p.AllowedValues, "MinValue": &p.MinValue, "MaxValue": &p.MaxValue, "MinLength": &p.MinLength,
		"MaxLength": &p.MaxLength, "ConstraintDescription": &p.ConstraintDescription, "NoEcho": &p.NoEcho,
	}
	err := eachPair(n, func(key string, value *yaml.Node) error {
		into, ok := fields[key]
		if !ok {
			return fmt.Errorf("line %d: %s is not a property of a parameter (%s)", value.Line, key, strings.Join(known, ", "))
		}
		return value.Decode(into)
	})
	return Parameter{p.Type, p.Default, p.Description, p.AllowedPattern, p.AllowedValues}, err
}

func parseResource(id string, n *yaml.Node) (Resource, error) {
	r := Resource{ID: id, Line: n.Line}
	err := eachPair(n, func(key string, value *yaml.Node) error {
		switch key {
		case "Type":
			return value.Decode(&r.Type)
		case "DeletionPolicy":
			return value.Decode(&r.DeletionPolicy)
		case "UpdateReplacePolicy":
			return value.Decode(&r.UpdateReplacePolicy)
		case "Condition":
			return value.Decode(&r.Condition)
		case "Metadata":
			return parseMap(value, &r.Metadata)
		case "Properties":
			return parseMap(value, &r.Properties)
		case "DependsOn": // an order of deployment; nothing is deployed here
			return nil
		}
		return fmt.Errorf("line %d: %s: attribute %s is not supported", value.Line, id, key)
	})
	if err == nil && r.Type == "" {
		err = fmt.Errorf("line %d: %s has no Type", n.Line, id)
	}
	return r, err
}

// eachPair calls f for each pair of a map, in order, and refuses a key that comes twice.
func eachPair(n *yaml.Node, f func(key string, value *yaml.Node) error) error {
	if n.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: a map is expected here", n.Line)
	}
	seen := map[string]bool{}
	for i := 0; i < len(n.Content); i += 2 {
		key := n.Content[i].Value
		if seen[key] {
			return fmt.Errorf("line %d: %s stands twice in one map", n.Content[i].Line, key)
		}
		seen[key] = true
		if err := f(key, n.Content[i+1]); err != nil {
			return err
		}
	}
	return nil
}

func parseMap(n *yaml.Node, into *map[string]any) error {
	v, err := parseValue(n)
	if err != nil {
		return err
	}
	m, ok := v.(map[string]any)
	if !ok {
		return fmt.Errorf("line %d: a map is expected here", n.Line)
	}
	*into = m
	return nil
}

// parseValue turns a node into maps, lists, scalars and Calls.
func parseValue(n *yaml.Node) (any, error) {
	if strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!") {
		return parseShortForm(n)
	}
	switch n.Kind {
	case yaml.MappingNode:
		m := map[string]any{}
		err := eachPair(n, func(key string, value *yaml.Node) (err error) {
			m[key], err = parseValue(value)
			return err
		})
		if len(m) == 1 {
			for key, arg := range m {
				if key == "Ref" || strings.HasPrefix(key, "Fn::") {
					return Call{key, arg, n.Line}, err
				}
			}
		}
		return m, err
	case yaml.SequenceNode:
		list := make([]any, 0, len(n.Content))
		for _, c := range n.Content {
			v, err := parseValue(c)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, nil
	case yaml.ScalarNode:
		var v any
		err := n.Decode(&v)
		return v, err
	}
	return nil, fmt.Errorf("line %d: anchors and aliases are not supported", n.Line)
}

// parseShortForm turns !Name value into the Call of its long form.
func parseShortForm(n *yaml.Node) (any, error) {
	name := strings.TrimPrefix(n.Tag, "!")
	if name != "Ref" && name != "Condition" {
		name = "Fn::" + name
	}
	plain := *n
	plain.Tag = map[yaml.Kind]string{yaml.MappingNode: "!!map", yaml.SequenceNode: "!!seq", yaml.ScalarNode: "!!str"}[n.Kind]
	arg, err := parseValue(&plain)
	if err != nil {
		return nil, err
	}
	if s, ok := arg.(string); ok && name == "Fn::GetAtt" {
		resource, attribute, found := strings.Cut(s, ".")
		if !found {
			return nil, fmt.Errorf("line %d: !GetAtt %s names no attribute", n.Line, s)
		}
		arg = []any{resource, attribute}
	}
	return Call{name, arg, n.Line}, nil
}
