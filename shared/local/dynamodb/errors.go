package dynamodb

import "strings"

// fault is an error of the protocol. Its code is what an SDK shows as the
// error's type.
type fault struct {
	code    string // with its namespace, as it stands in __type
	message string
	item    item     // the item of a failed condition, when it was asked for
	reasons []reason // of a cancelled transaction
}

// reason is one entry of CancellationReasons.
type reason struct {
	code    string
	message string
	item    item
}

func (f *fault) Error() string { return f.shortCode() + ": " + f.message }

func (f *fault) shortCode() string { return f.code[strings.IndexByte(f.code, '#')+1:] }

const (
	serviceNamespace = "com.amazonaws.dynamodb.v20120810#"
	coralNamespace   = "com.amazon.coral.service#"
	validationCode   = "com.amazon.coral.validate#ValidationException"
	conditionCode    = serviceNamespace + "ConditionalCheckFailedException"
	cancelledCode    = serviceNamespace + "TransactionCanceledException"
)

func validation(message string) *fault { return &fault{code: validationCode, message: message} }

// invalid is a validation fault with the service's usual opening.
func invalid(message string) *fault {
	return validation("One or more parameter values were invalid: " + message)
}

// constraint is a violated constraint of the API's model, in its wording.
func constraint(value, member, rule string) *fault {
	return validation("1 validation error detected: Value '" + value + "' at '" + member +
		"' failed to satisfy constraint: " + rule)
}

func serialization(message string) *fault {
	return &fault{code: coralNamespace + "SerializationException", message: message}
}

// notImplemented refuses what the real service does and this one does not.
func notImplemented(what string) *fault {
	return &fault{code: "NotImplementedException", message: "the local DynamoDB does not implement " + what}
}

func notFound(message string) *fault {
	return &fault{code: serviceNamespace + "ResourceNotFoundException", message: message}
}

func conditionFailed(old item) *fault {
	return &fault{code: conditionCode, message: "The conditional request failed", item: old}
}

// appendFault writes the body of an error answer. A cancelled transaction
// names its message member with a capital, every other error does not.
func appendFault(b []byte, f *fault) []byte {
	b = append(b, `{"__type":`...)
	b = appendString(b, f.code)
	if f.code == cancelledCode {
		b = append(b, `,"Message":`...)
	} else {
		b = append(b, `,"message":`...)
	}
	b = appendString(b, f.message)
	if f.item != nil {
		b = append(b, `,"Item":`...)
		b = appendItem(b, f.item)
	}
	if f.reasons != nil {
		b = append(b, `,"CancellationReasons":[`...)
		for i, r := range f.reasons {
			b = appendReason(appendComma(b, i), r)
		}
		b = append(b, ']')
	}
	return append(b, '}')
}

func appendReason(b []byte, r reason) []byte {
	b = append(b, `{"Code":`...)
	b = appendString(b, r.code)
	if r.message != "" {
		b = append(b, `,"Message":`...)
		b = appendString(b, r.message)
	}
	if r.item != nil {
		b = append(b, `,"Item":`...)
		b = appendItem(b, r.item)
	}
	return append(b, '}')
}
