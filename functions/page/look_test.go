//go:build browser

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// look examines the page as it stands: a picture at two widths, light and dark; nothing sticks out at the narrowest
// screens; and no serious finding of axe-core in either theme.
func (b *tab) look(name string) {
	b.Helper()
	for _, theme := range []string{"light", "dark"} {
		call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: theme}, {Name: "prefers-reduced-motion", Value: "reduce"},
		}})
		for _, width := range []int64{320, 375, 1280} {
			b.resize(width, 800)
			if over := evaluate[string](b, sticksOut); over != "" {
				b.Errorf("%s at %d px: %s", name, width, over)
			}
			if width == 320 {
				continue
			}
			b.resize(width, min(4000, evaluate[int64](b, "Math.max(800, document.documentElement.scrollHeight)")))
			b.shoot(fmt.Sprintf("%s-%d-%s", name, width, theme))
			b.axe(fmt.Sprintf("%s at %d px, %s", name, width, theme))
		}
	}
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{})
	b.resize(1280, 800)
}

const sticksOut = `(() => {
	const width = document.documentElement.clientWidth;
	if (document.documentElement.scrollWidth <= width) return '';
	return [...document.querySelectorAll('body *')].filter(e => e.checkVisibility() && e.getBoundingClientRect().right > width + 1)
		.map(e => e.outerHTML.slice(0, 80)).slice(0, 3).join(' | ') || 'wider than the screen';
})()`

// layoutShift is the page's cumulative layout shift so far (https://web.dev/articles/cls).
const layoutShift = `new Promise(done => {
	let sum = 0;
	new PerformanceObserver(seen => seen.getEntries().forEach(e => sum += e.hadRecentInput ? 0 : e.value)).observe({type: 'layout-shift', buffered: true});
	setTimeout(() => done(sum), 200);
})`

// axe runs axe-core (https://github.com/dequelabs/axe-core), which the Makefile fetches.
func (b *tab) axe(where string) {
	b.Helper()
	source, err := os.ReadFile(filepath.Join(output, "axe.min.js"))
	if err != nil {
		b.Fatal("axe-core is not there (`make test-page` fetches it): ", err)
	}
	if !evaluate[bool](b, "'axe' in window") {
		b.do(chromedp.Evaluate[chromedp.Void](string(source)))
	}
	type finding struct {
		ID, Impact, Help string
		Nodes            []struct{ HTML, FailureSummary string }
	}
	for _, f := range evaluate[[]finding](b, `axe.run(document, {resultTypes: ['violations'], runOnly: {type: 'tag', values:
		['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}}).then(r => r.violations.map(v => ({ID: v.id, Impact: v.impact,
		Help: v.help, Nodes: v.nodes.map(n => ({HTML: n.html, FailureSummary: n.failureSummary}))})))`) {
		var nodes strings.Builder
		for _, n := range f.Nodes[:min(3, len(f.Nodes))] {
			fmt.Fprintf(&nodes, "\n\t%.200s\n\t%s", n.HTML, strings.ReplaceAll(n.FailureSummary, "\n", "\n\t"))
		}
		if f.Impact == "serious" || f.Impact == "critical" {
			b.Errorf("%s: %s (%s): %s%s", where, f.ID, f.Impact, f.Help, nodes.String())
		} else {
			b.Logf("%s: %s (%s): %s%s", where, f.ID, f.Impact, f.Help, nodes.String())
		}
	}
}
