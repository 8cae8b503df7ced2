package template

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
)

// The resources that have a local counterpart. A property that stands here with type any has none on one machine and is
// passed over knowingly (permissions, encryption, protection, deployment, billing). A property that does not stand here
// is refused by name: whoever adds it to the template decides which of the two it is.

// Function is AWS::Serverless::Function with the template's globals applied.
type Function struct {
	CodeUri, Handler, Runtime    string
	Description                  string
	Timeout, MemorySize          Int
	ReservedConcurrentExecutions Int
	Environment                  struct{ Variables map[string]Text }
	Events                       map[string]FunctionEvent
	Policies                     any // see package iam

	Architectures, Role, PermissionsBoundary, Tracing, LoggingConfig, Tags, KmsKeyArn                                any
	AutoPublishAlias, AutoPublishAliasAllProperties, AutoPublishCodeSha256, DeploymentPreference, VersionDescription any
	PropagateTags, RecursiveLoop, EphemeralStorage, RuntimeManagementConfig, FunctionName                            any
}

// FunctionEvent is one event of a function. Type HttpApi alone has a counterpart.
type FunctionEvent struct {
	Type       string
	Properties struct {
		ApiId, Method, Path string // Method and Path empty: the $default route
		TimeoutInMillis     Int

		Auth, RouteSettings any
	}
}

// HTTPAPI is AWS::Serverless::HttpApi.
type HTTPAPI struct {
	StageName string

	Name, Description, FailOnWarnings, DefaultRouteSettings, RouteSettings, AccessLogSettings, Tags any
	Domain, DisableExecuteApiEndpoint, PropagateTags, StageVariables                                any
}

// EventSourceMapping is AWS::Lambda::EventSourceMapping of an SQS queue.
type EventSourceMapping struct {
	FunctionName, EventSourceArn string
	BatchSize                    Int
	Enabled                      *Bool
	FunctionResponseTypes        []string
	ScalingConfig                struct{ MaximumConcurrency Int }

	MetricsConfig, Tags, KmsKeyArn any
}

// Table is AWS::DynamoDB::Table.
type Table struct {
	TableName               string
	BillingMode             string
	AttributeDefinitions    []struct{ AttributeName, AttributeType string }
	KeySchema               []struct{ AttributeName, KeyType string }
	TimeToLiveSpecification struct {
		AttributeName string
		Enabled       Bool
	}

	PointInTimeRecoverySpecification, SSESpecification, DeletionProtectionEnabled, Tags any
	ContributorInsightsSpecification, WarmThroughput, OnDemandThroughput, TableClass    any
}

// Queue is AWS::SQS::Queue.
type Queue struct {
	QueueName                                        string
	FifoQueue, ContentBasedDeduplication             Bool
	DeduplicationScope, FifoThroughputLimit          string
	VisibilityTimeout, MessageRetentionPeriod        Int
	DelaySeconds, MaximumMessageSize                 Int
	ReceiveMessageWaitTimeSeconds                    Int
	RedrivePolicy                                    *RedrivePolicy
	SqsManagedSseEnabled, KmsMasterKeyId, Tags       any
	KmsDataKeyReusePeriodSeconds, RedriveAllowPolicy any
}

// RedrivePolicy sends a message that was received too often to another queue.
type RedrivePolicy struct {
	DeadLetterTargetArn string `json:"deadLetterTargetArn"`
	MaxReceiveCount     Int    `json:"maxReceiveCount"`
}

// Secret is AWS::SecretsManager::Secret with a generated string.
type Secret struct {
	GenerateSecretString struct {
		SecretStringTemplate, GenerateStringKey string

		PasswordLength, ExcludePunctuation, ExcludeCharacters, IncludeSpace, RequireEachIncludedType any
		ExcludeLowercase, ExcludeUppercase, ExcludeNumbers                                           any
	}

	Name, Description, KmsKeyId, Tags any
}

// Decode resolves the properties of r into one of the types above. A property it does not know is an error.
func (s *Scope) Decode(r Resource, into any) error {
	properties := r.Properties
	if r.Type == "AWS::Serverless::Function" {
		properties, _ = merge(s.template.Globals, r.Properties).(map[string]any)
	}
	resolved, err := s.Resolve(properties)
	if err != nil {
		return fmt.Errorf("%s: %w", r.ID, err)
	}
	text, err := json.Marshal(resolved)
	if err != nil {
		return fmt.Errorf("%s: %w", r.ID, err)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("line %d: %s (%s): the local stack does not take this: %w", r.Line, r.ID, r.Type, err)
	}
	return nil
}

// merge lays over upon under as SAM does with Globals: maps are merged, lists added up, anything else is replaced.
func merge(under, over any) any {
	switch o := over.(type) {
	case map[string]any:
		u, ok := under.(map[string]any)
		if !ok {
			return over
		}
		out := map[string]any{}
		for key, v := range u {
			out[key] = v
		}
		for key, v := range o {
			if below, ok := u[key]; ok {
				v = merge(below, v)
			}
			out[key] = v
		}
		return out
	case []any:
		if u, ok := under.([]any); ok {
			return append(append([]any{}, u...), o...)
		}
	}
	return over
}

// Int is a whole number that may be written as a text: CloudFormation takes both.
type Int int

// UnmarshalJSON takes 5 and "5".
func (i *Int) UnmarshalJSON(b []byte) error {
	n, err := strconv.Atoi(string(bytes.Trim(b, `"`)))
	if err != nil {
		return fmt.Errorf("%s is not a whole number", b)
	}
	*i = Int(n)
	return nil
}

// Bool is a truth value that may be written as a text.
type Bool bool

// UnmarshalJSON takes true and "true".
func (v *Bool) UnmarshalJSON(b []byte) error {
	on, err := strconv.ParseBool(string(bytes.Trim(b, `"`)))
	if err != nil {
		return fmt.Errorf("%s is neither true nor false", b)
	}
	*v = Bool(on)
	return nil
}

// Text is a text that may be written as a number or a truth value.
type Text string

// UnmarshalJSON takes "5", 5 and true.
func (t *Text) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, (*string)(t))
	}
	if len(b) > 0 && (b[0] == '{' || b[0] == '[') {
		return fmt.Errorf("%s is not a text", b)
	}
	*t = Text(b)
	return nil
}
