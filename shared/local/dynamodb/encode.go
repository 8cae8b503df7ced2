package dynamodb

import (
	"encoding/base64"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// appendString writes a JSON string. Everything kept is valid UTF-8 (the
// decoder refuses the rest), so quoting cannot fail.
func appendString(b []byte, s string) []byte {
	b, _ = jsontext.AppendQuote(b, s)
	return b
}

// appendComma separates the i-th element from the one before.
func appendComma(b []byte, i int) []byte {
	if i > 0 {
		b = append(b, ',')
	}
	return b
}

func appendItem(b []byte, it item) []byte {
	b = append(b, '{')
	for i, a := range it {
		b = appendString(appendComma(b, i), a.name)
		b = append(b, ':')
		b = appendValue(b, a.value)
	}
	return append(b, '}')
}

func appendValue(b []byte, v value) []byte {
	b = append(b, `{"`...)
	b = append(b, v.kind.String()...)
	b = append(b, `":`...)
	switch v.kind {
	case kindBOOL:
		b = strconv.AppendBool(b, v.truth)
	case kindNULL:
		b = append(b, "true"...)
	case kindM:
		b = appendItem(b, v.many.attrs)
	case kindL:
		b = append(b, '[')
		for i, e := range v.many.elems {
			b = appendValue(appendComma(b, i), e)
		}
		b = append(b, ']')
	case kindSS, kindNS, kindBS:
		b = append(b, '[')
		for i, e := range v.many.elems {
			b = appendScalar(appendComma(b, i), e)
		}
		b = append(b, ']')
	default:
		b = appendScalar(b, v)
	}
	return append(b, '}')
}

// appendScalar writes the text of an S, an N or a B.
func appendScalar(b []byte, v value) []byte {
	if v.kind != kindB {
		return appendString(b, v.text)
	}
	b = append(b, '"')
	b = base64.StdEncoding.AppendEncode(b, []byte(v.text))
	return append(b, '"')
}
