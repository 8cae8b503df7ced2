package dynamodb_test

import (
	"strings"
)

// text is an attribute d whose name and value count n bytes.
func text(n int) string { return `"d":{"S":"` + strings.Repeat("x", n-1) + `"}` }

func allNew(attrs string) string { return `{"Attributes":` + key("a", "1", attrs) + `}` }

func updateScenarios() []scenario {
	const returnNew = `,"ReturnValues":"ALL_NEW"`
	return []scenario{
		{"D09", "the clauses and functions of an update together", []step{
			put("a", "1", `"n":{"N":"5"},"l":{"L":[{"S":"x"}]},"old":{"S":"bye"},"tags":{"SS":["a"]}`),
			update("SET #l = list_append(#l, :more), created = if_not_exists(created, :now), q = if_not_exists(q, :e) ADD n :one, tags :t REMOVE #old",
				`,"ExpressionAttributeNames":{"#l":"l","#old":"old"}`+returnNew+
					values(`":more":{"L":[{"S":"y"},{"N":"2"}]},":now":{"S":"T0"},":e":{"L":[]},":one":{"N":"1"},":t":{"SS":["b"]}`),
				allNew(`"created":{"S":"T0"},"l":{"L":[{"S":"x"},{"S":"y"},{"N":"2"}]},"n":{"N":"6"},"q":{"L":[]},"tags":{"SS":["a","b"]}`)),
			update("set created = if_not_exists(created, :now)", returnNew+values(`":now":{"S":"T1"}`),
				allNew(`"created":{"S":"T0"},"l":{"L":[{"S":"x"},{"S":"y"},{"N":"2"}]},"n":{"N":"6"},"q":{"L":[]},"tags":{"SS":["a","b"]}`)),
		}},
		{"D10", "an optimistic lock by version", []step{
			put("a", "1", `"ver":{"N":"1"}`),
			update("SET ver = ver + :one, note = :n", `,"ConditionExpression":"attribute_exists(pk) AND ver = :v"`+
				values(`":one":{"N":"1"},":v":{"N":"1"},":n":{"S":"first"}`), "{}"),
			update("SET ver = ver + :one, note = :n", `,"ConditionExpression":"attribute_exists(pk) AND ver = :v"`+
				values(`":one":{"N":"1"},":v":{"N":"1"},":n":{"S":"stale"}`), "!ConditionalCheckFailedException"),
			holds("a", "1", `"ver":{"N":"2"},"note":{"S":"first"}`),
			{"UpdateItem", `"Key":` + key("no", "no") + `,"UpdateExpression":"SET ver = :v","ConditionExpression":"attribute_exists(pk)"` +
				values(`":v":{"N":"1"}`), "!ConditionalCheckFailedException"},
			absent("no", "no"),
		}},
		{"D11", "an update makes the item, and what it returns", []step{
			update("SET w = :x", values(`":x":{"S":"1"}`), "{}"),
			holds("a", "1", `"w":{"S":"1"}`),
			update("SET x = :x REMOVE w", `,"ReturnValues":"UPDATED_NEW"`+values(`":x":{"S":"1"}`), `{"Attributes":{"x":{"S":"1"}}}`),
			update("SET x = :x, y = :y", `,"ReturnValues":"UPDATED_OLD"`+values(`":x":{"S":"2"},":y":{"S":"3"}`), `{"Attributes":{"x":{"S":"1"}}}`),
			update("SET x = :x", `,"ReturnValues":"ALL_OLD"`+values(`":x":{"S":"9"}`), allNew(`"x":{"S":"2"},"y":{"S":"3"}`)),
			update("SET x = :x", values(`":x":{"S":"9"}`), "{}"),
			update("SET m = :m", values(`":m":{"M":{"k":{"S":"v"},"z":{"S":"w"}}}`), "{}"),
			update("SET m.k = :x", `,"ReturnValues":"UPDATED_NEW"`+values(`":x":{"S":"9"}`), `{"Attributes":{"m":{"M":{"k":{"S":"9"}}}}}`),
			update("SET q[0] = :x", `,"ReturnValues":"UPDATED_NEW"`+values(`":x":{"S":"9"}`), `!NotImplementedException: UPDATED_NEW with an update of list elements`),
			{"UpdateItem", `"ReturnValues":"ALL_NEW","Key":` + key("b", "1"), `{"Attributes":` + key("b", "1") + `}`},
			{"UpdateItem", `"Key":` + key("c", "1") + `,"UpdateExpression":"REMOVE x"`, `{}`},
			absent("c", "1"), // a removal alone makes no item
		}},
		{"D12", "paths into maps", []step{
			put("a", "1", `"m":{"M":{"k":{"M":{"z":{"N":"1"}}},"othr":{"S":"o"}}}`),
			update("SET #m.#k.#z = #m.#k.#z + :i, #m.#k.#n = :s REMOVE #m.othr",
				`,"ExpressionAttributeNames":{"#m":"m","#k":"k","#z":"z","#n":"new.dot"}`+returnNew+values(`":i":{"N":"4"},":s":{"S":"s"}`),
				allNew(`"m":{"M":{"k":{"M":{"z":{"N":"5"},"new.dot":{"S":"s"}}}}}`)),
			update("SET m.absent1.z = :i", values(`":i":{"N":"4"}`), "!ValidationException: The document path provided in the update expression is invalid for update"),
			update("REMOVE m.absent1.z", "", "!ValidationException: The document path provided in the update expression is invalid for update"),
			update("SET m[0] = :i", values(`":i":{"N":"4"}`), "!ValidationException: invalid for update"),
			update("REMOVE m.absent1", "", "{}"),
			update("SET okay = :t", `,"ConditionExpression":"m.k.z = :five"`+values(`":t":{"BOOL":true},":five":{"N":"5"}`), "{}"),
			update("ADD m.k.z :i", returnNew+values(`":i":{"N":"1"}`), allNew(`"m":{"M":{"k":{"M":{"z":{"N":"6"},"new.dot":{"S":"s"}}}}},"okay":{"BOOL":true}`)),
		}},
		{"D13", "list elements", []step{
			put("a", "1", `"l":{"L":[{"S":"a"},{"S":"b"},{"S":"c"}]}`),
			update("SET l[1] = :v, l[9] = :w", values(`":v":{"S":"B"},":w":{"S":"end"}`), "{}"),
			holds("a", "1", `"l":{"L":[{"S":"a"},{"S":"B"},{"S":"c"},{"S":"end"}]}`),
			update("REMOVE l[0], l[2]", "", "{}"),
			holds("a", "1", `"l":{"L":[{"S":"B"},{"S":"end"}]}`),
			update("REMOVE l[7]", "", "{}"),
			update("SET l[30] = :v, l[20] = :w REMOVE l[0]", values(`":v":{"S":"30"},":w":{"S":"20"}`), "{}"),
			holds("a", "1", `"l":{"L":[{"S":"end"},{"S":"20"},{"S":"30"}]}`),
			update("SET l[1].x = :v", values(`":v":{"S":"x"}`), "!ValidationException: invalid for update"),
		}},
		{"D14", "ADD makes what is absent, DELETE empties a set away", []step{
			update("ADD cnt :i, s :s", returnNew+values(`":i":{"N":"-3"},":s":{"SS":["q","p"]}`), allNew(`"cnt":{"N":"-3"},"s":{"SS":["p","q"]}`)),
			update("DELETE s :s", returnNew+values(`":s":{"SS":["p","zz"]}`), allNew(`"cnt":{"N":"-3"},"s":{"SS":["q"]}`)),
			update("DELETE s :s", returnNew+values(`":s":{"SS":["q"]}`), allNew(`"cnt":{"N":"-3"}`)),
			update("DELETE s :s", returnNew+values(`":s":{"SS":["q"]}`), allNew(`"cnt":{"N":"-3"}`)),
			update("DELETE cnt :s", values(`":s":{"SS":["q"]}`), "!ValidationException: incorrect data type"),
			update("ADD cnt :s", values(`":s":{"SS":["q"]}`), "!ValidationException: incorrect data type"),
			update("ADD cnt :s", values(`":s":{"S":"q"}`), "!ValidationException: operator: ADD, operand type: STRING"),
			update("DELETE cnt :s", values(`":s":{"N":"1"}`), "!ValidationException: operator: DELETE, operand type: NUMBER"),
		}},
		{"D15", "operands are read before the update", []step{
			put("a", "1", `"x":{"N":"1"},"y":{"N":"2"}`),
			update("SET x = y, y = x", returnNew, allNew(`"x":{"N":"2"},"y":{"N":"1"}`)),
			update("SET z = x REMOVE x ADD y :one", returnNew+values(`":one":{"N":"1"}`), allNew(`"y":{"N":"2"},"z":{"N":"2"}`)),
		}},
		{"D16", "updates that cannot be", []step{
			put("a", "1", `"m":{"M":{"k":{"S":"v"}}}`),
			update("SET m = :a, m.k = :b", values(`":a":{"M":{}},":b":{"S":"x"}`), "!ValidationException: Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [m], path two: [m, k]"),
			update("SET m.k = :a REMOVE m.k", values(`":a":{"S":"x"}`), "!ValidationException: Two document paths overlap"),
			update("SET m.k = :a, m[0] = :a", values(`":a":{"S":"x"}`), "!ValidationException: Two document paths conflict"),
			update("SET m.#a = :a, m.k = :a", `,"ExpressionAttributeNames":{"#a":"k"}`+values(`":a":{"S":"x"}`), "!ValidationException: Two document paths overlap"),
			update("SET pk = :a", values(`":a":{"S":"x"}`), "!ValidationException: Cannot update attribute pk. This attribute is part of the key"),
			update("SET x = nope + :a", values(`":a":{"N":"1"}`), "!ValidationException: attribute that does not exist in the item"),
			update("SET x = m + :a", values(`":a":{"N":"1"}`), "!ValidationException: incorrect data type"),
			update("SET x = list_append(m, :a)", values(`":a":{"L":[]}`), "!ValidationException: incorrect data type"),
			update("SET x = :b + :a", values(`":a":{"N":"1"},":b":{"S":"1"}`), "!ValidationException: operator or function: +, operand type: S"),
			holds("a", "1", `"m":{"M":{"k":{"S":"v"}}}`),
		}},
	}
}
