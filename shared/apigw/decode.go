package apigw

import (
	"bytes"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/nethouse-academy/albato/shared/problem"
)

// Body reads a JSON body of at most limit bytes without parsing it. The error is a 415 for another
// content type than application/json (in UTF-8), or a 413.
func Body(r *http.Request, limit int64) ([]byte, error) {
	if err := checkType(r.Header); err != nil {
		return nil, err
	}
	return read(r, limit)
}

// Decode reads a JSON body of at most limit bytes into the struct v points to.
//
// Errors: 415 another content type; 413 too large; 400 not JSON, more than one value, invalid
// UTF-8, a name twice in one object, nested too deep ([strictjson]); 422 well-formed but not what v
// takes, with every unknown and every mistyped field named. A null is as good as an absent field.
func Decode(r *http.Request, limit int64, v any) error {
	b, err := Body(r, limit)
	if err != nil {
		return err
	}
	return Unmarshal(b, v)
}

// DecodeOptional is Decode for a body that may be left out: v then stays as it is.
func DecodeOptional(r *http.Request, limit int64, v any) error {
	b, err := read(r, limit)
	if err != nil || len(bytes.TrimSpace(b)) == 0 {
		return err
	}
	if err := checkType(r.Header); err != nil {
		return err
	}
	return Unmarshal(b, v)
}

func read(r *http.Request, limit int64) ([]byte, error) {
	if r.ContentLength > limit {
		return nil, tooLarge()
	}
	if r.ContentLength >= 0 { // always known behind API Gateway: one allocation instead of several
		b := make([]byte, r.ContentLength)
		if _, err := io.ReadFull(r.Body, b); err != nil {
			return nil, malformed("the body could not be read")
		}
		return b, nil
	}
	b, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	switch {
	case err != nil:
		return nil, malformed("the body could not be read")
	case int64(len(b)) > limit:
		return nil, tooLarge()
	}
	return b, nil
}

func tooLarge() error { return problem.New(problem.PayloadTooLarge, "") }

// checkType takes plain JSON in UTF-8; a compressed body is one more 415 (RFC 9110 §15.5.16).
func checkType(h http.Header) error {
	unsupported := func(detail string) error {
		return &problem.Error{Code: problem.InvalidRequest, Status: http.StatusUnsupportedMediaType, Detail: detail}
	}
	if e := h.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return unsupported("the body must not be compressed")
	}
	value := h.Get("Content-Type")
	if value == "application/json" { // by far the most frequent, and mime allocates
		return nil
	}
	t, params, err := mime.ParseMediaType(value)
	charset, named := params["charset"]
	if err != nil || t != "application/json" || named && !strings.EqualFold(charset, "utf-8") {
		return unsupported("the content type must be application/json in UTF-8")
	}
	return nil
}
