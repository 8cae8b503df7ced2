package template_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// resolved gives the properties of every resource of a type, its intrinsic functions resolved with the defaults.
func resolved(t *testing.T, kind string) map[string]map[string]any {
	t.Helper()
	parsed, s := project(t)
	all := map[string]map[string]any{}
	for _, r := range parsed.Resources {
		if r.Type != kind {
			continue
		}
		v, err := s.Resolve(r.Properties)
		if err != nil {
			t.Fatalf("%s: %v", r.ID, err)
		}
		all[r.ID] = v.(map[string]any)
	}
	if len(all) == 0 {
		t.Fatalf("the template has no %s", kind)
	}
	return all
}

// TestEveryAlarmSaysWhatToDo: what it means, what to do first, in a length that CloudWatch takes; a quiet night is no alarm;
// and it tells when it is over.
func TestEveryAlarmSaysWhatToDo(t *testing.T) {
	for id, p := range resolved(t, "AWS::CloudWatch::Alarm") {
		text := fmt.Sprint(p["AlarmDescription"])
		if meaning, runbook, ok := strings.Cut(text, "Runbook:"); !ok || len(meaning) < 40 || len(runbook) < 40 || len(text) > 1024 {
			t.Errorf("%s says in %d characters: %s", id, len(text), text)
		}
		if missing := p["TreatMissingData"]; missing != "notBreaching" && missing != "ignore" {
			t.Errorf("%s: missing data are %v", id, missing)
		}
		if p["AlarmActions"] == nil || p["OKActions"] == nil {
			t.Errorf("%s tells nobody", id)
		}
	}
}

// TestWhatIsWatchedIsMeasured: an alarm or a dashboard on a metric that nobody writes would be silent for ever.
func TestWhatIsWatchedIsMeasured(t *testing.T) {
	var code strings.Builder
	files, err := filepath.Glob(filepath.Join(root, "functions", "*", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		code.Write(text)
	}
	watched := map[string]bool{}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if v["Namespace"] == "AlbatoIntegration" {
				watched[fmt.Sprint(v["MetricName"])] = true
			}
			for _, inner := range v {
				walk(inner)
			}
		case []any:
			if len(v) > 1 && v[0] == "AlbatoIntegration" {
				watched[fmt.Sprint(v[1])] = true
			}
			for _, inner := range v {
				walk(inner)
			}
		}
	}
	for _, p := range resolved(t, "AWS::CloudWatch::Alarm") {
		walk(p)
	}
	for id, p := range resolved(t, "AWS::CloudWatch::Dashboard") {
		var body map[string]any
		if err := json.Unmarshal([]byte(fmt.Sprint(p["DashboardBody"])), &body); err != nil {
			t.Fatalf("%s is not JSON: %v", id, err)
		}
		walk(body)
	}
	if len(watched) < 8 {
		t.Fatalf("watched are only %v", watched)
	}
	for name := range watched {
		// The observer makes "Turned" and the state's name.
		if !strings.Contains(code.String(), `"`+name+`"`) && !strings.Contains(code.String(), `"`+strings.TrimPrefix(name, "Turned")+`"`) {
			t.Errorf("no function writes the metric %s", name)
		}
	}
}

// TestADeploymentDoesNotWaitForItself: a function's alias waits for the alarms of its rollout, so none of these may need
// the API, which waits for the aliases.
func TestADeploymentDoesNotWaitForItself(t *testing.T) {
	parsed, s := project(t)
	preference, err := s.Resolve(parsed.Globals["DeploymentPreference"])
	if err != nil {
		t.Fatal(err)
	}
	alarms := resolved(t, "AWS::CloudWatch::Alarm")
	names := preference.(map[string]any)["Alarms"].([]any)
	if len(names) == 0 {
		t.Fatal("no alarm brings a bad version back")
	}
	for _, name := range names {
		p, ok := alarms[fmt.Sprint(name)]
		if !ok {
			t.Errorf("%v is no alarm", name)
		}
		text, err := json.Marshal(p["Metrics"])
		if err != nil {
			t.Fatal(err)
		}
		if all := string(text) + fmt.Sprint(p["Dimensions"]); strings.Contains(all, "ApiId") {
			t.Errorf("%v needs the API", name)
		}
	}
}
