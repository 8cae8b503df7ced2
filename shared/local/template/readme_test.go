package template_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

var update = flag.Bool("update", false, "write the README's table of parameters anew")

const (
	tableBegin = "<!-- parameters -->\n"
	tableEnd   = "<!-- /parameters -->"
)

// TestREADMEListsTheParameters keeps the README's table what the template says: `go test ./shared/local/template -update`.
func TestREADMEListsTheParameters(t *testing.T) {
	root := filepath.Join("..", "..", "..")
	raw, err := os.ReadFile(filepath.Join(root, "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Parameters yaml.Node `yaml:"Parameters"` // untagged names are looked for in lower case
	}
	if err := yaml.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	table.WriteString("| parameter | default | what it is |\n|---|---|---|\n")
	for i := 0; i+1 < len(doc.Parameters.Content); i += 2 {
		var p struct {
			Default     string `yaml:"Default"`
			Description string `yaml:"Description"`
		}
		if err := doc.Parameters.Content[i+1].Decode(&p); err != nil {
			t.Fatal(err)
		}
		if p.Description == "" {
			t.Errorf("%s has no description", doc.Parameters.Content[i].Value)
		}
		value := ""
		if p.Default != "" {
			value = "`" + p.Default + "`"
		}
		fmt.Fprintf(&table, "| `%s` | %s | %s |\n", doc.Parameters.Content[i].Value, value, strings.ReplaceAll(p.Description, "|", `\|`))
	}
	if len(doc.Parameters.Content) < 20 {
		t.Fatalf("the template has only %d parameters", len(doc.Parameters.Content)/2)
	}
	path := filepath.Join(root, "README.md")
	readme, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(readme), tableBegin)
	found, tail, closed := strings.Cut(rest, tableEnd)
	if !ok || !closed {
		t.Fatal("the README has no table of parameters")
	}
	if found == table.String() {
		return
	}
	if !*update {
		t.Fatalf("the README's table differs from the template; run this test with -update. It should be:\n%s", table.String())
	}
	if err := os.WriteFile(path, []byte(head+tableBegin+table.String()+tableEnd+tail), 0o644); err != nil {
		t.Fatal(err)
	}
}
