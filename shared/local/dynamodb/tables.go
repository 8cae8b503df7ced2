package dynamodb

import (
	"fmt"
	"slices"
	"strconv"
)

// maxListed is how many names ListTables gives at a time.
const maxListed = 100

func (s *Server) createTable(c *call) error {
	var in createRequest
	if err := in.read(c); err != nil {
		return err
	}
	t, err := in.table(s)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tables[t.name] != nil {
		return &fault{code: serviceNamespace + "ResourceInUseException", message: "Table already exists: " + t.name}
	}
	s.made++
	t.id = fmt.Sprintf("00000000-0000-4000-8000-%012d", s.made)
	s.tables[t.name] = t
	c.out = t.describe(append(c.out, `,"TableDescription":`...), "ACTIVE")
	c.finish()
	return nil
}

// readTableName reads a request that names a table and nothing else.
func (c *call) readTableName(operation string) (name string, err error) {
	err = c.read(operation, func(member string) (bool, error) {
		return member == "TableName", c.dec.stringInto(&name)
	})
	return name, err
}

// namedTable is the table of a request that is about the table itself.
func (s *Server) namedTable(name string) (*table, error) {
	t := s.findTable(name)
	if t != nil {
		return t, nil
	}
	if err := checkTableName(name); err != nil {
		return nil, err
	}
	return nil, notFound("Requested resource not found: Table: " + name + " not found")
}

func (s *Server) describeTable(c *call) error {
	name, err := c.readTableName("DescribeTable")
	if err != nil {
		return err
	}
	t, err := s.namedTable(name)
	if err != nil {
		return err
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	c.out = t.describe(append(c.out, `,"Table":`...), "ACTIVE")
	c.finish()
	return nil
}

func (s *Server) deleteTable(c *call) error {
	name, err := c.readTableName("DeleteTable")
	if err != nil {
		return err
	}
	t, err := s.namedTable(name)
	if err != nil {
		return err
	}
	s.mu.Lock()
	delete(s.tables, t.name)
	s.mu.Unlock()
	t.mu.RLock()
	defer t.mu.RUnlock()
	c.out = t.describe(append(c.out, `,"TableDescription":`...), "DELETING")
	c.finish()
	return nil
}

func (s *Server) listTables(c *call) error {
	var after string
	var limit *int
	err := c.read("ListTables", func(name string) (bool, error) {
		switch name {
		case "ExclusiveStartTableName":
			return true, c.dec.stringInto(&after)
		case "Limit":
			return true, c.dec.int(&limit)
		}
		return false, nil
	})
	if err != nil {
		return err
	}
	page := maxListed
	if limit != nil {
		if page = *limit; page < 1 || page > maxListed {
			return constraint(strconv.Itoa(page), "limit", "Member must have value between 1 and 100")
		}
	}
	s.mu.RLock()
	names := make([]string, 0, len(s.tables))
	for name := range s.tables {
		if name > after {
			names = append(names, name)
		}
	}
	s.mu.RUnlock()
	slices.Sort(names)
	more := len(names) > page
	names = names[:min(page, len(names))]
	c.out = append(c.out, `,"TableNames":[`...)
	for i, name := range names {
		c.out = appendString(appendComma(c.out, i), name)
	}
	c.out = append(c.out, ']')
	if more {
		c.out = appendString(append(c.out, `,"LastEvaluatedTableName":`...), names[page-1])
	}
	c.finish()
	return nil
}

// describe writes a TableDescription. The table is locked or not yet shared.
func (t *table) describe(b []byte, status string) []byte {
	b = append(b, `{"TableName":`...)
	b = appendString(b, t.name)
	b = append(b, `,"TableArn":`...)
	b = appendString(b, t.arn())
	b = append(b, `,"TableId":`...)
	b = appendString(b, t.id)
	b = append(b, `,"TableStatus":"`+status+`","CreationDateTime":`...)
	b = strconv.AppendInt(b, t.created.Unix(), 10)
	b = append(b, `,"BillingModeSummary":{"BillingMode":"PAY_PER_REQUEST"}`...)
	b = append(b, `,"ProvisionedThroughput":`+noThroughput...)
	b = append(b, `,"DeletionProtectionEnabled":false,"AttributeDefinitions":[`...)
	for i, a := range t.definitions {
		b = appendString(append(appendComma(b, i), `{"AttributeName":`...), a.name)
		b = append(b, `,"AttributeType":"`+a.kind.String()+`"}`...)
	}
	b = t.schema.describe(append(b, ']'))
	b = appendContents(b, t.rows.Len(), t.bytes)
	if len(t.indexes) > 0 {
		b = append(b, `,"GlobalSecondaryIndexes":[`...)
		for i, x := range t.indexes {
			b = x.describe(appendComma(b, i), t, status)
		}
		b = append(b, ']')
	}
	return append(b, '}')
}

const noThroughput = `{"NumberOfDecreasesToday":0,"ReadCapacityUnits":0,"WriteCapacityUnits":0}`

func appendContents(b []byte, items int, bytes int64) []byte {
	b = strconv.AppendInt(append(b, `,"ItemCount":`...), int64(items), 10)
	if bytes >= 0 {
		b = strconv.AppendInt(append(b, `,"TableSizeBytes":`...), bytes, 10)
	}
	return b
}

func (s keySchema) describe(b []byte) []byte {
	b = append(b, `,"KeySchema":[`...)
	for i, k := range s.attrs() {
		b = appendString(append(appendComma(b, i), `{"AttributeName":`...), k.name)
		b = append(b, `,"KeyType":"`+[]string{"HASH", "RANGE"}[i]+`"}`...)
	}
	return append(b, ']')
}

func (x *index) describe(b []byte, t *table, status string) []byte {
	b = appendString(append(b, `{"IndexName":`...), x.name)
	b = appendString(append(b, `,"IndexArn":`...), t.arn("/index/", x.name))
	b = append(b, `,"IndexStatus":"`+status+`","Projection":{"ProjectionType":"`+x.projection+`"`...)
	for i, name := range x.include {
		if i == 0 {
			b = append(b, `,"NonKeyAttributes":[`...)
		}
		b = appendString(appendComma(b, i), name)
	}
	if len(x.include) > 0 {
		b = append(b, ']')
	}
	b = append(b, `},"ProvisionedThroughput":`+noThroughput...)
	b = x.schema.describe(b)
	b = appendContents(b, x.rows.Len(), -1)
	return append(b, '}')
}
