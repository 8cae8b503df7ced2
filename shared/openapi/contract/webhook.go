package contract

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi-validator/config"

	"github.com/nethouse-academy/albato/shared/openapi"
)

// receiver is the description of what a link gets, as that of an API of its own: the library checks requests to paths.
var receiver = sync.OnceValues(func() (validator.Validator, error) {
	text, err := openapi.Document("test")
	if err != nil {
		return nil, err
	}
	var whole map[string]json.RawMessage
	if err := json.Unmarshal(text, &whole); err != nil {
		return nil, err
	}
	var webhooks map[string]json.RawMessage
	if err := json.Unmarshal(whole["webhooks"], &webhooks); err != nil {
		return nil, err
	}
	delete(whole, "webhooks")
	if whole["paths"], err = json.Marshal(map[string]json.RawMessage{"/link": webhooks["delivery"]}); err != nil {
		return nil, err
	}
	if text, err = json.Marshal(whole); err != nil {
		return nil, err
	}
	document, err := libopenapi.NewDocument(text)
	if err != nil {
		return nil, err
	}
	v, errs := validator.NewValidator(document, config.WithFormatAssertions())
	return v, errors.Join(errs...)
})

// CheckDelivery tells what of a delivery that a link got the description does not allow.
func CheckDelivery(header map[string]string, body string) error {
	v, err := receiver()
	if err != nil {
		return err
	}
	r := httptest.NewRequest(http.MethodPost, "/link", strings.NewReader(body))
	for name, value := range header {
		r.Header.Set(name, value)
	}
	_, faults := v.ValidateHttpRequestSync(r)
	return describe(faults)
}
