package dynamodb_test

import (
	"strconv"
	"strings"
)

// condition tries a ConditionExpression on the item a/1; hold says whether it
// must be true.
func condition(hold bool, expression, vals string) step {
	st := step{"UpdateItem", `"Key":` + key("a", "1") + `,"ConditionExpression":` + strconv.Quote(expression), "{}"}
	if vals != "" {
		st.in += values(vals)
	}
	if !hold {
		st.want = "!ConditionalCheckFailedException"
	}
	return st
}

// refused expects a ConditionExpression to be invalid.
func refused(expression, vals, message string) step {
	st := condition(true, expression, vals)
	st.want = "!ValidationException: " + message
	return st
}

func expressionScenarios() []scenario {
	names := func(members string) string { return `,"ExpressionAttributeNames":{` + members + `}` }
	get := func(projection, more, want string) step {
		return step{"GetItem", `"Key":` + key("a", "1") + `,"ProjectionExpression":` + strconv.Quote(projection) + more, want}
	}
	return []scenario{
		{"D39", "the operators and functions of a condition", conditionSteps()},
		{"D40", "projections", []step{
			put("a", "1", `"name":{"S":"n"},"m":{"M":{"x":{"M":{"y":{"S":"deep"},"z":{"S":"no"}}},"q":{"S":"no"}}},"l":{"L":[{"S":"0"},{"M":{"k":{"S":"v"},"j":{"S":"no"}}},{"S":"2"}]}`),
			get("#n, m.x.y, l[1].k, absent1, l[7], m.x.y1, l.x, m[0].k", names(`"#n":"name"`), "!ValidationException: conflict"),
			get("#n, m.x.y, l[1].k, absent1, m.x.y1", names(`"#n":"name"`), `{"Item":{"name":{"S":"n"},"m":{"M":{"x":{"M":{"y":{"S":"deep"}}}}},"l":{"L":[{"M":{"k":{"S":"v"}}}]}}}`),
			get("l[2], l[0], l[9]", "", `{"Item":{"l":{"L":[{"S":"0"},{"S":"2"}]}}}`),
			get("m.nothing, l.x, #n[0]", names(`"#n":"name"`), `{"Item":{}}`),
			get("m, m.q", "", "!ValidationException: Invalid ProjectionExpression: Two document paths overlap"),
			{"Query", `"KeyConditionExpression":"pk = :p","ProjectionExpression":"sk, m.q"` + values(`":p":{"S":"a"}`),
				`{"Items":[{"sk":{"S":"1"},"m":{"M":{"q":{"S":"no"}}}}],"Count":1,"ScannedCount":1}`},
		}},
		{"D46", "reserved words", []step{
			update("SET name = :n", values(`":n":{"S":"x"}`), "!ValidationException: Invalid UpdateExpression: Attribute name is a reserved keyword; reserved keyword: name"),
			refused("attribute_not_exists(StAtUs)", "", "Invalid ConditionExpression: Attribute name is a reserved keyword; reserved keyword: StAtUs"),
			get("ttl", "", "!ValidationException: Invalid ProjectionExpression: Attribute name is a reserved keyword; reserved keyword: ttl"),
			get("m.zone", "", "!ValidationException: reserved keyword: zone"),
			get("abort", "", "!ValidationException: reserved keyword: abort"),
			get("names1", "", "{}"),
		}},
		{"D47", "what is given must be used", []step{
			update("SET x = :n", values(`":n":{"S":"x"},":unused":{"S":"y"}`), "!ValidationException: Value provided in ExpressionAttributeValues unused in expressions: keys: {:unused}"),
			update("SET x = :n", names(`"#u":"u"`)+values(`":n":{"S":"x"}`), "!ValidationException: Value provided in ExpressionAttributeNames unused in expressions: keys: {#u}"),
			{"Query", `"KeyConditionExpression":"pk = :p"` + values(`":p":{"S":"a"},":q":{"S":"b"}`), "!ValidationException: unused in expressions: keys: {:q}"},
			{"GetItem", `"Key":` + key("a", "1") + names(`"#u":"u"`), "!ValidationException: ExpressionAttributeNames can only be specified when using expressions"},
			{"PutItem", `"Item":` + key("a", "1") + values(`":u":{"S":""}`), "!ValidationException: ExpressionAttributeValues can only be specified when using expressions"},
			get("x", `,"ExpressionAttributeNames":{}`, "!ValidationException: ExpressionAttributeNames must not be empty"),
			get("x", names(`"u":"u"`), "!ValidationException: ExpressionAttributeNames contains invalid key"),
			refused("x = y", `"v":{"S":""}`, "ExpressionAttributeValues contains invalid key"),
		}},
		{"D48", "what is used must be given, and well-formed", append(syntaxSteps(),
			update("SET x = :n, y = :undef", values(`":n":{"S":"x"}`), "!ValidationException: Invalid UpdateExpression: An expression attribute value used in expression is not defined; attribute value: :undef"),
			update("SET #u = :n", values(`":n":{"S":"x"}`), "!ValidationException: An expression attribute name used in the document path is not defined; attribute name: #u"),
			update("SET x == :n", values(`":n":{"S":"x"}`), `!ValidationException: Invalid UpdateExpression: Syntax error; token: "=", near: "== :n"`),
			update("", "", "!ValidationException: Invalid UpdateExpression: The expression can not be empty;"),
			update("SET x = :n SET y = :n", values(`":n":{"S":"x"}`), `!ValidationException: The "SET" section can only be used once`),
			update("SET x = :n + :n + :n", values(`":n":{"N":"1"}`), "!ValidationException: Syntax error"),
			update("SET x = (:n + :n) + :n", values(`":n":{"N":"1"}`), "!ValidationException: Syntax error"),
			update("SET x = (:n) - (:n), y = (:n + :n)", `,"ReturnValues":"UPDATED_NEW"`+values(`":n":{"N":"1"}`), `{"Attributes":{"x":{"N":"0"},"y":{"N":"2"}}}`),
			update("SET x = size(y)", "", "!ValidationException: The function is not allowed in an update expression; function: size"),
			update("SET x = if_not_exists(:n, :n)", values(`":n":{"N":"1"}`), "!ValidationException: requires a document path; operator or function: if_not_exists"),
			update("SET x = list_append(:n)", values(`":n":{"L":[]}`), "!ValidationException: number of operands: 1"),
			update("REMOVE x[99999999999]", "", "!ValidationException: List index is not within the allowable range"),
			update("REMOVE _x", "", "!ValidationException: Syntax error"),
			update("PLUS x :n", values(`":n":{"N":"1"}`), "!ValidationException: Syntax error"),
		)},
	}
}

func conditionSteps() []step {
	steps := []step{put("a", "1", `"n":{"N":"5"},"m":{"N":"5"},"s":{"S":"abc"},"b":{"BOOL":false},"l":{"L":[{"N":"1"},{"S":"x"}]},"bin":{"B":"AAEC"},"nums":{"NS":["1","2"]},"mp":{"M":{"k":{"S":"v"}}},"nul":{"NULL":true},"u":{"S":"ёж"}`)}
	for _, c := range []struct {
		hold             bool
		expression, vals string
	}{
		{true, "n IN (:a, :b)", `":a":{"N":"4"},":b":{"N":"5.0"}`},
		{false, "n IN (:a)", `":a":{"S":"5"}`},
		{true, "n BETWEEN :a AND :b AND s = :s", `":a":{"N":"4"},":b":{"N":"6"},":s":{"S":"abc"}`},
		{false, "n between :a and :b", `":a":{"N":"6"},":b":{"N":"60"}`},
		{true, "s = :x OR s = :s AND n = :n", `":x":{"S":"abc"},":s":{"S":"zz"},":n":{"N":"0"}`},
		{false, "(s = :x OR s = :s) AND n = :n", `":x":{"S":"abc"},":s":{"S":"zz"},":n":{"N":"0"}`},
		{false, "NOT s = :x AND n = :n", `":x":{"S":"abc"},":n":{"N":"5"}`},
		{true, "NOT (s = :x AND n = :n)", `":x":{"S":"abc"},":n":{"N":"6"}`},
		{true, "NOT NOT s = :x", `":x":{"S":"abc"}`},
		{true, "attribute_type(n, :t) AND size(s) = :z", `":t":{"S":"N"},":z":{"N":"3"}`},
		{false, "attribute_type(n, :t)", `":t":{"S":"S"}`},
		{true, "n <> :x AND n = m", `":x":{"S":"5"}`},
		{false, "nope < :x", `":x":{"N":"5"}`},
		{false, "nope = :x", `":x":{"N":"5"}`},
		{true, "nope <> :x", `":x":{"N":"5"}`},
		{false, "n < s", ""},
		{true, "b = :f and begins_with(s, :p)", `":f":{"BOOL":false},":p":{"S":"ab"}`},
		{true, "begins_with(bin, :p)", `":p":{"B":"AAE="}`},
		{false, "begins_with(n, :p)", `":p":{"S":"5"}`},
		{true, "contains(l, :x) AND contains(nums, :two) AND contains(bin, :one)", `":x":{"S":"x"},":two":{"N":"2.0"},":one":{"B":"AQ=="}`},
		{false, "contains(mp, :k)", `":k":{"S":"k"}`},
		{true, "attribute_exists(mp.k) AND attribute_not_exists(mp.k2) AND attribute_not_exists(l[2]) AND attribute_exists(l[1])", ""},
		{false, "attribute_exists(n.x) OR attribute_exists(n[0])", ""},
		{true, "size(l) = :two AND size(nums) = :two AND size(mp) < :two AND size(bin) > :two", `":two":{"N":"2"}`},
		{false, "size(n) = :x", `":x":{"N":"1"}`},
		{true, "mp = :m AND l = :l AND nul = :n", `":m":{"M":{"k":{"S":"v"}}},":l":{"L":[{"N":"1.0"},{"S":"x"}]},":n":{"NULL":true}`},
		{false, "l = :l", `":l":{"L":[{"S":"x"},{"N":"1"}]}`},
		{true, "(n) = (:x)", `":x":{"N":"5"}`},
		{true, ":x < n", `":x":{"N":"-5"}`},
	} {
		steps = append(steps, condition(c.hold, c.expression, c.vals))
	}
	size := condition(true, "size(u) > :z", `":z":{"N":"1"}`)
	size.want = "!NotImplementedException: size() of a string with characters outside ASCII"
	return append(steps, size)
}

func syntaxSteps() []step {
	const v = `":v":{"S":"x"}`
	long := "a = :v" + strings.Repeat(" OR a = :v", 160)
	return []step{
		refused("attribute_not_exist(pk)", "", "Invalid ConditionExpression: Invalid function name; function: attribute_not_exist"),
		refused("a = :v b", v, `Syntax error; token: "b", near: ":v b"`),
		refused("a =", "", `Syntax error; token: "<EOF>", near: "="`),
		refused("a", "", "Syntax error"),
		refused("size(a)", "", "The function is not allowed to be used this way in an expression; function: size"),
		refused("attribute_exists(a) = :v", v, "not allowed to be used this way in an expression; function: attribute_exists"),
		refused("contains(attribute_exists(a), :v)", v, "not allowed to be used this way"),
		refused("if_not_exists(a, :v)", v, "The function is not allowed in a condition expression; function: if_not_exists"),
		refused("begins_with(a)", "", "Incorrect number of operands for operator or function; operator or function: begins_with, number of operands: 1"),
		refused("begins_with(a, :v)", `":v":{"N":"1"}`, "Incorrect operand type for operator or function; operator or function: begins_with, operand type: N"),
		refused("attribute_exists(:v)", v, "Operator or function requires a document path; operator or function: attribute_exists"),
		refused("attribute_type(a, :v)", v, "Invalid attribute type name found; type: x"),
		refused("a < :v", `":v":{"BOOL":true}`, "operator or function: <, operand type: BOOL"),
		refused("a BETWEEN :v AND :w", v+`,":w":{"N":"1"}`, "requires same data type for lower and upper bounds"),
		refused("a BETWEEN :v AND :w", v+`,":w":{"S":"a"}`, "upper bound to be greater than or equal to lower bound"),
		refused("a = a", "", "The first operand must be distinct from the remaining operands for this operator or function; operator: =, first operand: [a]"),
		refused("((a = :v))", v, "The expression has redundant parentheses;"),
		refused("a = ((:v))", v, "The expression has redundant parentheses;"),
		refused("(a = :v", v, "Syntax error"),
		refused("a = :v AND", v, "Syntax error"),
		refused("a.b. = :v", v, "Syntax error"),
		refused("a[:v] = :v", v, "Syntax error"),
		refused("a = :v ; b", v, `token: ";"`),
		refused("ё = :v", v, `token: "ё"`),
		refused(long, v, "too many operators; operator count: 321"),
		refused(strings.Repeat(" ", 4096)+"a=:v", v, "Expression size has exceeded the maximum allowed size; expression size: 4100"),
		refused("a IN ("+strings.Repeat(":v,", 100)+":v)", v, "number of operands: 101"),
	}
}
