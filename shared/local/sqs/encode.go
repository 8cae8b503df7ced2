package sqs

import (
	"encoding/base64"
	"encoding/hex"
	"maps"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// appendString appends a JSON string. The texts are valid UTF-8: they came out of
// JSON that was checked, or from this package.
func appendString(dst []byte, s string) []byte {
	out, err := jsontext.AppendQuote(dst, s)
	if err != nil {
		out, _ = jsontext.AppendQuote(dst, "")
	}
	return out
}

// member appends a member whose value is a string, and the comma before it where
// one is due.
func (c *call) member(name, value string) {
	c.name(name)
	c.out = appendString(c.out, value)
}

// plain is member for a value that needs no escaping: ids, digits, digests.
func (c *call) plain(name, value string) {
	c.name(name)
	c.out = append(append(append(c.out, '"'), value...), '"')
}

func (c *call) name(name string) {
	if last := c.out[len(c.out)-1]; last != '{' && last != ',' {
		c.out = append(c.out, ',')
	}
	c.out = append(append(append(c.out, '"'), name...), `":`...)
}

func (c *call) object(name string, values map[string]string) {
	c.name(name)
	c.out = append(c.out, '{')
	for _, k := range slices.Sorted(maps.Keys(values)) {
		c.out = appendString(c.separate('{'), k)
		c.out = appendString(append(c.out, ':'), values[k])
	}
	c.out = append(c.out, '}')
}

func (c *call) list(name string, values []string) {
	c.name(name)
	c.out = append(c.out, '[')
	for _, v := range values {
		c.out = appendString(c.separate('['), v)
	}
	c.out = append(c.out, ']')
}

// separate appends the comma between elements, none after the opening bracket.
func (c *call) separate(open byte) []byte {
	if c.out[len(c.out)-1] != open {
		c.out = append(c.out, ',')
	}
	return c.out
}

func (c *call) digest(name string, sum [16]byte) {
	c.name(name)
	c.out = append(hex.AppendEncode(append(c.out, '"'), sum[:]), '"')
}

// appendSent appends the members that tell of a message sent.
func (c *call) appendSent(m *message) {
	c.plain("MessageId", m.id)
	c.digest("MD5OfMessageBody", m.bodyMD5)
	if len(m.attrs) > 0 {
		c.digest("MD5OfMessageAttributes", m.attrsMD5)
	}
	if m.trace != "" {
		c.digest("MD5OfMessageSystemAttributes", attributesDigest([]Attribute{{Name: "AWSTraceHeader", DataType: "String", Text: m.trace}}))
	}
	if m.sequence != "" {
		c.plain("SequenceNumber", m.sequence)
	}
}

// appendBatch appends the result of a batch; success appends what an entry that
// went well has beside its id.
func (c *call) appendBatch(faults []*Error, success func(i int)) {
	c.out = append(c.out, `{"Successful":[`...)
	failed := false
	for i := range faults {
		if faults[i] != nil {
			failed = true
			continue
		}
		c.out = append(c.separate('['), '{')
		c.plain("Id", c.in.entries[i].id)
		success(i)
		c.out = append(c.out, '}')
	}
	c.out = append(c.out, ']')
	if failed {
		c.out = append(c.out, `,"Failed":[`...)
		for i, fault := range faults {
			if fault == nil {
				continue
			}
			c.out = append(c.separate('['), '{')
			c.plain("Id", c.in.entries[i].id)
			c.plain("Code", fault.legacyCode())
			c.member("Message", fault.Message)
			c.out = append(c.out, `,"SenderFault":true}`...)
		}
		c.out = append(c.out, ']')
	}
	c.out = append(c.out, '}')
}

// appendMessages appends the result of a receive.
func (c *call) appendMessages(messages []Message, system systemAttribute, names []string) {
	c.out = append(c.out, `{"Messages":[`...)
	for i := range messages {
		m := &messages[i]
		c.out = append(c.separate('['), '{')
		c.plain("MessageId", m.ID)
		c.plain("ReceiptHandle", m.ReceiptHandle)
		c.plain("MD5OfBody", m.BodyMD5)
		c.member("Body", m.Body)
		if system != 0 {
			c.appendSystem(m, system)
		}
		if attrs := wanted(m.Attributes, names); len(attrs) > 0 {
			sum := m.attributesMD5
			if len(attrs) != len(m.Attributes) {
				sum = attributesDigest(attrs)
			}
			c.digest("MD5OfMessageAttributes", sum)
			c.appendAttributes(attrs)
		}
		c.out = append(c.out, '}')
	}
	c.out = append(c.out, `]}`...)
}

func (c *call) appendSystem(m *Message, set systemAttribute) {
	c.name("Attributes")
	c.out = append(c.out, '{')
	for i, name := range systemNames {
		if set&(1<<i) == 0 {
			continue
		}
		if v := m.systemAttribute(1 << i); v != "" {
			c.member(name, v)
		}
	}
	c.out = append(c.out, '}')
}

func (c *call) appendAttributes(attrs []Attribute) {
	c.name("MessageAttributes")
	c.out = append(c.out, '{')
	for _, a := range attrs {
		c.out = appendString(c.separate('{'), a.Name)
		c.out = append(c.out, `:{`...)
		c.member("DataType", a.DataType)
		if a.Binary != nil {
			c.plain("BinaryValue", base64.StdEncoding.EncodeToString(a.Binary))
		} else {
			c.member("StringValue", a.Text)
		}
		c.out = append(c.out, '}')
	}
	c.out = append(c.out, '}')
}
