package dynamodb

import "strings"

// update = clause { clause }, each of SET, REMOVE, ADD, DELETE at most once
func (p *parser) update() error {
	u := &update{}
	p.out.update = u
	var seen []string
	for p.peek().kind != tokenEnd {
		t := p.peek()
		if !t.isKeyword("SET", "REMOVE", "ADD", "DELETE") {
			return p.syntax()
		}
		p.at++
		word := strings.ToUpper(t.text)
		for _, s := range seen {
			if s == word {
				return p.fault(`The "` + word + `" section can only be used once in an update expression;`)
			}
		}
		seen = append(seen, word)
		if err := p.clause(u, word); err != nil {
			return err
		}
	}
	return nil
}

// clause = action { "," action }
func (p *parser) clause(u *update, word string) error {
	for {
		target, err := p.path()
		if err != nil {
			return err
		}
		p.out.paths = append(p.out.paths, target)
		p.operators++
		switch word {
		case "SET":
			var v operand
			if err = p.expect("="); err == nil {
				v, err = p.setValue()
			}
			u.sets = append(u.sets, assignment{target, v})
		case "REMOVE":
			u.removes = append(u.removes, target)
		case "ADD":
			err = p.valueAction(&u.adds, target)
		case "DELETE":
			err = p.valueAction(&u.deletes, target)
		}
		if err != nil {
			return err
		}
		if !p.accept(",") {
			return nil
		}
	}
}

func (p *parser) valueAction(list *[]valueAction, target path) error {
	ref, err := p.valueRef()
	*list = append(*list, valueAction{target, ref})
	return err
}

// setValue = setSide [ ( "+" | "-" ) setSide ]
func (p *parser) setValue() (operand, error) {
	left, err := p.setSide()
	if err != nil {
		return operand{}, err
	}
	kind := operandPlus
	switch {
	case p.peek().is("+"):
	case p.peek().is("-"):
		kind = operandMinus
	default:
		return left, nil
	}
	if left.kind == operandPlus || left.kind == operandMinus {
		return operand{}, p.syntax()
	}
	p.at++
	p.operators++
	right, err := p.setSide()
	if err != nil {
		return operand{}, err
	}
	if right.kind == operandPlus || right.kind == operandMinus {
		return operand{}, p.syntax()
	}
	return operand{kind: kind, args: []operand{left, right}}, nil
}

// setSide = operand | "(" setValue ")"
func (p *parser) setSide() (operand, error) {
	if !p.accept("(") {
		return p.operand()
	}
	if p.peek().is("(") {
		return operand{}, p.fault("The expression has redundant parentheses;")
	}
	o, err := p.setValue()
	if err != nil {
		return operand{}, err
	}
	return o, p.expect(")")
}
