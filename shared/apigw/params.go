package apigw

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/nethouse-academy/albato/shared/problem"
)

// Query returns the query parameters if they are all among the allowed names and none is given
// twice; otherwise a 422 that names every wrong one, or a 400 for a query that cannot be parsed.
func Query(r *http.Request, allowed ...string) (url.Values, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, malformed("the query string is not valid")
	}
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names)
	var wrong problem.Fields
	for _, name := range names {
		switch {
		case !slices.Contains(allowed, name):
			wrong.Add(shorten(name), "there is no such parameter")
		case len(values[name]) > 1:
			wrong.Add(name, "is given more than once")
		}
	}
	return values, wrong.Err()
}

// IfMatch returns the version that the If-Match header demands. present is false without the
// header and for "*", which any existing object matches. Weak tags count like strong ones, since
// a proxy that compresses answers may have weakened ours. Anything but one tag made by [ETag] is
// a 400.
func IfMatch(r *http.Request) (version int64, present bool, err error) {
	values := r.Header.Values("If-Match")
	if len(values) == 0 {
		return 0, false, nil
	}
	tag := strings.TrimSpace(values[0])
	if tag == "*" && len(values) == 1 {
		return 0, false, nil
	}
	quoted, _ := strings.CutPrefix(tag, "W/")
	digits, ok := strings.CutPrefix(quoted, `"`)
	digits, closed := strings.CutSuffix(digits, `"`)
	version, perr := strconv.ParseInt(digits, 10, 64)
	if !ok || !closed || perr != nil || ETag(version) != quoted || version < 0 || len(values) > 1 {
		return 0, false, malformed(`If-Match must be one version in quotes, such as "3"`)
	}
	return version, true, nil
}

// ETag is the entity tag of an object's version.
func ETag(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }
