package template_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/nethouse-academy/albato/shared/local/template"
)

// grants are what a function may do: action -> resources.
func grants(t *testing.T, f template.Function) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	policies, _ := f.Policies.([]any)
	for _, p := range policies {
		policy, ok := p.(map[string]any)
		if !ok {
			t.Fatalf("policy %v: statements are wanted, not a managed policy", p)
		}
		for _, st := range policy["Statement"].([]any) {
			statement := st.(map[string]any)
			if statement["Effect"] != "Allow" || statement["Sid"] == nil {
				t.Fatalf("statement %v", statement)
			}
			for _, action := range texts(statement["Action"]) {
				out[action] = append(out[action], texts(statement["Resource"])...)
			}
		}
	}
	return out
}

func texts(v any) []string {
	list, ok := v.([]any)
	if !ok {
		return []string{fmt.Sprint(v)}
	}
	var out []string
	for _, item := range list {
		out = append(out, fmt.Sprint(item))
	}
	return out
}

func TestFunctionsMayDoNoMoreThanTheyDo(t *testing.T) {
	const items = "dynamodb:BatchWriteItem dynamodb:DeleteItem dynamodb:GetItem dynamodb:PutItem dynamodb:Query dynamodb:UpdateItem"
	want := map[string]string{
		"ConnectionsFunction": items + " secretsmanager:GetSecretValue sqs:ChangeMessageVisibility sqs:SendMessage",
		"IntakeFunction":      "dynamodb:Query secretsmanager:GetSecretValue sqs:SendMessage",
		"SenderFunction":      "dynamodb:BatchGetItem " + items + " events:PutEvents sqs:ChangeMessageVisibility sqs:DeleteMessage sqs:GetQueueAttributes sqs:ReceiveMessage sqs:SendMessage",
		"PageFunction":        "",
	}
	each(t, "AWS::Serverless::Function", func(t *testing.T, r template.Resource, f template.Function) {
		granted := grants(t, f)
		if got := strings.Join(slices.Sorted(maps.Keys(granted)), " "); got != want[r.ID] {
			t.Errorf("it may\n\t%s\nwant\n\t%s", got, want[r.ID])
		}
		for action, resources := range granted {
			for _, resource := range append(resources, action) {
				if strings.Contains(resource, "*") {
					t.Errorf("%s on %v: a wildcard", action, resources)
				}
			}
		}
		for _, resource := range granted["sqs:SendMessage"] {
			if r.ID == "IntakeFunction" && resource != "DeliveriesQueue.Arn" {
				t.Errorf("the intake may send to %s", resource)
			}
		}
	})
}
