package main

import (
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/go-json-experiment/json"

	"github.com/nethouse-academy/albato/shared/apigw"
	"github.com/nethouse-academy/albato/shared/event"
	"github.com/nethouse-academy/albato/shared/openapi"
	"github.com/nethouse-academy/albato/shared/problem"
)

const (
	forever   = "public, max-age=31536000, immutable"
	askAgain  = "no-cache" // may be kept, but is asked for each time: the answer is mostly 304
	fiveMins  = "public, max-age=300"
	basicCSP  = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'"
	noInjects = "require-trusted-types-for 'script'; trusted-types 'none'" // the page makes nodes, never markup
)

type handler struct {
	site     site
	csp      string
	version  string
	triggers func() (asset, error)
	openAPI  func() (asset, error)
}

func newHandler(c config) (*handler, error) {
	s, err := newSite(c)
	if err != nil {
		return nil, err
	}
	// What is rarely asked for is not made at the start, which somebody waits for.
	return &handler{site: s, version: c.Version, csp: basicCSP + "; " + noInjects + "; frame-ancestors " + c.FrameAncestors,
		triggers: sync.OnceValues(func() (asset, error) {
			list, err := json.Marshal(map[string]any{"triggers": event.Triggers()})
			return newAsset("triggers.json", list), err
		}),
		openAPI: sync.OnceValues(func() (asset, error) {
			document, err := openapi.Document(c.Version)
			return newAsset("openapi.json", document), err
		})}, nil
}

// routes serves what needs no token. It is also where every address ends that nobody else serves: those are answered
// 404, or 405 with Allow, as problem+json.
func (h *handler) routes() *apigw.Mux {
	mux := apigw.NewMux()
	mux.HandleFunc("GET /page", h.page)
	mux.HandleFunc("GET /page/{version}/{file}", h.file)
	mux.HandleFunc("GET /healthz", noParameters(h.health))
	mux.HandleFunc("GET /v1/triggers", noParameters(generated(h.triggers)))
	mux.HandleFunc("GET /openapi.json", noParameters(generated(h.openAPI)))
	return mux
}

func (h *handler) page(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Security-Policy", h.csp)
	serve(w, r, h.site.page, askAgain)
}

// file serves an asset. One of another version belongs to a page that was opened before a deployment: it gets the
// present file rather than nothing, but must not keep it under that address.
func (h *handler) file(w http.ResponseWriter, r *http.Request) {
	a, ok := h.site.files[r.PathValue("file")]
	if !ok {
		apigw.WriteError(w, r, problem.New(problem.NotFound, ""))
		return
	}
	cache := forever
	if r.PathValue("version") != h.site.version {
		cache = askAgain
	}
	serve(w, r, a, cache)
}

// serve answers with an asset, or 304 to who has it already.
func serve(w http.ResponseWriter, r *http.Request, a asset, cache string) {
	h := w.Header()
	h.Set("Content-Type", a.contentType)
	h.Set("Cache-Control", cache)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Vary", "Accept-Encoding")
	content, tag := a.plain, a.tag
	if takesGzip(r.Header.Get("Accept-Encoding")) {
		if compressed := a.compressed(); compressed != nil {
			content, tag = compressed, a.tag+"-gzip"
			h.Set("Content-Encoding", "gzip")
		}
	}
	tag = `"` + tag + `"`
	h.Set("Etag", tag)
	if has(r.Header.Get("If-None-Match"), tag) {
		h.Del("Content-Type")
		h.Del("Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Length", strconv.Itoa(len(content)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(content)
	}
}

// has reads an If-None-Match header, whose tags are compared weakly (RFC 9110 §13.1.2).
func has(header, tag string) bool {
	for each := range strings.SplitSeq(header, ",") {
		each = strings.TrimSpace(each)
		if each == "*" || strings.TrimPrefix(each, "W/") == tag {
			return true
		}
	}
	return false
}

// takesGzip reads an Accept-Encoding header: gzip is named, and not with the weight 0.
func takesGzip(accept string) bool {
	for each := range strings.SplitSeq(accept, ",") {
		name, weight, _ := strings.Cut(each, ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			value, ok := strings.CutPrefix(strings.TrimSpace(weight), "q=")
			return !ok || strings.Trim(value, "0.") != ""
		}
	}
	return false
}

func (h *handler) health(w http.ResponseWriter, r *http.Request) {
	apigw.WriteJSON(w, r, http.StatusOK, map[string]string{"status": "ok", "version": h.version})
}

// generated serves what is made when it is first asked for.
func generated(document func() (asset, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		a, err := document()
		if err != nil {
			apigw.WriteError(w, r, err)
			return
		}
		serve(w, r, a, fiveMins)
	}
}

// noParameters refuses query parameters by name, as every route of the API does. Only the page takes them: others add
// theirs to its address.
func noParameters(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if _, err := apigw.Query(r); err != nil {
			apigw.WriteError(w, r, err)
			return
		}
		next(w, r)
	}
}
