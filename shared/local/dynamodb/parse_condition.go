package dynamodb

import "strconv"

// node is what stands between parentheses: a condition, or an operand that
// becomes part of one.
type node struct {
	condition     *condition
	operand       operand
	parenthesised bool
}

func (p *parser) wholeCondition() (*condition, error) {
	n, err := p.or()
	if err != nil {
		return nil, err
	}
	if n.condition == nil || p.peek().kind != tokenEnd {
		return nil, p.incomplete(n)
	}
	return n.condition, nil
}

// incomplete explains an operand where a condition is due.
func (p *parser) incomplete(n node) error {
	if n.condition == nil && n.operand.kind == operandSize {
		return p.misused("size")
	}
	return p.syntax()
}

// or = and { OR and }
func (p *parser) or() (node, error) { return p.chain("OR", p.and) }

// and = not { AND not }
func (p *parser) and() (node, error) { return p.chain("AND", p.not) }

func (p *parser) chain(word string, operand func() (node, error)) (node, error) {
	n, err := operand()
	if err != nil || !p.peek().isKeyword(word) {
		return n, err
	}
	whole := &condition{op: word}
	for {
		if n.condition == nil {
			return node{}, p.incomplete(n)
		}
		whole.children = append(whole.children, n.condition)
		if !p.peek().isKeyword(word) {
			return node{condition: whole}, nil
		}
		p.at++
		p.operators++
		if n, err = operand(); err != nil {
			return node{}, err
		}
	}
}

// not = NOT not | primary
func (p *parser) not() (node, error) {
	if !p.peek().isKeyword("NOT") {
		return p.primary()
	}
	p.at++
	p.operators++
	n, err := p.not()
	if err != nil {
		return node{}, err
	}
	if n.condition == nil {
		return node{}, p.incomplete(n)
	}
	return node{condition: &condition{op: "NOT", children: []*condition{n.condition}}}, nil
}

// primary = "(" or ")" | function | operand [ comparison ]
func (p *parser) primary() (node, error) {
	n, err := p.term()
	if err != nil {
		return node{}, err
	}
	t := p.peek()
	comparator := t.kind == tokenSymbol && isComparator(t.text)
	if !comparator && !t.isKeyword("BETWEEN", "IN") {
		return n, nil
	}
	if n.condition != nil {
		if _, isFunction := functionNamed(n.condition.op); isFunction {
			return node{}, p.misused(n.condition.op)
		}
		return node{}, p.syntax()
	}
	p.at++
	p.operators++
	var c *condition
	switch {
	case comparator:
		c, err = p.comparison(n.operand, t.text)
	case t.isKeyword("BETWEEN"):
		c, err = p.between(n.operand)
	default:
		c, err = p.in(n.operand)
	}
	return node{condition: c}, err
}

func isComparator(symbol string) bool {
	switch symbol {
	case "=", "<>", "<", "<=", ">", ">=":
		return true
	}
	return false
}

// term = "(" or ")" | boolean function | operand
func (p *parser) term() (node, error) {
	if p.accept("(") {
		n, err := p.or()
		if err != nil {
			return node{}, err
		}
		if err := p.expect(")"); err != nil {
			return node{}, err
		}
		if n.parenthesised {
			return node{}, p.fault("The expression has redundant parentheses;")
		}
		n.parenthesised = true
		return n, nil
	}
	if t := p.peek(); t.kind == tokenWord && p.tokens[p.at+1].is("(") && !p.isOperator(t) {
		name, f, args, err := p.call()
		if err != nil {
			return node{}, err
		}
		if f.boolean {
			return node{condition: &condition{op: name, args: args}}, nil
		}
		return node{operand: operand{kind: f.result, args: args}}, nil
	}
	o, err := p.operand()
	return node{operand: o}, err
}

// side is an operand, in parentheses or not.
func (p *parser) side() (operand, error) {
	if !p.accept("(") {
		return p.operand()
	}
	if p.peek().is("(") {
		return operand{}, p.fault("The expression has redundant parentheses;")
	}
	o, err := p.operand()
	if err != nil {
		return operand{}, err
	}
	return o, p.expect(")")
}

func (p *parser) comparison(left operand, op string) (*condition, error) {
	right, err := p.side()
	return &condition{op: op, args: []operand{left, right}}, err
}

func (p *parser) between(left operand) (*condition, error) {
	low, err := p.side()
	if err != nil {
		return nil, err
	}
	if !p.peek().isKeyword("AND") {
		return nil, p.syntax()
	}
	p.at++
	high, err := p.side()
	return &condition{op: "BETWEEN", args: []operand{left, low, high}}, err
}

func (p *parser) in(left operand) (*condition, error) {
	list, err := p.arguments()
	if err != nil {
		return nil, err
	}
	if len(list) > maxInOperands {
		return nil, p.fault("Invalid number of operands for operator or function; operator or function: IN, number of operands: " +
			strconv.Itoa(len(list)))
	}
	return &condition{op: "IN", args: append([]operand{left}, list...)}, nil
}
