package local

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nethouse-academy/albato/shared/local/apigateway"
	"github.com/nethouse-academy/albato/shared/local/eventsource"
	"github.com/nethouse-academy/albato/shared/local/iam"
	"github.com/nethouse-academy/albato/shared/local/lambda"
	"github.com/nethouse-academy/albato/shared/local/template"
)

// withoutCounterpart are the types of resources that mean nothing on one machine and are passed over: permissions, log
// groups, alarms, who is told of them, and canaries. A type that is neither here nor built below is refused by name.
var withoutCounterpart = []string{
	"AWS::Logs::", "AWS::IAM::", "AWS::CloudWatch::", "AWS::SNS::", "AWS::KMS::", "AWS::SQS::QueuePolicy",
	"AWS::Lambda::Permission", "AWS::Events::Rule", "AWS::ApiGatewayV2::DomainName", "AWS::ApiGatewayV2::ApiMapping",
	"AWS::Route53::", "AWS::CertificateManager::", "AWS::Budgets::", "AWS::SSM::Parameter", "AWS::Synthetics::",
}

// builder makes a stack's parts from a template.
type builder struct {
	*Stack
	options  Options
	template *template.Template
	scope    *template.Scope
	routes   []apigateway.Route
	timeouts map[string]time.Duration // of functions, by logical id
	visible  map[string]time.Duration // visibility timeouts, by queue's name
}

func (s *Stack) build(t *template.Template, o Options, api net.Listener) error {
	parameters := maps.Clone(o.Parameters)
	if parameters == nil {
		parameters = map[string]string{}
	}
	parameters["DynamodbEndpoint"] = s.Endpoints[dynamodbEndpoint]
	parameters["SqsEndpoint"] = s.Endpoints[sqsEndpoint]
	parameters["SecretsManagerEndpoint"] = s.Endpoints[secretsManagerEndpoint]
	parameters["EventBridgeEndpoint"] = s.Endpoints[eventBridgeEndpoint]
	b := &builder{Stack: s, options: o, template: t, timeouts: map[string]time.Duration{}, visible: map[string]time.Duration{}}
	var err error
	if b.scope, err = t.Scope(parameters, b.lookup); err != nil {
		return err
	}
	// Queues before those that hand their dead letters to them, functions before what leads to them.
	steps := []struct {
		kind string
		make func(template.Resource) error
	}{
		{"AWS::DynamoDB::Table", b.table}, {"AWS::SQS::Queue", b.deadLetterQueue}, {"AWS::SQS::Queue", b.queue},
		{"AWS::SecretsManager::Secret", b.secret}, {"AWS::Serverless::HttpApi", b.api},
		{"AWS::Serverless::Function", b.function}, {"AWS::Lambda::EventSourceMapping", b.mapping},
	}
	known := slices.Clone(withoutCounterpart)
	for _, step := range steps {
		known = append(known, step.kind)
	}
	used, err := b.used(known)
	if err != nil {
		return err
	}
	for _, step := range steps {
		for _, r := range used {
			if r.Type == step.kind {
				if err := step.make(r); err != nil {
					return err
				}
			}
		}
	}
	gateway, err := apigateway.New(b.routes)
	if err != nil {
		return err
	}
	s.serve(api, withStandIn(s.Albato, gateway))
	return nil
}

// used returns the resources whose condition holds, and refuses a type nobody here knows.
func (b *builder) used(known []string) ([]template.Resource, error) {
	var out []template.Resource
	for _, r := range b.template.Resources {
		if !slices.ContainsFunc(known, func(k string) bool { return r.Type == k || strings.HasSuffix(k, "::") && strings.HasPrefix(r.Type, k) }) {
			return nil, fmt.Errorf("line %d: %s: the local stack has no counterpart of %s", r.Line, r.ID, r.Type)
		}
		if r.Condition != "" {
			if yes, err := b.scope.Condition(r.Condition); err != nil || !yes {
				if err != nil {
					return nil, err
				}
				continue
			}
		}
		out = append(out, r)
	}
	return out, nil
}

// withStandIn serves the stand-in of Albato beside the API.
func withStandIn(standIn, api http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p := r.URL.Path; p == "/albato" || p == "/albato.json" || strings.HasPrefix(p, "/albato/") {
			standIn.ServeHTTP(w, r)
			return
		}
		api.ServeHTTP(w, r)
	})
}

func (b *builder) function(r template.Resource) error {
	var f template.Function
	if err := b.scope.Decode(r, &f); err != nil {
		return err
	}
	stem, ok := strings.CutSuffix(r.ID, "Function")
	if !ok || r.Metadata["BuildMethod"] != "makefile" || f.Handler != "bootstrap" || f.Runtime != "provided.al2023" || f.CodeUri != "." {
		return fmt.Errorf("line %d: %s: the local stack takes functions named …Function, built by make from the project's root for provided.al2023 with handler bootstrap", r.Line, r.ID)
	}
	timeout := b.functionTimeout(r.ID, time.Duration(cmp.Or(f.Timeout, 3))*time.Second)
	b.timeouts[r.ID] = timeout
	environment := map[string]string{}
	for name, v := range f.Environment.Variables {
		environment[name] = string(v)
	}
	b.Environment[r.ID] = environment
	policy, err := iam.ParsePolicies(f.Policies)
	if err != nil {
		return fmt.Errorf("line %d: %s: %w", r.Line, r.ID, err)
	}
	b.Policies[r.ID] = policy
	b.guard.Role(r.ID, policy)
	limit := b.processes(r.ID)
	if f.ReservedConcurrentExecutions > 0 {
		limit = min(limit, int(f.ReservedConcurrentExecutions))
	}
	b.Functions[r.ID] = b.runtime.Function(lambda.Config{
		Name: stem, ARN: arn("lambda", "function:"+physicalName(r.ID)), Dir: filepath.Join(b.options.Functions, strings.ToLower(stem)),
		Handler: f.Handler, Memory: int(cmp.Or(f.MemorySize, 128)), Timeout: timeout, Limit: limit, Env: processEnvironment(r.ID, environment),
	})
	for name, e := range f.Events {
		if e.Type != "HttpApi" {
			return fmt.Errorf("line %d: %s: event %s: the local stack has no counterpart of %s", r.Line, r.ID, name, e.Type)
		}
		b.routes = append(b.routes, apigateway.Route{Method: e.Properties.Method, Path: e.Properties.Path, Function: b.Functions[r.ID]})
	}
	return nil
}

// processEnvironment adds what Lambda's execution role and the local stack give to a function. The access key says which
// function it is.
func processEnvironment(id string, own map[string]string) []string {
	env := []string{
		"AWS_REGION=" + template.Region, "AWS_DEFAULT_REGION=" + template.Region, "AWS_EC2_METADATA_DISABLED=true",
		"AWS_ACCESS_KEY_ID=" + id, "AWS_SECRET_ACCESS_KEY=local",
		"ALLOW_LOOPBACK=true", // links to this machine: here, and only here
	}
	for name, value := range own {
		env = append(env, name+"="+value)
	}
	return env
}

// perMapping is how many batches of one mapping are in flight on one machine, however many the template allows: each is
// a process.
func perMapping() int { return 8 + 4*runtime.NumCPU() }

// processes is the most processes of a function: as many as its mappings want, or as one machine can use for requests.
func (b *builder) processes(id string) int {
	n := 0
	for _, r := range b.template.Resources {
		if call, ok := r.Properties["FunctionName"].(template.Call); ok && r.Type == "AWS::Lambda::EventSourceMapping" && strings.TrimSuffix(fmt.Sprint(call.Arg), ".Alias") == id {
			n += perMapping()
		}
	}
	return cmp.Or(n, perMapping())
}

// functionTimeout is the template's, or the shortened visibility timeout of the queues for a function that serves queues.
func (b *builder) functionTimeout(id string, declared time.Duration) time.Duration {
	seconds, err := strconv.Atoi(b.options.Parameters["VisibilityTimeout"])
	if err != nil {
		return declared
	}
	for _, r := range b.template.Resources {
		if call, ok := r.Properties["FunctionName"].(template.Call); ok && strings.TrimSuffix(fmt.Sprint(call.Arg), ".Alias") == id {
			return min(declared, time.Duration(seconds)*time.Second)
		}
	}
	return declared
}

func (b *builder) mapping(r template.Resource) error {
	var m template.EventSourceMapping
	if err := b.scope.Decode(r, &m); err != nil {
		return err
	}
	if m.Enabled != nil && !bool(*m.Enabled) {
		return nil
	}
	queue := m.EventSourceArn[strings.LastIndexByte(m.EventSourceArn, ':')+1:]
	visibility, ok := b.visible[queue]
	if !ok {
		return fmt.Errorf("line %d: %s: there is no queue %s", r.Line, r.ID, m.EventSourceArn)
	}
	for _, response := range m.FunctionResponseTypes {
		if response != "ReportBatchItemFailures" {
			return fmt.Errorf("line %d: %s: FunctionResponseTypes %s", r.Line, r.ID, response)
		}
	}
	id := m.FunctionName
	function, ok := b.Functions[id]
	if !ok {
		return fmt.Errorf("line %d: %s: there is no function %s", r.Line, r.ID, id)
	}
	limit := perMapping()
	if n := int(m.ScalingConfig.MaximumConcurrency); n > 0 {
		limit = min(limit, n)
	}
	for _, action := range []string{"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"} {
		if err := b.guard.Check(id, action, m.EventSourceArn); err != nil { // with the function's role, as on AWS
			return fmt.Errorf("line %d: %s: %w", r.Line, r.ID, err)
		}
	}
	mapping, err := eventsource.New(eventsource.Config{
		Name: r.ID, Queue: queue, QueueARN: m.EventSourceArn, Region: template.Region, BatchSize: int(cmp.Or(m.BatchSize, 10)),
		MaximumConcurrency: limit, ReportBatchItemFailures: len(m.FunctionResponseTypes) > 0,
		Visibility: visibility, Timeout: b.timeouts[id], Log: func(line string) { b.logf("Lambda", "%s", line) },
	}, b.SQS, function)
	if err != nil {
		return err
	}
	b.mappings = append(b.mappings, mapping)
	return nil
}

// call calls an operation of a service of this stack over its own protocol.
func call(ctx context.Context, endpoint, target string, input any) error {
	body, err := json.Marshal(input)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	r.Header.Set("X-Amz-Target", target)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		var failed struct {
			Type    string `json:"__type"`
			Message string `json:"message"`
		}
		_ = json.NewDecoder(response.Body).Decode(&failed)
		return fmt.Errorf("%s: %s %s", target, failed.Type, failed.Message)
	}
	return nil
}
