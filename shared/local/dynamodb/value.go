package dynamodb

import (
	"cmp"
	"slices"
	"strings"
)

// kind is the data type of an attribute value.
type kind uint8

const (
	kindNone kind = iota
	kindS
	kindN
	kindB
	kindBOOL
	kindNULL
	kindSS
	kindNS
	kindBS
	kindL
	kindM
)

// String gives the type descriptor of the protocol, such as "S".
func (k kind) String() string {
	return [...]string{"", "S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS", "L", "M"}[k]
}

// kindOf is the inverse of String; kindNone for an unknown descriptor.
func kindOf(descriptor string) kind {
	switch descriptor {
	case "S":
		return kindS
	case "N":
		return kindN
	case "B":
		return kindB
	case "BOOL":
		return kindBOOL
	case "NULL":
		return kindNULL
	case "SS":
		return kindSS
	case "NS":
		return kindNS
	case "BS":
		return kindBS
	case "L":
		return kindL
	case "M":
		return kindM
	}
	return kindNone
}

// isSet tells SS, NS and BS from the rest.
func (k kind) isSet() bool { return k == kindSS || k == kindNS || k == kindBS }

// element is the kind of a set's elements.
func (k kind) element() kind { return k - kindSS + kindS }

// value is one attribute value. Values are immutable once made, so that a
// reader may hold one without a lock while a writer replaces the item.
type value struct {
	kind  kind
	truth bool       // BOOL
	text  string     // S as it is, B decoded, N in canonical form
	many  *composite // sets, L and M
}

// composite holds what a set, a list or a map contains.
type composite struct {
	elems []value // L in order; sets sorted
	attrs item    // M
}

// attr is one named value of an item or a map.
type attr struct {
	name  string
	value value
}

// item is a set of attributes, sorted by name, each name once.
type item []attr

func (it item) find(name string) (int, bool) {
	return slices.BinarySearchFunc(it, name, func(a attr, name string) int { return cmp.Compare(a.name, name) })
}

func (it item) get(name string) (value, bool) {
	if i, ok := it.find(name); ok {
		return it[i].value, true
	}
	return value{}, false
}

// sortAttrs puts attributes in order and reports a repeated name.
func sortAttrs(attrs item) (repeated string, ok bool) {
	slices.SortFunc(attrs, func(a, b attr) int { return cmp.Compare(a.name, b.name) })
	for i := 1; i < len(attrs); i++ {
		if attrs[i].name == attrs[i-1].name {
			return attrs[i].name, false
		}
	}
	return "", true
}

// equal compares as the operator = does: the types must agree, numbers compare
// by value (they are kept in canonical form), sets without regard to order.
func equal(a, b value) bool {
	if a.kind != b.kind {
		return false
	}
	switch a.kind {
	case kindBOOL:
		return a.truth == b.truth
	case kindNULL:
		return true
	case kindM:
		return slices.EqualFunc(a.many.attrs, b.many.attrs, func(x, y attr) bool {
			return x.name == y.name && equal(x.value, y.value)
		})
	case kindL, kindSS, kindNS, kindBS:
		return slices.EqualFunc(a.many.elems, b.many.elems, equal)
	}
	return a.text == b.text
}

// order compares two values of one ordered type (S, N, B); ok is false for
// anything else, and then every comparison is false.
func order(a, b value) (result int, ok bool) {
	if a.kind != b.kind {
		return 0, false
	}
	switch a.kind {
	case kindS, kindB:
		return strings.Compare(a.text, b.text), true
	case kindN:
		return compareNumbers(a.text, b.text), true
	}
	return 0, false
}

// newSet sorts the elements; ok is false when one is repeated.
func newSet(k kind, elems []value) (set value, ok bool) {
	slices.SortFunc(elems, func(a, b value) int { c, _ := order(a, b); return c })
	for i := 1; i < len(elems); i++ {
		if elems[i].text == elems[i-1].text {
			return value{}, false
		}
	}
	return value{kind: k, many: &composite{elems: elems}}, true
}

func (v value) contains(element value) bool {
	return slices.ContainsFunc(v.many.elems, func(e value) bool { return equal(e, element) })
}

// union and difference are what ADD and DELETE do to a set.
func union(a, b value) value {
	elems := slices.Clone(a.many.elems)
	for _, e := range b.many.elems {
		if !a.contains(e) {
			elems = append(elems, e)
		}
	}
	set, _ := newSet(a.kind, elems)
	return set
}

// difference leaves a set that may be empty; an empty set is then removed.
func difference(a, b value) value {
	var elems []value
	for _, e := range a.many.elems {
		if !b.contains(e) {
			elems = append(elems, e)
		}
	}
	return value{kind: a.kind, many: &composite{elems: elems}}
}

// size is the number of bytes a value counts for, by the rules of
// "DynamoDB item sizes and formats" in the Developer Guide.
func (v value) size() int {
	switch v.kind {
	case kindN:
		return numberSize(v.text)
	case kindBOOL, kindNULL:
		return 1
	case kindL:
		n := 3
		for _, e := range v.many.elems {
			n += 1 + e.size()
		}
		return n
	case kindM:
		return 3 + len(v.many.attrs) + v.many.attrs.size()
	case kindSS, kindNS, kindBS:
		n := 0
		for _, e := range v.many.elems {
			n += e.size()
		}
		return n
	}
	return len(v.text)
}

// size is the sum of the names (UTF-8) and the values.
func (it item) size() int {
	n := 0
	for _, a := range it {
		n += len(a.name) + a.value.size()
	}
	return n
}

// depth is 0 for a scalar and one more than the deepest element else.
func (v value) depth() int {
	if v.many == nil || v.kind.isSet() {
		return 0
	}
	deepest := 0
	for _, e := range v.many.elems {
		deepest = max(deepest, e.depth())
	}
	for _, a := range v.many.attrs {
		deepest = max(deepest, a.value.depth())
	}
	return deepest + 1
}
