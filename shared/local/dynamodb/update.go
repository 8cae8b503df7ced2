package dynamodb

// change applies a bound update expression to an item. Every operand is read
// from the item as it was before the update. An update that only removes makes
// no item where there is none: the result is nil.
func (b *binding) change(old, key item) (item, error) {
	root := &branch{}
	edit := func(p path, v *value) {
		leaf, _, _ := b.grow(root, p) // overlaps were refused when binding
		leaf.edit = v
	}
	for _, s := range b.update.sets {
		v, ok, err := b.resolve(s.value, old)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, errOperandAbsent()
		}
		if len(s.path)+v.depth() > maxDepth+1 {
			return nil, validation("Nesting Levels have exceeded supported limits")
		}
		edit(s.path, &v)
	}
	for _, p := range b.update.removes {
		edit(p, nil)
	}
	for _, a := range b.update.adds {
		v, err := b.added(a, old)
		if err != nil {
			return nil, err
		}
		edit(a.path, &v)
	}
	for _, a := range b.update.deletes {
		have, ok := b.lookup(a.path, old)
		if !ok {
			continue
		}
		if have.kind != b.valueOf[a.value].kind {
			return nil, errOperandType()
		}
		if left := difference(have, b.valueOf[a.value]); len(left.many.elems) > 0 {
			edit(a.path, &left)
		} else {
			edit(a.path, nil)
		}
	}
	if old == nil && len(b.update.sets)+len(b.update.adds) == 0 {
		_, err := root.applyAttrs(key) // for what it refuses
		return nil, err
	}
	if old == nil {
		old = key
	}
	return root.applyAttrs(old)
}

func errOperandAbsent() *fault {
	return validation("The provided expression refers to an attribute that does not exist in the item")
}

func errOperandType() *fault {
	return validation("An operand in the update expression has an incorrect data type")
}

// added is what ADD puts at its path: a sum or a union, or the value itself
// when there is nothing yet.
func (b *binding) added(a valueAction, old item) (value, error) {
	delta := b.valueOf[a.value]
	have, ok := b.lookup(a.path, old)
	switch {
	case !ok:
		return delta, nil
	case have.kind != delta.kind:
		return value{}, errOperandType()
	case delta.kind == kindN:
		sum, err := addNumbers(have.text, delta.text, false)
		return value{kind: kindN, text: sum}, err
	}
	return union(have, delta), nil
}

// computed evaluates the functions and the arithmetic of SET.
func (b *binding) computed(o operand, old item) (value, error) {
	x, xOK, err := b.resolve(o.args[0], old)
	if err != nil {
		return value{}, err
	}
	if o.kind == operandIfNotExists && xOK {
		return x, nil
	}
	y, yOK, err := b.resolve(o.args[1], old)
	if err != nil {
		return value{}, err
	}
	if o.kind == operandIfNotExists {
		if !yOK {
			return value{}, errOperandAbsent()
		}
		return y, nil
	}
	if !xOK || !yOK {
		return value{}, errOperandAbsent()
	}
	if o.kind == operandListAppend {
		if x.kind != kindL || y.kind != kindL {
			return value{}, errOperandType()
		}
		elems := make([]value, 0, len(x.many.elems)+len(y.many.elems))
		elems = append(append(elems, x.many.elems...), y.many.elems...)
		return value{kind: kindL, many: &composite{elems: elems}}, nil
	}
	if x.kind != kindN || y.kind != kindN {
		return value{}, errOperandType()
	}
	sum, err := addNumbers(x.text, y.text, o.kind == operandMinus)
	return value{kind: kindN, text: sum}, err
}

// changes tells whether the update touches a top-level attribute.
func (b *binding) changes(attribute string) bool {
	for _, p := range b.paths {
		if b.name(p[0]) == attribute {
			return true
		}
	}
	return false
}

// indexed tells whether an updated path goes through a list, where "the
// updated attributes" cannot be told from the paths alone.
func (b *binding) indexed() bool {
	for _, p := range b.paths {
		for _, s := range p {
			if s.index >= 0 {
				return true
			}
		}
	}
	return false
}
