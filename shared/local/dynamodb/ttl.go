package dynamodb

import (
	"strconv"
	"time"
)

func (s *Server) updateTimeToLive(c *call) error {
	var tableName, attribute string
	var enabled bool
	err := c.read("UpdateTimeToLive", func(name string) (bool, error) {
		switch name {
		case "TableName":
			return true, c.dec.stringInto(&tableName)
		case "TimeToLiveSpecification":
			return true, c.dec.object(func(name string) error {
				switch name {
				case "AttributeName":
					return c.dec.stringInto(&attribute)
				case "Enabled":
					return c.dec.bool(&enabled)
				}
				return notImplemented("the parameter TimeToLiveSpecification." + name)
			})
		}
		return false, nil
	})
	if err != nil {
		return err
	}
	if attribute == "" || len(attribute) > 255 {
		return constraint(attribute, "timeToLiveSpecification.attributeName", "Member must have length between 1 and 255")
	}
	t, err := s.namedTable(tableName)
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case enabled && t.ttlAttribute != "":
		return validation("TimeToLive is already enabled")
	case !enabled && t.ttlAttribute == "":
		return validation("TimeToLive is already disabled")
	case !enabled && t.ttlAttribute != attribute:
		return validation("TimeToLive is active on a different AttributeName: current AttributeName is " + t.ttlAttribute)
	}
	t.ttlAttribute = ""
	if enabled {
		t.ttlAttribute = attribute
	}
	c.out = append(c.out, `,"TimeToLiveSpecification":{"AttributeName":`...)
	c.out = appendString(c.out, attribute)
	c.out = append(c.out, `,"Enabled":`...)
	c.out = append(strconv.AppendBool(c.out, enabled), '}')
	c.finish()
	return nil
}

func (s *Server) describeTimeToLive(c *call) error {
	name, err := c.readTableName("DescribeTimeToLive")
	if err != nil {
		return err
	}
	t, err := s.namedTable(name)
	if err != nil {
		return err
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	c.out = append(c.out, `,"TimeToLiveDescription":{"TimeToLiveStatus":`...)
	if t.ttlAttribute == "" {
		c.out = append(c.out, `"DISABLED"}`...)
	} else {
		c.out = appendString(append(c.out, `"ENABLED","AttributeName":`...), t.ttlAttribute)
		c.out = append(c.out, '}')
	}
	c.finish()
	return nil
}

// expiryChunk is how many items ExpireItems looks at between two moments when
// others may use the table.
const expiryChunk = 1000

// ExpireItems deletes, in every table with time to live on, the items whose
// time has passed by the server's clock, and gives their number. Nothing else
// deletes them: as with the real service, which may take days, a reader sees
// an expired item until then. As there, a time more than five years past, or
// one that is not a number, does not count, and the deletion consumes no
// capacity.
func (s *Server) ExpireItems() int {
	s.mu.RLock()
	tables := make([]*table, 0, len(s.tables))
	for _, t := range s.tables {
		tables = append(tables, t)
	}
	s.mu.RUnlock()
	now, expired := s.now(), 0
	for _, t := range tables {
		for from, more := (position{}), true; more; {
			var n int
			from, n, more = t.expire(from, now)
			expired += n
		}
	}
	return expired
}

// expire looks at one chunk of items; next is where to go on.
func (t *table) expire(from position, now time.Time) (next position, expired int, more bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ttlAttribute == "" {
		return position{}, 0, false
	}
	earliest := strconv.FormatInt(now.AddDate(-5, 0, 0).Unix(), 10)
	latest := strconv.FormatInt(now.Unix(), 10)
	var due []position
	seen := 0
	t.rows.Ascend(entry{position: from}, func(e entry) bool {
		if seen++; seen > expiryChunk {
			next, more = e.position, true
			return false
		}
		at, ok := e.item.get(t.ttlAttribute)
		if ok && at.kind == kindN && compareNumbers(at.text, latest) < 0 && compareNumbers(at.text, earliest) >= 0 {
			due = append(due, e.position)
		}
		return true
	})
	for _, p := range due {
		t.replace(p, nil, 0)
	}
	return next, len(due), more
}
