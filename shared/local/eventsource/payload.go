package eventsource

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/nethouse-academy/albato/shared/local/sqs"
)

// encode makes the event of one batch: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html#example-fifo-sqs-message-event
func encode(c Config, messages []sqs.Message) []byte {
	size := 16
	for i := range messages {
		size += 1024 + len(messages[i].Body)*5/4
	}
	b := append(make([]byte, 0, size), `{"Records":[`...)
	for i := range messages {
		if i > 0 {
			b = append(b, ',')
		}
		b = record(b, c, &messages[i])
	}
	return append(b, `]}`...)
}

func record(b []byte, c Config, m *sqs.Message) []byte {
	b = pair(b, `{"messageId":`, m.ID)
	b = pair(b, `,"receiptHandle":`, m.ReceiptHandle)
	b = pair(b, `,"body":`, m.Body)
	b = pair(b, `,"attributes":{"ApproximateReceiveCount":`, strconv.Itoa(m.ReceiveCount))
	b = pair(b, `,"SentTimestamp":`, strconv.FormatInt(m.SentAt.UnixMilli(), 10))
	b = pair(b, `,"SenderId":`, m.SenderID)
	b = pair(b, `,"ApproximateFirstReceiveTimestamp":`, strconv.FormatInt(m.FirstReceivedAt.UnixMilli(), 10))
	for _, optional := range [...]struct{ key, value string }{
		{`,"SequenceNumber":`, m.SequenceNumber},
		{`,"MessageGroupId":`, m.GroupID},
		{`,"MessageDeduplicationId":`, m.DeduplicationID},
		{`,"AWSTraceHeader":`, m.TraceHeader},
		{`,"DeadLetterQueueSourceArn":`, m.DeadLetterSourceARN},
	} {
		if optional.value != "" {
			b = pair(b, optional.key, optional.value)
		}
	}
	b = append(b, `},"messageAttributes":{`...)
	for i, a := range m.Attributes {
		if i > 0 {
			b = append(b, ',')
		}
		b = pair(b, ``, a.Name)
		if a.Binary != nil {
			b = pair(b, `:{"binaryValue":`, base64.StdEncoding.EncodeToString(a.Binary))
		} else {
			b = pair(b, `:{"stringValue":`, a.Text)
		}
		b = pair(b, `,"stringListValues":[],"binaryListValues":[],"dataType":`, a.DataType)
		b = append(b, '}')
	}
	b = pair(b, `},"md5OfBody":`, m.BodyMD5)
	if len(m.Attributes) > 0 {
		b = pair(b, `,"md5OfMessageAttributes":`, m.AttributesMD5())
	}
	b = pair(b, `,"eventSource":"aws:sqs","eventSourceARN":`, c.QueueARN)
	b = pair(b, `,"awsRegion":`, c.Region)
	return append(b, '}')
}

func pair(b []byte, before, value string) []byte {
	b = append(b, before...)
	b, _ = jsontext.AppendQuote(b, value)
	return b
}

// failures reads a partial batch response. Anything malformed in it makes the whole batch a failure, as on AWS; nothing
// at all means that everything was handled.
func failures(payload []byte, messages []sqs.Message) (map[string]bool, error) {
	var answer *struct {
		BatchItemFailures []struct {
			ItemIdentifier *string `json:"itemIdentifier"`
		} `json:"batchItemFailures"`
	}
	if len(payload) == 0 {
		return nil, nil
	}
	if err := json.Unmarshal(payload, &answer); err != nil {
		return nil, errors.New("the function's answer is not a batch response")
	}
	if answer == nil || len(answer.BatchItemFailures) == 0 {
		return nil, nil
	}
	known := make(map[string]bool, len(messages))
	for i := range messages {
		known[messages[i].ID] = true
	}
	failed := make(map[string]bool, len(answer.BatchItemFailures))
	for _, f := range answer.BatchItemFailures {
		if f.ItemIdentifier == nil || !known[*f.ItemIdentifier] {
			return nil, fmt.Errorf("its answer names a message that is not in the batch")
		}
		failed[*f.ItemIdentifier] = true
	}
	return failed, nil
}
