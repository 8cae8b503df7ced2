package event

import (
	"bytes"
	"iter"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
)

// decoders keep what they have allocated from one event to the next.
var decoders = sync.Pool{New: func() any { return jsontext.NewDecoder(bytes.NewReader(nil)) }}

func decoder(text []byte, options ...jsontext.Options) *jsontext.Decoder {
	d := decoders.Get().(*jsontext.Decoder)
	d.Reset(bytes.NewBuffer(text), options...)
	return d
}

// release gives a decoder back without the text it has read.
func release(d *jsontext.Decoder) {
	d.Reset(bytes.NewReader(nil))
	decoders.Put(d)
}

// members walks through an object that is known to be valid JSON, in its order. Both the name (unescaped) and the value
// are good for one step only as far as the name goes; the value is a part of the object's text.
func members(object jsontext.Value) iter.Seq2[[]byte, jsontext.Value] {
	return func(yield func([]byte, jsontext.Value) bool) {
		// Names were checked for repeats when the whole text was read.
		d := decoder(object, jsontext.AllowDuplicateNames(true))
		defer release(d)
		if _, err := d.ReadToken(); err != nil {
			return
		}
		var name []byte
		for d.PeekKind() == '"' {
			quoted, err := d.ReadValue()
			if err != nil {
				return
			}
			name, _ = jsontext.AppendUnquote(name[:0], quoted)
			value, err := d.ReadValue()
			if err != nil || !yield(name, value) {
				return
			}
		}
	}
}

// text gives the characters of a JSON string that is known to be valid.
func text(value jsontext.Value) string {
	b, err := jsontext.AppendUnquote(nil, value)
	if err != nil {
		return ""
	}
	return string(b)
}

// tooDeep tells whether raw opens more than maxDepth objects and arrays at once. It counts brackets outside strings,
// which is exact for valid JSON and harmless for anything else, since that is refused anyway.
func tooDeep(raw []byte) bool {
	depth, inString := 0, false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}
