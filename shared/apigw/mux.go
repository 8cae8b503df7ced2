package apigw

import (
	"net/http"
	"slices"
)

// Mux is an http.ServeMux, served by [Routes], that can tell which patterns it has: so the API's description can be held
// against what is really served.
type Mux struct {
	mux      *http.ServeMux
	patterns []string
}

// NewMux gives a Mux without patterns.
func NewMux() *Mux { return &Mux{mux: http.NewServeMux()} }

// Handle is that of http.ServeMux.
func (m *Mux) Handle(pattern string, h http.Handler) {
	m.mux.Handle(pattern, h)
	m.patterns = append(m.patterns, pattern)
}

// HandleFunc is that of http.ServeMux.
func (m *Mux) HandleFunc(pattern string, h http.HandlerFunc) { m.Handle(pattern, h) }

// Patterns lists what was handled, in that order.
func (m *Mux) Patterns() []string { return slices.Clone(m.patterns) }

// ServeHTTP serves as [Routes] does.
func (m *Mux) ServeHTTP(w http.ResponseWriter, r *http.Request) { Routes(m.mux).ServeHTTP(w, r) }
