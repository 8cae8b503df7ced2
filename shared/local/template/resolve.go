package template

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Lookup returns what Ref (attribute "") or GetAtt of a resource is on this machine.
type Lookup func(id, attribute string) (any, error)

// Scope is a template with its parameters fixed: what intrinsic functions are resolved in.
type Scope struct {
	template *Template
	values   map[string]any // parameters and pseudo parameters
	lookup   Lookup
}

// noValue stands for AWS::NoValue: the property that has it is left out.
type noValue struct{}

// The pseudo parameters of the local stack. The account and region are those that AWS's documentation uses for examples.
var pseudo = map[string]any{
	"AWS::AccountId": Account, "AWS::Region": Region, "AWS::Partition": "aws", "AWS::StackName": StackName,
	"AWS::URLSuffix": "amazonaws.com", "AWS::NoValue": noValue{},
	"AWS::StackId": "arn:aws:cloudformation:" + Region + ":" + Account + ":stack/" + StackName + "/local",
}

// Account, Region and StackName are the local stack's values of the pseudo parameters.
const (
	Account   = "123456789012"
	Region    = "eu-central-1"
	StackName = "albato"
)

// Scope fixes the parameters: their defaults, and the overrides given. An override must name a parameter and fit its
// AllowedPattern and AllowedValues; number ranges do not count here, so that hours can be compressed into seconds.
func (t *Template) Scope(overrides map[string]string, lookup Lookup) (*Scope, error) {
	s := &Scope{t, map[string]any{}, lookup}
	for name, v := range pseudo {
		s.values[name] = v
	}
	for name := range overrides {
		if _, ok := t.Parameters[name]; !ok {
			return nil, fmt.Errorf("the template has no parameter %s", name)
		}
	}
	for name, p := range t.Parameters {
		v, given := overrides[name]
		if !given {
			v = p.Default
		}
		if err := p.check(v); err != nil {
			return nil, fmt.Errorf("parameter %s: %w", name, err)
		}
		s.values[name] = v
		if p.Type == "Number" {
			s.values[name] = json.Number(v)
		}
	}
	return s, nil
}

func (p Parameter) check(v string) error {
	if p.AllowedPattern != "" {
		re, err := regexp.Compile("^(?:" + p.AllowedPattern + ")$")
		if err != nil {
			return err
		}
		if !re.MatchString(v) {
			return fmt.Errorf("%q does not fit %s", v, p.AllowedPattern)
		}
	}
	if p.AllowedValues != nil && !slices.Contains(p.AllowedValues, v) {
		return fmt.Errorf("%q is none of %s", v, strings.Join(p.AllowedValues, ", "))
	}
	switch p.Type {
	case "String":
		return nil
	case "Number":
		if !json.Valid([]byte(v)) || strings.HasPrefix(v, `"`) {
			return fmt.Errorf("%q is not a number", v)
		}
		return nil
	}
	return fmt.Errorf("parameter type %s is not supported", p.Type)
}

// Resolve returns v with every intrinsic function replaced by its value.
func (s *Scope) Resolve(v any) (any, error) {
	switch v := v.(type) {
	case Call:
		out, err := s.call(v)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", v.Line, err)
		}
		return out, nil
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, item := range v {
			r, err := s.Resolve(item)
			if err != nil {
				return nil, err
			}
			if _, none := r.(noValue); !none {
				out[key] = r
			}
		}
		return out, nil
	case []any:
		out := make([]any, 0, len(v))
		for _, item := range v {
			r, err := s.Resolve(item)
			if err != nil {
				return nil, err
			}
			if _, none := r.(noValue); !none {
				out = append(out, r)
			}
		}
		return out, nil
	}
	return v, nil
}

func (s *Scope) call(c Call) (any, error) {
	switch c.Func {
	case "Ref":
		name, ok := c.Arg.(string)
		if !ok {
			return nil, fmt.Errorf("!Ref takes a name")
		}
		return s.ref(name)
	case "Fn::GetAtt":
		parts, _ := c.Arg.([]any)
		if len(parts) != 2 {
			return nil, fmt.Errorf("!GetAtt takes a resource and an attribute")
		}
		return s.attribute(fmt.Sprint(parts[0]), fmt.Sprint(parts[1]))
	case "Fn::Sub":
		return s.sub(c.Arg)
	case "Fn::Join":
		return s.join(c.Arg)
	case "Fn::If":
		parts, _ := c.Arg.([]any)
		if len(parts) != 3 {
			return nil, fmt.Errorf("!If takes a condition and two values")
		}
		yes, err := s.Condition(fmt.Sprint(parts[0]))
		if err != nil {
			return nil, err
		}
		if yes {
			return s.Resolve(parts[1])
		}
		return s.Resolve(parts[2])
	}
	return nil, fmt.Errorf("%s is not supported by the local stack", c.Func)
}

func (s *Scope) ref(name string) (any, error) {
	if v, ok := s.values[name]; ok {
		return v, nil
	}
	if strings.HasPrefix(name, "AWS::") {
		return nil, fmt.Errorf("%s is not supported by the local stack", name)
	}
	return s.attribute(name, "")
}

func (s *Scope) attribute(id, attribute string) (any, error) {
	id = strings.TrimSuffix(id, ".Alias") // SAM: the published alias of a function; here the function itself
	if _, ok := s.template.Resource(id); !ok {
		return nil, fmt.Errorf("there is no resource or parameter %s", id)
	}
	return s.lookup(id, attribute)
}

var placeholder = regexp.MustCompile(`\$\{(!?)([^}]*)\}`)

func (s *Scope) sub(arg any) (any, error) {
	text, local := arg, map[string]any{}
	if parts, ok := arg.([]any); ok && len(parts) == 2 {
		text = parts[0]
		local, _ = parts[1].(map[string]any)
	}
	format, ok := text.(string)
	if !ok {
		return nil, fmt.Errorf("!Sub takes a text, or a text and a map")
	}
	var failed error
	out := placeholder.ReplaceAllStringFunc(format, func(match string) string {
		m := placeholder.FindStringSubmatch(match)
		if m[1] == "!" { // ${!literal}
			return "${" + m[2] + "}"
		}
		var v any
		var err error
		if item, ok := local[m[2]]; ok {
			v, err = s.Resolve(item)
		} else if id, attribute, dotted := strings.Cut(m[2], "."); dotted {
			v, err = s.attribute(id, attribute)
		} else {
			v, err = s.ref(m[2])
		}
		if err != nil {
			failed = err
		}
		return fmt.Sprint(v)
	})
	return out, failed
}

func (s *Scope) join(arg any) (any, error) {
	parts, _ := arg.([]any)
	if len(parts) != 2 {
		return nil, fmt.Errorf("!Join takes a separator and a list")
	}
	resolved, err := s.Resolve(parts[1])
	if err != nil {
		return nil, err
	}
	list, ok := resolved.([]any)
	if !ok {
		return nil, fmt.Errorf("!Join takes a separator and a list")
	}
	texts := make([]string, len(list))
	for i, v := range list {
		texts[i] = fmt.Sprint(v)
	}
	return strings.Join(texts, fmt.Sprint(parts[0])), nil
}
