package contract

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// Suite holds one function's routes against the description: that they are the same, and that each does what every route
// must do.
type Suite struct {
	Serves func(path string) bool // whether a described path is this function's
	// World gives a handler that is ready for each of the paths, and what the {names} in them stand for.
	World func(t *testing.T) (h http.Handler, values map[string]string)
	// Patterns are those of the function's ServeMux.
	Patterns []string
	// Authorization is that of a caller who may call all of them.
	Authorization string
	// Free tells which paths take any query parameter.
	Free func(path string) bool
}

// operation is what the suite needs of the description.
type operation struct {
	method, path string
	examples     map[string]json.RawMessage // of the request; nil when it takes no body
	open         bool                       // without token
}

func (c *Contract) operations(t *testing.T, serves func(string) bool) (all []operation) {
	t.Helper()
	for path, item := range c.model.Paths.PathItems.FromOldest() {
		if !serves(path) {
			continue
		}
		for method, o := range item.GetOperations().FromOldest() {
			one := operation{method: strings.ToUpper(method), path: path, open: o.Security != nil && len(o.Security) == 0}
			if o.RequestBody != nil {
				one.examples = map[string]json.RawMessage{}
				for name, e := range o.RequestBody.Content.GetOrZero("application/json").Examples.FromOldest() {
					var value any
					if err := e.Value.Decode(&value); err != nil {
						t.Fatal(err)
					}
					text, err := json.Marshal(value)
					if err != nil {
						t.Fatal(err)
					}
					one.examples[name] = text
				}
				if len(one.examples) == 0 {
					t.Errorf("%s %s takes a body, and there is no example of it", one.method, path)
				}
			}
			all = append(all, one)
		}
	}
	if len(all) == 0 {
		t.Fatal("the function serves nothing that is described")
	}
	return all
}

// Run runs the suite; every exchange in it is checked against the description too.
func (s Suite) Run(t *testing.T) {
	c := Load(t)
	operations := c.operations(t, s.Serves)
	t.Run("routes", func(t *testing.T) {
		var described []string
		for _, o := range operations {
			described = append(described, o.method+" "+o.path)
		}
		for _, p := range s.Patterns {
			if !slices.Contains(described, p) {
				t.Errorf("%s is served and not described", p)
			}
		}
		for _, p := range described {
			if !slices.Contains(s.Patterns, p) {
				t.Errorf("%s is described and not served", p)
			}
		}
	})
	for _, o := range operations {
		t.Run(o.method+" "+o.path, func(t *testing.T) {
			s.examples(t, c, o)
			s.refusals(t, c, o)
		})
	}
}

// examples: every example of a request is taken, and every operation that takes none succeeds.
func (s Suite) examples(t *testing.T, c *Contract, o operation) {
	bodies := maps.Clone(o.examples)
	if bodies == nil {
		bodies = map[string]json.RawMessage{"": nil}
	}
	for name, body := range bodies {
		t.Run("example "+name, func(t *testing.T) {
			if rec := s.call(t, c, o, o.method, "", body, s.Authorization); rec.Code >= 300 {
				t.Errorf("%d %s", rec.Code, rec.Body)
			}
		})
	}
	if o.method == http.MethodGet {
		t.Run("HEAD", func(t *testing.T) {
			get, head := s.call(t, c, o, "GET", "", nil, s.Authorization), s.call(t, c, o, "HEAD", "", nil, s.Authorization)
			if head.Code != get.Code || head.Header().Get("Content-Type") != get.Header().Get("Content-Type") {
				t.Errorf("GET %d %v, HEAD %d %v", get.Code, get.Header(), head.Code, head.Header())
			}
			tag := get.Header().Get("ETag")
			if strings.HasPrefix(o.path, "/v1/accounts/") || tag == "" {
				return
			}
			if again := s.call(t, c, o, "GET", "", nil, s.Authorization, "If-None-Match", tag); again.Code != http.StatusNotModified {
				t.Errorf("with its own tag: %d", again.Code)
			}
		})
	}
}

// refusals: a strange caller, method, query parameter and body field.
func (s Suite) refusals(t *testing.T, c *Contract, o operation) {
	var body json.RawMessage
	for _, b := range o.examples {
		body = b
	}
	if !o.open {
		t.Run("without token", func(t *testing.T) {
			if rec := s.call(t, c, o, o.method, "", body, ""); rec.Code != http.StatusUnauthorized || rec.Header().Get("WWW-Authenticate") != "Bearer" {
				t.Errorf("%d %v", rec.Code, rec.Header())
			}
		})
	}
	t.Run("another method", func(t *testing.T) {
		rec := s.call(t, c, o, "TRACE", "", nil, s.Authorization)
		if rec.Code != http.StatusMethodNotAllowed || rec.Header().Get("Allow") != s.methods(o.path) {
			t.Errorf("%d, Allow %q, want %q", rec.Code, rec.Header().Get("Allow"), s.methods(o.path))
		}
	})
	if s.Free == nil || !s.Free(o.path) {
		t.Run("unknown parameter", func(t *testing.T) {
			s.refused(t, s.call(t, c, o, o.method, "nonsense=1", body, s.Authorization))
		})
	}
	if o.examples != nil {
		t.Run("unknown field", func(t *testing.T) {
			var fields map[string]json.RawMessage
			if err := json.Unmarshal(body, &fields); err != nil {
				t.Fatal(err)
			}
			fields["nonsense"] = json.RawMessage("1")
			wrong, err := json.Marshal(fields)
			if err != nil {
				t.Fatal(err)
			}
			s.refused(t, s.call(t, c, o, o.method, "", wrong, s.Authorization))
		})
	}
}

// refused wants a 422 that names the stranger.
func (s Suite) refused(t *testing.T, rec *httptest.ResponseRecorder) {
	t.Helper()
	var problem struct{ Errors []struct{ Field string } }
	if err := json.Unmarshal(rec.Body.Bytes(), &problem); err != nil || rec.Code != http.StatusUnprocessableEntity {
		t.Fatalf("%d %s, %v", rec.Code, rec.Body, err)
	}
	if len(problem.Errors) != 1 || problem.Errors[0].Field != "nonsense" {
		t.Errorf("%s", rec.Body)
	}
}

// methods is what Allow must say of a path.
func (s Suite) methods(path string) string {
	var all []string
	for _, p := range s.Patterns {
		method, at, _ := strings.Cut(p, " ")
		if at == path {
			all = append(all, method)
			if method == http.MethodGet {
				all = append(all, http.MethodHead)
			}
		}
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// call makes a request of an operation in a world of its own.
func (s Suite) call(t *testing.T, c *Contract, o operation, method, query string, body json.RawMessage, authorization string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	h, values := s.World(t)
	path := o.path
	for name, value := range values {
		path = strings.ReplaceAll(path, "{"+name+"}", value)
	}
	if query != "" {
		path += "?" + query
	}
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(string(body)))
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	rec := httptest.NewRecorder()
	c.Wrap(t, h).ServeHTTP(rec, r)
	return rec
}
