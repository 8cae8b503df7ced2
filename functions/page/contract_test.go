package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/nethouse-academy/albato/shared/event"
	"github.com/nethouse-academy/albato/shared/openapi/contract"
)

func TestRoutesAreAsDescribed(t *testing.T) {
	h, err := newHandler(testConfig)
	if err != nil {
		t.Fatal(err)
	}
	isPage := func(path string) bool { return strings.HasPrefix(path, "/page") }
	contract.Suite{
		Serves: func(path string) bool {
			return !strings.HasPrefix(path, "/v1/accounts/") && path != "/v1/events"
		},
		Patterns: h.routes().Patterns(),
		Free:     isPage,
		World: func(*testing.T) (http.Handler, map[string]string) {
			return h.routes(), map[string]string{"version": h.site.version, "file": "main.js"}
		},
	}.Run(t)
}

func TestOpenAPIDocument(t *testing.T) {
	r := serveTest(t, testConfig, http.MethodGet, "/openapi.json")
	var document struct {
		OpenAPI    string
		Info       struct{ Version string }
		Components struct {
			Schemas struct{ Action struct{ Enum []event.Action } }
		}
	}
	if err := json.Unmarshal([]byte(body(t, r)), &document); err != nil {
		t.Fatal(err)
	}
	if document.OpenAPI != "3.1.0" || document.Info.Version != "v1.2.3" || len(document.Components.Schemas.Action.Enum) != len(event.Triggers()) {
		t.Errorf("%+v", document)
	}
	if r.Header.Get("Content-Type") != "application/json" || r.Header.Get("Cache-Control") != fiveMins {
		t.Errorf("%v", r.Header)
	}
}

func TestConditionalRequests(t *testing.T) {
	tag := serveTest(t, testConfig, http.MethodGet, "/v1/triggers").Header.Get("Etag")
	for header, status := range map[string]int{
		"": 200, tag: 304, "W/" + tag: 304, `"other", ` + tag: 304, "*": 304, `"other"`: 200, strings.Trim(tag, `"`): 200,
	} {
		r := serveTest(t, testConfig, http.MethodGet, "/v1/triggers", "If-None-Match", header)
		if text := body(t, r); r.StatusCode != status || r.Header.Get("Etag") != tag || (text == "") != (status == 304) {
			t.Errorf("%q: %d with %d bytes, tag %s", header, r.StatusCode, len(text), r.Header.Get("Etag"))
		}
	}
	// A part of a file, or one on another condition, is not served: it is sent whole.
	for _, header := range []string{"Range", "If-Match", "If-Unmodified-Since"} {
		if r := serveTest(t, testConfig, http.MethodGet, "/v1/triggers", header, "bytes=0-1"); r.StatusCode != 200 {
			t.Errorf("%s: %s", header, r.Status)
		}
	}
}
