package iam_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/nethouse-academy/albato/shared/local/iam"
)

type plainNames struct{}

func (plainNames) ARN(service, name string) string { return service + "/" + name }

func statement(actions, resources []any) any {
	return []any{map[string]any{"Statement": []any{map[string]any{"Sid": "S", "Effect": "Allow", "Action": actions, "Resource": resources}}}}
}

func guard(t *testing.T, actions []any, resources ...any) *iam.Guard {
	t.Helper()
	p, err := iam.ParsePolicies(statement(actions, resources))
	if err != nil {
		t.Fatal(err)
	}
	g := iam.NewGuard()
	g.Role("Function", p)
	return g
}

// ask sends one signed call through the guard and returns the status, what the service got and what was answered.
func ask(g *iam.Guard, service, key, operation, body string) (status int, got, answer string) {
	h := g.Handler(service, plainNames{}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got = string(b)
	}))
	r := httptest.NewRequest("POST", "/", strings.NewReader(body))
	r.Header.Set("X-Amz-Target", "Service_20120810."+operation)
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+key+"/20261123/eu-central-1/x/aws4_request, SignedHeaders=host, Signature=0")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, got, w.Body.String()
}

func TestWhatARequestNeeds(t *testing.T) {
	for _, c := range []struct{ service, operation, body, needs string }{
		{"dynamodb", "Query", `{"TableName":"T","Limit":1}`, "dynamodb:Query on dynamodb/T"},
		{"dynamodb", "BatchGetItem", `{"RequestItems":{"T":{},"U":{}}}`, "dynamodb:BatchGetItem on dynamodb/T, dynamodb:BatchGetItem on dynamodb/U"},
		{"dynamodb", "TransactWriteItems", `{"TransactItems":[{"Put":{"Item":{"a":{"S":"\"Delete\":{"}},"TableName":"T"}},{"ConditionCheck":{"TableName":"U"}}]}`,
			"dynamodb:ConditionCheckItem on dynamodb/T, dynamodb:ConditionCheckItem on dynamodb/U, dynamodb:PutItem on dynamodb/T, dynamodb:PutItem on dynamodb/U"},
		{"dynamodb", "TransactGetItems", `{"TransactItems":[{"Get":{"TableName":"T"}}]}`, "dynamodb:GetItem on dynamodb/T"},
		{"sqs", "SendMessageBatch", `{"QueueUrl":"http://local/1/q.fifo","Entries":[{"MessageBody":"{\"QueueUrl\":\"x\"}"}]}`, "sqs:SendMessage on sqs/q.fifo"},
		{"sqs", "ChangeMessageVisibility", `{"QueueUrl":"http://local/1/q.fifo"}`, "sqs:ChangeMessageVisibility on sqs/q.fifo"},
		{"secretsmanager", "GetSecretValue", `{"SecretId":"arn:x"}`, "secretsmanager:GetSecretValue on secretsmanager/arn:x"},
		{"events", "PutEvents", `{"Entries":[{"EventBusName":"default"},{"EventBusName":"default"}]}`, "events:PutEvents on events/default"},
	} {
		t.Run(c.operation, func(t *testing.T) {
			none := guard(t, []any{"x:Nothing"}, "nothing")
			if status, got, answer := ask(none, c.service, "Function", c.operation, c.body); status != 400 || got != "" || !strings.Contains(answer, "AccessDeniedException") {
				t.Errorf("without a grant: %d %s, the service got %q", status, answer, got)
			}
			if status, got, _ := ask(none, c.service, "developer", c.operation, c.body); status != 200 || got != c.body {
				t.Errorf("a developer: %d, the service got %q", status, got)
			}
			var actions, resources []any
			for need := range strings.SplitSeq(c.needs, ", ") {
				action, resource, _ := strings.Cut(need, " on ")
				actions, resources = append(actions, action), append(resources, resource)
			}
			g := guard(t, actions, resources...)
			if status, got, answer := ask(g, c.service, "Function", c.operation, c.body); status != 200 || got != c.body {
				t.Errorf("with its grants: %d %s, the service got %q", status, answer, got)
			}
			var used []string
			for _, grant := range g.Used("Function") {
				used = append(used, grant.String())
			}
			if got := strings.Join(used, ", "); got != c.needs {
				t.Errorf("used %s, want %s", got, c.needs)
			}
		})
	}
}

func TestWhatIsNotSupported(t *testing.T) {
	for name, policies := range map[string]any{
		"managed policy":  []any{"AWSLambdaBasicExecutionRole"},
		"wildcard":        statement([]any{"sqs:*"}, []any{"q"}),
		"any resource":    statement([]any{"sqs:SendMessage"}, []any{"*"}),
		"denial":          []any{map[string]any{"Statement": []any{map[string]any{"Effect": "Deny", "Action": "a", "Resource": "b"}}}},
		"condition":       []any{map[string]any{"Statement": []any{map[string]any{"Effect": "Allow", "Action": "a", "Resource": "b", "Condition": map[string]any{}}}}},
		"not a statement": []any{map[string]any{"Statement": "x"}},
	} {
		if _, err := iam.ParsePolicies(policies); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	if p, err := iam.ParsePolicies(nil); err != nil || len(p.Grants()) != 0 {
		t.Errorf("no policies: %v, %v", p.Grants(), err)
	}
}
