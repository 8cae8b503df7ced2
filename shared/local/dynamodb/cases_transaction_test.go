package dynamodb_test

import (
	"fmt"
	"strings"
)

func transaction(want, more string, actions ...string) step {
	return step{"TransactWriteItems", `"TransactItems":[` + strings.Join(actions, ",") + `]` + more, want}
}

// act is one action of a transaction on the table "orders".
func act(kind, members string) string {
	return fmt.Sprintf(`{%q:{"TableName":"orders",%s}}`, kind, members)
}

func transactionScenarios() []scenario {
	const guard = `"ConditionExpression":"#o = :t","ExpressionAttributeNames":{"#o":"okay"},"ExpressionAttributeValues":{":t":{"BOOL":true}}`
	const addOne = `"UpdateExpression":"ADD n :one","ExpressionAttributeValues":{":one":{"N":"1"}}`
	putNew := act("Put", `"Item":`+key("a", "new"))
	count := act("Update", `"Key":`+key("a", "cnt")+`,`+addOne)
	tooMany := make([]string, 101)
	for i := range tooMany {
		tooMany[i] = act("Put", `"Item":`+key("a", fmt.Sprint(i)))
	}
	cancelled := func(codes, reasons string) string {
		return `{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
			"Message":"Transaction cancelled, please refer cancellation reasons for specific reasons [` + codes + `]","CancellationReasons":[` + reasons + `]}`
	}
	adding := func(n, token, want string) step {
		return transaction(want, `,"ClientRequestToken":"`+token+`"`, act("Update", `"Key":`+key("a", "1")+
			`,"UpdateExpression":"ADD n :v","ExpressionAttributeValues":{":v":{"N":"`+n+`"}}`))
	}
	return []scenario{
		{"D29", "the four actions together", []step{
			put("a", "guard", `"okay":{"BOOL":true}`), put("a", "cnt", `"n":{"N":"1"}`), put("a", "del"),
			transaction("{}", "", act("Put", `"Item":`+key("a", "new")+`,"ConditionExpression":"attribute_not_exists(pk)"`),
				act("ConditionCheck", `"Key":`+key("a", "guard")+`,`+guard), count, act("Delete", `"Key":`+key("a", "del"))),
			holds("a", "new"), holds("a", "cnt", `"n":{"N":"2"}`), absent("a", "del"), holds("a", "guard", `"okay":{"BOOL":true}`),
		}},
		{"D30", "one failed condition undoes all, and the reasons say which", []step{
			put("a", "guard", `"okay":{"BOOL":false}`), put("a", "text", `"n":{"S":"x"}`),
			transaction(cancelled("None, ConditionalCheckFailed, None", `{"Code":"None"},{"Code":"ConditionalCheckFailed","Message":"The conditional request failed","Item":`+
				key("a", "guard", `"okay":{"BOOL":false}`)+`},{"Code":"None"}`), "",
				putNew, act("ConditionCheck", `"Key":`+key("a", "guard")+`,"ReturnValuesOnConditionCheckFailure":"ALL_OLD",`+guard), count),
			transaction(cancelled("None, ValidationError", `{"Code":"None"},{"Code":"ValidationError","Message":"An operand in the update expression has an incorrect data type"}`), "",
				putNew, act("Update", `"Key":`+key("a", "text")+`,`+addOne)),
			absent("a", "new"), absent("a", "cnt"), holds("a", "text", `"n":{"S":"x"}`),
		}},
		{"D31", "limits of a transaction", []step{
			transaction("!ValidationException: Transaction request cannot include multiple operations on one item", "",
				act("Put", `"Item":`+key("a", "1")), act("Delete", `"Key":`+key("a", "1"))),
			transaction("!ValidationException: less than or equal to 100", "", tooMany...),
			transaction("{}", "", tooMany[:100]...),
			holds("a", "99"),
			transaction("!ValidationException: greater than or equal to 1", ""),
			transaction("!ValidationException: cannot exceed 4 MB", "", largePuts(11)...),
			transaction("{}", "", largePuts(10)...),
			transaction("!ValidationException: only contain one of Check, Put, Update or Delete", "", `{}`),
			transaction("!ValidationException: conditionExpression", "", act("ConditionCheck", `"Key":`+key("a", "1"))),
			transaction("!ValidationException: updateExpression", "", act("Update", `"Key":`+key("a", "1"))),
			transaction(`!NotImplementedException: Put.Expected`, "", act("Put", `"Expected":{},"Item":`+key("a", "1"))),
		}},
		{"D32", "a client request token makes it happen once", []step{
			adding("1", "tok", "{}"), adding("1", "tok", "{}"), holds("a", "1", `"n":{"N":"1"}`),
			adding("2", "tok", "!IdempotentParameterMismatchException"),
			adding("1", "other", "{}"), holds("a", "1", `"n":{"N":"2"}`),
			adding("1", strings.Repeat("t", 37), "!ValidationException: less than or equal to 36"),
		}},
		{"D33", "reading in a transaction", []step{
			put("a", "1", `"x":{"S":"v"},"y":{"S":"w"}`),
			{"TransactGetItems", `"TransactItems":[` + act("Get", `"ProjectionExpression":"x","Key":`+key("a", "1")) + `,` + act("Get", `"Key":`+key("no", "1")) + `]`,
				`{"Responses":[{"Item":{"x":{"S":"v"}}},{}]}`},
			{"TransactGetItems", `"TransactItems":[` + act("Get", `"Key":`+key("a", "1")) + `,` + act("Get", `"Key":`+key("a", "1")) + `]`,
				"!ValidationException: multiple operations on one item"},
			{"TransactGetItems", `"TransactItems":[]`, "!ValidationException: greater than or equal to 1"},
			{"TransactGetItems", `"TransactItems":[{"Put":{}}]`, "!NotImplementedException: TransactItems.Put"},
		}},
	}
}

func largePuts(n int) []string {
	puts := make([]string, n)
	for i := range puts {
		puts[i] = act("Put", `"Item":`+key("large", fmt.Sprint(i), text(390<<10)))
	}
	return puts
}
