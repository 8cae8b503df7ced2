package sqs

import "fmt"

// Error is an error as SQS answers it: the caller's fault, HTTP status 400.
type Error struct {
	// Code is the error's name in the AWS JSON protocol, without the namespace:
	// QueueDoesNotExist, InvalidParameterValue, UnsupportedOperation, …
	Code string
	// Message is the sentence for people.
	Message string
}

func (e *Error) Error() string { return "sqs: " + e.Code + ": " + e.Message }

// legacyCodes are the names that the older query protocol gave to errors; AWS
// still sends them in the header x-amzn-query-error, and the SDKs show them.
var legacyCodes = map[string]string{
	"BatchEntryIdsNotDistinct":     "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
	"BatchRequestTooLong":          "AWS.SimpleQueueService.BatchRequestTooLong",
	"EmptyBatchRequest":            "AWS.SimpleQueueService.EmptyBatchRequest",
	"InvalidBatchEntryId":          "AWS.SimpleQueueService.InvalidBatchEntryId",
	"MessageNotInflight":           "AWS.SimpleQueueService.MessageNotInflight",
	"PurgeQueueInProgress":         "AWS.SimpleQueueService.PurgeQueueInProgress",
	"QueueDeletedRecently":         "AWS.SimpleQueueService.QueueDeletedRecently",
	"QueueDoesNotExist":            "AWS.SimpleQueueService.NonExistentQueue",
	"QueueNameExists":              "QueueAlreadyExists",
	"TooManyEntriesInBatchRequest": "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
	"UnsupportedOperation":         "AWS.SimpleQueueService.UnsupportedOperation",
}

func (e *Error) legacyCode() string {
	if c, ok := legacyCodes[e.Code]; ok {
		return c
	}
	return e.Code
}

func refuse(code, format string, a ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, a...)}
}

func invalidValue(value any, parameter, reason string) *Error {
	return refuse("InvalidParameterValue", "Value %v for parameter %s is invalid. Reason: %s", value, parameter, reason)
}

func missing(parameter string) *Error {
	return refuse("MissingParameter", "The request must contain the parameter %s.", parameter)
}

// unsupported refuses what AWS has and this server has not.
func unsupported(what, name string) *Error {
	return refuse("UnsupportedOperation", "the local SQS does not implement the %s %s", what, name)
}

// outOfRange is what AWS answers to a number beyond its limits.
func outOfRange(value int, parameter string, low, high int) *Error {
	return invalidValue(value, parameter, fmt.Sprintf("Must be between %d and %d, if provided.", low, high))
}
