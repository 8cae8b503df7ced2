package openapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"go.yaml.in/yaml/v3"
)

// rawTag marks a scalar whose value is JSON already.
const rawTag = "!json"

// expand copies a node with its aliases and merge keys (<<) filled in. What stands beside a merge key overrides it.
func expand(n *yaml.Node) (*yaml.Node, error) {
	if n.Kind == yaml.AliasNode {
		return expand(n.Alias)
	}
	out := &yaml.Node{Kind: n.Kind, Tag: n.Tag, Value: n.Value, Line: n.Line, Style: n.Style}
	if n.Kind != yaml.MappingNode {
		for _, c := range n.Content {
			e, err := expand(c)
			if err != nil {
				return nil, err
			}
			out.Content = append(out.Content, e)
		}
		return out, nil
	}
	for i := 0; i < len(n.Content); i += 2 {
		value, err := expand(n.Content[i+1])
		if err != nil {
			return nil, err
		}
		name := n.Content[i]
		if name.ShortTag() != "!!merge" {
			set(out, name.Value, value)
			continue
		}
		if value.Kind != yaml.MappingNode {
			return nil, fmt.Errorf("line %d: only a mapping can be merged", name.Line)
		}
		for j := 0; j < len(value.Content); j += 2 {
			if !has(out, value.Content[j].Value) {
				set(out, value.Content[j].Value, value.Content[j+1])
			}
		}
	}
	sortStatuses(out)
	return out, nil
}

// sortStatuses brings the answers of an operation, which come from several places, into their usual order.
func sortStatuses(m *yaml.Node) {
	type member struct{ name, value *yaml.Node }
	var all []member
	for i := 0; i < len(m.Content); i += 2 {
		name := m.Content[i].Value
		if len(name) != 3 || name[0] < '1' || name[0] > '5' {
			return
		}
		all = append(all, member{m.Content[i], m.Content[i+1]})
	}
	slices.SortStableFunc(all, func(a, b member) int { return strings.Compare(a.name.Value, b.name.Value) })
	for i, a := range all {
		m.Content[2*i], m.Content[2*i+1] = a.name, a.value
	}
}

func mapping() *yaml.Node { return &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"} }

func text(s string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s} }

// raw is a value that is written as JSON as it is.
func raw(v any) *yaml.Node {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // only lists of names and valid JSON are given
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: rawTag, Value: string(b)}
}

// set gives a mapping a member, in the place of one that has the name already.
func set(m *yaml.Node, name string, value *yaml.Node) {
	for i := 0; i < len(m.Content); i += 2 {
		if m.Content[i].Value == name {
			m.Content[i+1] = value
			return
		}
	}
	m.Content = append(m.Content, text(name), value)
}

func has(m *yaml.Node, name string) bool {
	for i := 0; i < len(m.Content); i += 2 {
		if m.Content[i].Value == name {
			return true
		}
	}
	return false
}

func remove(m *yaml.Node, name string) {
	for i := 0; i < len(m.Content); i += 2 {
		if m.Content[i].Value == name {
			m.Content = append(m.Content[:i:i], m.Content[i+2:]...)
			return
		}
	}
}

// at finds a mapping by its path; one that the source lacks is a loose end that nothing shows, which the tests see.
func at(m *yaml.Node, path ...string) *yaml.Node {
	for _, name := range path {
		next := mapping()
		for i := 0; i < len(m.Content); i += 2 {
			if m.Content[i].Value == name {
				next = m.Content[i+1]
			}
		}
		m = next
	}
	return m
}

func render(n *yaml.Node) ([]byte, error) {
	var b bytes.Buffer
	e := jsontext.NewEncoder(&b)
	if err := write(e, n); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

func write(e *jsontext.Encoder, n *yaml.Node) error {
	switch n.Kind {
	case yaml.MappingNode:
		return writeAll(e, n.Content, jsontext.BeginObject, jsontext.EndObject)
	case yaml.SequenceNode:
		return writeAll(e, n.Content, jsontext.BeginArray, jsontext.EndArray)
	}
	switch tag := n.ShortTag(); tag {
	case "!!str":
		return e.WriteToken(jsontext.String(n.Value))
	case "!!null":
		return e.WriteToken(jsontext.Null)
	case "!!bool", "!!int", "!!float", rawTag:
		if err := e.WriteValue(jsontext.Value(n.Value)); err != nil {
			return fmt.Errorf("line %d: %w", n.Line, err)
		}
		return nil
	default:
		return fmt.Errorf("line %d: a value of the kind %s must be quoted", n.Line, tag)
	}
}

func writeAll(e *jsontext.Encoder, nodes []*yaml.Node, begin, end jsontext.Token) error {
	if err := e.WriteToken(begin); err != nil {
		return err
	}
	for _, n := range nodes {
		if err := write(e, n); err != nil {
			return err
		}
	}
	return e.WriteToken(end)
}
