package dynamodb

func (s *Server) query(c *call) error {
	var in pageRequest
	var keys *string
	forward := true
	err := c.read("Query", func(name string) (bool, error) {
		switch name {
		case "KeyConditionExpression":
			return true, c.dec.optionalString(&keys)
		case "ScanIndexForward":
			return true, c.dec.bool(&forward)
		}
		return in.member(&c.dec, name)
	})
	if err != nil {
		return err
	}
	if keys == nil {
		return validation("Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.")
	}
	condition, err := in.placeholders.bind(&s.expressions, grammarKeyCondition, keys)
	if err != nil {
		return err
	}
	p, err := s.pager(&in)
	if err != nil {
		return err
	}
	r, err := condition.keyRange(p.schema)
	if err != nil {
		return err
	}
	for _, k := range p.schema.attrs() {
		if p.filter.mentions(k.name) {
			return validation("Filter Expression can only contain non-primary key attributes: Primary key attribute: " + k.name)
		}
	}
	if p.start != nil && !r.covers(*p.start) {
		return validation("The provided starting key is outside query boundaries based on provided conditions")
	}
	page, bytes, more := p.collect(p.from(r, !forward), !forward, func(at position) walk {
		switch {
		case r.covers(at):
			return walkTake
		case !forward && r.above(at):
			return walkSkip // the bound itself, where a walk downwards begins
		}
		return walkEnd
	})
	return p.answer(c, page, bytes, more)
}

// from is where a walk over a range begins.
func (p *pager) from(r keyRange, backward bool) position {
	at := position{hash: r.hash, part: r.part, sort: r.low}
	switch {
	case p.start != nil:
		at = *p.start
	case backward && r.high == "":
		at.part, at.sort = r.part+"\x00", ""
	case backward:
		at.sort = r.high
	}
	return at
}
