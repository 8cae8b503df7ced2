package sqs

import "slices"

// operation is one that the server implements, with the parameters it takes.
type operation struct {
	name    string
	params  []string
	entries []string // the parameters of an entry of a batch
	run     func(*call) *Error
}

func (o *operation) takes(param string) bool { return slices.Contains(o.params, param) }

// holds is slices.Contains for a name that is still bytes: the comparison makes
// no string of it.
func holds(names []string, name []byte) bool {
	for _, n := range names {
		if n == string(name) {
			return true
		}
	}
	return false
}

// operations are all that the server answers; the busiest stand first. Set by
// init, for the functions refer to the list themselves.
var operations [operationCount]operation

const operationCount = 19

func init() {
	sent := []string{"MessageBody", "DelaySeconds", "MessageAttributes", "MessageSystemAttributes", "MessageDeduplicationId", "MessageGroupId"}
	of := func(params ...string) []string { return append([]string{"QueueUrl"}, params...) }
	operations = [operationCount]operation{
		{"SendMessageBatch", of("Entries"), append([]string{"Id"}, sent...), (*call).sendMessageBatch},
		{"SendMessage", of(sent...), nil, (*call).sendMessage},
		{"ReceiveMessage", of("MaxNumberOfMessages", "WaitTimeSeconds", "VisibilityTimeout", "AttributeNames",
			"MessageSystemAttributeNames", "MessageAttributeNames"), nil, (*call).receiveMessage},
		{"DeleteMessageBatch", of("Entries"), []string{"Id", "ReceiptHandle"}, (*call).deleteMessageBatch},
		{"DeleteMessage", of("ReceiptHandle"), nil, (*call).deleteMessage},
		{"ChangeMessageVisibilityBatch", of("Entries"), []string{"Id", "ReceiptHandle", "VisibilityTimeout"}, (*call).changeMessageVisibilityBatch},
		{"ChangeMessageVisibility", of("ReceiptHandle", "VisibilityTimeout"), nil, (*call).changeMessageVisibility},
		{"GetQueueAttributes", of("AttributeNames"), nil, (*call).getQueueAttributes},
		{"SetQueueAttributes", of("Attributes"), nil, (*call).setQueueAttributes},
		{"CreateQueue", []string{"QueueName", "Attributes", "tags"}, nil, (*call).createQueue},
		{"GetQueueUrl", []string{"QueueName"}, nil, (*call).getQueueURL},
		{"ListQueues", []string{"QueueNamePrefix", "MaxResults", "NextToken"}, nil, (*call).listQueues},
		{"ListDeadLetterSourceQueues", of("MaxResults", "NextToken"), nil, (*call).listDeadLetterSourceQueues},
		{"DeleteQueue", of(), nil, (*call).deleteQueue},
		{"PurgeQueue", of(), nil, (*call).purgeQueue},
		{"TagQueue", of("Tags"), nil, (*call).tagQueue},
		{"ListQueueTags", of(), nil, (*call).listQueueTags},
		{"StartMessageMoveTask", []string{"SourceArn", "DestinationArn"}, nil, (*call).startMessageMoveTask},
		{"ListMessageMoveTasks", []string{"SourceArn", "MaxResults"}, nil, (*call).listMessageMoveTasks},
	}
}
