package dynamodb

import (
	"slices"
	"strconv"
)

// parser is a recursive descent parser over the tokens of one expression.
type parser struct {
	text      string
	tokens    []token
	at        int
	operators int
	out       *expression
}

// parseExpression parses a text; every error it gives is a validation fault
// that opens with the grammar's name.
func parseExpression(g grammar, text string) (*expression, error) {
	if len(text) > maxExpression {
		return nil, g.fault("Expression size has exceeded the maximum allowed size; expression size: " + strconv.Itoa(len(text)))
	}
	p := &parser{text: text, tokens: tokenize(text), out: &expression{grammar: g}}
	if len(p.tokens) == 1 {
		return nil, g.fault("The expression can not be empty;")
	}
	var err error
	switch g {
	case grammarProjection:
		err = p.projection()
	case grammarUpdate:
		err = p.update()
	default:
		p.out.condition, err = p.wholeCondition()
	}
	if err != nil {
		return nil, err
	}
	if p.operators > maxOperators {
		return nil, g.fault("The expression contains too many operators; operator count: " + strconv.Itoa(p.operators))
	}
	return p.out, nil
}

func (p *parser) fault(message string) *fault { return p.out.grammar.fault(message) }

func (p *parser) peek() token { return p.tokens[p.at] }

func (p *parser) next() token {
	t := p.tokens[p.at]
	if t.kind != tokenEnd {
		p.at++
	}
	return t
}

// accept takes the next token if it is that symbol.
func (p *parser) accept(symbol string) bool {
	if p.peek().is(symbol) {
		p.at++
		return true
	}
	return false
}

func (p *parser) expect(symbol string) error {
	if !p.accept(symbol) {
		return p.syntax()
	}
	return nil
}

// syntax names the token that does not fit, and its neighbours.
func (p *parser) syntax() *fault {
	t := p.peek()
	from, to := t.start, t.end
	if p.at > 0 {
		from = p.tokens[p.at-1].start
	}
	if p.at+1 < len(p.tokens) {
		to = p.tokens[p.at+1].end
	}
	return p.fault(`Syntax error; token: "` + t.text + `", near: "` + p.text[from:to] + `"`)
}

// projection = path { "," path }
func (p *parser) projection() error {
	for {
		path, err := p.path()
		if err != nil {
			return err
		}
		p.out.paths = append(p.out.paths, path)
		if p.peek().kind == tokenEnd {
			return nil
		}
		if err := p.expect(","); err != nil {
			return err
		}
	}
}

// path = name { "." name | "[" digits "]" }
func (p *parser) path() (path, error) {
	first, err := p.step()
	if err != nil {
		return nil, err
	}
	steps := path{first}
	for {
		switch {
		case p.accept("."):
			s, err := p.step()
			if err != nil {
				return nil, err
			}
			steps = append(steps, s)
		case p.accept("["):
			if p.peek().kind != tokenIndex {
				return nil, p.syntax()
			}
			digits := p.next().text
			index, err := strconv.ParseInt(digits, 10, 32)
			if err != nil {
				return nil, p.fault("List index is not within the allowable range; index: [" + digits + "]")
			}
			if err := p.expect("]"); err != nil {
				return nil, err
			}
			steps = append(steps, step{placeholder: -1, index: int(index)})
		default:
			if len(steps) > maxDepth {
				return nil, p.fault("The document path has too many nesting elements; nesting levels: " + strconv.Itoa(len(steps)))
			}
			return steps, nil
		}
	}
}

func (p *parser) step() (step, error) {
	switch t := p.peek(); {
	case t.kind == tokenName:
		p.at++
		return step{name: t.text, placeholder: intern(&p.out.names, t.text), index: -1}, nil
	case t.kind == tokenWord:
		if isReserved(t.text) {
			return step{}, p.fault("Attribute name is a reserved keyword; reserved keyword: " + t.text)
		}
		p.at++
		return step{name: t.text, placeholder: -1, index: -1}, nil
	}
	return step{}, p.syntax()
}

// intern gives a placeholder its number.
func intern(list *[]string, name string) int {
	if i := slices.Index(*list, name); i >= 0 {
		return i
	}
	*list = append(*list, name)
	return len(*list) - 1
}

func (p *parser) valueRef() (int, error) {
	if p.peek().kind != tokenValue {
		return 0, p.syntax()
	}
	return intern(&p.out.values, p.next().text), nil
}

// functions of the two languages and how many operands they take; result
// tells those that give a value from those that give true or false.
type function struct {
	operands int
	update   bool // of update expressions, else of conditions
	result   operandKind
	boolean  bool
}

func functionNamed(name string) (function, bool) {
	switch name {
	case "attribute_exists", "attribute_not_exists":
		return function{operands: 1, boolean: true}, true
	case "attribute_type", "begins_with", "contains":
		return function{operands: 2, boolean: true}, true
	case "size":
		return function{operands: 1, result: operandSize}, true
	case "if_not_exists":
		return function{operands: 2, update: true, result: operandIfNotExists}, true
	case "list_append":
		return function{operands: 2, update: true, result: operandListAppend}, true
	}
	return function{}, false
}

// call parses a function and checks its name and the number of operands.
func (p *parser) call() (name string, f function, args []operand, err error) {
	name = p.next().text
	f, ok := functionNamed(name)
	if !ok {
		return name, f, nil, p.fault("Invalid function name; function: " + name)
	}
	if f.update != (p.out.grammar == grammarUpdate) {
		where := "a condition expression"
		if p.out.grammar == grammarUpdate {
			where = "an update expression"
		}
		return name, f, nil, p.fault("The function is not allowed in " + where + "; function: " + name)
	}
	p.operators++
	if args, err = p.arguments(); err != nil {
		return name, f, nil, err
	}
	if len(args) != f.operands {
		return name, f, nil, p.fault("Incorrect number of operands for operator or function; operator or function: " +
			name + ", number of operands: " + strconv.Itoa(len(args)))
	}
	if (f.operands == 1 && name != "size" || name == "if_not_exists" || name == "attribute_type") && args[0].kind != operandPath {
		return name, f, nil, p.fault("Operator or function requires a document path; operator or function: " + name)
	}
	return name, f, args, nil
}

// arguments = "(" operand { "," operand } ")"
func (p *parser) arguments() ([]operand, error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	var args []operand
	for {
		o, err := p.operand()
		if err != nil {
			return nil, err
		}
		args = append(args, o)
		if p.accept(")") {
			return args, nil
		}
		if err := p.expect(","); err != nil {
			return nil, err
		}
	}
}

// operand = ":value" | function | path
func (p *parser) operand() (operand, error) {
	t := p.peek()
	if t.kind == tokenValue {
		ref, err := p.valueRef()
		return operand{kind: operandValue, value: ref}, err
	}
	if t.kind == tokenWord && p.tokens[p.at+1].is("(") && !p.isOperator(t) {
		name, f, args, err := p.call()
		if err != nil {
			return operand{}, err
		}
		if f.boolean {
			return operand{}, p.misused(name)
		}
		return operand{kind: f.result, args: args}, nil
	}
	if p.isOperator(t) {
		return operand{}, p.syntax()
	}
	steps, err := p.path()
	return operand{kind: operandPath, path: steps}, err
}

func (p *parser) misused(function string) *fault {
	return p.fault("The function is not allowed to be used this way in an expression; function: " + function)
}

// isOperator tells the words that are operators of the language at hand.
func (p *parser) isOperator(t token) bool {
	return p.out.grammar != grammarUpdate && t.isKeyword("AND", "OR", "NOT", "BETWEEN", "IN")
}
