package sqs

import (
	"crypto/md5"
	"encoding/base64"
	"encoding/binary"
	"hash"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// readAttributes decodes MessageAttributes; what is wrong in one is a fault of
// its message alone and is found by checkAttributes.
func (e *entry) readAttributes(r reader) *Error {
	return r.object(func(name []byte) *Error {
		a, fault := r.attribute(string(name))
		e.attrs = append(e.attrs, a)
		return fault
	})
}

func (r reader) attribute(name string) (Attribute, *Error) {
	a := Attribute{Name: name}
	fault := r.object(func(member []byte) *Error {
		switch string(member) {
		case "DataType":
			return r.textInto(&a.DataType, nil)
		case "StringValue":
			return r.textInto(&a.Text, nil)
		case "BinaryValue":
			s, given, fault := r.text()
			if fault != nil || !given {
				return fault
			}
			b, err := base64.StdEncoding.DecodeString(s)
			if err != nil {
				return malformed("BinaryValue is not base64")
			}
			a.Binary = b
			return nil
		}
		return unsupported("parameter", "MessageAttributes."+string(member))
	})
	return a, fault
}

// readSystemAttributes decodes MessageSystemAttributes: AWS knows one, the X-Ray
// trace header.
func (e *entry) readSystemAttributes(r reader) *Error {
	return r.object(func(name []byte) *Error {
		if string(name) != "AWSTraceHeader" {
			return refuse("InvalidParameterValue", "Message system attribute %s is not supported.", name)
		}
		a, fault := r.attribute("AWSTraceHeader")
		if fault == nil && (a.DataType != "String" || a.Text == "") {
			return refuse("InvalidParameterValue", "The message system attribute AWSTraceHeader must be a String with a value.")
		}
		e.trace = a.Text
		return fault
	})
}

var (
	attributeName  = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,256}$`)
	attributeLabel = regexp.MustCompile(`^(String|Number|Binary)(\..{1,249})?$`)
)

// checkAttributes verifies a message's attributes, sorts them by name and counts
// their bytes, which are part of the message's size.
func checkAttributes(attrs []Attribute) (size int, fault *Error) {
	if len(attrs) > 10 {
		return 0, refuse("InvalidParameterValue", "Number of message attributes [%d] exceeds the allowed maximum [10].", len(attrs))
	}
	for i := range attrs {
		if fault := attrs[i].check(); fault != nil {
			return 0, fault
		}
		size += len(attrs[i].Name) + len(attrs[i].DataType) + len(attrs[i].Text) + len(attrs[i].Binary)
	}
	slices.SortFunc(attrs, func(a, b Attribute) int { return strings.Compare(a.Name, b.Name) })
	return size, nil
}

func (a *Attribute) check() *Error {
	lower := strings.ToLower(a.Name)
	if !attributeName.MatchString(a.Name) || strings.HasPrefix(lower, "aws.") || strings.HasPrefix(lower, "amazon.") ||
		strings.HasPrefix(a.Name, ".") || strings.HasSuffix(a.Name, ".") || strings.Contains(a.Name, "..") {
		return refuse("InvalidParameterValue", "The message attribute name %q is invalid.", a.Name)
	}
	if !attributeLabel.MatchString(a.DataType) {
		return refuse("InvalidParameterValue", "The type of message attribute '%s' is invalid. You must use only the following supported type prefixes: Binary, Number, String.", a.Name)
	}
	kind, _, _ := strings.Cut(a.DataType, ".")
	switch {
	case kind == "Binary" && (len(a.Binary) == 0 || a.Text != ""), kind != "Binary" && (a.Text == "" || a.Binary != nil):
		return refuse("InvalidParameterValue", "Message attribute '%s' must have the one non-empty value that its type '%s' says.", a.Name, a.DataType)
	case !validText(a.Text):
		return refuse("InvalidMessageContents", "Message attribute '%s' holds characters that are not allowed.", a.Name)
	}
	if kind == "Number" {
		if _, err := strconv.ParseFloat(a.Text, 64); err != nil {
			return refuse("InvalidParameterValue", "Can't cast the value of message attribute '%s' to a number.", a.Name)
		}
	}
	return nil
}

// attributesDigest is MD5OfMessageAttributes: over the attributes sorted by name,
// each part with its length before it (Developer Guide, "Calculating the MD5
// message digest for message attributes").
func attributesDigest(attrs []Attribute) (sum [md5.Size]byte) {
	h := md5.New()
	for _, a := range attrs {
		digestPart(h, a.Name)
		digestPart(h, a.DataType)
		if a.Binary != nil {
			h.Write([]byte{2})
			digestPart(h, string(a.Binary))
		} else {
			h.Write([]byte{1})
			digestPart(h, a.Text)
		}
	}
	h.Sum(sum[:0])
	return sum
}

func digestPart(h hash.Hash, s string) {
	var n [4]byte
	binary.BigEndian.PutUint32(n[:], uint32(len(s)))
	h.Write(n[:])
	io.WriteString(h, s)
}

// wanted keeps the attributes that MessageAttributeNames asks for: names, "All",
// ".*", or a prefix followed by ".*".
func wanted(attrs []Attribute, names []string) []Attribute {
	if len(names) == 0 || len(attrs) == 0 {
		return nil
	}
	var out []Attribute
	for _, a := range attrs {
		if slices.ContainsFunc(names, func(name string) bool {
			prefix, wild := strings.CutSuffix(name, ".*")
			return name == "All" || name == a.Name || wild && strings.HasPrefix(a.Name, prefix)
		}) {
			out = append(out, a)
		}
	}
	return out
}
