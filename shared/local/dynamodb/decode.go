package dynamodb

import (
	"bytes"
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

const (
	// maxRequest is the limit of one request's body.
	maxRequest = 16 << 20
	// maxDepth is how deep lists and maps may nest.
	maxDepth = 32
	// sharedBody is the size up to which decoded strings may share the body's
	// memory; a small attribute of a larger request would hold on to too much.
	sharedBody = 64 << 10
)

// decoder reads one request, token by token, with no intermediate tree.
type decoder struct {
	json *jsontext.Decoder
	text string // the body; strings without escapes are cut out of it
	open []attr // the attributes of the items being read, innermost last
}

func (d *decoder) reset(body *bytes.Buffer) {
	d.text, d.open = body.String(), d.open[:0]
	if d.json == nil {
		d.json = jsontext.NewDecoder(body)
		return
	}
	d.json.Reset(body)
}

func malformed(err error) *fault { return serialization("malformed JSON: " + err.Error()) }

func (d *decoder) expect(k jsontext.Kind, what string) error {
	if got := d.json.PeekKind(); got != k && got != 0 {
		return serialization("Unexpected JSON value: " + what + " expected")
	}
	if _, err := d.json.ReadToken(); err != nil {
		return malformed(err)
	}
	return nil
}

// object calls member for each member that is not null; member reads its value.
func (d *decoder) object(member func(name string) error) error {
	if err := d.expect('{', "an object"); err != nil {
		return err
	}
	for d.json.PeekKind() != '}' {
		name, err := d.string()
		if err != nil {
			return err
		}
		if d.json.PeekKind() == 'n' {
			err = d.expect('n', "null")
		} else {
			err = member(name)
		}
		if err != nil {
			return err
		}
	}
	return d.expect('}', "the end of an object")
}

// array calls element for each element; element reads it.
func (d *decoder) array(element func() error) error {
	if err := d.expect('[', "a list"); err != nil {
		return err
	}
	for d.json.PeekKind() != ']' {
		if err := element(); err != nil {
			return err
		}
	}
	return d.expect(']', "the end of a list")
}

func (d *decoder) string() (string, error) {
	raw, err := d.json.ReadValue()
	if err != nil {
		return "", malformed(err)
	}
	if raw.Kind() != '"' {
		return "", serialization("Unexpected JSON value: a string expected")
	}
	if bytes.IndexByte(raw, '\\') < 0 {
		end := int(d.json.InputOffset()) - 1
		s := d.text[end-len(raw)+2 : end]
		if len(d.text) > sharedBody {
			s = strings.Clone(s)
		}
		return s, nil
	}
	s, err := jsontext.AppendUnquote(nil, raw)
	if err != nil {
		return "", malformed(err)
	}
	return string(s), nil
}

func (d *decoder) stringInto(s *string) (err error) {
	*s, err = d.string()
	return err
}

// optionalString keeps the difference between absent and empty.
func (d *decoder) optionalString(s **string) error {
	text, err := d.string()
	*s = &text
	return err
}

func (d *decoder) bool(b *bool) error {
	raw, err := d.json.ReadValue()
	if err != nil {
		return malformed(err)
	}
	if k := raw.Kind(); k != 't' && k != 'f' {
		return serialization("Unexpected JSON value: a boolean expected")
	}
	*b = raw.Kind() == 't'
	return nil
}

func (d *decoder) int(n **int) error {
	raw, err := d.json.ReadValue()
	if err != nil {
		return malformed(err)
	}
	i, err := strconv.ParseInt(string(raw), 10, 32)
	if err != nil {
		return serialization("Unexpected JSON value: a 32 bit integer expected")
	}
	v := int(i)
	*n = &v
	return nil
}

// attrs reads a map of attribute values: an item, a key, a value of type M or
// the values of an expression.
func (d *decoder) attrs(depth int) (item, error) {
	first := len(d.open)
	err := d.object(func(name string) error {
		v, err := d.value(depth)
		if err == nil {
			d.open = append(d.open, attr{name, v})
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	it := make(item, len(d.open)-first) // as large as it needs to be, for it may be kept
	copy(it, d.open[first:])
	clear(d.open[first:])
	d.open = d.open[:first]
	if name, ok := sortAttrs(it); !ok {
		return nil, serialization("Repeated attribute name: " + name)
	}
	return it, nil
}

// value reads one AttributeValue: an object with exactly one member.
func (d *decoder) value(depth int) (value, error) {
	var v value
	err := d.object(func(descriptor string) (err error) {
		if v.kind != kindNone {
			return validation("Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes")
		}
		if v.kind = kindOf(descriptor); v.kind == kindNone {
			return serialization("Unknown type of an attribute value: " + descriptor)
		}
		return d.content(&v, depth)
	})
	if err == nil && v.kind == kindNone {
		err = validation("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")
	}
	return v, err
}

func (d *decoder) content(v *value, depth int) (err error) {
	switch v.kind {
	case kindBOOL:
		return d.bool(&v.truth)
	case kindNULL:
		if err := d.bool(&v.truth); err != nil {
			return err
		}
		if !v.truth {
			return invalid("Null attribute value types must have the value of true")
		}
		return nil
	case kindL, kindM:
		if depth >= maxDepth {
			return validation("Nesting Levels have exceeded supported limits")
		}
		v.many = new(composite)
		if v.kind == kindM {
			v.many.attrs, err = d.attrs(depth + 1)
			return err
		}
		return d.array(func() error {
			e, err := d.value(depth + 1)
			v.many.elems = append(v.many.elems, e)
			return err
		})
	case kindSS, kindNS, kindBS:
		return d.set(v)
	}
	v.text, err = d.scalar(v.kind)
	return err
}

// scalar reads the text of an S, an N or a B.
func (d *decoder) scalar(k kind) (string, error) {
	text, err := d.string()
	if err != nil || k == kindS {
		return text, err
	}
	if k == kindN {
		return canonicalNumber(text)
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return "", serialization("Invalid Base64 in a value of type B")
	}
	return string(raw), nil
}

func (d *decoder) set(v *value) error {
	var elems []value
	err := d.array(func() error {
		text, err := d.scalar(v.kind.element())
		elems = append(elems, value{kind: v.kind.element(), text: text})
		return err
	})
	if err != nil {
		return err
	}
	if len(elems) == 0 {
		name := map[kind]string{kindSS: "An string set ", kindNS: "An number set ", kindBS: "Binary sets"}[v.kind]
		return invalid(name + " may not be empty")
	}
	set, ok := newSet(v.kind, elems)
	if !ok {
		return invalid("Input collection contains duplicates.")
	}
	*v = set
	return nil
}
