package dynamodb

import "strconv"

// maxPage is how much data one Query or Scan looks at.
const maxPage = 1 << 20

// pageRequest is what Query and Scan have in common.
type pageRequest struct {
	reporting
	placeholders placeholders
	tableName    string
	indexName    string
	filter       *string
	projection   *string
	selects      string
	start        item
	limit        *int
	consistent   bool
}

func (in *pageRequest) member(d *decoder, name string) (known bool, err error) {
	switch name {
	case "TableName":
		return true, d.stringInto(&in.tableName)
	case "IndexName":
		return true, d.stringInto(&in.indexName)
	case "FilterExpression":
		return true, d.optionalString(&in.filter)
	case "ProjectionExpression":
		return true, d.optionalString(&in.projection)
	case "Select":
		return true, d.stringInto(&in.selects)
	case "ExclusiveStartKey":
		in.start, err = d.attrs(0)
		return true, err
	case "Limit":
		return true, d.int(&in.limit)
	case "ConsistentRead":
		return true, d.bool(&in.consistent)
	case "ReturnConsumedCapacity":
		return in.reporting.member(d, name)
	}
	return in.placeholders.member(d, name)
}

// pager walks one tree for one page.
type pager struct {
	in         *pageRequest
	table      *table
	index      *index // nil for the table itself
	rows       *tree
	schema     keySchema
	filter     *binding
	projection *binding
	start      *position
}

func (s *Server) pager(in *pageRequest) (*pager, error) {
	p := &pager{in: in}
	var err error
	if p.filter, err = in.placeholders.bind(&s.expressions, grammarFilter, in.filter); err != nil {
		return nil, err
	}
	if p.projection, err = in.placeholders.bind(&s.expressions, grammarProjection, in.projection); err != nil {
		return nil, err
	}
	if err := in.placeholders.finish(); err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	if p.table, err = s.table(in.tableName); err != nil {
		return nil, err
	}
	p.rows, p.schema = p.table.rows, p.table.schema
	if in.indexName != "" {
		if p.index = p.table.index(in.indexName); p.index == nil {
			return nil, validation("The table does not have the specified index: " + in.indexName)
		}
		p.rows, p.schema = p.index.rows, p.index.schema
		if in.consistent {
			return nil, validation("Consistent reads are not supported on global secondary indexes")
		}
	}
	if err := p.checkSelect(); err != nil {
		return nil, err
	}
	return p, p.locateStart()
}

func (in *pageRequest) check() error {
	if in.limit != nil && *in.limit < 1 {
		return constraint(strconv.Itoa(*in.limit), "limit", "Member must have value greater than or equal to 1")
	}
	err := oneOf(in.selects, "select", "SPECIFIC_ATTRIBUTES", "COUNT", "ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES")
	if err != nil {
		return err
	}
	return in.reporting.check()
}

func (p *pager) checkSelect() error {
	selects := p.in.selects
	switch {
	case selects == "SPECIFIC_ATTRIBUTES" && p.projection == nil:
		return validation("Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES")
	case selects != "" && selects != "SPECIFIC_ATTRIBUTES" && p.projection != nil:
		return validation("Cannot specify the ProjectionExpression when choosing to get " + selects)
	case selects == "ALL_PROJECTED_ATTRIBUTES" && p.index == nil:
		return invalid("ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName")
	case p.index == nil || p.index.projection == "ALL":
		return nil
	case selects == "ALL_ATTRIBUTES":
		return invalid("Select type ALL_ATTRIBUTES is not supported for global secondary index " + p.index.name +
			" because its projection type is not ALL")
	case p.projection == nil:
		return nil
	}
	for _, path := range p.projection.paths {
		name := p.projection.name(path[0])
		if len(p.index.project(item{{name: name}})) == 0 {
			return invalid("Global secondary index " + p.index.name + " does not project " + name)
		}
	}
	return nil
}

// locateStart finds where ExclusiveStartKey stands, whether or not an item is
// still there.
func (p *pager) locateStart() error {
	if p.in.start == nil {
		return nil
	}
	bad := validation("The provided starting key is invalid")
	primary, err := p.table.schema.locate(p.in.start)
	if err != nil {
		return bad
	}
	want := len(p.table.schema.keyOf(p.in.start))
	p.start = &primary
	if p.index != nil {
		e, ok := p.index.place(primary, p.in.start)
		if !ok || p.index.check(p.in.start) != nil {
			return bad
		}
		p.start, want = &e.position, len(p.key(p.in.start))
	}
	if len(p.in.start) != want {
		return bad
	}
	return nil
}

// key is what LastEvaluatedKey holds: the key, and an index's key too.
func (p *pager) key(it item) item {
	key := p.table.schema.keyOf(it)
	if p.index != nil {
		for _, a := range p.index.schema.keyOf(it) {
			if i, have := key.find(a.name); !have {
				key = append(key[:i], append(item{a}, key[i:]...)...)
			}
		}
	}
	return key
}

// collect walks from a position, over what verdict says, until the page is full.
func (p *pager) collect(from position, backward bool, verdict func(position) walk) (page []entry, bytes int, more bool) {
	visit := func(e entry) bool {
		if p.start != nil && e.position == *p.start {
			return true
		}
		switch verdict(e.position) {
		case walkSkip:
			return true
		case walkEnd:
			return false
		}
		if len(page) > 0 && bytes+e.size > maxPage {
			more = true
			return false
		}
		page = append(page, e)
		bytes += e.size
		more = p.in.limit != nil && len(page) == *p.in.limit
		return !more
	}
	p.table.mu.RLock()
	defer p.table.mu.RUnlock()
	if backward {
		p.rows.Descend(entry{position: from}, visit)
	} else {
		p.rows.Ascend(entry{position: from}, visit)
	}
	return page, bytes, more
}

// walk is what to do with a position on the way.
type walk uint8

const (
	walkTake walk = iota
	walkSkip
	walkEnd
)

// answer filters and writes a page, and accounts for what was looked at.
func (p *pager) answer(c *call, page []entry, bytes int, more bool) error {
	count := 0
	list := p.in.selects != "COUNT"
	if list {
		c.out = append(c.out, `,"Items":[`...)
	}
	for _, e := range page {
		if ok, err := p.filter.holds(e.item); err != nil {
			return err
		} else if !ok {
			continue
		}
		if list {
			c.out = appendItem(appendComma(c.out, count), p.projection.project(e.item))
		}
		count++
	}
	if list {
		c.out = append(c.out, ']')
	}
	c.out = strconv.AppendInt(append(c.out, `,"Count":`...), int64(count), 10)
	c.out = strconv.AppendInt(append(c.out, `,"ScannedCount":`...), int64(len(page)), 10)
	if more {
		c.out = appendItem(append(c.out, `,"LastEvaluatedKey":`...), p.key(page[len(page)-1].item))
	}
	used := usage{table: p.table}
	if units := readHalves(bytes, p.in.consistent); p.index != nil {
		used.addIndex(p.index.name, units)
	} else {
		used.units = units
	}
	c.reads = used.total()
	c.out = capacityDetail{level: p.in.capacity}.appendOne(c.out, used)
	c.finish()
	return nil
}
