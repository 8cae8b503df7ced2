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
