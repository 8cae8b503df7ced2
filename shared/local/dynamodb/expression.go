package dynamodb

import (
	"cmp"
	"slices"
	"strings"
	"sync"
)

// grammar is which kind of expression a text is; its name opens every error.
type grammar string

const (
	grammarCondition    grammar = "ConditionExpression"
	grammarFilter       grammar = "FilterExpression"
	grammarKeyCondition grammar = "KeyConditionExpression"
	grammarProjection   grammar = "ProjectionExpression"
	grammarUpdate       grammar = "UpdateExpression"
)

// expression is a parsed text, independent of any request: placeholders are
// kept by number, and a request binds them to names and values.
type expression struct {
	grammar grammar
	names   []string // the #names used, in order of appearance
	values  []string // the :values used

	condition *condition // of a condition, a filter, a key condition
	paths     []path     // of a projection, or what an update changes
	update    *update
}

// step is one part of a document path: a name, a #name or a list index.
type step struct {
	name        string
	placeholder int // index into the bound names, -1 when name stands for itself
	index       int // of a list, -1 for a name
}

type path []step

type operandKind uint8

const (
	operandPath operandKind = iota
	operandValue
	operandSize
	operandIfNotExists
	operandListAppend
	operandPlus
	operandMinus
)

// operand is a path, a value, or a function that gives a value.
type operand struct {
	kind  operandKind
	path  path
	value int // index into the bound values
	args  []operand
}

// condition is a node of a boolean expression; op is one of OR, AND, NOT, a
// comparator, BETWEEN, IN, or a function's name.
type condition struct {
	op       string
	children []*condition
	args     []operand
}

// update is an update expression, clause by clause.
type update struct {
	sets    []assignment
	removes []path
	adds    []valueAction
	deletes []valueAction
}

type assignment struct {
	path  path
	value operand
}

type valueAction struct {
	path  path
	value int
}

// Limits of expressions ("Expression parameters" under "Constraints").
const (
	maxExpression = 4 << 10
	maxOperators  = 300
	maxInOperands = 100
	// maxCached bounds the memory of a client that builds ever new texts.
	maxCached = 1000
)

func (g grammar) fault(message string) *fault {
	return validation("Invalid " + string(g) + ": " + message)
}

// expressionCache keeps parsed expressions by text.
type expressionCache struct {
	mu     sync.RWMutex
	parsed map[cacheKey]*expression
}

type cacheKey struct {
	grammar grammar
	text    string
}

func (c *expressionCache) parse(g grammar, text string) (*expression, error) {
	c.mu.RLock()
	e, ok := c.parsed[cacheKey{g, text}]
	c.mu.RUnlock()
	if ok {
		return e, nil
	}
	text = strings.Clone(text) // the original may share a request's memory
	e, err := parseExpression(g, text)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	if c.parsed == nil || len(c.parsed) >= maxCached {
		c.parsed = make(map[cacheKey]*expression)
	}
	c.parsed[cacheKey{g, text}] = e
	c.mu.Unlock()
	return e, nil
}

// placeholders are the names and values of a request, shared by all of its
// expressions.
type placeholders struct {
	names       []namePair // sorted
	values      item
	hasNames    bool
	hasValues   bool
	namesUsed   []bool
	valuesUsed  []bool
	expressions int
}

type namePair struct{ placeholder, name string }

// binding gives an expression's placeholders their meaning for one request.
type binding struct {
	*expression
	nameOf  []string
	valueOf []value
}

func (p *placeholders) member(d *decoder, name string) (known bool, err error) {
	switch name {
	case "ExpressionAttributeNames":
		p.hasNames = true
		err = d.object(func(placeholder string) error {
			name, err := d.string()
			p.names = append(p.names, namePair{placeholder, name})
			return err
		})
		slices.SortFunc(p.names, func(a, b namePair) int { return cmp.Compare(a.placeholder, b.placeholder) })
		p.namesUsed = make([]bool, len(p.names))
	case "ExpressionAttributeValues":
		p.hasValues = true
		p.values, err = d.attrs(0)
		p.valuesUsed = make([]bool, len(p.values))
	default:
		return false, nil
	}
	return true, err
}

// bind parses a text and resolves its placeholders; a nil text gives nil.
func (p *placeholders) bind(cache *expressionCache, g grammar, text *string) (*binding, error) {
	if text == nil {
		return nil, nil
	}
	e, err := cache.parse(g, *text)
	if err != nil {
		return nil, err
	}
	p.expressions++
	b := &binding{expression: e, nameOf: make([]string, len(e.names)), valueOf: make([]value, len(e.values))}
	for i, name := range e.names {
		at, ok := slices.BinarySearchFunc(p.names, name, func(n namePair, s string) int { return cmp.Compare(n.placeholder, s) })
		if !ok {
			return nil, g.fault("An expression attribute name used in the document path is not defined; attribute name: " + name)
		}
		b.nameOf[i] = p.names[at].name
		p.namesUsed[at] = true
	}
	for i, name := range e.values {
		at, ok := p.values.find(name)
		if !ok {
			return nil, g.fault("An expression attribute value used in expression is not defined; attribute value: " + name)
		}
		b.valueOf[i] = p.values[at].value
		p.valuesUsed[at] = true
	}
	return b, b.check()
}

// finish is called when every expression is bound: what is left over, or
// malformed, is an error.
func (p *placeholders) finish() error {
	switch {
	case p.expressions == 0 && p.hasNames:
		return validation("ExpressionAttributeNames can only be specified when using expressions")
	case p.expressions == 0 && p.hasValues:
		return validation("ExpressionAttributeValues can only be specified when using expressions")
	case p.hasNames && len(p.names) == 0:
		return validation("ExpressionAttributeNames must not be empty")
	case p.hasValues && len(p.values) == 0:
		return validation("ExpressionAttributeValues must not be empty")
	}
	for _, n := range p.names {
		if kind, length := scanToken(n.placeholder + " "); kind != tokenName || length != len(n.placeholder) {
			return validation(`ExpressionAttributeNames contains invalid key: Syntax error; key: "` + n.placeholder + `"`)
		}
	}
	for _, v := range p.values {
		if kind, length := scanToken(v.name + " "); kind != tokenValue || length != len(v.name) {
			return validation(`ExpressionAttributeValues contains invalid key: Syntax error; key: "` + v.name + `"`)
		}
	}
	return p.unused()
}

func (p *placeholders) unused() error {
	var left []string
	for i, used := range p.namesUsed {
		if !used {
			left = append(left, p.names[i].placeholder)
		}
	}
	if left != nil {
		return validation("Value provided in ExpressionAttributeNames unused in expressions: keys: {" + strings.Join(left, ", ") + "}")
	}
	for i, used := range p.valuesUsed {
		if !used {
			left = append(left, p.values[i].name)
		}
	}
	if left != nil {
		return validation("Value provided in ExpressionAttributeValues unused in expressions: keys: {" + strings.Join(left, ", ") + "}")
	}
	return nil
}
