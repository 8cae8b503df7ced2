package main

import (
	"bytes"
	"cmp"
	"fmt"
	"html"
	"math"
	"slices"
	"strings"
)

// point is the latency at one load, in milliseconds.
type point struct{ rate, p50, p95, p99 float64 }

// curve is what the section load has measured for the chart, by load.
func (r *report) curve() []point {
	byRate := map[float64]*point{}
	for _, f := range r.Figures {
		name, kind, ok := strings.Cut(f.Name, ": latency ")
		var rate float64
		if _, err := fmt.Sscanf(name, loadName, &rate); !ok || err != nil {
			continue
		}
		if byRate[rate] == nil {
			byRate[rate] = &point{rate: rate}
		}
		switch p := byRate[rate]; kind {
		case "p50":
			p.p50 = f.Median
		case "p95":
			p.p95 = f.Median
		case "p99":
			p.p99 = f.Median
		}
	}
	var points []point
	for _, p := range byRate {
		points = append(points, *p)
	}
	slices.SortFunc(points, func(a, b point) int { return cmp.Compare(a.rate, b.rate) })
	return points
}

// The chart's size and the place of its plot, in pixels.
const (
	chartWidth, chartHeight = 720.0, 360.0
	plotLeft, plotRight     = 64.0, 690.0
	plotTop, plotBottom     = 56.0, 300.0
)

// lines are the chart's curves; the colours are told apart on white and on black, and by people who see few of them.
var lines = []struct {
	name, colour string
	value        func(point) float64
}{
	{"p99", "#d55e00", func(p point) float64 { return p.p99 }},
	{"p95", "#b08000", func(p point) float64 { return p.p95 }},
	{"p50", "#0072b2", func(p point) float64 { return p.p50 }},
}

// chart draws latency against load as SVG: time by its logarithm, since what matters is how many times longer it takes.
func chart(points []point, m machine) []byte {
	most, low, high := 0.0, math.Inf(1), 0.0
	for _, p := range points {
		most = max(most, p.rate)
		low, high = min(low, p.p50), max(high, p.p50, p.p95, p.p99)
	}
	low, high = math.Pow(10, math.Floor(math.Log10(low))), math.Pow(10, math.Ceil(math.Log10(high)))
	if high <= low {
		high = 10 * low
	}
	x := func(rate float64) float64 { return plotLeft + (plotRight-plotLeft)*rate/most }
	y := func(ms float64) float64 {
		return plotBottom - (plotBottom-plotTop)*math.Log10(ms/low)/math.Log10(high/low)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %g %g" role="img" font-family="system-ui, sans-serif" font-size="13">`+"\n", chartWidth, chartHeight)
	fmt.Fprintf(&b, "<title>Latency from post to receipt against load</title>\n")
	fmt.Fprintf(&b, `<rect width="%g" height="%g" fill="#ffffff"/>`+"\n", chartWidth, chartHeight)
	fmt.Fprintf(&b, `<text x="%g" y="24" font-size="15" font-weight="600">From the Academy's post to the receipt, 100 connections</text>`+"\n", plotLeft)
	fmt.Fprintf(&b, `<text x="%g" y="42" fill="#555555">%s</text>`+"\n", plotLeft, html.EscapeString(fmt.Sprintf("%s, %d processors shared with generator and receiver, commit %s", m.Processor, m.Processors, m.Commit)))
	for ms := low; ms <= high*1.001; ms *= 10 {
		for _, step := range []float64{1, 2, 5} {
			if v := ms * step; v <= high*1.001 {
				fmt.Fprintf(&b, `<line x1="%g" y1="%.1f" x2="%g" y2="%.1f" stroke="#e0e0e0"/>`, plotLeft, y(v), plotRight, y(v))
				fmt.Fprintf(&b, `<text x="%g" y="%.1f" text-anchor="end" fill="#555555">%s</text>`+"\n", plotLeft-8, y(v)+4, plain(rounded(v)))
			}
		}
	}
	fmt.Fprintf(&b, `<text x="%g" y="%g" fill="#555555">ms</text>`+"\n", plotLeft-40, plotTop-14)
	for _, p := range points {
		if p.rate >= most/10 { // the least loads would stand upon each other
			fmt.Fprintf(&b, `<text x="%.1f" y="%g" text-anchor="middle" fill="#555555">%.0f</text>`+"\n", x(p.rate), plotBottom+20, p.rate)
		}
	}
	fmt.Fprintf(&b, `<text x="%g" y="%g" text-anchor="middle" fill="#555555">events a second</text>`+"\n", (plotLeft+plotRight)/2, plotBottom+42)
	for i, l := range lines {
		var path strings.Builder
		for _, p := range points {
			fmt.Fprintf(&path, "%.1f,%.1f ", x(p.rate), y(l.value(p)))
			fmt.Fprintf(&b, `<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>`, x(p.rate), y(l.value(p)), l.colour)
		}
		fmt.Fprintf(&b, `<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/>`, strings.TrimSpace(path.String()), l.colour)
		fmt.Fprintf(&b, `<text x="%g" y="24" text-anchor="end" fill="%s" font-weight="600">%s</text>`+"\n", plotRight-float64(len(lines)-1-i)*44, l.colour, l.name)
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}
