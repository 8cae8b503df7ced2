package queue

import (
	"errors"

	"github.com/aws/smithy-go"
)

// isInvalidParameter: SQS has no typed error for a receipt handle that has expired; it answers InvalidParameterValue.
func isInvalidParameter(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == "InvalidParameterValue"
}
