package dynamodb

import (
	"cmp"
	"slices"
	"strings"
)

// check finds what is wrong with an expression whatever the item: operands of
// the wrong type, paths that overlap.
func (b *binding) check() error {
	if b.condition != nil {
		return b.checkCondition(b.condition)
	}
	if err := b.checkOverlap(); err != nil {
		return err
	}
	if b.update != nil {
		return b.checkUpdate()
	}
	return nil
}

func (b *binding) fault(message string) *fault { return b.grammar.fault(message) }

func (b *binding) wrongType(operator string, k kind) *fault {
	return b.fault("Incorrect operand type for operator or function; operator or function: " + operator + ", operand type: " + k.String())
}

// staticKind is the type of an operand that no item can change.
func (b *binding) staticKind(o operand) kind {
	switch o.kind {
	case operandValue:
		return b.valueOf[o.value].kind
	case operandSize, operandPlus, operandMinus:
		return kindN
	case operandListAppend:
		return kindL
	}
	return kindNone
}

func (b *binding) checkCondition(c *condition) error {
	for _, child := range c.children {
		if err := b.checkCondition(child); err != nil {
			return err
		}
	}
	for _, o := range c.args {
		if o.kind == operandSize {
			if k := b.staticKind(o.args[0]); k == kindN || k == kindBOOL || k == kindNULL {
				return b.wrongType("size", k)
			}
		}
	}
	switch c.op {
	case "<", "<=", ">", ">=", "BETWEEN":
		if err := b.checkKinds(c, kindS, kindN, kindB); err != nil {
			return err
		}
	case "begins_with":
		if err := b.checkKinds(c, kindS, kindB); err != nil {
			return err
		}
	case "attribute_type":
		if err := b.checkAttributeType(c.args[1]); err != nil {
			return err
		}
	}
	if c.op == "BETWEEN" {
		return b.checkBounds(c.args[1], c.args[2])
	}
	return b.checkDistinct(c)
}

func (b *binding) checkKinds(c *condition, allowed ...kind) error {
	for _, o := range c.args {
		if k := b.staticKind(o); k != kindNone && !slices.Contains(allowed, k) {
			return b.wrongType(c.op, k)
		}
	}
	return nil
}

func (b *binding) checkAttributeType(o operand) error {
	k := b.staticKind(o)
	if k != kindS {
		return b.fault("Incorrect operand type for operator or function; operator or function: attribute_type, operand type: " +
			cmp.Or(k.String(), "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}"))
	}
	if name := b.valueOf[o.value].text; kindOf(name) == kindNone {
		return b.fault("Invalid attribute type name found; type: " + name + ", valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}")
	}
	return nil
}

// checkBounds compares the bounds of a BETWEEN when both are values.
func (b *binding) checkBounds(low, high operand) error {
	if low.kind != operandValue || high.kind != operandValue {
		return nil
	}
	x, y := b.valueOf[low.value], b.valueOf[high.value]
	operands := "; lower bound operand: AttributeValue: {" + x.kind.String() + ":" + x.text +
		"}, upper bound operand: AttributeValue: {" + y.kind.String() + ":" + y.text + "}"
	if x.kind != y.kind {
		return b.fault("The BETWEEN operator requires same data type for lower and upper bounds" + operands)
	}
	if c, _ := order(x, y); c > 0 {
		return b.fault("The BETWEEN operator requires upper bound to be greater than or equal to lower bound" + operands)
	}
	return nil
}

// checkDistinct refuses a comparison of a path with itself.
func (b *binding) checkDistinct(c *condition) error {
	if len(c.args) != 2 || c.args[0].kind != operandPath || c.args[1].kind != operandPath {
		return nil
	}
	if first := b.pathText(c.args[0].path); first == b.pathText(c.args[1].path) {
		return b.fault("The first operand must be distinct from the remaining operands for this operator or function; operator: " +
			c.op + ", first operand: " + first)
	}
	return nil
}

// pathText writes a path as the service's messages do: [a, b, [1]].
func (b *binding) pathText(p path) string {
	parts := make([]string, len(p))
	for i, s := range p {
		parts[i] = b.stepText(s)
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

func (b *binding) checkUpdate() error {
	for _, s := range b.update.sets {
		if err := b.checkSetValue(s.value); err != nil {
			return err
		}
	}
	for _, a := range b.update.adds {
		if k := b.valueOf[a.value].kind; k != kindN && !k.isSet() {
			return b.wrongAction("ADD", k)
		}
	}
	for _, a := range b.update.deletes {
		if k := b.valueOf[a.value].kind; !k.isSet() {
			return b.wrongAction("DELETE", k)
		}
	}
	return nil
}

func (b *binding) wrongAction(word string, k kind) *fault {
	long := map[kind]string{kindS: "STRING", kindN: "NUMBER", kindB: "BINARY", kindBOOL: "BOOLEAN", kindNULL: "NULL", kindL: "LIST", kindM: "MAP"}
	return b.fault("Incorrect operand type for operator or function; operator: " + word + ", operand type: " + long[k])
}

func (b *binding) checkSetValue(o operand) error {
	want, operator := kindNone, ""
	switch o.kind {
	case operandPlus:
		want, operator = kindN, "+"
	case operandMinus:
		want, operator = kindN, "-"
	case operandListAppend:
		want, operator = kindL, "list_append"
	}
	for _, arg := range o.args {
		if k := b.staticKind(arg); want != kindNone && k != kindNone && k != want {
			return b.wrongType(operator, k)
		}
		if err := b.checkSetValue(arg); err != nil {
			return err
		}
	}
	return nil
}
