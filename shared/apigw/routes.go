package apigw

import (
	"net/http"
	"path"
	"strings"

	"github.com/nethouse-academy/albato/shared/problem"
)

// Routes serves mux with two changes: what matches no pattern is answered as problem+json (404, or
// 405 with the Allow header that ServeMux made), and a path that ServeMux would clean and redirect
// is simply not found, since no client of an API follows such a redirect with its body.
func Routes(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isClean(r.URL.Path) {
			WriteError(w, r, problem.New(problem.NotFound, ""))
			return
		}
		mux.ServeHTTP(&unmatched{ResponseWriter: w, r: r}, r)
	})
}

func isClean(p string) bool {
	return strings.HasPrefix(p, "/") && (path.Clean(p) == p || path.Clean(p)+"/" == p)
}

// unmatched replaces the plain-text answers that ServeMux gives itself. They are told from a
// handler's own by the request's pattern, which ServeMux sets only when one matched.
type unmatched struct {
	http.ResponseWriter
	r        *http.Request
	replaced bool
}

// Unwrap lets http.ResponseController reach the real writer.
func (w *unmatched) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader answers in place of ServeMux.
func (w *unmatched) WriteHeader(status int) {
	if w.r.Pattern != "" {
		w.ResponseWriter.WriteHeader(status)
		return
	}
	w.replaced = true
	e := problem.New(problem.NotFound, "")
	if status == http.StatusMethodNotAllowed {
		e = &problem.Error{Code: problem.InvalidRequest, Status: status,
			Detail: "This address does not take the method " + methodName(w.r.Method) + "."}
	}
	WriteError(w.ResponseWriter, w.r, e)
}

// Write drops the text of an answer that was replaced.
func (w *unmatched) Write(b []byte) (int, error) {
	if w.replaced {
		return len(b), nil
	}
	return w.ResponseWriter.Write(b)
}

// methodName does not repeat what a stranger made up.
func methodName(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
		http.MethodDelete, http.MethodOptions, http.MethodTrace, http.MethodConnect:
		return m
	}
	return "of this request"
}
