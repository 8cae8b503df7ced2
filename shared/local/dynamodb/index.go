package dynamodb

import (
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/btree"
)

// entry is one item in a tree, with the size it counts for.
type entry struct {
	position
	item item
	size int
}

// tree holds entries in the order of their positions. Its caller locks.
type tree = btree.BTreeG[entry]

func newTree() *tree {
	return btree.NewBTreeGOptions(func(a, b entry) bool { return a.less(b.position) }, btree.Options{NoLocks: true})
}

// index is a global secondary index. It is up to date at once, which an
// eventually consistent read of the real service may be too.
type index struct {
	name       string
	schema     keySchema
	primary    keySchema
	projection string   // ALL, KEYS_ONLY or INCLUDE
	include    []string // of INCLUDE, sorted
	rows       *tree
}

// place gives the entry of an item in the index; ok is false when the item
// lacks a key attribute and therefore is not in it.
func (x *index) place(primary position, it item) (e entry, ok bool) {
	hash, ok := it.get(x.schema.hash.name)
	if !ok {
		return entry{}, false
	}
	e.part = sortable(hash)
	e.hash = hashOf(e.part)
	if x.schema.sort.name != "" {
		sort, ok := it.get(x.schema.sort.name)
		if !ok {
			return entry{}, false
		}
		e.sort = sortable(sort)
	}
	e.tie = strconv.Itoa(len(primary.part)) + ":" + primary.part + primary.sort
	e.item = x.project(it)
	e.size = e.item.size()
	return e, true
}

func (x *index) project(it item) item {
	if x.projection == "ALL" {
		return it
	}
	var out item
	for _, a := range it {
		_, included := slices.BinarySearch(x.include, a.name)
		if included || x.schema.has(a.name) || x.primary.has(a.name) {
			out = append(out, a)
		}
	}
	return out
}

// check refuses an item whose index key attribute has the wrong type.
func (x *index) check(it item) error {
	for i, key := range x.schema.attrs() {
		v, ok := it.get(key.name)
		if !ok {
			continue
		}
		if v.kind != key.kind {
			return invalid("Type mismatch for Index Key " + key.name + " Expected: " + key.kind.String() +
				" Actual: " + v.kind.String() + " IndexName: " + x.name)
		}
		limit, role := maxHashKey, "hashkey"
		if i == 1 {
			limit, role = maxSortKey, "rangekey"
		}
		if v.text == "" && v.kind != kindN {
			return invalid("A value specified for a secondary index key is not supported. The AttributeValue for a key attribute " +
				"cannot contain an empty " + map[kind]string{kindS: "string", kindB: "binary"}[v.kind] +
				" value. IndexName: " + x.name + ", IndexKey: " + key.name)
		}
		if err := checkKeySize(key.name, v, role, limit); err != nil {
			return err
		}
	}
	return nil
}

// replace moves an item within the index and gives the write units it costs:
// one write for an entry that comes, goes or changes, two for one that moves,
// none for one that stays as it is.
func (x *index) replace(primary position, before, after item) int {
	var was, is entry
	wasIn, isIn := false, false
	if before != nil {
		was, wasIn = x.place(primary, before)
	}
	if after != nil {
		is, isIn = x.place(primary, after)
	}
	if wasIn && isIn && was.position == is.position {
		if slices.EqualFunc(was.item, is.item, func(a, b attr) bool { return a.name == b.name && equal(a.value, b.value) }) {
			return 0
		}
		x.rows.Set(is)
		return writeUnits(max(was.size, is.size))
	}
	cost := 0
	if wasIn {
		x.rows.Delete(was)
		cost += writeUnits(was.size)
	}
	if isIn {
		x.rows.Set(is)
		cost += writeUnits(is.size)
	}
	return cost
}

// arn is made the way the service makes it.
func (t *table) arn(suffix ...string) string {
	return "arn:aws:dynamodb:" + t.region + ":" + t.account + ":table/" + t.name + strings.Join(suffix, "")
}
