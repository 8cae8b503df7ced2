package dynamodb

import "strconv"

// keyAttr is one attribute of a primary key or of an index key.
type keyAttr struct {
	name string
	kind kind
}

// keySchema is a partition key and, unless its name is empty, a sort key.
type keySchema struct {
	hash, sort keyAttr
}

// Limits of key values in bytes.
const (
	maxHashKey = 2048
	maxSortKey = 1024
)

func (s keySchema) attrs() []keyAttr {
	if s.sort.name == "" {
		return []keyAttr{s.hash}
	}
	return []keyAttr{s.hash, s.sort}
}

func (s keySchema) has(name string) bool {
	return name != "" && (name == s.hash.name || name == s.sort.name)
}

// position is where an entry stands in a tree: partitions are spread by hash,
// the sort key orders within one, and tie tells apart the entries of an index
// with equal keys.
type position struct {
	hash            uint64
	part, sort, tie string
}

func (p position) less(q position) bool {
	switch {
	case p.hash != q.hash:
		return p.hash < q.hash
	case p.part != q.part:
		return p.part < q.part
	case p.sort != q.sort:
		return p.sort < q.sort
	}
	return p.tie < q.tie
}

// sortable turns a key value into a string whose byte order is the key's.
func sortable(v value) string {
	if v.kind == kindN {
		return sortableNumber(v.text)
	}
	return v.text
}

// hashOf is FNV-1a with a final mix, so that parallel scans share the work.
func hashOf(part string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(part) {
		h = (h ^ uint64(part[i])) * 1099511628211
	}
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	return h ^ h>>33
}

// locate finds the position of an item by its primary key.
func (s keySchema) locate(it item) (position, error) {
	hash, err := s.keyValue(it, s.hash, "hashkey", maxHashKey)
	if err != nil {
		return position{}, err
	}
	p := position{part: sortable(hash)}
	p.hash = hashOf(p.part)
	if s.sort.name == "" {
		return p, nil
	}
	sort, err := s.keyValue(it, s.sort, "rangekey", maxSortKey)
	if err != nil {
		return position{}, err
	}
	p.sort = sortable(sort)
	return p, nil
}

func (s keySchema) keyValue(it item, key keyAttr, role string, limit int) (value, error) {
	v, ok := it.get(key.name)
	if !ok {
		return value{}, invalid("Missing the key " + key.name + " in the item")
	}
	if v.kind != key.kind {
		return value{}, invalid("Type mismatch for key " + key.name + " expected: " + key.kind.String() + " actual: " + v.kind.String())
	}
	return v, checkKeySize(key.name, v, role, limit)
}

func checkKeySize(name string, v value, role string, limit int) error {
	switch {
	case v.kind == kindS && v.text == "":
		return invalid("The AttributeValue for a key attribute cannot contain an empty string value. Key: " + name)
	case v.kind == kindB && v.text == "":
		return invalid("The AttributeValue for a key attribute cannot contain an empty binary value. Key: " + name)
	case v.kind != kindN && len(v.text) > limit:
		return invalid("Size of " + role + " has exceeded the maximum size limit of " + strconv.Itoa(limit) + " bytes")
	}
	return nil
}

// locateKey is locate for a Key parameter, which must hold the key and nothing
// else.
func (s keySchema) locateKey(key item) (position, error) {
	if len(key) != len(s.attrs()) {
		return position{}, validation("The number of conditions on the keys is invalid")
	}
	for _, k := range s.attrs() {
		if v, ok := key.get(k.name); !ok || v.kind != k.kind {
			return position{}, validation("The provided key element does not match the schema")
		}
	}
	return s.locate(key)
}

// keyOf cuts the key attributes out of an item.
func (s keySchema) keyOf(it item) item {
	var key item
	for _, k := range s.attrs() {
		if v, ok := it.get(k.name); ok {
			key = append(key, attr{k.name, v})
		}
	}
	sortAttrs(key)
	return key
}
