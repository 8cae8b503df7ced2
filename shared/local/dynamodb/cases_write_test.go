package dynamodb_test

import "strings"

func writeScenarios() []scenario {
	const failed = `{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","message":"The conditional request failed"`
	const showOld = `,"ReturnValuesOnConditionCheckFailure":"ALL_OLD"`
	return []scenario{
		{"D05", "a put only where nothing is", []step{
			{"PutItem", `"Item":` + key("a", "1") + `,"ConditionExpression":"attribute_not_exists(pk)"`, "{}"},
			{"PutItem", `"Item":` + key("a", "1", `"v":{"N":"2"}`) + `,"ConditionExpression":"attribute_not_exists(pk)"`, failed + `}`},
			holds("a", "1"),
		}},
		{"D06", "a failed condition shows the item when asked", []step{
			put("a", "1", `"v":{"N":"7"}`),
			{"PutItem", `"Item":` + key("a", "1") + `,"ConditionExpression":"attribute_not_exists(pk)"` + showOld,
				failed + `,"Item":` + key("a", "1", `"v":{"N":"7"}`) + `}`},
			update("SET v = :new", `,"ConditionExpression":"v = :old"`+showOld+values(`":new":{"N":"9"},":old":{"N":"8"}`),
				failed+`,"Item":`+key("a", "1", `"v":{"N":"7"}`)+`}`),
			{"DeleteItem", `"Key":` + key("a", "1") + `,"ConditionExpression":"v = :old"` + showOld + values(`":old":{"N":"8"}`),
				failed + `,"Item":` + key("a", "1", `"v":{"N":"7"}`) + `}`},
			{"DeleteItem", `"Key":` + key("z", "1") + `,"ConditionExpression":"v = :old"` + showOld + values(`":old":{"N":"8"}`), failed + `}`},
			holds("a", "1", `"v":{"N":"7"}`),
		}},
		{"D07", "a put replaces the whole item and can show the old one", []step{
			put("a", "1", `"x":{"S":"old"},"y":{"S":"gone"}`),
			{"PutItem", `"ReturnValues":"ALL_OLD","Item":` + key("a", "1", `"x":{"S":"new"}`),
				`{"Attributes":` + key("a", "1", `"x":{"S":"old"},"y":{"S":"gone"}`) + `}`},
			holds("a", "1", `"x":{"S":"new"}`),
			{"PutItem", `"ReturnValues":"NONE","Item":` + key("a", "1"), `{}`},
			{"PutItem", `"ReturnValues":"ALL_OLD","Item":` + key("b", "1"), `{}`},
			{"PutItem", `"ReturnValues":"ALL_NEW","Item":` + key("a", "1"), "!ValidationException: ReturnValues can only be ALL_OLD or NONE"},
			{"PutItem", `"ReturnValues":"SOME","Item":` + key("a", "1"), "!ValidationException: enum value set"},
		}},
		{"D08", "an item that is not there", []step{absent("a", "1")}},
		{"D34", "a delete under a condition", []step{
			put("a", "1", `"st":{"S":"done"}`),
			{"DeleteItem", `"Key":` + key("a", "1") + `,"ConditionExpression":"st = :s"` + values(`":s":{"S":"open"}`), failed + `}`},
			{"DeleteItem", `"ReturnValues":"ALL_OLD","Key":` + key("a", "1") + `,"ConditionExpression":"st = :s"` + values(`":s":{"S":"done"}`),
				`{"Attributes":` + key("a", "1", `"st":{"S":"done"}`) + `}`},
			{"DeleteItem", `"ReturnValues":"ALL_OLD","Key":` + key("a", "1"), `{}`},
		}},
		{"D49", "keys must be the table's", []step{
			{"PutItem", `"Item":{"pk":{"S":"a"}}`, "!ValidationException: Missing the key sk in the item"},
			{"PutItem", `"Item":{"pk":{"N":"1"},"sk":{"S":"a"}}`, "!ValidationException: Type mismatch for key pk expected: S actual: N"},
			put(strings.Repeat("p", 2048), strings.Repeat("s", 1024)),
			{"PutItem", `"Item":` + key(strings.Repeat("p", 2049), "1"), "!ValidationException: Size of hashkey has exceeded the maximum size limit of 2048 bytes"},
			{"PutItem", `"Item":` + key("a", strings.Repeat("s", 1025)), "!ValidationException: Size of rangekey has exceeded the maximum size limit of 1024 bytes"},
			{"GetItem", `"Key":{"pk":{"S":"a"}}`, "!ValidationException: The number of conditions on the keys is invalid"},
			{"GetItem", `"Key":{"pk":{"S":"a"},"other":{"S":"b"}}`, "!ValidationException: The provided key element does not match the schema"},
			{"DeleteItem", `"Key":` + key("a", "1", `"x":{"S":"y"}`), "!ValidationException: The number of conditions on the keys is invalid"},
			{"DeleteItem", ``, "!ValidationException: 'key' failed to satisfy constraint"},
		}},
		{"D51", "consumed capacity", capacitySteps()},
	}
}

// capacitySteps: an item here is 4 bytes of names, the key's values and the
// rest; text(n) makes an attribute of n bytes in all.
func capacitySteps() []step {
	const total = `"ReturnConsumedCapacity":"TOTAL",`
	units := func(n string) string { return `{"ConsumedCapacity":{"TableName":"orders","CapacityUnits":` + n + `}}` }
	return []step{
		{"PutItem", total + `"Item":` + key("a", "1"), units("1")},
		{"PutItem", total + `"Item":` + key("a", "1", text(1018)), units("1")},
		{"PutItem", total + `"Item":` + key("a", "1", text(1019)), units("2")},
		{"PutItem", total + `"Item":` + key("a", "1"), units("2")}, // the larger of old and new
		{"PutItem", total + `"Item":` + key("a", "2", text(5000)), units("5")},
		{"GetItem", total + `"ProjectionExpression":"none1","Key":` + key("a", "2"), `{"Item":{},"ConsumedCapacity":{"TableName":"orders","CapacityUnits":1}}`},
		{"GetItem", total + `"ProjectionExpression":"none1","ConsistentRead":true,"Key":` + key("a", "2"), `{"Item":{},"ConsumedCapacity":{"TableName":"orders","CapacityUnits":2}}`},
		{"GetItem", total + `"Key":` + key("no", "no"), units("0.5")},
		{"Query", total + `"Select":"COUNT","KeyConditionExpression":"pk = :p"` + values(`":p":{"S":"a"}`),
			`{"Count":2,"ScannedCount":2,"ConsumedCapacity":{"TableName":"orders","CapacityUnits":1}}`},
		{"DeleteItem", total + `"Key":` + key("a", "2"), units("5")},
		{"DeleteItem", total + `"Key":` + key("a", "2"), units("1")},
		{"PutItem", `"ReturnConsumedCapacity":"INDEXES","Item":` + key("a", "3", `"g1":{"S":"g"},"g2":{"S":"1"}`),
			`{"ConsumedCapacity":{"TableName":"orders","CapacityUnits":2,"Table":{"CapacityUnits":1},"GlobalSecondaryIndexes":{"by_group":{"CapacityUnits":1}}}}`},
		{"PutItem", `"ReturnConsumedCapacity":"INDEXES","Item":` + key("a", "3", `"g1":{"S":"h"},"g2":{"S":"1"}`),
			`{"ConsumedCapacity":{"TableName":"orders","CapacityUnits":3,"Table":{"CapacityUnits":1},"GlobalSecondaryIndexes":{"by_group":{"CapacityUnits":2}}}}`},
		{"BatchWriteItem", total + `"RequestItems":{"orders":[{"PutRequest":{"Item":` + key("b", "1") + `}},{"PutRequest":{"Item":` + key("b", "2", text(2000)) + `}}]}`,
			`{"UnprocessedItems":{},"ConsumedCapacity":[{"TableName":"orders","CapacityUnits":3}]}`},
		{"BatchGetItem", total + `"RequestItems":{"orders":{"ProjectionExpression":"pk","Keys":[` + key("b", "1") + `,` + key("b", "2") + `]}}`,
			`{"Responses":{"orders":[{"pk":{"S":"b"}},{"pk":{"S":"b"}}]},"UnprocessedKeys":{},"ConsumedCapacity":[{"TableName":"orders","CapacityUnits":1}]}`},
		{"TransactWriteItems", total + `"TransactItems":[{"Put":{"TableName":"orders","Item":` + key("c", "1") + `}}]`,
			`{"ConsumedCapacity":[{"TableName":"orders","CapacityUnits":2,"WriteCapacityUnits":2}]}`},
		{"TransactGetItems", total + `"TransactItems":[{"Get":{"TableName":"orders","Key":` + key("c", "1") + `}}]`,
			`{"Responses":[{"Item":` + key("c", "1") + `}],"ConsumedCapacity":[{"TableName":"orders","CapacityUnits":2,"ReadCapacityUnits":2}]}`},
		{"PutItem", `"ReturnConsumedCapacity":"SOME","Item":` + key("a", "1"), "!ValidationException: enum value set"},
	}
}
