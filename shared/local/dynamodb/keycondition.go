package dynamodb

// keyRange is what a key condition selects: one partition, and of its sort
// keys those from low up to but not including high ("" is no bound).
type keyRange struct {
	hash      uint64
	part      string
	low, high string
}

func (r keyRange) covers(p position) bool {
	return p.hash == r.hash && p.part == r.part && p.sort >= r.low && (r.high == "" || p.sort < r.high)
}

// above tells a position of the same hash that lies above the range.
func (r keyRange) above(p position) bool {
	return p.hash == r.hash && (p.part > r.part || p.part == r.part && r.high != "" && p.sort >= r.high)
}

// keyRange works out the range; the condition must be an equality on the
// partition key and, joined by AND, at most one comparison of the sort key.
func (b *binding) keyRange(schema keySchema) (keyRange, error) {
	parts := []*condition{b.condition}
	if b.condition.op == "AND" {
		parts = b.condition.children
	}
	var onHash, onSort *condition
	for _, c := range parts {
		name, err := b.keyConditionName(c)
		if err != nil {
			return keyRange{}, err
		}
		at := &onSort
		switch {
		case name == schema.hash.name:
			at = &onHash
		case name != schema.sort.name:
			if onHash == nil && len(parts) == 1 {
				return keyRange{}, missedKey(schema.hash.name)
			}
			if schema.sort.name != "" && len(parts) > 1 {
				return keyRange{}, missedKey(schema.sort.name)
			}
			return keyRange{}, validation("Query key condition not supported")
		}
		if *at != nil {
			return keyRange{}, validation("KeyConditionExpressions must only contain one condition per key")
		}
		*at = c
	}
	if onHash == nil {
		return keyRange{}, missedKey(schema.hash.name)
	}
	if onHash.op != "=" {
		return keyRange{}, validation("Query key condition not supported")
	}
	hash, err := b.keyOperand(onHash.args[1], schema.hash)
	if err != nil {
		return keyRange{}, err
	}
	r := keyRange{hash: hashOf(hash), part: hash}
	if onSort != nil {
		err = b.narrow(&r, onSort, schema.sort)
	}
	return r, err
}

func missedKey(name string) *fault {
	return validation("Query condition missed key schema element: " + name)
}

// keyConditionName checks the form of one condition, attribute first, and
// gives the attribute.
func (b *binding) keyConditionName(c *condition) (string, error) {
	switch c.op {
	case "=", "<", "<=", ">", ">=", "BETWEEN", "begins_with":
	default:
		return "", b.fault("Invalid operator used in KeyConditionExpression: " + c.op)
	}
	if c.args[0].kind != operandPath {
		return "", notImplemented("a KeyConditionExpression whose first operand is no attribute")
	}
	if len(c.args[0].path) > 1 {
		return "", b.fault("KeyConditionExpressions cannot have conditions on nested attributes")
	}
	for _, o := range c.args[1:] {
		if o.kind != operandValue {
			return "", b.fault("KeyConditionExpressions must compare a key attribute with a value")
		}
	}
	return b.name(c.args[0].path[0]), nil
}

func (b *binding) keyOperand(o operand, key keyAttr) (string, error) {
	v := b.valueOf[o.value]
	if v.kind != key.kind {
		return "", invalid("Condition parameter type does not match schema type")
	}
	if v.text == "" {
		return "", invalid("The AttributeValue for a key attribute cannot contain an empty " +
			map[kind]string{kindS: "string", kindB: "binary"}[v.kind] + " value. Key: " + key.name)
	}
	return sortable(v), nil
}

// narrow turns a comparison of the sort key into a half-open range: the byte
// string right after v is v with a zero byte.
func (b *binding) narrow(r *keyRange, c *condition, key keyAttr) error {
	v, err := b.keyOperand(c.args[1], key)
	if err != nil {
		return err
	}
	switch c.op {
	case "=":
		r.low, r.high = v, v+"\x00"
	case "<":
		r.high = v
	case "<=":
		r.high = v + "\x00"
	case ">":
		r.low = v + "\x00"
	case ">=":
		r.low = v
	case "BETWEEN":
		high, err := b.keyOperand(c.args[2], key)
		if err != nil {
			return err
		}
		r.low, r.high = v, high+"\x00"
	case "begins_with":
		if key.kind == kindN {
			return b.wrongType("begins_with", kindN)
		}
		r.low, r.high = v, afterPrefix(v)
	}
	return nil
}

// afterPrefix is the least string above all that begin with the prefix.
func afterPrefix(prefix string) string {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] < 0xFF {
			return prefix[:i] + string([]byte{prefix[i] + 1})
		}
	}
	return ""
}
