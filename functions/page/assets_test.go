package main

import (
	"io/fs"
	"regexp"
	"strings"
	"testing"
)

func readAssets(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := fs.WalkDir(embedded, "assets", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := embedded.ReadFile(path)
		all[strings.TrimPrefix(path, "assets/")] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 10 {
		t.Fatalf("only %d assets", len(all))
	}
	return all
}

// The page is to open at once on a slow line: all of it together, uncompressed, stays under 60 kB.
func TestAssetsAreSmall(t *testing.T) {
	total := 0
	for _, content := range readAssets(t) {
		total += len(content)
	}
	if total >= 60_000 {
		t.Errorf("the assets are %d bytes", total)
	}
	t.Logf("%d bytes", total)
}

// What the policy of the page would block, or what would undo its purpose, is not written in the first place.
func TestAssetsKeepToThePolicy(t *testing.T) {
	forbidden := map[string]*regexp.Regexp{
		"an inline script":       regexp.MustCompile(`(?i)<script(?:\s[^>]*)?>[^<]`),
		"a script without src":   regexp.MustCompile(`(?i)<script>|<script type=module>`),
		"an inline style":        regexp.MustCompile(`(?i)<style|\sstyle=|'style',|cssText`),
		"an inline handler":      regexp.MustCompile(`(?i)<[^>]+\son[a-z]+=`),
		"a script address":       regexp.MustCompile(`(?i)javascript:`),
		"markup from a string":   regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|createContextualFragment`),
		"code from a string":     regexp.MustCompile(`\beval\(|new Function\(|setTimeout\(['"]`),
		"an import from outside": regexp.MustCompile(`(?:from|import\()\s*['"][^.]`),
		"a style from outside":   regexp.MustCompile(`@import|url\(`),
	}
	outside := regexp.MustCompile(`(?:https?:)?//[A-Za-z0-9-]+\.[A-Za-z]+[^\s"'<>]*`)
	for name, content := range readAssets(t) {
		for what, pattern := range forbidden {
			if found := pattern.FindString(content); found != "" {
				t.Errorf("%s has %s: %q", name, what, found)
			}
		}
		for _, found := range outside.FindAllString(content, -1) {
			if name != "icon.svg" || found != "http://www.w3.org/2000/svg" { // a name, not an address that is loaded
				t.Errorf("%s names another site: %s", name, found)
			}
		}
	}
}

var (
	imports  = regexp.MustCompile(`(?s)import \{([^}]*)\} from '\./([a-z]+\.js)'`)
	exported = regexp.MustCompile(`(?m)^export (?:async )?(?:const|let|function|class) (\$|\w+)`)
	parts    = regexp.MustCompile(`data-ref=([A-Za-z0-9]+)`)
)

// Nothing else would notice a wrong name before a browser does.
func TestModulesFitTogether(t *testing.T) {
	all := readAssets(t)
	exports := map[string]map[string]bool{}
	for name, content := range all {
		exports[name] = map[string]bool{}
		for _, m := range exported.FindAllStringSubmatch(content, -1) {
			exports[name][m[1]] = false
		}
	}
	for name, content := range all {
		for _, m := range imports.FindAllStringSubmatch(content, -1) {
			for what := range strings.SplitSeq(m[1], ",") {
				what = strings.TrimSpace(what)
				if _, ok := exports[m[2]][what]; !ok {
					t.Errorf("%s imports %s, which %s does not export", name, what, m[2])
					continue
				}
				exports[m[2]][what] = true
				if strings.Count(content, what) < 2 {
					t.Errorf("%s imports %s and does not use it", name, what)
				}
			}
		}
	}
	for name, names := range exports {
		for what, used := range names {
			if !used {
				t.Errorf("%s exports %s, which nobody imports", name, what)
			}
		}
	}
	var scripts strings.Builder
	for name, content := range all {
		if strings.HasSuffix(name, ".js") {
			scripts.WriteString(content)
		}
	}
	for _, m := range parts.FindAllStringSubmatch(all[document], -1) {
		if !regexp.MustCompile(`\b` + m[1] + `\b`).MatchString(scripts.String()) {
			t.Errorf("no module uses the part %s", m[1])
		}
	}
}
