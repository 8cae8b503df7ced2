package dynamodb

import (
	"cmp"
	"slices"
)

// transactGet is one read of TransactGetItems.
type transactGet struct {
	readRequest
	table    *table
	bound    *binding
	position position
	found    entry
}

func (s *Server) transactGetItems(c *call) error {
	var report reporting
	var gets []*transactGet
	err := c.read("TransactGetItems", func(name string) (bool, error) {
		switch name {
		case "TransactItems":
			return true, c.dec.array(func() error {
				g := &transactGet{}
				gets = append(gets, g)
				return g.read(&c.dec)
			})
		case "ReturnConsumedCapacity":
			return report.member(&c.dec, name)
		}
		return false, nil
	})
	if err != nil {
		return err
	}
	if err := cmp.Or(report.check(), checkTransactionLength(len(gets))); err != nil {
		return err
	}
	tables := make([]*table, len(gets))
	for i, g := range gets {
		if g.table, g.bound, err = s.prepareRead(&g.readRequest); err != nil {
			return err
		}
		if g.position, err = g.table.schema.locateKey(g.key); err != nil {
			return err
		}
		if slices.ContainsFunc(gets[:i], func(h *transactGet) bool { return h.table == g.table && h.position == g.position }) {
			return validation("Transaction request cannot include multiple operations on one item")
		}
		tables[i] = g.table
	}
	used, err := fetchAll(gets, sortTables(tables))
	if err != nil {
		return err
	}
	c.reads = used.total()
	c.out = append(c.out, `,"Responses":[`...)
	for i, g := range gets {
		c.out = append(appendComma(c.out, i), '{')
		if g.found.item != nil {
			c.out = appendItem(append(c.out, `"Item":`...), g.bound.project(g.found.item))
		}
		c.out = append(c.out, '}')
	}
	c.out = append(c.out, ']')
	c.out = capacityDetail{level: report.capacity, splitKey: "ReadCapacityUnits"}.appendAll(c.out, used)
	c.finish()
	return nil
}

func (g *transactGet) read(d *decoder) error {
	err := d.object(func(kind string) error {
		if kind != "Get" {
			return notImplemented("the parameter TransactItems." + kind)
		}
		return d.object(func(name string) error {
			known, err := g.readRequest.member(d, name)
			if !known && err == nil {
				err = notImplemented("the parameter Get." + name)
			}
			return err
		})
	})
	if err == nil && g.key == nil {
		err = constraint("null", "transactItems.member.get.key", "Member must not be null")
	}
	return err
}

// fetchAll reads all items at one moment.
func fetchAll(gets []*transactGet, tables []*table) (usages, error) {
	for _, t := range tables {
		t.mu.RLock()
		defer t.mu.RUnlock()
	}
	var used usages
	size := 0
	for _, g := range gets {
		g.found, _ = g.table.find(g.position)
		used.add(usage{table: g.table, units: readHalves(g.found.size, true)}.double())
		if size += g.found.size; size > maxTransactionSize {
			return nil, validation("The aggregate size of the items in the transaction cannot exceed 4 MB")
		}
	}
	return used, nil
}
