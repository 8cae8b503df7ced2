package dynamodb

import "strconv"

const (
	// maxBatchGets is how many items one BatchGetItem may ask for.
	maxBatchGets = 100
	// maxBatchRead is how much data it answers; the rest is left to ask again.
	maxBatchRead = 16 << 20
)

// batchGet is what BatchGetItem asks of one table.
type batchGet struct {
	readRequest
	keys       []item
	positions  []position
	consistent bool
	table      *table
	bound      *binding
	found      []item
	left       []item // keys that did not fit any more
}

func (s *Server) batchGetItem(c *call) error {
	var report reporting
	var gets []*batchGet
	err := c.read("BatchGetItem", func(name string) (bool, error) {
		switch name {
		case "RequestItems":
			return true, c.dec.object(func(tableName string) error {
				g := &batchGet{}
				gets = append(gets, g)
				err := g.read(&c.dec)
				g.tableName = tableName
				return err
			})
		case "ReturnConsumedCapacity":
			return report.member(&c.dec, name)
		}
		return false, nil
	})
	if err != nil {
		return err
	}
	if err := report.check(); err != nil {
		return err
	}
	if err := s.prepareGets(gets); err != nil {
		return err
	}
	var used usages
	size := 0
	for _, g := range gets {
		used.add(g.fetch(&size))
	}
	c.reads = used.total()
	c.out = appendGets(c.out, gets)
	c.out = capacityDetail{level: report.capacity}.appendAll(c.out, used)
	c.finish()
	return nil
}

func (g *batchGet) read(d *decoder) error {
	return d.object(func(name string) error {
		switch name {
		case "Keys":
			return d.array(func() error {
				key, err := d.attrs(0)
				g.keys = append(g.keys, key)
				return err
			})
		case "ConsistentRead":
			return d.bool(&g.consistent)
		case "TableName", "Key":
		default:
			if known, err := g.readRequest.member(d, name); known {
				return err
			}
		}
		return notImplemented("the parameter RequestItems." + name)
	})
}

func (s *Server) prepareGets(gets []*batchGet) error {
	keys := 0
	for _, g := range gets {
		keys += len(g.keys)
		if len(g.keys) == 0 {
			return constraint("[]", "requestItems."+g.tableName+".keys", "Member must have length greater than or equal to 1")
		}
	}
	if keys == 0 {
		return constraint("{}", "requestItems", "Member must have length greater than or equal to 1")
	}
	if keys > maxBatchGets {
		return constraint(strconv.Itoa(keys)+" keys", "requestItems", "Map value must satisfy constraint: "+
			"[Member must have length less than or equal to 100, Member must have length greater than or equal to 1]")
	}
	for _, g := range gets {
		var err error
		if g.table, g.bound, err = s.prepareRead(&g.readRequest); err != nil {
			return err
		}
		seen := make(map[position]bool, len(g.keys))
		g.positions = make([]position, len(g.keys))
		for i, key := range g.keys {
			at, err := g.table.schema.locateKey(key)
			if err != nil {
				return err
			}
			if seen[at] {
				return validation("Provided list of item keys contains duplicates")
			}
			seen[at] = true
			g.positions[i] = at
		}
	}
	return nil
}

// fetch reads until the answer is full; size counts over all tables.
func (g *batchGet) fetch(size *int) usage {
	used := usage{table: g.table}
	g.table.mu.RLock()
	defer g.table.mu.RUnlock()
	for i, at := range g.positions {
		e, ok := g.table.find(at)
		if *size+e.size > maxBatchRead {
			g.left = g.keys[i:]
			break
		}
		*size += e.size
		used.units += readHalves(e.size, g.consistent)
		if ok {
			g.found = append(g.found, e.item)
		}
	}
	return used
}

func appendGets(b []byte, gets []*batchGet) []byte {
	b = append(b, `,"Responses":{`...)
	for i, g := range gets {
		b = append(appendString(appendComma(b, i), g.tableName), `:[`...)
		for j, it := range g.found {
			b = appendItem(appendComma(b, j), g.bound.project(it))
		}
		b = append(b, ']')
	}
	b = append(b, `},"UnprocessedKeys":{`...)
	n := 0
	for _, g := range gets {
		if len(g.left) > 0 {
			b = g.appendLeft(appendComma(b, n))
			n++
		}
	}
	return append(b, '}')
}

// appendLeft repeats the request for the keys that are left.
func (g *batchGet) appendLeft(b []byte) []byte {
	b = append(appendString(b, g.tableName), `:{"Keys":[`...)
	for i, key := range g.left {
		b = appendItem(appendComma(b, i), key)
	}
	b = strconv.AppendBool(append(b, `],"ConsistentRead":`...), g.consistent)
	if g.projection != nil {
		b = appendString(append(b, `,"ProjectionExpression":`...), *g.projection)
	}
	for i, n := range g.placeholders.names {
		if i == 0 {
			b = append(b, `,"ExpressionAttributeNames":{`...)
		}
		b = appendString(appendComma(b, i), n.placeholder)
		b = appendString(append(b, ':'), n.name)
	}
	if g.placeholders.names != nil {
		b = append(b, '}')
	}
	return append(b, '}')
}
