// Package strictjson reads JSON that strangers send more strictly than a parser must (RFC 8259 leaves it open; RFC 7493,
// I-JSON, does not): exactly one value, valid UTF-8, no name twice in an object, no hostile nesting. Receivers disagree
// about what the rest means, and what we check must be what they read.
package strictjson

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/nethouse-academy/albato/shared/problem"
)

// MaxDepth is how deep JSON may nest. A real event nests four deep.
const MaxDepth = 64

// decoders keep what they have allocated from one text to the next.
var decoders = sync.Pool{New: func() any { return jsontext.NewDecoder(bytes.NewReader(nil)) }}

// Decoder gives a decoder of text, and a function that gives it back when it is no longer used. What it reads are parts
// of text and stay good.
func Decoder(text []byte, options ...jsontext.Options) (d *jsontext.Decoder, release func()) {
	d = decoders.Get().(*jsontext.Decoder)
	d.Reset(bytes.NewBuffer(text), options...)
	return d, func() {
		d.Reset(bytes.NewReader(nil)) // it must not keep the text alive
		decoders.Put(d)
	}
}

// Read gives the one value that text holds, as a part of text. Errors are 400s of package problem; they say where text is
// broken and repeat none of it.
func Read(text []byte) (jsontext.Value, error) {
	if tooDeep(text) {
		return nil, malformed("the JSON nests deeper than " + strconv.Itoa(MaxDepth) + " levels")
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, malformed("the body is empty")
	}
	d, release := Decoder(text)
	defer release()
	value, err := d.ReadValue() // it refuses invalid UTF-8 and repeated names unless told otherwise
	if err != nil {
		return nil, invalid(err)
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, malformed("the body holds more than one JSON value")
	}
	return value, nil
}

func invalid(err error) error {
	where := ""
	if s := (*jsontext.SyntacticError)(nil); errors.As(err, &s) {
		where = " (at byte " + strconv.FormatInt(s.ByteOffset, 10) + ")"
	}
	if errors.Is(err, jsontext.ErrDuplicateName) {
		return malformed("a name stands twice in one JSON object" + where)
	}
	return malformed("the body is not valid JSON" + where)
}

func malformed(detail string) error {
	return &problem.Error{Code: problem.InvalidRequest, Status: http.StatusBadRequest, Detail: detail}
}

// tooDeep counts brackets outside strings: exact for valid JSON, and what is invalid is refused anyway. It comes before
// the parser, so that hostile nesting costs nothing.
func tooDeep(text []byte) bool {
	if bytes.Count(text, []byte("{"))+bytes.Count(text, []byte("[")) <= MaxDepth {
		return false // as in any real event: counting is a tenth of the work
	}
	depth, inString := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			if depth++; depth > MaxDepth {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}
