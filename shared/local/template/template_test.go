package template_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/nethouse-academy/albato/shared/local/template"
)

func scope(t *testing.T, text string, overrides map[string]string) *template.Scope {
	t.Helper()
	parsed, err := template.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	s, err := parsed.Scope(overrides, func(id, attribute string) (any, error) {
		return strings.TrimSuffix("phys-"+id+"."+attribute, "."), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const functions = `
Parameters:
  Stage: {Type: String, Default: dev, AllowedValues: [dev, prod]}
  Seconds: {Type: Number, Default: 120}
  Host: {Type: String, Default: '', AllowedPattern: '^[a-z.]*$'}
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
  HasHost: !Not [!Equals [!Ref Host, '']]
  Both: !And [!Condition IsProd, !Condition HasHost]
  Either: !Or [!Condition IsProd, !Condition HasHost]
Resources:
  Queue:
    Type: AWS::SQS::Queue
  Probe:
    Type: AWS::Probe
    Properties:
      Ref: !Ref Stage
      Long: {Ref: Queue}
      Number: !Ref Seconds
      Arn: !GetAtt Queue.Arn
      LongArn: {'Fn::GetAtt': [Queue, Arn]}
      Sub: !Sub '${AWS::Region}/${Queue}/${Queue.Arn}/${Stage}/${!literal}'
      SubMap: !Sub ['${a}-${Stage}', {a: !Ref Queue}]
      If: !If [IsProd, yes-prod, no-prod]
      Left: !If [HasHost, !Ref Host, !Ref 'AWS::NoValue']
      List: [a, !If [HasHost, b, !Ref 'AWS::NoValue'], c]
      Join: !Join ['-', [a, !Ref Stage]]
      Both: !If [Both, 1, 0]
      Either: !If [Either, 1, 0]
      Alias: !Ref Queue.Alias
`

func TestResolve(t *testing.T) {
	for name, c := range map[string]struct {
		overrides map[string]string
		want      map[string]string
	}{
		"defaults": {nil, map[string]string{
			"Ref": "dev", "Long": "phys-Queue", "Number": "120", "Arn": "phys-Queue.Arn", "LongArn": "phys-Queue.Arn",
			"Sub": "eu-central-1/phys-Queue/phys-Queue.Arn/dev/${literal}", "SubMap": "phys-Queue-dev", "If": "no-prod",
			"Left": "<nil>", "List": "[a c]", "Join": "a-dev", "Both": "0", "Either": "0", "Alias": "phys-Queue",
		}},
		"overrides": {map[string]string{"Stage": "prod", "Seconds": "2", "Host": "h.example"}, map[string]string{
			"Ref": "prod", "Number": "2", "If": "yes-prod", "Left": "h.example", "List": "[a b c]", "Both": "1", "Either": "1",
		}},
		"one of two conditions": {map[string]string{"Host": "h.example"}, map[string]string{"Both": "0", "Either": "1"}},
	} {
		t.Run(name, func(t *testing.T) {
			parsed, _ := template.Parse([]byte(functions))
			probe, _ := parsed.Resource("Probe")
			resolved, err := scope(t, functions, c.overrides).Resolve(probe.Properties)
			if err != nil {
				t.Fatal(err)
			}
			for key, want := range c.want {
				if got := fmt.Sprint(resolved.(map[string]any)[key]); got != want {
					t.Errorf("%s = %s, want %s", key, got, want)
				}
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	const resource = "Resources:\n  A:\n    Type: AWS::SQS::Queue\n    Properties:\n      "
	for name, c := range map[string]struct{ text, want string }{
		"function":          {resource + "QueueName: !ImportValue x", "line 5: Fn::ImportValue is not supported"},
		"long function":     {resource + "QueueName: {'Fn::Select': [0, [a]]}", "line 5: Fn::Select is not supported"},
		"unknown reference": {resource + "QueueName: !Ref Nobody", "no resource or parameter Nobody"},
		"pseudo parameter":  {resource + "QueueName: !Ref 'AWS::NotificationARNs'", "AWS::NotificationARNs is not supported"},
		"unknown property":  {resource + "MaximumMess: 5", `"MaximumMess"`},
		"wrong kind":        {resource + "VisibilityTimeout: soon", "soon"},
		"key twice":         {resource + "QueueName: a\n      QueueName: b", "line 6: QueueName stands twice"},
		"section":           {"Mappings: {}\n", "section Mappings is not supported"},
		"attribute":         {"Resources:\n  A:\n    Type: B\n    CreationPolicy: {}\n", "A: attribute CreationPolicy is not supported"},
		"no type":           {"Resources:\n  A:\n    Properties: {}\n", "A has no Type"},
		"anchor":            {"Resources:\n  A: &a\n    Type: B\n  B:\n    Type: C\n    Properties: *a\n", "anchors and aliases are not supported"},
		"GetAtt":            {resource + "QueueName: !GetAtt B", "names no attribute"},
	} {
		t.Run(name, func(t *testing.T) {
			parsed, err := template.Parse([]byte(c.text))
			if err == nil {
				var s *template.Scope
				if s, err = parsed.Scope(nil, func(string, string) (any, error) { return "x", nil }); err != nil {
					t.Fatal(err)
				}
				r, _ := parsed.Resource("A")
				err = s.Decode(r, &template.Queue{})
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error = %v, want %q", err, c.want)
			}
		})
	}
}

func TestParameters(t *testing.T) {
	parsed, err := template.Parse([]byte(functions))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, value, want string }{
		{"Stage", "test", `parameter Stage: "test" is none of dev, prod`},
		{"Seconds", "2s", `parameter Seconds: "2s" is not a number`},
		{"Host", "H", "parameter Host"},
		{"Colour", "red", "the template has no parameter Colour"},
	} {
		if _, err := parsed.Scope(map[string]string{c.name: c.value}, nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s=%s: error = %v, want %q", c.name, c.value, err, c.want)
		}
	}
}

func TestGlobalsAreMergedAsSAMMergesThem(t *testing.T) {
	const text = `
Globals:
  Function:
    Runtime: provided.al2023
    Timeout: 3
    Architectures: [arm64]
    Environment: {Variables: {LEVEL: info, NAME: global}}
Resources:
  AFunction:
    Type: AWS::Serverless::Function
    Properties:
      Timeout: '20'
      Environment: {Variables: {NAME: own, COUNT: 5}}
`
	s := scope(t, text, nil)
	parsed, _ := template.Parse([]byte(text))
	r, _ := parsed.Resource("AFunction")
	var f template.Function
	if err := s.Decode(r, &f); err != nil {
		t.Fatal(err)
	}
	if f.Runtime != "provided.al2023" || f.Timeout != 20 || fmt.Sprint(f.Environment.Variables) != "map[COUNT:5 LEVEL:info NAME:own]" {
		t.Errorf("%+v", f)
	}
}
