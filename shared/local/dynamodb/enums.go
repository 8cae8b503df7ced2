package dynamodb

import (
	"slices"
	"strings"
)

// oneOf checks an enumeration member; absent ("") is fine.
func oneOf(value, member string, allowed ...string) error {
	if value == "" || slices.Contains(allowed, value) {
		return nil
	}
	return constraint(value, member, "Member must satisfy enum value set: ["+strings.Join(allowed, ", ")+"]")
}

// reporting are the members of most requests that choose what is reported.
// Item collection metrics exist only with local secondary indexes, which no
// table here has, so asking for them changes nothing.
type reporting struct {
	capacity   string
	collection string
}

func (r *reporting) member(d *decoder, name string) (known bool, err error) {
	switch name {
	case "ReturnConsumedCapacity":
		return true, d.stringInto(&r.capacity)
	case "ReturnItemCollectionMetrics":
		return true, d.stringInto(&r.collection)
	}
	return false, nil
}

func (r *reporting) check() error {
	if err := oneOf(r.capacity, "returnConsumedCapacity", "INDEXES", "TOTAL", "NONE"); err != nil {
		return err
	}
	return oneOf(r.collection, "returnItemCollectionMetrics", "SIZE", "NONE")
}
