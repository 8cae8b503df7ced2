package dynamodb_test

import (
	"encoding/base64"
	"strings"
	"testing"
)

func valueScenarios() []scenario {
	raw := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("\x00\xff\x07", 100)))
	everything := `"b":{"B":"` + raw + `"},"bs":{"BS":["AQ==","AgM="]},"nul":{"NULL":true},"t":{"BOOL":true},"f":{"BOOL":false},
		"l":{"L":[{"L":[{"S":"é✓ \" \\ \u2028 \u0001"}]},{"M":{"k.e-y":{"S":"odd"}}}]},"ns":{"NS":["-3","1","2.5","10"]},"empty":{"M":{}}`
	nested := strings.Repeat(`{"L":[`, 33) + `{"S":""}` + strings.Repeat(`]}`, 33)
	put2 := func(attrs, want string) step { return step{"PutItem", `"Item":` + key("a", "2", attrs), want} }
	return []scenario{
		{"D41", "38 digits are exact", []step{
			put("a", "1", `"n":{"N":"12345678901234567890123456789012345678"},"f":{"N":"0.1"}`),
			update("SET n = n + :one, f = f + :f, z = f - :f", `,"ReturnValues":"ALL_NEW"`+values(`":one":{"N":"1"},":f":{"N":"0.2"}`),
				allNew(`"n":{"N":"12345678901234567890123456789012345679"},"f":{"N":"0.3"},"z":{"N":"-0.1"}`)),
			update("SET n = n + :tenth", values(`":tenth":{"N":"0.1"}`), "!ValidationException: 38 significant digits"),
			update("ADD n :n", values(`":n":{"N":"-12345678901234567890123456789012345679"}`), "{}"),
			update("SET ts = :ts REMOVE f, z ADD c :c", `,"ReturnValues":"ALL_NEW"`+values(`":ts":{"N":"1764000000123456789"},":c":{"N":"9007199254740993"}`),
				allNew(`"n":{"N":"0"},"ts":{"N":"1764000000123456789"},"c":{"N":"9007199254740993"}`)),
		}},
		{"D42", "numbers are written one way, or refused", []step{
			put("a", "1", `"a":{"N":"007"},"b":{"N":"1e2"},"c":{"N":"1.50"},"d":{"N":"-0"},"e":{"N":"+.5"},"f":{"N":"12.5E-3"},"g":{"N":"-1000.0"},"h":{"N":"3."}`),
			holds("a", "1", `"a":{"N":"7"},"b":{"N":"100"},"c":{"N":"1.5"},"d":{"N":"0"},"e":{"N":"0.5"},"f":{"N":"0.0125"},"g":{"N":"-1000"},"h":{"N":"3"}`),
			put2(`"x":{"N":"1`+strings.Repeat("2", 38)+`"}`, "!ValidationException: more than 38 significant digits"),
			put2(`"x":{"N":"1`+strings.Repeat("0", 125)+`"}`, "{}"),
			put2(`"x":{"N":"1e126"}`, "!ValidationException: Number overflow"),
			put2(`"x":{"N":"1e-130"}`, "{}"),
			put2(`"x":{"N":"1e-131"}`, "!ValidationException: Number underflow"),
			put2(`"x":{"N":"abc"}`, "!ValidationException: cannot be converted to a numeric value: abc"),
			put2(`"x":{"N":""}`, "!ValidationException: cannot be converted to a numeric value"),
			put2(`"x":{"N":"1_0"}`, "!ValidationException: numeric value"),
			put2(`"x":{"N":"1e"}`, "!ValidationException: numeric value"),
			put2(`"x":{"N":" 1"}`, "!ValidationException: numeric value"),
			put2(`"x":{"NS":["1","1.0"]}`, "!ValidationException: contains duplicates"),
		}},
		{"D43", "empty values", []step{
			put("a", "1", `"e":{"S":""},"b":{"B":""}`),
			holds("a", "1", `"e":{"S":""},"b":{"B":""}`),
			{"PutItem", `"Item":` + key("", "1"), "!ValidationException: key attribute cannot contain an empty string value. Key: pk"},
			put2(`"s":{"SS":[]}`, "!ValidationException: An string set  may not be empty"),
			put2(`"s":{"NS":[]}`, "!ValidationException: An number set  may not be empty"),
			put2(`"s":{"BS":[]}`, "!ValidationException: Binary sets may not be empty"),
			put2(`"s":{"SS":["x","x"]}`, "!ValidationException: contains duplicates"),
			put2(`"s":{"NULL":false}`, "!ValidationException: must have the value of true"),
			put2(`"s":{}`, "!ValidationException: Supplied AttributeValue is empty"),
			put2(`"s":{"S":"a","N":"1"}`, "!ValidationException: more than one datatypes"),
			put2(`"s":{"X":"a"}`, "!SerializationException: X"),
			put2(`"s":{"S":1}`, "!SerializationException"),
			put2(`"s":{"BOOL":"true"}`, "!SerializationException"),
			put2(`"s":{"B":"*"}`, "!SerializationException: Base64"),
		}},
		{"D44", "every type comes back as it was", []step{
			put("a", "1", everything),
			holds("a", "1", everything),
			put2(`"l":`+nested, "!ValidationException: Nesting Levels"),
		}},
	}
}

// D45: an item of 390 KB is kept, one of more than 400 KB is not.
func TestItemSize(t *testing.T) {
	s := newServer(t)
	large := text(390 << 10)
	put("a", "1", large).run(t, s)
	holds("a", "1", large).run(t, s)
	// The key counts pk + a + sk + 1: six bytes.
	put("a", "2", text(400<<10-6)).run(t, s)
	step{"PutItem", `"Item":` + key("a", "3", text(400<<10-5)), "!ValidationException: Item size has exceeded the maximum allowed size"}.run(t, s)
	absent("a", "3").run(t, s)
	update("SET e = :e", values(`":e":{"S":"`+strings.Repeat("y", 20<<10)+`"}`),
		"!ValidationException: Item size to update has exceeded the maximum allowed size").run(t, s)
	holds("a", "1", large).run(t, s)
}
