package dynamodb

import (
	"cmp"
	"slices"
	"strconv"
)

// branch is a tree of the document paths of one expression: it finds paths
// that overlap, cuts a projection out of an item, and carries the changes of
// an update.
type branch struct {
	step     step // with its name resolved
	text     string
	leaf     bool
	edit     *value // of an update's leaf: what to put there, nil to remove it
	children []*branch
}

func (b *binding) stepText(s step) string {
	if s.index >= 0 {
		return "[" + strconv.Itoa(s.index) + "]"
	}
	return b.name(s)
}

// grow adds a path and gives its leaf; overlap and conflict tell a path that
// cannot stand beside an earlier one.
func (b *binding) grow(root *branch, p path) (leaf *branch, overlap, conflict bool) {
	at := root
	for _, s := range p {
		if at.leaf {
			return nil, true, false
		}
		if len(at.children) > 0 && (at.children[0].step.index >= 0) != (s.index >= 0) {
			return nil, false, true
		}
		text := b.stepText(s)
		i := slices.IndexFunc(at.children, func(c *branch) bool { return c.text == text })
		if i < 0 {
			at.children = append(at.children, &branch{step: s, text: text})
			i = len(at.children) - 1
		}
		at = at.children[i]
	}
	if at.leaf || len(at.children) > 0 {
		return nil, true, false
	}
	at.leaf = true
	return at, false, false
}

func (b *binding) checkOverlap() error {
	if len(b.paths) < 2 {
		return nil
	}
	root := &branch{}
	for i, p := range b.paths {
		_, overlap, conflict := b.grow(root, p)
		if !overlap && !conflict {
			continue
		}
		how := "overlap"
		if conflict {
			how = "conflict"
		}
		other := b.paths[slices.IndexFunc(b.paths[:i], func(q path) bool {
			_, o, c := b.pair(q, p)
			return o || c
		})]
		return b.fault("Two document paths " + how + " with each other; must remove or rewrite one of these paths; path one: " +
			b.pathText(other) + ", path two: " + b.pathText(p))
	}
	return nil
}

func (b *binding) pair(p, q path) (leaf *branch, overlap, conflict bool) {
	root := &branch{}
	b.grow(root, p)
	return b.grow(root, q)
}

// project cuts the bound paths out of an item; a nil binding gives all of it.
func (b *binding) project(it item) item {
	if b == nil {
		return it
	}
	root := &branch{}
	for _, p := range b.paths {
		b.grow(root, p)
	}
	return root.cutAttrs(it)
}

func (n *branch) cutAttrs(it item) item {
	out := make(item, 0, len(n.children))
	for _, child := range n.children {
		if v, ok := it.get(child.text); ok {
			if v, ok = child.cut(v); ok {
				out = append(out, attr{child.text, v})
			}
		}
	}
	sortAttrs(out)
	return out
}

// cut keeps of v what lies on the paths; ok is false when nothing does.
func (n *branch) cut(v value) (value, bool) {
	if n.leaf {
		return v, true
	}
	if n.children[0].step.index < 0 {
		if v.kind != kindM {
			return value{}, false
		}
		attrs := n.cutAttrs(v.many.attrs)
		return value{kind: kindM, many: &composite{attrs: attrs}}, len(attrs) > 0
	}
	if v.kind != kindL {
		return value{}, false
	}
	var elems []value
	for _, child := range n.byIndex() {
		if child.step.index < len(v.many.elems) {
			if e, ok := child.cut(v.many.elems[child.step.index]); ok {
				elems = append(elems, e)
			}
		}
	}
	return value{kind: kindL, many: &composite{elems: elems}}, len(elems) > 0
}

func (n *branch) byIndex() []*branch {
	slices.SortFunc(n.children, func(a, b *branch) int { return cmp.Compare(a.step.index, b.step.index) })
	return n.children
}

func errPath() *fault {
	return validation("The document path provided in the update expression is invalid for update")
}

// applyAttrs makes the changes below n to a copy of the attributes.
func (n *branch) applyAttrs(old item) (item, error) {
	out := make(item, len(old), len(old)+len(n.children))
	copy(out, old)
	for _, child := range n.children {
		i, exists := out.find(child.text)
		switch {
		case !child.leaf:
			if !exists {
				return nil, errPath()
			}
			v, err := child.apply(out[i].value)
			if err != nil {
				return nil, err
			}
			out[i].value = v
		case child.edit != nil && exists:
			out[i].value = *child.edit
		case child.edit != nil:
			out = slices.Insert(out, i, attr{child.text, *child.edit})
		case exists:
			out = slices.Delete(out, i, i+1)
		}
	}
	return out, nil
}

func (n *branch) apply(v value) (value, error) {
	if n.children[0].step.index < 0 {
		if v.kind != kindM {
			return value{}, errPath()
		}
		attrs, err := n.applyAttrs(v.many.attrs)
		return value{kind: kindM, many: &composite{attrs: attrs}}, err
	}
	if v.kind != kindL {
		return value{}, errPath()
	}
	elems, err := n.applyElems(v.many.elems)
	return value{kind: kindL, many: &composite{elems: elems}}, err
}

// applyElems changes list elements: indexes mean the list as it was; what is
// set past the end is appended in order, and removals come last.
func (n *branch) applyElems(old []value) ([]value, error) {
	out := slices.Clone(old)
	removed := make([]bool, len(old))
	for _, child := range n.byIndex() {
		i := child.step.index
		switch {
		case !child.leaf:
			if i >= len(old) {
				return nil, errPath()
			}
			v, err := child.apply(old[i])
			if err != nil {
				return nil, err
			}
			out[i] = v
		case child.edit != nil && i < len(old):
			out[i] = *child.edit
		case child.edit != nil:
			out = append(out, *child.edit)
		case i < len(old):
			removed[i] = true
		}
	}
	kept := out[:0]
	for i, v := range out {
		if i >= len(old) || !removed[i] {
			kept = append(kept, v)
		}
	}
	return kept, nil
}
