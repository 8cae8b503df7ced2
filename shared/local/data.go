package local

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/nethouse-academy/albato/shared/local/template"
)

// lookup tells what Ref and GetAtt of a resource are here. Where AWS makes up a name, so does the stack.
func (b *builder) lookup(id, attribute string) (any, error) {
	r, _ := b.template.Resource(id)
	name := physicalName(id)
	switch r.Type + " " + attribute {
	case "AWS::DynamoDB::Table ":
		return name, nil
	case "AWS::DynamoDB::Table Arn":
		return arn("dynamodb", "table/"+name), nil
	case "AWS::SQS::Queue ":
		return b.SQS.QueueURL(b.Endpoints[sqsEndpoint], b.queueName(r)), nil
	case "AWS::SQS::Queue Arn":
		return arn("sqs", b.queueName(r)), nil
	case "AWS::SQS::Queue QueueName":
		return b.queueName(r), nil
	case "AWS::SecretsManager::Secret ":
		return arn("secretsmanager", "secret:"+name), nil
	case "AWS::Serverless::Function ":
		return id, nil
	case "AWS::Serverless::Function Arn":
		return arn("lambda", "function:"+name), nil
	case "AWS::Serverless::HttpApi ":
		return "local", nil
	case "AWS::Serverless::HttpApi ApiEndpoint":
		return b.URL, nil
	}
	for _, kind := range []string{"AWS::DynamoDB::Table", "AWS::SQS::Queue", "AWS::SecretsManager::Secret", "AWS::Serverless::Function", "AWS::Serverless::HttpApi"} {
		if r.Type == kind {
			return nil, fmt.Errorf("%s.%s is not supported by the local stack", id, attribute)
		}
	}
	return arn("local", id), nil // passed over, and so is whoever refers to it
}

func physicalName(id string) string { return template.StackName + "-" + id }

// queueName ends in .fifo for a FIFO queue, as it must.
func (b *builder) queueName(r template.Resource) string {
	name := physicalName(r.ID)
	if own, ok := r.Properties["QueueName"]; ok {
		if v, err := b.scope.Resolve(own); err == nil {
			return fmt.Sprint(v)
		}
	}
	if r.Properties["FifoQueue"] == true {
		name += ".fifo"
	}
	return name
}

func arn(service, resource string) string {
	return "arn:aws:" + service + ":" + template.Region + ":" + template.Account + ":" + resource
}

// arns makes ARNs of what requests name.
type arns struct{}

// ARN is the ARN of a table, queue, secret (its own name already) or bus.
func (arns) ARN(service, name string) string {
	switch {
	case service == "secretsmanager":
		return name
	case service == "dynamodb":
		return arn(service, "table/"+name)
	case service == "events":
		return arn(service, "event-bus/"+name)
	}
	return arn(service, name)
}

func (b *builder) table(r template.Resource) error {
	var t template.Table
	if err := b.scope.Decode(r, &t); err != nil {
		return err
	}
	name := t.TableName
	if name == "" {
		name = physicalName(r.ID)
	}
	b.Tables[r.ID] = name
	endpoint := b.Endpoints[dynamodbEndpoint]
	err := call(context.Background(), endpoint, "DynamoDB_20120810.CreateTable", map[string]any{"TableName": name,
		"BillingMode": t.BillingMode, "AttributeDefinitions": t.AttributeDefinitions, "KeySchema": t.KeySchema})
	if err == nil && t.TimeToLiveSpecification.Enabled {
		err = call(context.Background(), endpoint, "DynamoDB_20120810.UpdateTimeToLive", map[string]any{"TableName": name,
			"TimeToLiveSpecification": t.TimeToLiveSpecification})
	}
	if err != nil {
		return fmt.Errorf("line %d: %s: %w", r.Line, r.ID, err)
	}
	return nil
}

// deadLetterQueue makes the queues that have no dead-letter queue themselves.
func (b *builder) deadLetterQueue(r template.Resource) error {
	if _, has := r.Properties["RedrivePolicy"]; has {
		return nil
	}
	return b.makeQueue(r)
}

// queue makes the others.
func (b *builder) queue(r template.Resource) error {
	if _, has := r.Properties["RedrivePolicy"]; !has {
		return nil
	}
	return b.makeQueue(r)
}

func (b *builder) makeQueue(r template.Resource) error {
	var q template.Queue
	if err := b.scope.Decode(r, &q); err != nil {
		return err
	}
	attributes := map[string]string{}
	for name, v := range map[string]template.Int{"VisibilityTimeout": q.VisibilityTimeout, "MessageRetentionPeriod": q.MessageRetentionPeriod,
		"DelaySeconds": q.DelaySeconds, "MaximumMessageSize": q.MaximumMessageSize, "ReceiveMessageWaitTimeSeconds": q.ReceiveMessageWaitTimeSeconds} {
		if _, given := r.Properties[name]; given {
			attributes[name] = strconv.Itoa(int(v))
		}
	}
	for name, v := range map[string]template.Bool{"FifoQueue": q.FifoQueue, "ContentBasedDeduplication": q.ContentBasedDeduplication} {
		if v {
			attributes[name] = "true"
		}
	}
	for name, v := range map[string]string{"DeduplicationScope": q.DeduplicationScope, "FifoThroughputLimit": q.FifoThroughputLimit} {
		if v != "" {
			attributes[name] = v
		}
	}
	if q.RedrivePolicy != nil {
		policy, err := json.Marshal(q.RedrivePolicy)
		if err != nil {
			return err
		}
		attributes["RedrivePolicy"] = string(policy)
	}
	name := b.queueName(r)
	if _, err := b.SQS.CreateQueue(name, attributes); err != nil {
		return fmt.Errorf("line %d: %s: %w", r.Line, r.ID, err)
	}
	b.Queues[r.ID] = name
	b.visible[name] = 30 * time.Second
	if q.VisibilityTimeout > 0 {
		b.visible[name] = time.Duration(q.VisibilityTimeout) * time.Second
	}
	return nil
}

// secret makes a generated secret with the stack's API key where AWS would put a random string.
func (b *builder) secret(r template.Resource) error {
	var d template.Secret
	if err := b.scope.Decode(r, &d); err != nil {
		return err
	}
	value := map[string]any{}
	if err := json.Unmarshal([]byte(d.GenerateSecretString.SecretStringTemplate), &value); err != nil {
		return fmt.Errorf("line %d: %s: SecretStringTemplate: %w", r.Line, r.ID, err)
	}
	value[d.GenerateSecretString.GenerateStringKey] = b.options.APIKey
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	b.Secrets.Create(arn("secretsmanager", "secret:"+physicalName(r.ID)), physicalName(r.ID), string(text))
	return nil
}

// api has nothing to make: its routes come with the functions. What it declares must be known all the same.
func (b *builder) api(r template.Resource) error {
	var a template.HTTPAPI
	if err := b.scope.Decode(r, &a); err != nil {
		return err
	}
	if a.StageName != "" && a.StageName != "$default" {
		return fmt.Errorf("line %d: %s: stage %s: the local stack serves $default alone", r.Line, r.ID, a.StageName)
	}
	return nil
}
