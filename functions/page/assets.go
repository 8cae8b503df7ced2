package main

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
	"io/fs"
	"path"
	"strings"
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
}

// asset is one file as it is sent.
type asset struct {
	content     []byte
	contentType string
	etag        string
}

func newAsset(name string, content []byte) asset {
	sum := sha256.Sum256(content)
	return asset{content: content, contentType: contentTypes[path.Ext(name)], etag: `"` + hex.EncodeToString(sum[:12]) + `"`}
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
	s.version = hex.EncodeToString(all.Sum(nil)[:8])
	t, err := template.New(document).Parse(string(source))
	if err != nil {
		return s, err
	}
	var filled bytes.Buffer
	err = t.Execute(&filled, map[string]any{
		"Assets":          "page/" + s.version + "/", // relative: right under any prefix
		"Modules":         modules,
		"Hosts":           strings.Join(c.hosts(), " "),
		"RegistrationURL": c.RegistrationURL,
	})
	s.page = newAsset(document, filled.Bytes())
	return s, err
}
