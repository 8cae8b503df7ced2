//go:build deploy

package deployed_test

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

const (
	region = "eu-central-1"
	stack  = "albato-e2e"
	root   = "../../.."
)

// emulator is a running MiniStack.
type emulator struct {
	address string // 127.0.0.1:port
	log     *os.File
}

// start starts MiniStack on a free port of the loopback interface; it ends with the test.
func start(t *testing.T) *emulator {
	t.Helper()
	program := os.Getenv("MINISTACK")
	if program == "" {
		t.Fatal("MINISTACK is not set: run make e2e-deploy")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	_, port, _ := net.SplitHostPort(address)
	log, err := os.Create(filepath.Join(t.TempDir(), "ministack.log"))
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(program)
	command.Env = append(os.Environ(), "GATEWAY_PORT="+port, "BIND_HOST=127.0.0.1", "IOT_MTLS_ENABLED=0", "LAMBDA_EXECUTOR=local",
		"AWS_ENDPOINT_URL=http://"+address) // which it hands on to the functions
	command.Stdout, command.Stderr = log, log
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	e := &emulator{address, log}
	t.Cleanup(func() {
		logs := ""
		if t.Failed() { // the functions' logs end with the emulator
			for _, f := range []string{"Connections", "Intake", "Sender"} {
				logs += f + ":\n" + e.logOf(f)
			}
		}
		_ = command.Process.Signal(os.Interrupt)
		ended := make(chan struct{})
		go func() { _ = command.Wait(); close(ended) }()
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			_ = command.Process.Kill()
			<-ended
		}
		if t.Failed() {
			text, _ := os.ReadFile(log.Name())
			t.Logf("the functions' logs:\n%s\nthe end of MiniStack's log:\n%s", logs, text[max(0, len(text)-6000):])
		}
		_ = log.Close()
	})
	until(t, time.Minute, "MiniStack to answer", func() bool {
		r, err := http.Get("http://" + address + "/_ministack/health")
		if err != nil {
			return false
		}
		_ = r.Body.Close()
		return r.StatusCode == http.StatusOK
	})
	return e
}

// logOf gives what a function wrote to its log group.
func (e *emulator) logOf(function string) string {
	answer, err := e.request(context.Background(), "logs", "POST", "/", "application/x-amz-json-1.1", []byte("{}"), "Logs_20140328.DescribeLogGroups")
	var groups struct {
		LogGroups []struct{ LogGroupName string }
	}
	if err == nil {
		err = json.Unmarshal(answer, &groups)
	}
	var text strings.Builder
	for _, g := range groups.LogGroups {
		if !strings.Contains(g.LogGroupName, function) {
			continue
		}
		answer, err = e.request(context.Background(), "logs", "POST", "/", "application/x-amz-json-1.1", []byte(`{"logGroupName":"`+g.LogGroupName+`"}`), "Logs_20140328.FilterLogEvents")
		var lines struct{ Events []struct{ Message string } }
		if err == nil {
			err = json.Unmarshal(answer, &lines)
		}
		for _, l := range lines.Events {
			text.WriteString(strings.TrimSpace(l.Message) + "\n")
		}
	}
	if err != nil {
		fmt.Fprintln(&text, err)
	}
	return text.String()
}

// until waits for something that another process does; there is no event to wait on.
func until(t *testing.T, patience time.Duration, what string, done func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !done() {
		if time.Now().After(deadline) {
			t.Fatalf("waited %s for %s", patience, what)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// deploy is the real `sam deploy` of what `sam build` made, with the template changed as the test's head says.
func (e *emulator) deploy(t *testing.T) {
	t.Helper()
	template := filepath.Join(root, ".aws-sam", "host", "e2e.yaml")
	transform(t, filepath.Join(root, ".aws-sam", "host", "template.yaml"), template)
	config, err := filepath.Abs(filepath.Join(root, "samconfig.toml"))
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), os.Getenv("SAM_CLI"), "deploy", "--template-file", template, "--stack-name", stack,
		"--no-confirm-changeset", "--resolve-s3", "--capabilities", "CAPABILITY_IAM", "--region", region, "--config-file", config,
		"--parameter-overrides", "Architecture="+architecture()+" DeletionProtection=false AlarmEmail=operator@example.com LogLevel=debug")
	command.Env = append(os.Environ(), "SAM_CLI_TELEMETRY=0", "AWS_ENDPOINT_URL=http://"+e.address, "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test")
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("sam deploy: %v\n%s", err, out)
	}
}

func architecture() string {
	out, err := exec.Command("go", "env", "GOHOSTARCH").Output()
	if err != nil || strings.TrimSpace(string(out)) == "arm64" {
		return "arm64"
	}
	return "x86_64"
}

// transform copies a template without DeploymentPreference and metric math, and with links to the loopback interface
// allowed.
func transform(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	function := member(t, member(t, doc.Content[0], "Globals"), "Function")
	for i := 0; i < len(function.Content); i += 2 {
		if function.Content[i].Value == "DeploymentPreference" {
			function.Content = append(function.Content[:i], function.Content[i+2:]...)
			break
		}
	}
	variables := member(t, member(t, function, "Environment"), "Variables")
	variables.Content = append(variables.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: "ALLOW_LOOPBACK"},
		&yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: "true"})
	resources := member(t, doc.Content[0], "Resources")
	for i := 1; i < len(resources.Content); i += 2 {
		if member(t, resources.Content[i], "Type").Value == "AWS::CloudWatch::Alarm" {
			withoutMath(member(t, resources.Content[i], "Properties"))
		}
	}
	if text, err = yaml.Marshal(&doc); err == nil {
		err = os.WriteFile(to, text, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// withoutMath replaces an alarm's metric math by a metric that does not exist.
func withoutMath(alarm *yaml.Node) {
	for i := 0; i < len(alarm.Content); i += 2 {
		if alarm.Content[i].Value == "Metrics" {
			alarm.Content = append(alarm.Content[:i], alarm.Content[i+2:]...)
			for _, pair := range [][2]string{{"Namespace", "AlbatoIntegration"}, {"MetricName", "None"}, {"Statistic", "Sum"}, {"Period", "60"}} {
				alarm.Content = append(alarm.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: pair[0]}, &yaml.Node{Kind: yaml.ScalarNode, Value: pair[1]})
			}
			return
		}
	}
}

func member(t *testing.T, of *yaml.Node, name string) *yaml.Node {
	t.Helper()
	for i := 0; i < len(of.Content); i += 2 {
		if of.Content[i].Value == name {
			return of.Content[i+1]
		}
	}
	t.Fatalf("the template has no %s", name)
	return nil
}

// request sends a request to a service. MiniStack looks at the credential's scope to know which one is meant.
func (e *emulator) request(ctx context.Context, service, method, path, kind string, body []byte, target ...string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, method, "http://"+e.address+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", kind)
	if len(target) == 1 {
		r.Header.Set("X-Amz-Target", target[0])
	}
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/"+region+"/"+service+"/aws4_request, SignedHeaders=host, Signature=0")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode/100 != 2 {
		err = fmt.Errorf("%s %s %s: %s: %s", service, method, path, response.Status, answer)
	}
	return answer, err
}

// cloudFormation calls an operation and decodes its answer.
func (e *emulator) cloudFormation(t *testing.T, action string, more url.Values, into any) {
	t.Helper()
	form := url.Values{"Action": {action}, "Version": {"2010-05-15"}, "StackName": {stack}}
	for k, v := range more {
		form[k] = v
	}
	answer, err := e.request(t.Context(), "cloudformation", "POST", "/", "application/x-www-form-urlencoded", []byte(form.Encode()))
	if err == nil && into != nil {
		err = xml.Unmarshal(answer, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// resources are the stack's physical ids by logical id.
func (e *emulator) resources(t *testing.T) map[string]string {
	t.Helper()
	var out struct {
		Members []struct {
			Logical  string `xml:"LogicalResourceId"`
			Physical string `xml:"PhysicalResourceId"`
		} `xml:"DescribeStackResourcesResult>StackResources>member"`
	}
	e.cloudFormation(t, "DescribeStackResources", nil, &out)
	all := map[string]string{}
	for _, m := range out.Members {
		all[m.Logical] = m.Physical
	}
	return all
}

var integrated = regexp.MustCompile(`\$\{(\w+Function)\w*`)

// routes makes the routes and integrations that the deployed template's OpenAPI document asks for, and tells how many.
func (e *emulator) routes(t *testing.T, resources map[string]string) int {
	t.Helper()
	var out struct {
		Body string `xml:"GetTemplateResult>TemplateBody"`
	}
	e.cloudFormation(t, "GetTemplate", url.Values{"TemplateStage": {"Processed"}}, &out)
	var processed struct {
		Resources struct {
			API struct {
				Properties struct {
					Body struct {
						Paths map[string]map[string]json.RawMessage
					}
				}
			} `json:"Api"`
		}
	}
	if err := json.Unmarshal([]byte(out.Body), &processed); err != nil {
		t.Fatalf("%v: %.300s", err, out.Body)
	}
	n := 0
	for path, methods := range processed.Resources.API.Properties.Body.Paths {
		for method, operation := range methods {
			if method == "parameters" {
				continue
			}
			function := integrated.FindStringSubmatch(string(operation))
			if function == nil {
				t.Fatalf("%s %s leads to no function: %s", method, path, operation)
			}
			key := "$default"
			if path != "/$default" && path != "$default" {
				key = strings.ToUpper(strings.Replace(method, "x-amazon-apigateway-any-method", "any", 1)) + " " + path
			}
			arn := "arn:aws:lambda:" + region + ":000000000000:function:" + resources[function[1]] + ":live"
			var integration struct{ IntegrationID string }
			e.apiGateway(t, resources["Api"]+"/integrations", map[string]any{"integrationType": "AWS_PROXY", "integrationUri": arn,
				"integrationMethod": "POST", "payloadFormatVersion": "2.0"}, &integration)
			e.apiGateway(t, resources["Api"]+"/routes", map[string]any{"routeKey": key, "target": "integrations/" + integration.IntegrationID}, nil)
			n++
		}
	}
	return n
}

func (e *emulator) apiGateway(t *testing.T, path string, in, into any) {
	t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := e.request(t.Context(), "apigateway", "POST", "/v2/apis/"+path, "application/json", body)
	if err == nil && into != nil {
		err = json.Unmarshal(answer, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}
