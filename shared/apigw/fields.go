package apigw

import (
	"bytes"
	"encoding"
	"errors"
	"io"
	"reflect"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/nethouse-academy/albato/shared/problem"
	"github.com/nethouse-academy/albato/shared/strictjson"
)

// Unmarshal is [Decode] for bytes that are at hand: 400 for what is not strict JSON, 422 with all
// unknown and mistyped fields. v must point to a struct.
func Unmarshal(b []byte, v any) error {
	if _, err := strictjson.Read(b); err != nil {
		return err
	}
	target := reflect.ValueOf(v).Elem()
	var wrong problem.Fields
	d := jsontext.NewDecoder(bytes.NewBuffer(b))
	if d.PeekKind() != '{' {
		return problem.New(problem.InvalidRequest, "the body must be a JSON object")
	}
	if _, err := d.ReadToken(); err != nil {
		return malformed("the body is not valid JSON")
	}
	for d.PeekKind() == '"' {
		token, err := d.ReadToken()
		if err != nil {
			return malformed("the body is not valid JSON")
		}
		name := token.String()
		value, err := d.ReadValue()
		if err != nil && !errors.Is(err, io.EOF) {
			return malformed("the body is not valid JSON")
		}
		decodeField(target, name, value, &wrong)
	}
	return wrong.Err()
}

func decodeField(target reflect.Value, name string, value jsontext.Value, wrong *problem.Fields) {
	f, known := fieldByName(target, name)
	if !known {
		wrong.Add(shorten(name), "there is no such field")
		return
	}
	if value.Kind() == 'n' {
		return
	}
	err := json.Unmarshal(value, f.Addr().Interface(), json.RejectUnknownMembers(true))
	if err == nil {
		return
	}
	where, t := name, f.Type()
	var s *json.SemanticError
	if errors.As(err, &s) {
		where += strings.ReplaceAll(shorten(string(s.JSONPointer)), "/", ".")
		if s.GoType != nil {
			t = s.GoType
		}
		if errors.Is(err, json.ErrUnknownName) {
			wrong.Add(where, "there is no such field")
			return
		}
	}
	wrong.Add(where, "must be "+describeType(t))
}

// fieldByName finds the field with this JSON name; names are compared exactly.
func fieldByName(target reflect.Value, name string) (reflect.Value, bool) {
	t := target.Type()
	for i := range t.NumField() {
		tag, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		if tag == name && tag != "-" && tag != "" {
			return target.Field(i), true
		}
	}
	return reflect.Value{}, false
}

// shorten keeps a stranger's field name from filling the answer; a byte that is not printable
// ASCII is not repeated.
func shorten(name string) string {
	const longest = 64
	if len(name) > longest {
		name = name[:longest] + "..."
	}
	return strings.Map(func(c rune) rune {
		if c < 0x20 || c > 0x7e {
			return '?'
		}
		return c
	}, name)
}

var (
	timeType = reflect.TypeFor[time.Time]()
	textType = reflect.TypeFor[encoding.TextUnmarshaler]()
)

func describeType(t reflect.Type) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == timeType {
		return "a time in RFC 3339 form"
	}
	if reflect.PointerTo(t).Implements(textType) {
		return "a string"
	}
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "an integer"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "an object"
	}
	return "of another type"
}
