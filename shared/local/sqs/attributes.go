package sqs

import (
	"fmt"
	"maps"
	"strconv"
	"time"
)

// maxMessageSize is AWS's limit of a message and of a batch, in bytes:
// 1 MiB since August 2025.
const maxMessageSize = 1 << 20

// config is what the attributes of a queue set.
type config struct {
	fifo              bool
	visibility        time.Duration
	delay             time.Duration
	retention         time.Duration
	receiveWait       time.Duration
	maxSize           int
	contentDedup      bool
	dedupPerGroup     bool
	throughputByGroup bool // kept, without effect: nothing is throttled here
	redrive           *redrivePolicy
	allow             *redriveAllowPolicy
	// inert are the encryption settings: kept and shown, without effect on what
	// is only ever in memory.
	inert map[string]string
}

// seconds are the attributes that are a number of seconds, with AWS's limits.
var seconds = map[string]struct {
	low, high int
	field     func(*config) *time.Duration
}{
	"VisibilityTimeout":             {0, 43_200, func(c *config) *time.Duration { return &c.visibility }},
	"DelaySeconds":                  {0, 900, func(c *config) *time.Duration { return &c.delay }},
	"MessageRetentionPeriod":        {60, 1_209_600, func(c *config) *time.Duration { return &c.retention }},
	"ReceiveMessageWaitTimeSeconds": {0, 20, func(c *config) *time.Duration { return &c.receiveWait }},
}

func defaultConfig(fifo bool) config {
	return config{fifo: fifo, visibility: 30 * time.Second, retention: 4 * 24 * time.Hour, maxSize: maxMessageSize,
		inert: map[string]string{"SqsManagedSseEnabled": "true"}}
}

// with answers the configuration changed by the attributes, without touching c.
func (c config) with(attributes map[string]string) (config, *Error) {
	c.inert = maps.Clone(c.inert)
	for name, value := range attributes {
		if fault := c.set(name, value); fault != nil {
			return c, fault
		}
	}
	if c.throughputByGroup && !c.dedupPerGroup {
		return c, refuse("InvalidAttributeValue", "Invalid value for the parameter FifoThroughputLimit. Reason: perMessageGroupId needs the DeduplicationScope messageGroup.")
	}
	return c, nil
}

func (c *config) set(name, value string) *Error {
	if s, ok := seconds[name]; ok {
		n, err := strconv.Atoi(value)
		if err != nil || n < s.low || n > s.high {
			return badAttribute(name)
		}
		*s.field(c) = time.Duration(n) * time.Second
		return nil
	}
	switch name {
	case "MaximumMessageSize":
		n, err := strconv.Atoi(value)
		if err != nil || n < 1024 || n > maxMessageSize {
			return badAttribute(name)
		}
		c.maxSize = n
	case "FifoQueue":
		// AWS has no "false": a standard queue is made by leaving it out.
		if value != "true" || !c.fifo {
			return refuse("InvalidAttributeName", "Unknown Attribute FifoQueue.")
		}
	case "ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit":
		return c.setFIFO(name, value)
	case "RedrivePolicy":
		p, fault := parseRedrivePolicy(value)
		c.redrive = p
		return fault
	case "RedriveAllowPolicy":
		p, fault := parseRedriveAllowPolicy(value)
		c.allow = p
		return fault
	case "SqsManagedSseEnabled", "KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds":
		c.inert[name] = value
	case "Policy":
		return unsupported("attribute", name)
	default:
		return refuse("InvalidAttributeName", "Unknown Attribute %s.", name)
	}
	return nil
}

// setFIFO sets what only a FIFO queue has.
func (c *config) setFIFO(name, value string) *Error {
	if !c.fifo {
		return refuse("InvalidAttributeName", "Unknown Attribute %s.", name)
	}
	var target *bool
	var no, yes string
	switch name {
	case "ContentBasedDeduplication":
		target, no, yes = &c.contentDedup, "false", "true"
	case "DeduplicationScope":
		target, no, yes = &c.dedupPerGroup, "queue", "messageGroup"
	default:
		target, no, yes = &c.throughputByGroup, "perQueue", "perMessageGroupId"
	}
	if value != no && value != yes {
		return badAttribute(name)
	}
	*target = value == yes
	return nil
}

func badAttribute(name string) *Error {
	return refuse("InvalidAttributeValue", "Invalid value for the parameter %s.", name)
}

// attributes are all that GetQueueAttributes can tell, as text.
func (q *queueState) attributes() map[string]string {
	c, n := &q.config, q.counts()
	out := maps.Clone(c.inert)
	for name, s := range seconds {
		out[name] = strconv.Itoa(int(*s.field(c) / time.Second))
	}
	out["QueueArn"] = q.arn
	out["MaximumMessageSize"] = strconv.Itoa(c.maxSize)
	out["CreatedTimestamp"] = strconv.FormatInt(q.server.wall(q.created).Unix(), 10)
	out["LastModifiedTimestamp"] = strconv.FormatInt(q.server.wall(q.modified).Unix(), 10)
	out["ApproximateNumberOfMessages"] = strconv.Itoa(n.Visible)
	out["ApproximateNumberOfMessagesNotVisible"] = strconv.Itoa(n.InFlight)
	out["ApproximateNumberOfMessagesDelayed"] = strconv.Itoa(n.Delayed)
	if c.redrive != nil {
		out["RedrivePolicy"] = c.redrive.String()
	}
	if c.allow != nil {
		out["RedriveAllowPolicy"] = c.allow.text
	}
	if c.fifo {
		out["FifoQueue"] = "true"
		out["ContentBasedDeduplication"] = strconv.FormatBool(c.contentDedup)
		out["DeduplicationScope"], out["FifoThroughputLimit"] = "queue", "perQueue"
		if c.dedupPerGroup {
			out["DeduplicationScope"] = "messageGroup"
		}
		if c.throughputByGroup {
			out["FifoThroughputLimit"] = "perMessageGroupId"
		}
	}
	return out
}

// attributeNames are the names that GetQueueAttributes understands; those that a
// queue has not set are left out of its answer.
var attributeNames = map[string]bool{"All": true, "QueueArn": true, "MaximumMessageSize": true, "CreatedTimestamp": true,
	"LastModifiedTimestamp": true, "ApproximateNumberOfMessages": true, "ApproximateNumberOfMessagesNotVisible": true,
	"ApproximateNumberOfMessagesDelayed": true, "RedrivePolicy": true, "RedriveAllowPolicy": true, "FifoQueue": true,
	"ContentBasedDeduplication": true, "DeduplicationScope": true, "FifoThroughputLimit": true, "VisibilityTimeout": true,
	"DelaySeconds": true, "MessageRetentionPeriod": true, "ReceiveMessageWaitTimeSeconds": true, "Policy": true,
	"SqsManagedSseEnabled": true, "KmsMasterKeyId": true, "KmsDataKeyReusePeriodSeconds": true}

// selected answers the attributes of those names; "All" stands for every one.
func (q *queueState) selected(names []string) (map[string]string, *Error) {
	all := q.attributes()
	out := make(map[string]string, len(names))
	for _, name := range names {
		if !attributeNames[name] {
			return nil, refuse("InvalidAttributeName", "Unknown Attribute %s.", name)
		}
		if name == "All" {
			return all, nil
		}
		if v, ok := all[name]; ok {
			out[name] = v
		}
	}
	return out, nil
}

// difference names an attribute that differs from what is asked for, "" if none.
func (c config) difference(attributes map[string]string) (string, *Error) {
	wanted, fault := c.with(attributes)
	if fault != nil {
		return "", fault
	}
	before, after := (&queueState{config: c, server: &Server{}}).attributes(), (&queueState{config: wanted, server: &Server{}}).attributes()
	for name := range attributes {
		if fmt.Sprint(before[name]) != fmt.Sprint(after[name]) {
			return name, nil
		}
	}
	return "", nil
}
