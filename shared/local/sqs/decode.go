package sqs

import (
	"io"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// input holds the parameters of a call, of whichever operation.
type input struct {
	op *operation

	queueURL, queueName, prefix, nextToken string
	sourceARN, destinationARN              string
	attributes, tags                       map[string]string
	attributeNames                         []string
	systemNames                            []string
	wantedAttributes                       []string
	maxMessages, maxResults                optional
	wait                                   optional
	entries                                []entry
	entry                                  // of the operations on one message
}

// entry holds the parameters of one message.
type entry struct {
	id, body, group, dedup, receipt string
	trace                           string
	hasID, hasBody, hasReceipt      bool
	delay, visibility               optional
	attrs                           []Attribute
}

// optional is a number that may be absent.
type optional struct {
	n     int
	given bool
}

func (o optional) or(n int) int {
	if o.given {
		return o.n
	}
	return n
}

// reader decodes the JSON of a request. It streams: nothing is held twice, and
// names cost no allocation.
type reader struct{ *jsontext.Decoder }

func malformed(what string) *Error {
	return refuse("SerializationException", "The request is not the JSON expected: %s", what)
}

// object calls each for every member of an object; null has none.
func (r reader) object(each func(name []byte) *Error) *Error {
	begin, err := r.ReadToken()
	if err != nil {
		return malformed(err.Error())
	}
	switch begin.Kind() {
	case 'n':
		return nil
	case '{':
	default:
		return malformed("not an object")
	}
	for r.PeekKind() != '}' {
		raw, err := r.ReadValue()
		if err != nil {
			return malformed(err.Error())
		}
		// The name is the decoder's own bytes: gone when each reads the value.
		if fault := each(raw[1 : len(raw)-1]); fault != nil {
			return fault
		}
	}
	_, err = r.ReadToken()
	if err != nil {
		return malformed(err.Error())
	}
	return nil
}

// array calls each for every element; null has none.
func (r reader) array(each func() *Error) *Error {
	begin, err := r.ReadToken()
	if err != nil {
		return malformed(err.Error())
	}
	switch begin.Kind() {
	case 'n':
		return nil
	case '[':
	default:
		return malformed("not a list")
	}
	for r.PeekKind() != ']' {
		if fault := each(); fault != nil {
			return fault
		}
	}
	if _, err = r.ReadToken(); err != nil {
		return malformed(err.Error())
	}
	return nil
}

// text reads a string; given is false for null.
func (r reader) text() (s string, given bool, fault *Error) {
	raw, err := r.ReadValue()
	switch {
	case err != nil:
		return "", false, malformed(err.Error())
	case raw.Kind() == 'n':
		return "", false, nil
	case raw.Kind() != '"':
		return "", false, malformed("not a string: " + string(raw[:min(len(raw), 40)]))
	}
	for _, c := range raw {
		if c == '\\' {
			b, err := jsontext.AppendUnquote(make([]byte, 0, len(raw)), raw)
			if err != nil {
				return "", false, malformed(err.Error())
			}
			return string(b), true, nil
		}
	}
	return string(raw[1 : len(raw)-1]), true, nil
}

func (r reader) textInto(target *string, given *bool) *Error {
	s, ok, fault := r.text()
	if fault == nil && ok {
		*target = s
		if given != nil {
			*given = true
		}
	}
	return fault
}

func (r reader) integerInto(target *optional) *Error {
	raw, err := r.ReadValue()
	if err != nil {
		return malformed(err.Error())
	}
	if raw.Kind() == 'n' {
		return nil
	}
	n, err := strconv.Atoi(string(raw))
	if err != nil {
		return malformed("not a whole number: " + string(raw[:min(len(raw), 40)]))
	}
	*target = optional{n, true}
	return nil
}

func (r reader) listInto(target *[]string) *Error {
	*target = []string{}
	return r.array(func() *Error {
		s, _, fault := r.text()
		*target = append(*target, s)
		return fault
	})
}

func (r reader) mapInto(target *map[string]string) *Error {
	*target = map[string]string{}
	return r.object(func(name []byte) *Error {
		key := string(name)
		s, _, fault := r.text()
		(*target)[key] = s
		return fault
	})
}

// read decodes a whole request.
func (in *input) read(d *jsontext.Decoder) *Error {
	r := reader{d}
	if fault := r.object(func(name []byte) *Error { return in.member(r, name) }); fault != nil {
		return fault
	}
	if _, err := d.ReadToken(); err != io.EOF {
		return malformed("more than one value")
	}
	return nil
}

// member reads one parameter. What the operation does not take here, be it that
// AWS knows it or not, is refused.
func (in *input) member(r reader, name []byte) *Error {
	if !holds(in.op.params, name) {
		return unsupported("parameter", in.op.name+"."+string(name))
	}
	switch string(name) {
	case "QueueUrl":
		return r.textInto(&in.queueURL, nil)
	case "QueueName":
		return r.textInto(&in.queueName, nil)
	case "QueueNamePrefix":
		return r.textInto(&in.prefix, nil)
	case "NextToken":
		return r.textInto(&in.nextToken, nil)
	case "SourceArn":
		return r.textInto(&in.sourceARN, nil)
	case "DestinationArn":
		return r.textInto(&in.destinationARN, nil)
	case "Attributes":
		return r.mapInto(&in.attributes)
	case "tags", "Tags":
		return r.mapInto(&in.tags)
	case "AttributeNames":
		return r.listInto(&in.attributeNames)
	case "MessageSystemAttributeNames":
		return r.listInto(&in.systemNames)
	case "MessageAttributeNames":
		return r.listInto(&in.wantedAttributes)
	case "MaxNumberOfMessages":
		return r.integerInto(&in.maxMessages)
	case "MaxResults":
		return r.integerInto(&in.maxResults)
	case "WaitTimeSeconds":
		return r.integerInto(&in.wait)
	case "Entries":
		in.entries = make([]entry, 0, 10)
		return r.array(func() *Error {
			in.entries = append(in.entries, entry{})
			e := &in.entries[len(in.entries)-1]
			return r.object(func(name []byte) *Error {
				if !holds(in.op.entries, name) {
					return unsupported("parameter", in.op.name+".Entries."+string(name))
				}
				return e.member(r, name)
			})
		})
	default:
		return in.entry.member(r, name)
	}
}

func (e *entry) member(r reader, name []byte) *Error {
	switch string(name) {
	case "Id":
		return r.textInto(&e.id, &e.hasID)
	case "MessageBody":
		return r.textInto(&e.body, &e.hasBody)
	case "MessageGroupId":
		return r.textInto(&e.group, nil)
	case "MessageDeduplicationId":
		return r.textInto(&e.dedup, nil)
	case "ReceiptHandle":
		return r.textInto(&e.receipt, &e.hasReceipt)
	case "DelaySeconds":
		return r.integerInto(&e.delay)
	case "VisibilityTimeout":
		return r.integerInto(&e.visibility)
	case "MessageAttributes":
		return e.readAttributes(r)
	case "MessageSystemAttributes":
		return e.readSystemAttributes(r)
	}
	return unsupported("parameter", string(name))
}
