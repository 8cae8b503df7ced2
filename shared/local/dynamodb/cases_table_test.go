package dynamodb_test

import (
	"strings"
	"testing"
)

func tableScenarios() []scenario {
	const onlyHash = `"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}],"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"}]`
	const description = `{"TableName":"orders","TableArn":"arn:aws:dynamodb:us-east-1:000000000000:table/orders",
		"TableId":"00000000-0000-4000-8000-000000000001","TableStatus":"ACTIVE","CreationDateTime":1795421100,
		"BillingModeSummary":{"BillingMode":"PAY_PER_REQUEST"},"DeletionProtectionEnabled":false,
		"ProvisionedThroughput":{"NumberOfDecreasesToday":0,"ReadCapacityUnits":0,"WriteCapacityUnits":0},
		"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"S"},
			{"AttributeName":"g1","AttributeType":"S"},{"AttributeName":"g2","AttributeType":"S"}],
		"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}],
		"ItemCount":1,"TableSizeBytes":6,
		"GlobalSecondaryIndexes":[{"IndexName":"by_group","IndexStatus":"ACTIVE","ItemCount":0,
			"IndexArn":"arn:aws:dynamodb:us-east-1:000000000000:table/orders/index/by_group",
			"Projection":{"ProjectionType":"ALL"},
			"ProvisionedThroughput":{"NumberOfDecreasesToday":0,"ReadCapacityUnits":0,"WriteCapacityUnits":0},
			"KeySchema":[{"AttributeName":"g1","KeyType":"HASH"},{"AttributeName":"g2","KeyType":"RANGE"}]}]}`
	return []scenario{
		{"D01", "a table with an index is described", []step{
			put("a", "1"),
			{"DescribeTable", "", `{"Table":` + description + `}`},
			{"DescribeTable", `"TableName":"arn:aws:dynamodb:us-east-1:000000000000:table/orders"`, `{"Table":` + description + `}`},
		}},
		{"D02", "a second table of the same name is refused", []step{
			{"CreateTable", `"BillingMode":"PAY_PER_REQUEST",` + onlyHash, "!ResourceInUseException: Table already exists: orders"},
		}},
		{"D03", "a table that is not there", []step{
			{"DescribeTable", `"TableName":"nowhere"`, "!ResourceNotFoundException: Table: nowhere not found"},
			{"DeleteTable", `"TableName":"nowhere"`, "!ResourceNotFoundException: Table: nowhere not found"},
			{"PutItem", `"TableName":"nowhere","Item":` + key("a", "1"), "!ResourceNotFoundException: Requested resource not found"},
			{"Query", `"TableName":"nowhere","KeyConditionExpression":"pk = :p"` + values(`":p":{"S":"x"}`),
				"!ResourceNotFoundException: Requested resource not found"},
			{"BatchGetItem", `"RequestItems":{"nowhere":{"Keys":[` + key("a", "1") + `]}}`, "!ResourceNotFoundException"},
		}},
		{"D35", "time to live is switched on, described, switched off", []step{
			{"DescribeTimeToLive", "", `{"TimeToLiveDescription":{"TimeToLiveStatus":"DISABLED"}}`},
			{"UpdateTimeToLive", `"TimeToLiveSpecification":{"AttributeName":"expires_at","Enabled":true}`,
				`{"TimeToLiveSpecification":{"AttributeName":"expires_at","Enabled":true}}`},
			{"DescribeTimeToLive", "", `{"TimeToLiveDescription":{"TimeToLiveStatus":"ENABLED","AttributeName":"expires_at"}}`},
			{"UpdateTimeToLive", `"TimeToLiveSpecification":{"AttributeName":"expires_at","Enabled":true}`,
				"!ValidationException: TimeToLive is already enabled"},
			{"UpdateTimeToLive", `"TimeToLiveSpecification":{"AttributeName":"other","Enabled":false}`, "!ValidationException: different AttributeName"},
			{"UpdateTimeToLive", `"TimeToLiveSpecification":{"AttributeName":"expires_at","Enabled":false}`, ""},
			{"DescribeTimeToLive", "", `{"TimeToLiveDescription":{"TimeToLiveStatus":"DISABLED"}}`},
		}},
		{"D37", "a scan's segment must be one of the total", []step{
			{"Scan", `"Segment":1`, "!ValidationException: The TotalSegments parameter is required"},
			{"Scan", `"TotalSegments":2`, "!ValidationException: The Segment parameter is required"},
			{"Scan", `"Segment":4,"TotalSegments":4`, "!ValidationException: The Segment parameter is zero-based"},
		}},
	}
}

// D04: tables are listed by name, page by page, until they are deleted.
func TestListAndDeleteTables(t *testing.T) {
	s := newServer(t)
	for _, name := range []string{"zebra", "alpha", "middle"} {
		mustPost(t, s, "CreateTable", `"TableName":"`+name+`",`+createOrders)
	}
	for _, st := range []step{
		{"ListTables", "", `{"TableNames":["alpha","middle","orders","zebra"]}`},
		{"ListTables", `"Limit":2`, `{"TableNames":["alpha","middle"],"LastEvaluatedTableName":"middle"}`},
		{"ListTables", `"Limit":2,"ExclusiveStartTableName":"middle"`, `{"TableNames":["orders","zebra"]}`},
		{"DeleteTable", "", ""},
		{"DeleteTable", "", "!ResourceNotFoundException"},
		{"ListTables", "", `{"TableNames":["alpha","middle","zebra"]}`},
		put("a", "1"),
	}[:6] {
		st.run(t, s)
	}
	if body := mustPost(t, s, "DeleteTable", `"TableName":"zebra"`); !strings.Contains(body, `"TableStatus":"DELETING"`) {
		t.Errorf("a deleted table is described as %s", body)
	}
	step{"CreateTable", createOrders, ""}.run(t, s)
	absent("a", "1").run(t, s) // a table made again is empty
}

func TestCreateTableRefusals(t *testing.T) {
	s := newServer(t)
	const attrs = `"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"}]`
	const keys = `"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}]`
	const head = `"TableName":"other","BillingMode":"PAY_PER_REQUEST",`
	for _, st := range []step{
		{"CreateTable", `"TableName":"no","BillingMode":"PAY_PER_REQUEST",` + attrs + "," + keys, "!ValidationException: length between 3 and 255"},
		{"CreateTable", `"TableName":"sla/sh","BillingMode":"PAY_PER_REQUEST",` + attrs + "," + keys, "!ValidationException: [a-zA-Z0-9_.-]+"},
		{"CreateTable", `"TableName":"other",` + attrs + "," + keys, "!NotImplementedException: BillingMode"},
		{"CreateTable", head + attrs, "!ValidationException: key schema"},
		{"CreateTable", head + keys, "!ValidationException: not defined in AttributeDefinitions. Keys: [pk]"},
		{"CreateTable", head + keys + `,"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"BOOL"}]`, "!ValidationException: [B, N, S]"},
		{"CreateTable", head + keys + `,"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"x","AttributeType":"S"}]`,
			"!ValidationException: AttributeDefinitions are not used"},
		{"CreateTable", head + attrs + "," + keys + `,"LocalSecondaryIndexes":[]`, `!NotImplementedException: "LocalSecondaryIndexes" of CreateTable`},
		{"CreateTable", head + attrs + "," + keys + `,"StreamSpecification":{"StreamEnabled":true}`, `!NotImplementedException: "StreamSpecification" of CreateTable`},
		{"CreateTable", head + attrs + "," + keys + `,"DeletionProtectionEnabled":true`, `!NotImplementedException: "DeletionProtectionEnabled" of CreateTable`},
		{"CreateTable", head + attrs + "," + keys + `,"GlobalSecondaryIndexes":[{"IndexName":"idx","Projection":{"ProjectionType":"SOME"},` + keys + `}]`,
			"!ValidationException: ProjectionType"},
		{"CreateTable", head + attrs + "," + keys + `,"DeletionProtectionEnabled":false`, ""},
	} {
		st.run(t, s)
	}
}
