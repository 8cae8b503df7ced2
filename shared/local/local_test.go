package local_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nethouse-academy/albato/shared/local"
	"github.com/nethouse-academy/albato/shared/local/localtest"
)

// event is an event with an id of its own.
func event(account, id, action string, order int) string {
	return fmt.Sprintf(`{"id":%q,"account_id":%q,"occurred_at":"2026-11-23T08:00:00Z","data":{"action":%q,"order":{"id":%d}}}`, id, account, action, order)
}

// processes are the ids of running processes whose command line has all of words.
func processes(t *testing.T, words ...string) (out []int) {
	t.Helper()
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil || len(lines) == 0 {
		t.Skip("needs /proc")
	}
next:
	for _, name := range lines {
		line, _ := os.ReadFile(name)
		for _, w := range words {
			if !strings.Contains(string(line), w) {
				continue next
			}
		}
		var pid int
		if _, err := fmt.Sscanf(name, "/proc/%d/", &pid); err == nil {
			out = append(out, pid)
		}
	}
	return out
}

// folder is a copy of the built functions that no other stack uses, so that its processes can be told apart.
func folder(t *testing.T) string {
	t.Helper()
	localtest.Make(t, "functions")
	built := filepath.Join(localtest.Root(t), ".build")
	dir, err := os.MkdirTemp(built, "own-") // on the same file system, for the links
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	for _, name := range []string{"connections", "intake", "sender", "page"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Link(filepath.Join(built, "run", name, "bootstrap"), filepath.Join(dir, name, "bootstrap")); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestKilledSendersComeBackAndNothingIsLost(t *testing.T) {
	dir := folder(t)
	s := localtest.Start(t, local.Options{Functions: dir, Parameters: map[string]string{"VisibilityTimeout": "1", "DeliveryTimeout": "500ms"}})
	s.Connect("a", s.Link("x"), "order_update")
	const events = 60
	for i := range events {
		s.Must(202, "POST", "/v1/events", event("a", fmt.Sprint("e", i), "order_update", i), nil)
		if i%20 == 10 {
			for _, pid := range processes(t, dir, "sender", "bootstrap") {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
		}
	}
	if !strings.Contains(s.Log.String(), "signal: killed") {
		t.Error("no sender was killed: the test proves nothing")
	}
	seen := map[string]bool{}
	for len(seen) < events {
		for _, r := range s.Arrivals("x", len(seen)+1) {
			seen[r.Headers["webhook-id"]] = true
		}
	}
}

func TestCloseLeavesNoProcess(t *testing.T) {
	dir := folder(t)
	s := localtest.Start(t, local.Options{Functions: dir})
	s.Must(200, "GET", "/healthz", nil, nil)
	if n := len(processes(t, dir, "bootstrap")); n == 0 {
		t.Fatal("no function runs: the test proves nothing")
	}
	s.Close()
	if left := processes(t, dir, "bootstrap"); len(left) != 0 {
		t.Errorf("%v still run", left)
	}
	if _, err := http.Get(s.URL + "/healthz"); err == nil {
		t.Error("the API still answers")
	}
}

func TestStartIsQuick(t *testing.T) {
	dir := folder(t)
	began := time.Now()
	s := localtest.Start(t, local.Options{Functions: dir})
	s.Must(200, "GET", "/healthz", nil, nil)
	t.Logf("from nothing to the first answer: %v", time.Since(began).Round(time.Millisecond))
}

func TestTakenPort(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port := l.Addr().(*net.TCPAddr).Port
	_, err = local.Start(t.Context(), local.Options{Template: filepath.Join(localtest.Root(t), "template.yaml"), Port: port})
	if want := fmt.Sprintf("port %d is taken by another program: end that one, or choose another port with PORT", port); err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

// change starts a stack of a changed template, and returns the error.
func change(t *testing.T, old, new string) error {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(localtest.Root(t), "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), old) {
		t.Fatalf("the template has no %q", old)
	}
	file := filepath.Join(t.TempDir(), "template.yaml")
	if err := os.WriteFile(file, []byte(strings.Replace(string(text), old, new, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	s, err := local.Start(t.Context(), local.Options{Template: file, Functions: t.TempDir()})
	if err == nil {
		s.Close()
	}
	return err
}

func TestTemplateFeaturesWithoutCounterpartAreRefusedByName(t *testing.T) {
	for _, c := range []struct{ old, new, want string }{
		{"\nOutputs:", "\n  Topic:\n    Type: AWS::Kinesis::Stream\nOutputs:", "Topic: the local stack has no counterpart of AWS::Kinesis::Stream"},
		{"      Description: The organiser's page", "      VpcConfig: {}\n      Description: The organiser's page", `PageFunction (AWS::Serverless::Function): the local stack does not take this: json: unknown field "VpcConfig"`},
		{"          Properties: {ApiId: !Ref Api}\n", "          Properties: {ApiId: !Ref Api}\n        Nightly: {Type: Schedule}\n", "event Nightly: the local stack has no counterpart of Schedule"},
		{"BatchSize: 10", "BatchSize: 11", "batch size 11"},
		{"BatchSize: 10", "BatchSize: 10\n      FilterCriteria: {}", `"FilterCriteria"`},
		{"      KeySchema:", "      StreamSpecification: {}\n      KeySchema:", `"StreamSpecification"`},
		{"      VisibilityTimeout: !Ref VisibilityTimeout", "      VisibilityTimeout: 19", "the queue's visibility timeout (19s) is less than the function's timeout (20s)"},
		{"\nOutputs:", "\nMappings: {}\nOutputs:", "section Mappings is not supported"},
		{"Runtime: provided.al2023", "Runtime: python3.13", "provided.al2023"},
	} {
		if err := change(t, c.old, c.new); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: error %v, want %q", c.new, err, c.want)
		}
	}
}

func TestOptionsFromEnvironment(t *testing.T) {
	o, err := local.OptionsFromEnvironment(func(name string) string {
		return map[string]string{"PORT": "9000", "API_KEY": "k", "RETRY_SCHEDULE": "1s, 2,5m", "DELIVERY_TIMEOUT": "2", "VISIBILITY_TIMEOUT": "4s", "LOG_LEVEL": "debug"}[name]
	})
	if err != nil || o.Port != 9000 || o.APIKey != "k" ||
		fmt.Sprint(o.Parameters) != "map[DeliveryTimeout:2s LogLevel:debug RetrySchedule:1s,2s,5m VisibilityTimeout:4]" {
		t.Errorf("%+v, %v", o, err)
	}
	o, err = local.OptionsFromEnvironment(func(name string) string { return map[string]string{"VISIBILITY_TIMEOUT": "2"}[name] })
	if err != nil || fmt.Sprint(o.Parameters) != "map[DeliveryTimeout:1000ms VisibilityTimeout:2]" {
		t.Errorf("%+v, %v: an attempt must fit into the shortened timeout", o, err)
	}
	_, err = local.OptionsFromEnvironment(func(name string) string {
		return map[string]string{"PORT": "http", "VISIBILITY_TIMEOUT": "soon"}[name]
	})
	if err == nil || !strings.Contains(err.Error(), "PORT=http") || !strings.Contains(err.Error(), "VISIBILITY_TIMEOUT=soon") {
		t.Errorf("error %v: both faults are wanted", err)
	}
}

func TestParametersReachTheFunctionsAndTheQueues(t *testing.T) {
	s := localtest.Start(t, local.Options{APIKey: "another", Parameters: map[string]string{"RetrySchedule": "1s,2s", "VisibilityTimeout": "3", "DeliveryTimeout": "1s"}})
	sender := s.Environment["SenderFunction"]
	if sender["RETRY_SCHEDULE"] != "1s,2s" || sender["DELIVERY_TIMEOUT"] != "1s" || sender["AWS_ENDPOINT_URL_SQS"] != s.Endpoints["AWS_ENDPOINT_URL_SQS"] {
		t.Errorf("%v", sender)
	}
	if r := s.Do("GET", "/v1/accounts/a/connections", nil, "Authorization", "Bearer local-key"); r.Status != 401 {
		t.Errorf("the default key: %d, want 401", r.Status)
	}
	s.Must(200, "GET", "/v1/accounts/a/connections", nil, nil)
}
