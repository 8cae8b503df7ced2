package albato

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"html/template"
	"net/http"
	"slices"
	"sort"
)

// shown is how many requests the page shows.
const shown = 100

//go:embed page.html
var pageSource string

var page = template.Must(template.New("page").Parse(pageSource))

type row struct {
	Request
	Link    string // path and query
	Action  string // of the body, when it has one
	Pretty  string
	Sorted  []header
	Success bool
}

type header struct{ Name, Value string }

func (s *Server) servePage(w http.ResponseWriter) {
	s.mu.Lock()
	newest := slices.Clone(s.requests[max(0, len(s.requests)-shown):])
	total := s.total
	s.mu.Unlock()
	slices.Reverse(newest)
	rows := make([]row, len(newest))
	for i, r := range newest {
		rows[i] = newRow(r)
	}
	var out bytes.Buffer
	if err := page.Execute(&out, map[string]any{"Rows": rows, "Total": total, "Shown": shown}); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(out.Bytes())
}

func newRow(r Request) row {
	out := row{Request: r, Link: r.Path, Pretty: r.Body, Success: r.Status < 300}
	if r.Query != "" {
		out.Link += "?" + r.Query
	}
	var indented bytes.Buffer
	if json.Indent(&indented, []byte(r.Body), "", "  ") == nil {
		out.Pretty = indented.String()
	}
	var body struct{ Action string }
	if json.Unmarshal([]byte(r.Body), &body) == nil {
		out.Action = body.Action
	}
	for name, value := range r.Headers {
		out.Sorted = append(out.Sorted, header{name, value})
	}
	sort.Slice(out.Sorted, func(i, j int) bool { return out.Sorted[i].Name < out.Sorted[j].Name })
	return out
}
