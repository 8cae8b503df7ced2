package dynamodb_test

// grouped queries the index by_group from its end and expects these pk/sk.
func grouped(g1 string, sorts ...string) step {
	st := found(`"IndexName":"by_group","ScanIndexForward":false,"KeyConditionExpression":"g1 = :p"`, "", sorts...)
	st.in = `"IndexName":"by_group","ScanIndexForward":false,"ProjectionExpression":"sk","KeyConditionExpression":"g1 = :p"` +
		values(`":p":{"S":"`+g1+`"}`)
	return st
}

func indexScenarios() []scenario {
	const createKeysOnly = `"TableName":"slim","BillingMode":"PAY_PER_REQUEST",
		"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"S"},{"AttributeName":"g1","AttributeType":"S"}],
		"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}],
		"GlobalSecondaryIndexes":[
			{"IndexName":"keys","Projection":{"ProjectionType":"KEYS_ONLY"},"KeySchema":[{"AttributeName":"g1","KeyType":"HASH"}]},
			{"IndexName":"more","Projection":{"ProjectionType":"INCLUDE","NonKeyAttributes":["v","u"]},"KeySchema":[{"AttributeName":"g1","KeyType":"HASH"}]}]`
	slim := func(index, more, want string) step {
		return step{"Query", `"TableName":"slim","IndexName":"` + index + `","KeyConditionExpression":"g1 = :g"` + more + values(`":g":{"S":"g"}`), want}
	}
	return []scenario{
		{"D25", "an item enters, moves within and leaves a sparse index", []step{
			put("a", "1", `"g1":{"S":"open"},"g2":{"S":"1"}`),
			put("a", "2", `"g1":{"S":"open"},"g2":{"S":"2"}`),
			put("a", "3", `"g1":{"S":"open"}`),
			put("a", "4"),
			grouped("open", "2", "1"),
			{"UpdateItem", `"Key":` + key("a", "2") + `,"UpdateExpression":"SET g1 = :g"` + values(`":g":{"S":"done"}`), "{}"},
			grouped("open", "1"),
			grouped("done", "2"),
			{"UpdateItem", `"Key":` + key("a", "2") + `,"UpdateExpression":"REMOVE g1"`, "{}"},
			{"DeleteItem", `"Key":` + key("a", "1"), "{}"},
			grouped("open"),
			grouped("done"),
			put("a", "3", `"g1":{"S":"open"},"g2":{"S":"7"}`),
			grouped("open", "3"),
			put("a", "3"),
			grouped("open"),
		}},
		{"D26", "projections and refusals of an index", []step{
			{"CreateTable", createKeysOnly, ""},
			{"PutItem", `"TableName":"slim","Item":` + key("a", "1", `"g1":{"S":"g"},"v":{"S":"x"},"secret":{"S":"y"}`), "{}"},
			slim("keys", "", `{"Items":[`+key("a", "1", `"g1":{"S":"g"}`)+`],"Count":1,"ScannedCount":1}`),
			slim("more", "", `{"Items":[`+key("a", "1", `"g1":{"S":"g"},"v":{"S":"x"}`)+`],"Count":1,"ScannedCount":1}`),
			slim("keys", `,"ConsistentRead":true`, "!ValidationException: Consistent reads are not supported on global secondary indexes"),
			slim("keys", `,"Select":"ALL_ATTRIBUTES"`, "!ValidationException: ALL_ATTRIBUTES is not supported for global secondary index keys"),
			slim("keys", `,"ProjectionExpression":"secret"`, "!ValidationException: does not project secret"),
			slim("nope", "", "!ValidationException: The table does not have the specified index: nope"),
			{"PutItem", `"Item":` + key("a", "2", `"g1":{"N":"5"},"g2":{"S":"1"}`), "!ValidationException: Type mismatch for Index Key g1 Expected: S Actual: N IndexName: by_group"},
			{"PutItem", `"Item":` + key("a", "2", `"g1":{"S":""}`), "!ValidationException: IndexKey: g1"},
			{"UpdateItem", `"Key":` + key("a", "2") + `,"UpdateExpression":"SET g2 = :n"` + values(`":n":{"N":"1"}`), "!ValidationException: Type mismatch for Index Key g2"},
			absent("a", "2"),
		}},
	}
}
