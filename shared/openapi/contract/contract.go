// Package contract holds real requests and answers against the API's description. It is for tests alone.
package contract

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi-validator/config"
	invalid "github.com/pb33f/libopenapi-validator/errors"
	v3 "github.com/pb33f/libopenapi/datamodel/high/v3"

	"github.com/nethouse-academy/albato/shared/openapi"
)

// Contract is the API's description, ready to check with. It is safe for concurrent use.
type Contract struct {
	model             *v3.Document
	requests, answers validator.Validator
}

// Load reads the description, once a test program; the test fails if it is no OpenAPI 3.1.
func Load(t testing.TB) *Contract {
	t.Helper()
	c, err := load()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var load = sync.OnceValues(func() (*Contract, error) {
	text, err := openapi.Document("test")
	if err != nil {
		return nil, err
	}
	return parse(text)
})

// free are the places whose members are not ours to describe. Each costs time at every check.
var free = []string{"$.body.data.**", "$.body.payload.data.**", "$.body.request.data.**", "$.body.triggers[*].sample.data.**"}

// everywhere are headers that every answer may have, by API Gateway, by the adapter or by HTTP itself.
var everywhere = []string{"Apigw-Requestid", "Content-Security-Policy", "Referrer-Policy", "Strict-Transport-Security",
	"X-Content-Type-Options", "Content-Encoding", "Connection"}

func parse(text []byte) (*Contract, error) {
	document, err := libopenapi.NewDocument(text)
	if err != nil {
		return nil, err
	}
	built, err := document.BuildV3Model()
	if err != nil {
		return nil, err
	}
	requests, errs := validator.NewValidator(document, config.WithFormatAssertions(), config.WithRejectUndeclaredRequestBody())
	// Strict: what the description does not name is a fault in an answer.
	answers, more := validator.NewValidator(document, config.WithFormatAssertions(), config.WithStrictMode(),
		config.WithStrictIgnorePaths(free...), config.WithStrictIgnoredHeadersExtra(everywhere...))
	if errs = append(errs, more...); len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	if ok, faults := answers.ValidateDocument(); !ok {
		return nil, describe(faults)
	}
	return &Contract{&built.Model, requests, answers}, nil
}

// Exchange is a request and its answer, both with their whole bodies.
type Exchange struct {
	Method, Path, Query string
	RequestHeader       http.Header
	RequestBody         []byte
	Status              int
	Header              http.Header
	Body                []byte
}

// Check tells what of an exchange the description does not allow. A request that was taken must be one the description
// allows; one that was refused need not be. Of an address that the description does not have, the answer must be a problem.
func (c *Contract) Check(x Exchange) error {
	method := x.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	if !c.describes(method, x.Path) {
		if x.Status != http.StatusNotFound && x.Status != http.StatusMethodNotAllowed {
			return fmt.Errorf("%s %s is not described, and answers %d", x.Method, x.Path, x.Status)
		}
		if t := x.Header.Get("Content-Type"); t != "application/problem+json" {
			return fmt.Errorf("%s %s answers %d as %q", x.Method, x.Path, x.Status, t)
		}
		return nil
	}
	var faults []*invalid.ValidationError
	if x.Status < 300 {
		_, faults = c.requests.ValidateHttpRequestSync(x.request(method))
	}
	err := errors.Join(describe(faults), c.checkAnswer(x, method))
	if err != nil {
		return fmt.Errorf("%s %s, answered %d %.500s: %w", x.Method, x.Path, x.Status, x.Body, err)
	}
	return nil
}

// CheckAnswer tells what of an answer to a described method and path the description does not allow. Of the headers only
// those are needed that tell one operation from another; the rest are filled in.
func (c *Contract) CheckAnswer(method, path, status string, header http.Header, body []byte) error {
	code, err := strconv.Atoi(status)
	if err != nil {
		return err
	}
	_, operation := c.find(method, path)
	if operation == nil {
		return fmt.Errorf("%s %s is not described", method, path)
	}
	header = header.Clone()
	for name := range operation.Responses.Codes.GetOrZero(status).Headers.KeysFromOldest() {
		if header.Get(name) == "" && name != "Location" && name != "WWW-Authenticate" {
			header.Set(name, `"1"`)
			if name == "Retry-After" {
				header.Set(name, "1")
			}
		}
	}
	return c.checkAnswer(Exchange{Method: method, Path: path, Status: code, Header: header, Body: body}, method)
}

// request makes the request anew, since checking reads its body.
func (x Exchange) request(method string) *http.Request {
	r := httptest.NewRequest(method, (&url.URL{Path: x.Path, RawQuery: x.Query}).String(), bytes.NewReader(x.RequestBody))
	if x.RequestHeader != nil {
		r.Header = x.RequestHeader.Clone()
	}
	return r
}

// checkAnswer: an answer that is described without content has no body, and neither has one to HEAD.
func (c *Contract) checkAnswer(x Exchange, method string) error {
	if x.Method == http.MethodHead {
		if len(x.Body) > 0 {
			return errors.New("there is a body")
		}
		return nil
	}
	_, operation := c.find(method, x.Path)
	response := operation.Responses.Codes.GetOrZero(fmt.Sprint(x.Status))
	if response != nil && (response.Content == nil || response.Content.Len() == 0) && len(x.Body) > 0 {
		return errors.New("there is a body, described without")
	}
	v := c.answers
	if x.Path == "/openapi.json" { // whose members OpenAPI describes
		v = c.requests
	}
	_, faults := v.ValidateHttpResponse(x.request(method),
		&http.Response{StatusCode: x.Status, Header: x.Header, Body: io.NopCloser(bytes.NewReader(x.Body))})
	return describe(faults)
}

func (c *Contract) describes(method, path string) bool {
	_, operation := c.find(method, path)
	return operation != nil
}

// find gives the described operation of a request, and the template of its path.
func (c *Contract) find(method, path string) (string, *v3.Operation) {
	best, template := (*v3.Operation)(nil), ""
	for name, item := range c.model.Paths.PathItems.FromOldest() {
		operation := item.GetOperations().GetOrZero(strings.ToLower(method))
		if operation != nil && matches(name, path) && (best == nil || strings.Count(name, "{") < strings.Count(template, "{")) {
			best, template = operation, name
		}
	}
	return template, best
}

func matches(template, path string) bool {
	want, got := strings.Split(template, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return false
	}
	for i := range want {
		if variable := strings.HasPrefix(want[i], "{"); !variable && want[i] != got[i] || variable && got[i] == "" {
			return false
		}
	}
	return true
}

func describe(faults []*invalid.ValidationError) error {
	var errs []error
	for _, f := range faults {
		text := f.Message + ": " + f.Reason
		for _, s := range f.SchemaValidationErrors {
			text += "; " + s.FieldPath + " " + s.Reason
		}
		errs = append(errs, errors.New(text))
	}
	return errors.Join(errs...)
}
