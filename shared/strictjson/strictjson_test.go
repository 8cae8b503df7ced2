package strictjson_test

import (
	"bytes"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/nethouse-academy/albato/shared/problem"
	"github.com/nethouse-academy/albato/shared/strictjson"
)

func nested(depth int) string { return strings.Repeat("[", depth) + strings.Repeat("]", depth) }

func TestRead(t *testing.T) {
	for text, want := range map[string]string{
		` {"a":[1,"é\u00e9",{}]} `:  `{"a":[1,"é\u00e9",{}]}`,
		`7`:                         `7`,
		`"[[[[{{{{\"[["`:            `"[[[[{{{{\"[["`,
		nested(strictjson.MaxDepth): nested(strictjson.MaxDepth),
	} {
		got, err := strictjson.Read([]byte(text))
		if err != nil || string(got) != want {
			t.Errorf("%s: %s, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "  \n", "{", "{}{}", "{} x", `{"a":1,"a":2}`, `[{"b":{"a":1,"\u0061":2}}]`, "\"\xff\"", "\"\x00\"", `"\ud800"`, "01", "NaN",
		nested(strictjson.MaxDepth + 1), strings.Repeat("[", 1<<20)} {
		_, err := strictjson.Read([]byte(text))
		var p *problem.Error
		if !errors.As(err, &p) || p.Status != http.StatusBadRequest {
			t.Errorf("%.40q: %v", text, err)
		}
	}
}

// FuzzRead: it never panics, changes nothing, and gives a part of the text.
func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"a":[1,2,{"b":null}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		before := bytes.Clone(text)
		value, err := strictjson.Read(text)
		if !bytes.Equal(text, before) {
			t.Fatal("the text was changed")
		}
		if err == nil && !bytes.Equal(bytes.TrimSpace(text), value) {
			t.Fatalf("value = %q", value)
		}
	})
}
