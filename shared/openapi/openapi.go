// Package openapi holds the description of the HTTP API (OpenAPI 3.1). People edit openapi.yaml; what the code knows better
// is filled in when it is rendered.
package openapi

import (
	_ "embed"
	"encoding/json"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/nethouse-academy/albato/shared/event"
)

//go:embed openapi.yaml
var source []byte

// sampleAccount and sampleTime make the samples' events look as the Academy would post them.
const sampleAccount = "academy-1001"

var sampleTime = time.Date(2026, 11, 23, 8, 5, 0, 0, time.UTC)

// Document renders the description as JSON, in the order of the source: with the version, the names of the actions, and the
// catalogue's samples as examples. The error is a fault of the source, which tests find.
func Document(version string) ([]byte, error) {
	var file yaml.Node
	if err := yaml.Unmarshal(source, &file); err != nil {
		return nil, err
	}
	root, err := expand(file.Content[0])
	if err != nil {
		return nil, err
	}
	remove(root, "x-parts") // only there to be referred to
	set(at(root, "info"), "version", text(version))
	var names []string
	posted, sent := mapping(), mapping()
	for _, t := range event.Triggers() {
		name := string(t.Action)
		names = append(names, name)
		e := event.Sample(t.Action, sampleAccount, "sample-"+name, sampleTime)
		set(posted, name, example(t, e.Posted()))
		set(sent, name, example(t, t.Sample))
	}
	set(at(root, "components", "schemas", "Action"), "enum", raw(names))
	set(at(root, "paths", "/v1/events", "post", "requestBody", "content", "application/json"), "examples", posted)
	set(at(root, "webhooks", "delivery", "post", "requestBody", "content", "application/json"), "examples", sent)
	return render(root)
}

func example(t event.Trigger, value []byte) *yaml.Node {
	e := mapping()
	set(e, "summary", text(t.Title))
	set(e, "description", text(t.Description))
	set(e, "value", raw(json.RawMessage(value)))
	return e
}
