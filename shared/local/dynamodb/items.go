package dynamodb

// single is a PutItem, an UpdateItem or a DeleteItem.
type single struct {
	writeRequest
	reporting
	returnValues string
}

func (s *Server) single(c *call, name string, a action) error {
	in := &single{writeRequest: writeRequest{action: a}}
	err := c.read(name, func(member string) (bool, error) {
		if member == "ReturnValues" {
			return true, c.dec.stringInto(&in.returnValues)
		}
		if known, err := in.reporting.member(&c.dec, member); known || err != nil {
			return known, err
		}
		return in.writeRequest.member(&c.dec, member)
	})
	if err != nil {
		return err
	}
	if err := in.check(); err != nil {
		return err
	}
	w, err := s.prepare(&in.writeRequest)
	if err != nil {
		return err
	}
	if in.updatedOnly() && w.update != nil && w.update.indexed() {
		return notImplemented("ReturnValues " + in.returnValues + " with an update of list elements")
	}
	o, used, err := w.run()
	c.writes = used.total()
	if err != nil {
		return err
	}
	c.out = in.appendAttributes(c.out, w, o)
	c.out = capacityDetail{level: in.capacity}.appendOne(c.out, used)
	c.finish()
	return nil
}

func (in *single) updatedOnly() bool {
	return in.returnValues == "UPDATED_OLD" || in.returnValues == "UPDATED_NEW"
}

func (in *single) check() error {
	err := oneOf(in.returnValues, "returnValues", "ALL_NEW", "UPDATED_OLD", "ALL_OLD", "NONE", "UPDATED_NEW")
	if err != nil {
		return err
	}
	if in.action != actionUpdate && in.returnValues != "" && in.returnValues != "NONE" && in.returnValues != "ALL_OLD" {
		return validation("ReturnValues can only be ALL_OLD or NONE")
	}
	if in.action == actionPut && in.item == nil || in.action != actionPut && in.key == nil {
		member := map[bool]string{true: "item", false: "key"}[in.action == actionPut]
		return constraint("null", member, "Member must not be null")
	}
	return in.reporting.check()
}

// appendAttributes writes what ReturnValues asks for, if there is any of it.
func (in *single) appendAttributes(b []byte, w *write, o outcome) []byte {
	var shown item
	switch in.returnValues {
	case "ALL_OLD":
		shown = o.before
	case "ALL_NEW":
		shown = o.after
	case "UPDATED_OLD", "UPDATED_NEW":
		if w.update == nil {
			return b
		}
		shown = o.before
		if in.returnValues == "UPDATED_NEW" {
			shown = o.after
		}
		shown = w.update.project(shown)
	}
	if len(shown) == 0 {
		return b
	}
	return appendItem(append(b, `,"Attributes":`...), shown)
}

func (s *Server) putItem(c *call) error { return s.single(c, "PutItem", actionPut) }

func (s *Server) updateItem(c *call) error { return s.single(c, "UpdateItem", actionUpdate) }

func (s *Server) deleteItem(c *call) error { return s.single(c, "DeleteItem", actionDelete) }

// readRequest is what GetItem and the reads of TransactGetItems share, and,
// with many keys, each table of BatchGetItem.
type readRequest struct {
	tableName    string
	key          item
	projection   *string
	placeholders placeholders
}

func (r *readRequest) member(d *decoder, name string) (known bool, err error) {
	switch name {
	case "TableName":
		return true, d.stringInto(&r.tableName)
	case "Key":
		r.key, err = d.attrs(0)
		return true, err
	case "ProjectionExpression":
		return true, d.optionalString(&r.projection)
	case "ExpressionAttributeNames":
		return r.placeholders.member(d, name)
	}
	return false, nil
}

// prepareRead finds the table and binds the projection.
func (s *Server) prepareRead(r *readRequest) (*table, *binding, error) {
	projection, err := r.placeholders.bind(&s.expressions, grammarProjection, r.projection)
	if err != nil {
		return nil, nil, err
	}
	if err := r.placeholders.finish(); err != nil {
		return nil, nil, err
	}
	t, err := s.table(r.tableName)
	return t, projection, err
}

func (s *Server) getItem(c *call) error {
	var in readRequest
	var report reporting
	var consistent bool
	err := c.read("GetItem", func(name string) (bool, error) {
		switch name {
		case "ConsistentRead":
			return true, c.dec.bool(&consistent)
		case "ReturnConsumedCapacity":
			return report.member(&c.dec, name)
		}
		return in.member(&c.dec, name)
	})
	if err != nil {
		return err
	}
	if err := report.check(); err != nil {
		return err
	}
	if in.key == nil {
		return constraint("null", "key", "Member must not be null")
	}
	t, projection, err := s.prepareRead(&in)
	if err != nil {
		return err
	}
	at, err := t.schema.locateKey(in.key)
	if err != nil {
		return err
	}
	t.mu.RLock()
	found, ok := t.find(at)
	t.mu.RUnlock()
	used := usage{table: t, units: readHalves(found.size, consistent)}
	c.reads = used.total()
	if ok {
		c.out = append(c.out, `,"Item":`...)
		c.out = appendItem(c.out, projection.project(found.item))
	}
	c.out = capacityDetail{level: report.capacity}.appendOne(c.out, used)
	c.finish()
	return nil
}
