package template_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nethouse-academy/albato/shared/local/template"
)

// The tests below hold the project's own template to what linters look for and to what the project promises.

const root = "../../.."

func project(t *testing.T) (*template.Template, *template.Scope) {
	t.Helper()
	parsed, err := template.ReadFile(filepath.Join(root, "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := parsed.Scope(nil, func(id, attribute string) (any, error) {
		if attribute == "" {
			return id, nil
		}
		return id + "." + attribute, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return parsed, s
}

// each decodes every resource of a type. There must be at least one: a test over nothing proves nothing.
func each[T any](t *testing.T, kind string, check func(t *testing.T, r template.Resource, v T)) {
	t.Helper()
	parsed, s := project(t)
	found := false
	for _, r := range parsed.Resources {
		if r.Type != kind {
			continue
		}
		found = true
		t.Run(r.ID, func(t *testing.T) {
			var v T
			if err := s.Decode(r, &v); err != nil {
				t.Fatal(err)
			}
			check(t, r, v)
		})
	}
	if !found {
		t.Fatalf("the template has no %s", kind)
	}
}

func TestEveryParameterHasATypeADescriptionAndAGroup(t *testing.T) {
	parsed, _ := project(t)
	text, err := os.ReadFile(filepath.Join(root, "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	_, groups, _ := strings.Cut(string(text), "ParameterGroups:")
	groups, _, _ = strings.Cut(groups, "\nParameters:")
	grouped := strings.FieldsFunc(groups, func(r rune) bool { return strings.ContainsRune(" [],\n", r) })
	for name, p := range parsed.Parameters {
		if p.Description == "" || p.Type == "" {
			t.Errorf("%s has no description or no type", name)
		}
		if !slices.Contains(grouped, name) {
			t.Errorf("%s stands in no parameter group", name)
		}
	}
	if len(parsed.Outputs) == 0 {
		t.Error("no outputs")
	}
}

func TestEveryParameterIsUsed(t *testing.T) {
	parsed, _ := project(t)
	text, err := os.ReadFile(filepath.Join(root, "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for name := range parsed.Parameters {
		if !strings.Contains(string(text), "!Ref "+name) && !strings.Contains(string(text), "${"+name+"}") {
			t.Errorf("nothing refers to %s", name)
		}
	}
}

func TestLoopbackIsNeverAllowedInTheCloud(t *testing.T) {
	for _, name := range []string{"template.yaml", "samconfig.toml"} {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(strings.ToUpper(string(text)), "LOOPBACK") {
			t.Errorf("%s mentions loopback", name)
		}
	}
}

func TestFunctions(t *testing.T) {
	each(t, "AWS::Serverless::Function", func(t *testing.T, r template.Resource, f template.Function) {
		if f.Runtime != "provided.al2023" || f.Handler != "bootstrap" || r.Metadata["BuildMethod"] != "makefile" {
			t.Errorf("runtime %s, handler %s, build %v", f.Runtime, f.Handler, r.Metadata["BuildMethod"])
		}
		if f.Timeout < 1 || f.Timeout > 30 || f.MemorySize < 128 || f.Description == "" {
			t.Errorf("timeout %d, memory %d, description %q", f.Timeout, f.MemorySize, f.Description)
		}
		logging, _ := f.LoggingConfig.(map[string]any)
		if group := fmt.Sprint(logging["LogGroup"]); logging["LogFormat"] != "JSON" || !isLogGroup(t, group) {
			t.Errorf("logging %v: JSON into a log group of the template is wanted", logging)
		}
		folder := strings.ToLower(strings.TrimSuffix(r.ID, "Function"))
		events, _ := filepath.Glob(filepath.Join(root, "functions", folder, "events", "*.json"))
		if len(events) == 0 {
			t.Errorf("functions/%s/events holds no event", folder)
		}
		for _, name := range events {
			text, err := os.ReadFile(name)
			if err != nil || !json.Valid(text) {
				t.Errorf("%s is not JSON (%v)", name, err)
			}
		}
		out, err := exec.Command("make", "-C", root, "-n", "build-"+r.ID, "ARTIFACTS_DIR=/tmp/artifacts").CombinedOutput()
		if err != nil || !strings.Contains(string(out), "-tags lambda.norpc") || !strings.Contains(string(out), "/tmp/artifacts/bootstrap") {
			t.Errorf("make build-%s: %v\n%s", r.ID, err, out)
		}
	})
}

func isLogGroup(t *testing.T, id string) bool {
	parsed, _ := project(t)
	r, ok := parsed.Resource(id)
	return ok && r.Type == "AWS::Logs::LogGroup"
}

func TestLogGroupsForget(t *testing.T) {
	parsed, s := project(t)
	for _, r := range parsed.Resources {
		if r.Type != "AWS::Logs::LogGroup" {
			continue
		}
		properties, err := s.Resolve(r.Properties)
		if err != nil {
			t.Fatal(err)
		}
		if days := properties.(map[string]any)["RetentionInDays"]; days == nil {
			t.Errorf("%s keeps log lines for ever", r.ID)
		}
	}
}

func TestQueues(t *testing.T) {
	parsed, s := project(t)
	slowest := 0
	each(t, "AWS::Lambda::EventSourceMapping", func(t *testing.T, r template.Resource, m template.EventSourceMapping) {
		if fmt.Sprint(m.FunctionResponseTypes) != "[ReportBatchItemFailures]" || m.BatchSize != 10 || m.ScalingConfig.MaximumConcurrency < 2 {
			t.Errorf("%+v", m)
		}
		function, _ := parsed.Resource(m.FunctionName)
		var f template.Function
		if err := s.Decode(function, &f); err != nil {
			t.Fatal(err)
		}
		slowest = max(slowest, int(f.Timeout))
	})
	each(t, "AWS::SQS::Queue", func(t *testing.T, r template.Resource, q template.Queue) {
		if int(q.VisibilityTimeout) < 6*slowest {
			t.Errorf("visibility %d s, want at least six times the function's timeout (%d s)", q.VisibilityTimeout, slowest)
		}
		if q.MessageRetentionPeriod != 14*24*3600 {
			t.Errorf("retention %d s, want 14 days", q.MessageRetentionPeriod)
		}
		if q.SqsManagedSseEnabled != true && q.KmsMasterKeyId == nil {
			t.Error("not encrypted")
		}
		if !q.FifoQueue || q.DeduplicationScope != "messageGroup" || q.FifoThroughputLimit != "perMessageGroupId" {
			t.Errorf("%+v: a high-throughput FIFO queue is wanted", q)
		}
		keepsData(t, r)
		if q.RedrivePolicy == nil {
			return
		}
		id, _, _ := strings.Cut(q.RedrivePolicy.DeadLetterTargetArn, ".")
		target, _ := parsed.Resource(id)
		var d template.Queue
		if err := s.Decode(target, &d); err != nil {
			t.Fatal(err)
		}
		if d.FifoQueue != q.FifoQueue || d.RedrivePolicy != nil {
			t.Errorf("its dead-letter queue %s is of another type, or hands on itself", id)
		}
	})
}

func TestQueuesTakeTLSAlone(t *testing.T) {
	parsed, s := project(t)
	covered := map[string]bool{}
	for _, r := range parsed.Resources {
		if r.Type != "AWS::SQS::QueuePolicy" {
			continue
		}
		resolved, err := s.Resolve(r.Properties)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := json.Marshal(resolved)
		if !strings.Contains(string(text), `"Effect":"Deny"`) || !strings.Contains(string(text), `{"Bool":{"aws:SecureTransport":"false"}}`) {
			t.Errorf("%s: %s", r.ID, text)
		}
		for _, q := range resolved.(map[string]any)["Queues"].([]any) {
			covered[fmt.Sprint(q)] = true
		}
	}
	for _, r := range parsed.Resources {
		if r.Type == "AWS::SQS::Queue" && !covered[r.ID] {
			t.Errorf("%s takes requests without TLS", r.ID)
		}
	}
}

func TestTable(t *testing.T) {
	each(t, "AWS::DynamoDB::Table", func(t *testing.T, r template.Resource, table template.Table) {
		keepsData(t, r)
		if table.BillingMode != "PAY_PER_REQUEST" || table.TimeToLiveSpecification.AttributeName != "expires_at" || !table.TimeToLiveSpecification.Enabled {
			t.Errorf("%+v", table)
		}
		if fmt.Sprint(table.SSESpecification) != "map[SSEEnabled:true]" || fmt.Sprint(table.PointInTimeRecoverySpecification) != "map[PointInTimeRecoveryEnabled:true]" || table.DeletionProtectionEnabled != "true" {
			t.Errorf("encryption %v, recovery %v, protection %v", table.SSESpecification, table.PointInTimeRecoverySpecification, table.DeletionProtectionEnabled)
		}
	})
}

func TestSecret(t *testing.T) {
	each(t, "AWS::SecretsManager::Secret", func(t *testing.T, r template.Resource, secret template.Secret) {
		keepsData(t, r)
		var value map[string]any
		g := secret.GenerateSecretString
		if err := json.Unmarshal([]byte(g.SecretStringTemplate), &value); err != nil || g.GenerateStringKey != "api_key" || value["api_key"] != nil {
			t.Errorf("template %s, key %s (%v)", g.SecretStringTemplate, g.GenerateStringKey, err)
		}
	})
}

// keepsData checks that nobody loses data by deleting the stack or replacing the resource.
func keepsData(t *testing.T, r template.Resource) {
	t.Helper()
	if !strings.HasPrefix(r.DeletionPolicy, "Retain") || r.UpdateReplacePolicy != "Retain" {
		t.Errorf("DeletionPolicy %q, UpdateReplacePolicy %q", r.DeletionPolicy, r.UpdateReplacePolicy)
	}
}
