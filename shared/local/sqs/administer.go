package sqs

import (
	"maps"
	"strings"
)

func (c *call) createQueue() *Error {
	if c.in.queueName == "" {
		return missing("QueueName")
	}
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	if _, fault := c.server.create(c.in.queueName, c.in.attributes, c.in.tags); fault != nil {
		return fault
	}
	return c.answerURL()
}

func (c *call) getQueueURL() *Error {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	if c.server.queues[c.in.queueName] == nil {
		return noQueue()
	}
	return c.answerURL()
}

func (c *call) answerURL() *Error {
	c.out = append(c.out, '{')
	c.member("QueueUrl", c.url(c.in.queueName))
	c.out = append(c.out, '}')
	return nil
}

func (c *call) listQueues() *Error {
	return c.answerList("QueueUrls", func(q *queueState) bool { return strings.HasPrefix(q.name, c.in.prefix) })
}

func (c *call) listDeadLetterSourceQueues() *Error {
	c.server.mu.Lock()
	target, fault := c.server.find(c.in.queueURL)
	c.server.mu.Unlock()
	if fault != nil {
		return fault
	}
	return c.answerList("queueUrls", func(q *queueState) bool {
		return q.config.redrive != nil && q.config.redrive.target == target.arn
	})
}

func (c *call) answerList(name string, match func(*queueState) bool) *Error {
	n := c.in.maxResults.or(1000)
	if n < 1 || n > 1000 {
		return outOfRange(n, "MaxResults", 1, 1000)
	}
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	names, next, fault := c.server.names(match, n, c.in.nextToken)
	if fault != nil {
		return fault
	}
	for i := range names {
		names[i] = c.url(names[i])
	}
	c.out = append(c.out, '{')
	c.list(name, names)
	// AWS gives a token only to those who asked for pages.
	if next != "" && c.in.maxResults.given {
		c.plain("NextToken", next)
	}
	c.out = append(c.out, '}')
	return nil
}

func (c *call) getQueueAttributes() *Error {
	return c.within(func(q *queueState, _ instant) *Error {
		values, fault := q.selected(c.in.attributeNames)
		if fault != nil {
			return fault
		}
		c.out = append(c.out, '{')
		c.object("Attributes", values)
		c.out = append(c.out, '}')
		return nil
	})
}

func (c *call) setQueueAttributes() *Error {
	if len(c.in.attributes) == 0 {
		return missing("Attribute.Name")
	}
	return c.within(func(q *queueState, now instant) *Error { return q.configure(c.in.attributes, now) })
}

func (c *call) deleteQueue() *Error {
	return c.within(func(q *queueState, now instant) *Error {
		c.server.deleteQueue(q, now)
		return nil
	})
}

func (c *call) purgeQueue() *Error {
	return c.within(func(q *queueState, now instant) *Error { return q.purge(now) })
}

func (c *call) tagQueue() *Error {
	if len(c.in.tags) == 0 {
		return missing("Tags")
	}
	return c.within(func(q *queueState, _ instant) *Error {
		tags := map[string]string{}
		maps.Copy(tags, q.tags)
		maps.Copy(tags, c.in.tags)
		if len(tags) > 50 {
			return refuse("InvalidParameterValue", "Too many tags added for queue %s.", q.name)
		}
		q.tags = tags
		return nil
	})
}

func (c *call) listQueueTags() *Error {
	return c.within(func(q *queueState, _ instant) *Error {
		c.out = append(c.out, '{')
		c.object("Tags", q.tags)
		c.out = append(c.out, '}')
		return nil
	})
}
