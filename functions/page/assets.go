package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
	"io/fs"
	"path"
	"strings"
	"sync"

	"github.com/nethouse-academy/albato/shared/webhook/verify"
)

//go:embed assets
var embedded embed.FS

const (
	document = "index.html"
	entry    = "main.js"
)

// contentTypes are set by us: what the machine's own table says of .js differs from place to place.
var contentTypes = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
	".json": "application/json",
}

// snippet is code that the page offers to copy. It is no part of the page: only who asks for it loads it.
type snippet struct{ Language, File, source string }

// snippets check the signature of a delivery.
func snippets() []snippet {
	return []snippet{
		{"Go", "verify.go", verify.Go}, {"Node", "verify.mjs", verify.Node},
		{"Python", "verify.py", verify.Python}, {"PHP", "verify.php", verify.PHP},
	}
}

// asset is one file as it is sent.
type asset struct {
	plain       []byte
	compressed  func() []byte // with gzip; nil when that would not be smaller
	contentType string
	tag         string // of the content, without quotes
}

// newAsset compresses once, since an HTTP API does not, and a third of the bytes opens the page sooner on a slow line; and
// when the file is first asked for, since somebody waits for the start, which would take five times as long.
func newAsset(name string, content []byte) asset {
	sum := sha256.Sum256(content)
	return asset{plain: content, contentType: contentTypes[path.Ext(name)], tag: hex.EncodeToString(sum[:12]),
		compressed: sync.OnceValue(func() []byte {
			var b bytes.Buffer
			z := gzip.NewWriter(&b)
			_, _ = z.Write(content) // a buffer takes everything
			_ = z.Close()
			if b.Len() >= len(content) {
				return nil
			}
			return b.Bytes()
		})}
}

// site is the page and what it loads.
type site struct {
	page    asset
	files   map[string]asset // by file name, without the page itself
	version string           // of all files together: part of their addresses, so that these may be kept for ever
}

// newSite reads the embedded files and fills in the page. Modules import each other by relative address, so all of one
// version load each other, and a page that is open during a deployment never mixes two.
func newSite(c config) (site, error) {
	s := site{files: map[string]asset{}}
	entries, err := fs.ReadDir(embedded, "assets")
	if err != nil {
		return s, err
	}
	var source []byte
	var modules []string
	all := sha256.New()
	for _, e := range entries { // in the order of names, so the version is the same everywhere
		content, err := embedded.ReadFile("assets/" + e.Name())
		if err != nil {
			return s, err
		}
		if e.Name() == document {
			source = content
			continue
		}
		all.Write(content)
		s.files[e.Name()] = newAsset(e.Name(), content)
		if path.Ext(e.Name()) == ".js" && e.Name() != entry {
			modules = append(modules, e.Name())
		}
	}
	for _, each := range snippets() {
		all.Write([]byte(each.source))
		a := newAsset(each.File, []byte(each.source))
		a.contentType = "text/plain; charset=utf-8" // to be read, not to be run
		s.files[each.File] = a
	}
	s.version = hex.EncodeToString(all.Sum(nil)[:8])
	t, err := template.New(document).Parse(string(source))
	if err != nil {
		return s, err
	}
	var filled bytes.Buffer
	if err := t.Execute(&filled, map[string]any{
		"Assets":          "page/" + s.version + "/", // relative: right under any prefix
		"Modules":         modules,
		"Snippets":        snippets(),
		"Hosts":           strings.Join(c.hosts(), " "),
		"RegistrationURL": c.RegistrationURL,
	}); err != nil {
		return s, err
	}
	s.page = newAsset(document, filled.Bytes())
	return s, nil
}
