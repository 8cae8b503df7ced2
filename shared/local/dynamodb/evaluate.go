package dynamodb

import (
	"strconv"
	"strings"
)

// holds evaluates a condition against an item; a nil binding holds always and
// a nil item has no attributes.
func (b *binding) holds(it item) (bool, error) {
	if b == nil {
		return true, nil
	}
	return b.evaluate(b.condition, it)
}

func (b *binding) evaluate(c *condition, it item) (bool, error) {
	switch c.op {
	case "NOT":
		ok, err := b.evaluate(c.children[0], it)
		return !ok, err
	case "AND", "OR":
		for _, child := range c.children {
			ok, err := b.evaluate(child, it)
			if err != nil || ok == (c.op == "OR") {
				return ok, err
			}
		}
		return c.op == "AND", nil
	case "attribute_exists", "attribute_not_exists":
		_, exists := b.lookup(c.args[0].path, it)
		return exists == (c.op == "attribute_exists"), nil
	}
	left, ok, err := b.resolve(c.args[0], it)
	if err != nil {
		return false, err
	}
	if !ok {
		return c.op == "<>", nil
	}
	return b.compare(c, left, it)
}

// compare evaluates an operator whose first operand is there. An absent
// operand makes everything false but <>.
func (b *binding) compare(c *condition, left value, it item) (bool, error) {
	if c.op == "IN" {
		for _, o := range c.args[1:] {
			if v, ok, err := b.resolve(o, it); err != nil || ok && equal(left, v) {
				return err == nil, err
			}
		}
		return false, nil
	}
	right, ok, err := b.resolve(c.args[1], it)
	if err != nil {
		return false, err
	}
	if !ok {
		return c.op == "<>", nil
	}
	switch c.op {
	case "=":
		return equal(left, right), nil
	case "<>":
		return !equal(left, right), nil
	case "BETWEEN":
		high, ok, err := b.resolve(c.args[2], it)
		if err != nil || !ok {
			return false, err
		}
		return ordered(left, ">=", right) && ordered(left, "<=", high), nil
	case "attribute_type":
		return left.kind == kindOf(right.text), nil
	case "begins_with":
		return left.kind == right.kind && (left.kind == kindS || left.kind == kindB) && strings.HasPrefix(left.text, right.text), nil
	case "contains":
		return includes(left, right), nil
	}
	return ordered(left, c.op, right), nil
}

func ordered(a value, op string, b value) bool {
	c, ok := order(a, b)
	if !ok {
		return false
	}
	switch op {
	case "<":
		return c < 0
	case "<=":
		return c <= 0
	case ">":
		return c > 0
	}
	return c >= 0
}

// includes is contains(): a substring, an element of a set or of a list.
func includes(whole, part value) bool {
	switch whole.kind {
	case kindS, kindB:
		return whole.kind == part.kind && strings.Contains(whole.text, part.text)
	case kindSS, kindNS, kindBS, kindL:
		return whole.contains(part)
	}
	return false
}

// resolve gives an operand's value; ok is false when it has none.
func (b *binding) resolve(o operand, it item) (v value, ok bool, err error) {
	switch o.kind {
	case operandValue:
		return b.valueOf[o.value], true, nil
	case operandPath:
		v, ok = b.lookup(o.path, it)
		return v, ok, nil
	case operandSize:
		if v, ok, err = b.resolve(o.args[0], it); err != nil || !ok {
			return v, ok, err
		}
		return sizeFunction(v)
	}
	v, err = b.computed(o, it)
	return v, true, err
}

// sizeFunction is size(): characters, bytes or elements. What it counts in a
// string outside ASCII is not documented, so that is refused.
func sizeFunction(v value) (value, bool, error) {
	n := len(v.text)
	switch v.kind {
	case kindS:
		for i := range n {
			if v.text[i] >= 0x80 {
				return value{}, false, notImplemented("size() of a string with characters outside ASCII")
			}
		}
	case kindB:
	case kindL, kindSS, kindNS, kindBS:
		n = len(v.many.elems)
	case kindM:
		n = len(v.many.attrs)
	default:
		return value{}, false, nil
	}
	return value{kind: kindN, text: strconv.Itoa(n)}, true, nil
}

// name is what a step stands for once placeholders are resolved.
func (b *binding) name(s step) string {
	if s.placeholder >= 0 {
		return b.nameOf[s.placeholder]
	}
	return s.name
}

// lookup follows a document path.
func (b *binding) lookup(p path, it item) (value, bool) {
	v, ok := it.get(b.name(p[0]))
	for _, s := range p[1:] {
		switch {
		case !ok:
			return value{}, false
		case s.index >= 0:
			if v.kind != kindL || s.index >= len(v.many.elems) {
				return value{}, false
			}
			v = v.many.elems[s.index]
		default:
			if v.kind != kindM {
				return value{}, false
			}
			v, ok = v.many.attrs.get(b.name(s))
		}
	}
	return v, ok
}

// mentions tells whether a condition looks at a top-level attribute.
func (b *binding) mentions(attribute string) bool {
	return b != nil && b.conditionMentions(b.condition, attribute)
}

func (b *binding) conditionMentions(c *condition, attribute string) bool {
	for _, child := range c.children {
		if b.conditionMentions(child, attribute) {
			return true
		}
	}
	return b.operandsMention(c.args, attribute)
}

func (b *binding) operandsMention(operands []operand, attribute string) bool {
	for _, o := range operands {
		if o.kind == operandPath && b.name(o.path[0]) == attribute || b.operandsMention(o.args, attribute) {
			return true
		}
	}
	return false
}
