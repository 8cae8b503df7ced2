package dynamodb

import (
	"slices"
	"sync"
	"time"
)

// maxItem is the limit of an item's size in bytes, names included.
const maxItem = 400 << 10

// table is one table with its indexes. What stands below mu is guarded by it;
// items themselves are immutable, so a reader needs the lock only to find them.
type table struct {
	name, region, account string
	id                    string
	created               time.Time
	schema                keySchema
	definitions           []keyAttr // as given to CreateTable
	indexes               []*index

	mu           sync.RWMutex
	rows         *tree
	bytes        int64
	ttlAttribute string // empty when time to live is off
}

func (t *table) index(name string) *index {
	if i := slices.IndexFunc(t.indexes, func(x *index) bool { return x.name == name }); i >= 0 {
		return t.indexes[i]
	}
	return nil
}

// find gives the item at a position, nil when there is none.
func (t *table) find(p position) (entry, bool) {
	return t.rows.Get(entry{position: p})
}

// checkItem is what every item must pass before it is stored.
func (t *table) checkItem(it item, tooLarge string) (size int, err error) {
	for _, x := range t.indexes {
		if err := x.check(it); err != nil {
			return 0, err
		}
	}
	if size = it.size(); size > maxItem {
		return 0, validation(tooLarge)
	}
	return size, nil
}

// replace puts an item in place of the one at its position, or removes it when
// after is nil; it gives the write units of the table and of each index.
func (t *table) replace(p position, after item, size int) usage {
	var before item
	var was entry
	if after != nil {
		was, _ = t.rows.Set(entry{position: p, item: after, size: size})
	} else {
		was, _ = t.rows.Delete(entry{position: p})
	}
	before = was.item
	t.bytes += int64(size - was.size)
	used := usage{table: t, units: 2 * int64(writeUnits(max(size, was.size)))}
	for _, x := range t.indexes {
		if cost := x.replace(p, before, after); cost > 0 {
			used.addIndex(x.name, 2*int64(cost))
		}
	}
	return used
}
