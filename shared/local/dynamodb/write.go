package dynamodb

// action is what a write does to its item.
type action uint8

const (
	actionPut action = iota
	actionUpdate
	actionDelete
	actionCheck // a condition check of a transaction: writes nothing
)

// writeRequest is what PutItem, UpdateItem, DeleteItem and the four actions of
// TransactWriteItems have in common.
type writeRequest struct {
	action       action
	tableName    string
	item         item // of a put
	key          item // of the others
	condition    *string
	update       *string
	placeholders placeholders
	onFailure    string
}

func (w *writeRequest) member(d *decoder, name string) (known bool, err error) {
	switch {
	case name == "TableName":
		return true, d.stringInto(&w.tableName)
	case name == "ConditionExpression":
		return true, d.optionalString(&w.condition)
	case name == "ReturnValuesOnConditionCheckFailure":
		return true, d.stringInto(&w.onFailure)
	case name == "Item" && w.action == actionPut:
		w.item, err = d.attrs(0)
		return true, err
	case name == "Key" && w.action != actionPut:
		w.key, err = d.attrs(0)
		return true, err
	case name == "UpdateExpression" && w.action == actionUpdate:
		return true, d.optionalString(&w.update)
	}
	return w.placeholders.member(d, name)
}

// write is a checked write, ready to be applied under the table's lock.
type write struct {
	action    action
	table     *table
	position  position
	item      item // of a put
	size      int  // of a put
	key       item
	condition *binding
	update    *binding
	showOld   bool // in the fault of a failed condition
}

// prepare checks a request against its table's schema and binds its
// expressions.
func (s *Server) prepare(w *writeRequest) (*write, error) {
	if err := oneOf(w.onFailure, "returnValuesOnConditionCheckFailure", "ALL_OLD", "NONE"); err != nil {
		return nil, err
	}
	p := &write{action: w.action, item: w.item, key: w.key, showOld: w.onFailure == "ALL_OLD"}
	var err error
	if p.condition, err = w.placeholders.bind(&s.expressions, grammarCondition, w.condition); err != nil {
		return nil, err
	}
	if p.update, err = w.placeholders.bind(&s.expressions, grammarUpdate, w.update); err != nil {
		return nil, err
	}
	if err := w.placeholders.finish(); err != nil {
		return nil, err
	}
	if p.table, err = s.table(w.tableName); err != nil {
		return nil, err
	}
	return p, p.locate()
}

func (p *write) locate() (err error) {
	schema := p.table.schema
	if p.action != actionPut {
		if p.position, err = schema.locateKey(p.key); err != nil {
			return err
		}
		for _, k := range schema.attrs() {
			if p.update != nil && p.update.changes(k.name) {
				return invalid("Cannot update attribute " + k.name + ". This attribute is part of the key")
			}
		}
		return nil
	}
	if p.position, err = schema.locate(p.item); err != nil {
		return err
	}
	p.size, err = p.table.checkItem(p.item, "Item size has exceeded the maximum allowed size")
	return err
}

// outcome is what a write would do: the item before and after, nil when absent.
type outcome struct {
	before, after item
	size          int // of after
	beforeSize    int
}

// plan works out a write, changing nothing. The table is locked.
func (p *write) plan() (o outcome, err error) {
	old, _ := p.table.find(p.position)
	o.before, o.beforeSize = old.item, old.size
	ok, err := p.condition.holds(old.item)
	if err != nil {
		return o, err
	}
	if !ok {
		if p.showOld {
			return o, conditionFailed(old.item)
		}
		return o, conditionFailed(nil)
	}
	switch p.action {
	case actionPut:
		o.after, o.size = p.item, p.size
	case actionCheck:
		o.after, o.size = old.item, old.size
	case actionUpdate:
		err = p.planUpdate(&o)
	}
	return o, err
}

func (p *write) planUpdate(o *outcome) (err error) {
	switch {
	case p.update != nil:
		o.after, err = p.update.change(o.before, p.key)
	case o.before != nil:
		o.after = o.before
	default:
		o.after = p.key
	}
	if err != nil || o.after == nil {
		return err
	}
	o.size, err = p.table.checkItem(o.after, "Item size to update has exceeded the maximum allowed size")
	return err
}

// apply carries out what was planned under the same lock.
func (p *write) apply(o outcome) usage {
	if p.action == actionCheck || o.before == nil && o.after == nil {
		return p.idle(o)
	}
	return p.table.replace(p.position, o.after, o.size)
}

// idle is the usage of a write that changes nothing, a failed one included:
// that of the item as it stands.
func (p *write) idle(o outcome) usage {
	return usage{table: p.table, units: 2 * int64(writeUnits(o.beforeSize))}
}

// run plans and applies one write on its own.
func (p *write) run() (outcome, usage, error) {
	p.table.mu.Lock()
	defer p.table.mu.Unlock()
	o, err := p.plan()
	if err != nil {
		return o, p.idle(o), err
	}
	return o, p.apply(o), nil
}
