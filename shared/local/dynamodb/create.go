package dynamodb

import (
	"slices"
	"strconv"
)

// createRequest holds what CreateTable says of a table.
type createRequest struct {
	name       string
	keys       []keyElement
	attributes []keyAttr
	billing    string
	indexes    []indexRequest
}

type keyElement struct{ name, role string }

type indexRequest struct {
	name       string
	keys       []keyElement
	projection string
	include    []string
}

func (in *createRequest) read(c *call) error {
	return c.read("CreateTable", func(name string) (bool, error) {
		switch name {
		case "TableName":
			return true, c.dec.stringInto(&in.name)
		case "KeySchema":
			return true, readKeys(&c.dec, &in.keys)
		case "AttributeDefinitions":
			return true, c.dec.array(func() error { return in.readAttribute(&c.dec) })
		case "BillingMode":
			return true, c.dec.stringInto(&in.billing)
		case "GlobalSecondaryIndexes":
			return true, c.dec.array(func() error { return in.readIndex(&c.dec) })
		case "DeletionProtectionEnabled":
			var protect bool
			err := c.dec.bool(&protect)
			return !protect, err // only the default is implemented
		}
		return false, nil
	})
}

func readKeys(d *decoder, keys *[]keyElement) error {
	return d.array(func() error {
		var k keyElement
		err := d.object(func(name string) error {
			switch name {
			case "AttributeName":
				return d.stringInto(&k.name)
			case "KeyType":
				return d.stringInto(&k.role)
			}
			return notImplemented("the parameter KeySchema." + name)
		})
		*keys = append(*keys, k)
		return err
	})
}

func (in *createRequest) readAttribute(d *decoder) error {
	var a keyAttr
	err := d.object(func(name string) error {
		switch name {
		case "AttributeName":
			return d.stringInto(&a.name)
		case "AttributeType":
			text, err := d.string()
			if a.kind = kindOf(text); err == nil && a.kind != kindS && a.kind != kindN && a.kind != kindB {
				err = constraint(text, "attributeDefinitions.member.attributeType", "Member must satisfy enum value set: [B, N, S]")
			}
			return err
		}
		return notImplemented("the parameter AttributeDefinitions." + name)
	})
	in.attributes = append(in.attributes, a)
	return err
}

func (in *createRequest) readIndex(d *decoder) error {
	var x indexRequest
	err := d.object(func(name string) error {
		switch name {
		case "IndexName":
			return d.stringInto(&x.name)
		case "KeySchema":
			return readKeys(d, &x.keys)
		case "Projection":
			return d.object(func(name string) error {
				switch name {
				case "ProjectionType":
					return d.stringInto(&x.projection)
				case "NonKeyAttributes":
					return d.array(func() error {
						attribute, err := d.string()
						x.include = append(x.include, attribute)
						return err
					})
				}
				return notImplemented("the parameter Projection." + name)
			})
		}
		return notImplemented("the parameter GlobalSecondaryIndexes." + name)
	})
	in.indexes = append(in.indexes, x)
	return err
}

// table checks the request and makes the table.
func (in *createRequest) table(s *Server) (*table, error) {
	if err := checkTableName(in.name); err != nil {
		return nil, err
	}
	if in.billing != "PAY_PER_REQUEST" {
		return nil, notImplemented("a BillingMode other than PAY_PER_REQUEST (there are no throughput limits)")
	}
	t := &table{name: in.name, region: s.region, account: s.account, created: s.now(), definitions: in.attributes, rows: newTree()}
	var err error
	if t.schema, err = in.schema(in.keys); err != nil {
		return nil, err
	}
	used := t.schema.attrs()
	for _, x := range in.indexes {
		index, err := in.index(x, t)
		if err != nil {
			return nil, err
		}
		t.indexes = append(t.indexes, index)
		used = append(used, index.schema.attrs()...)
	}
	for _, a := range in.attributes {
		if !slices.Contains(used, a) {
			return nil, invalid("Some AttributeDefinitions are not used. AttributeDefinitions: [" + a.name + "]")
		}
	}
	return t, nil
}

func (in *createRequest) schema(keys []keyElement) (keySchema, error) {
	var schema keySchema
	if len(keys) < 1 || len(keys) > 2 {
		return schema, validation("1 validation error detected: the key schema must have one or two elements")
	}
	for i, k := range keys {
		at := slices.IndexFunc(in.attributes, func(a keyAttr) bool { return a.name == k.name })
		if at < 0 {
			return schema, invalid("Some index key attributes are not defined in AttributeDefinitions. Keys: [" + k.name + "]")
		}
		switch {
		case i == 0 && k.role == "HASH":
			schema.hash = in.attributes[at]
		case i == 1 && k.role == "RANGE" && k.name != schema.hash.name:
			schema.sort = in.attributes[at]
		default:
			return schema, invalid("The first KeySchemaElement must be of the type HASH, the second another attribute of the type RANGE")
		}
	}
	return schema, nil
}

func (in *createRequest) index(x indexRequest, t *table) (*index, error) {
	if err := checkName(x.name, "indexName"); err != nil {
		return nil, err
	}
	if t.index(x.name) != nil {
		return nil, invalid("Duplicate index name: " + x.name)
	}
	schema, err := in.schema(x.keys)
	if err != nil {
		return nil, err
	}
	switch {
	case x.projection == "ALL" || x.projection == "KEYS_ONLY":
		if len(x.include) > 0 {
			return nil, invalid("ProjectionType is " + x.projection + ", but NonKeyAttributes is specified")
		}
	case x.projection != "INCLUDE" || len(x.include) == 0:
		return nil, invalid("Unknown ProjectionType, or INCLUDE without NonKeyAttributes: " + x.projection)
	}
	slices.Sort(x.include)
	return &index{name: x.name, schema: schema, primary: t.schema, projection: x.projection, include: x.include, rows: newTree()}, nil
}

func checkTableName(name string) error { return checkName(name, "tableName") }

// checkName applies the rule of table and index names.
func checkName(name, member string) error {
	if len(name) < 3 || len(name) > 255 {
		return constraint(name, member, "Member must have length between 3 and 255, but has "+strconv.Itoa(len(name)))
	}
	for i := range len(name) {
		if c := name[i]; !isLetter(c) && !isDigit(c) && c != '_' && c != '-' && c != '.' {
			return constraint(name, member, "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+")
		}
	}
	return nil
}
