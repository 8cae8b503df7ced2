package template

import "fmt"

// Condition tells whether the template's condition of that name holds.
func (s *Scope) Condition(name string) (bool, error) {
	c, ok := s.template.Conditions[name]
	if !ok {
		return false, fmt.Errorf("there is no condition %s", name)
	}
	return s.holds(c)
}

// holds evaluates a condition: Equals, Not, And, Or, and another condition by its name.
func (s *Scope) holds(v any) (bool, error) {
	if m, ok := v.(map[string]any); ok && len(m) == 1 { // the long form {Condition: name}
		if name, ok := m["Condition"]; ok {
			return s.Condition(fmt.Sprint(name))
		}
	}
	c, ok := v.(Call)
	if !ok {
		return false, fmt.Errorf("%v is not a condition", v)
	}
	if c.Func == "Condition" {
		return s.Condition(fmt.Sprint(c.Arg))
	}
	args, _ := c.Arg.([]any)
	switch {
	case c.Func == "Fn::Equals" && len(args) == 2:
		resolved, err := s.Resolve(args)
		if err != nil {
			return false, err
		}
		pair := resolved.([]any)
		return fmt.Sprint(pair[0]) == fmt.Sprint(pair[1]), nil
	case c.Func == "Fn::Not" && len(args) == 1:
		yes, err := s.holds(args[0])
		return !yes, err
	case c.Func == "Fn::And" || c.Func == "Fn::Or":
		for _, arg := range args {
			yes, err := s.holds(arg)
			if err != nil {
				return false, err
			}
			if yes != (c.Func == "Fn::And") { // the first that decides
				return yes, nil
			}
		}
		return c.Func == "Fn::And", nil
	}
	return false, fmt.Errorf("line %d: condition %s is not supported", c.Line, c.Func)
}
