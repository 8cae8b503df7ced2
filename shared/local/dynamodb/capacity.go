package dynamodb

import (
	"slices"
	"strconv"
)

// writeUnits: one write unit for each started kilobyte, one at least.
func writeUnits(size int) int { return max(1, (size+1023)/1024) }

// readHalves: one read unit, that is two halves, for each started 4 KB of a
// strongly consistent read, half of that otherwise; one step at least.
func readHalves(size int, consistent bool) int64 {
	steps := int64(max(1, (size+4095)/4096))
	if consistent {
		return 2 * steps
	}
	return steps
}

// usage is the capacity one request consumed on one table, in half units:
// units of the table itself, and of each index.
type usage struct {
	table   *table
	units   int64
	indexes []indexUsage
}

type indexUsage struct {
	name  string
	units int64
}

func (u *usage) addIndex(name string, units int64) {
	i := slices.IndexFunc(u.indexes, func(x indexUsage) bool { return x.name == name })
	if i < 0 {
		u.indexes = append(u.indexes, indexUsage{name: name})
		i = len(u.indexes) - 1
	}
	u.indexes[i].units += units
}

func (u *usage) add(more usage) {
	u.units += more.units
	for _, x := range more.indexes {
		u.addIndex(x.name, x.units)
	}
}

// double is what a transaction costs.
func (u usage) double() usage {
	u.units *= 2
	u.indexes = slices.Clone(u.indexes)
	for i := range u.indexes {
		u.indexes[i].units *= 2
	}
	return u
}

func (u usage) total() int64 {
	sum := u.units
	for _, x := range u.indexes {
		sum += x.units
	}
	return sum
}

// usages collects the usage of a request over several tables.
type usages []usage

func (us *usages) add(u usage) {
	i := slices.IndexFunc(*us, func(have usage) bool { return have.table == u.table })
	if i < 0 {
		*us = append(*us, usage{table: u.table})
		i = len(*us) - 1
	}
	(*us)[i].add(u)
}

// capacityDetail is how ReturnConsumedCapacity is to be answered.
type capacityDetail struct {
	level    string // NONE, TOTAL or INDEXES; empty is NONE
	splitKey string // ReadCapacityUnits or WriteCapacityUnits, of transactions
}

func (d capacityDetail) wanted() bool { return d.level == "TOTAL" || d.level == "INDEXES" }

// appendOne writes `,"ConsumedCapacity":{…}` when it is wanted.
func (d capacityDetail) appendOne(b []byte, u usage) []byte {
	if !d.wanted() {
		return b
	}
	return d.appendUsage(append(b, `,"ConsumedCapacity":`...), u)
}

// appendAll writes `,"ConsumedCapacity":[…]` when it is wanted.
func (d capacityDetail) appendAll(b []byte, us usages) []byte {
	if !d.wanted() {
		return b
	}
	b = append(b, `,"ConsumedCapacity":[`...)
	for i, u := range us {
		b = d.appendUsage(appendComma(b, i), u)
	}
	return append(b, ']')
}

func (d capacityDetail) appendUsage(b []byte, u usage) []byte {
	b = append(b, `{"TableName":`...)
	b = appendString(b, u.table.name)
	b = append(b, ',')
	b = d.appendUnits(b, u.total())
	if d.level == "INDEXES" {
		b = append(b, `,"Table":{`...)
		b = append(d.appendUnits(b, u.units), '}')
		for i, x := range u.indexes {
			if i == 0 {
				b = append(b, `,"GlobalSecondaryIndexes":{`...)
			}
			b = appendString(appendComma(b, i), x.name)
			b = append(b, `:{`...)
			b = append(d.appendUnits(b, x.units), '}')
		}
		if len(u.indexes) > 0 {
			b = append(b, '}')
		}
	}
	return append(b, '}')
}

func (d capacityDetail) appendUnits(b []byte, halves int64) []byte {
	b = append(b, `"CapacityUnits":`...)
	b = strconv.AppendFloat(b, float64(halves)/2, 'f', 1, 64)
	if d.splitKey != "" {
		b = append(b, `,"`...)
		b = append(b, d.splitKey...)
		b = append(b, `":`...)
		b = strconv.AppendFloat(b, float64(halves)/2, 'f', 1, 64)
	}
	return b
}

func (us usages) total() int64 {
	var sum int64
	for _, u := range us {
		sum += u.total()
	}
	return sum
}
