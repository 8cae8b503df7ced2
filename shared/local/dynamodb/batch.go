package dynamodb

import (
	"slices"
	"strconv"
	"strings"
)

// maxBatchWrites is how many items one BatchWriteItem may put or delete.
const maxBatchWrites = 25

// sortTables orders what a request locks, so that two requests cannot wait for
// each other, and drops repetitions.
func sortTables(tables []*table) []*table {
	slices.SortFunc(tables, func(a, b *table) int { return strings.Compare(a.id, b.id) })
	return slices.Compact(tables)
}

func (s *Server) batchWriteItem(c *call) error {
	var report reporting
	var requests []*writeRequest
	err := c.read("BatchWriteItem", func(name string) (bool, error) {
		if name != "RequestItems" {
			return report.member(&c.dec, name)
		}
		return true, c.dec.object(func(tableName string) error {
			before := len(requests)
			err := c.dec.array(func() error {
				w, err := readBatchWrite(&c.dec, tableName)
				requests = append(requests, w)
				return err
			})
			if err == nil && len(requests) == before {
				err = constraint("[]", "requestItems."+tableName, "Member must have length greater than or equal to 1")
			}
			return err
		})
	})
	if err != nil {
		return err
	}
	if err := report.check(); err != nil {
		return err
	}
	writes, err := s.prepareBatch(requests)
	if err != nil {
		return err
	}
	var used usages
	for len(writes) > 0 {
		n, err := applyBatch(writes, &used)
		if err != nil {
			return err
		}
		writes = writes[n:]
	}
	c.writes = used.total()
	c.out = append(c.out, `,"UnprocessedItems":{}`...)
	c.out = capacityDetail{level: report.capacity}.appendAll(c.out, used)
	c.finish()
	return nil
}

// applyBatch carries out the writes at the head that are of one table, and
// gives their number.
func applyBatch(writes []*write, used *usages) (n int, err error) {
	t := writes[0].table
	t.mu.Lock()
	defer t.mu.Unlock()
	for ; n < len(writes) && writes[n].table == t; n++ {
		o, err := writes[n].plan()
		if err != nil {
			return n, err
		}
		used.add(writes[n].apply(o))
	}
	return n, nil
}

func readBatchWrite(d *decoder, tableName string) (*writeRequest, error) {
	w := &writeRequest{tableName: tableName}
	given := 0
	err := d.object(func(kind string) error {
		given++
		member := ""
		switch kind {
		case "PutRequest":
			w.action, member = actionPut, "Item"
		case "DeleteRequest":
			w.action, member = actionDelete, "Key"
		default:
			return notImplemented("the parameter RequestItems." + kind)
		}
		return d.object(func(name string) error {
			if name != member {
				return notImplemented("the parameter " + kind + "." + name)
			}
			_, err := w.member(d, name)
			return err
		})
	})
	if err == nil && (given != 1 || w.item == nil && w.key == nil) {
		err = validation("Supplied AttributeValue has more than one datatypes set, or none: a WriteRequest holds one PutRequest with an Item or one DeleteRequest with a Key")
	}
	return w, err
}

// prepareBatch checks all of a batch before any of it is carried out.
func (s *Server) prepareBatch(requests []*writeRequest) ([]*write, error) {
	switch {
	case len(requests) == 0:
		return nil, constraint("{}", "requestItems", "Member must have length greater than or equal to 1")
	case len(requests) > maxBatchWrites:
		return nil, constraint(strconv.Itoa(len(requests))+" requests", "requestItems", "Map value must satisfy constraint: "+
			"[Member must have length less than or equal to 25, Member must have length greater than or equal to 1]")
	}
	writes := make([]*write, len(requests))
	seen := make(map[place]bool, len(requests))
	for i, r := range requests {
		w, err := s.prepare(r)
		if err != nil {
			return nil, err
		}
		if at := (place{w.table, w.position}); seen[at] {
			return nil, validation("Provided list of item keys contains duplicates")
		} else {
			seen[at] = true
		}
		writes[i] = w
	}
	return writes, nil
}

// place is one item's place among all tables.
type place struct {
	table    *table
	position position
}
