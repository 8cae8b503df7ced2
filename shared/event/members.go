package event

import (
	"iter"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/nethouse-academy/albato/shared/strictjson"
)

// members walks through an object that is known to be valid JSON, in its order. Both the name (unescaped) and the value
// are good for one step only as far as the name goes; the value is a part of the object's text.
func members(object jsontext.Value) iter.Seq2[[]byte, jsontext.Value] {
	return func(yield func([]byte, jsontext.Value) bool) {
		// Names were checked for repeats when the whole text was read.
		d, release := strictjson.Decoder(object, jsontext.AllowDuplicateNames(true))
		defer release()
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
