package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// report is everything that was measured.
type report struct {
	Machine machine   `json:"machine"`
	Began   time.Time `json:"began"`
	Ended   time.Time `json:"ended"`
	// LoadAfter is the machine's load average of the last minute at the end: over the number of processors, the machine was
	// busy with other things too, or still is with this.
	LoadAfter string    `json:"load_average_after"`
	Figures   []*figure `json:"figures"`

	section string
}

// figure is one measured value: the median of its runs.
type figure struct {
	Section string    `json:"section"`
	Name    string    `json:"name"`
	Unit    string    `json:"unit"`
	Median  float64   `json:"median"`
	Runs    []float64 `json:"runs"`
	Target  *target   `json:"target,omitempty"`
	Met     *bool     `json:"met,omitempty"`
}

// target is what is aimed at.
type target struct {
	Limit   float64 `json:"limit"`
	AtLeast bool    `json:"at_least,omitempty"` // otherwise at most
}

func atMost(limit float64) *target  { return &target{Limit: limit} }
func atLeast(limit float64) *target { return &target{Limit: limit, AtLeast: true} }

func (t *target) met(value float64) bool {
	if t.AtLeast {
		return value >= t.Limit
	}
	return value <= t.Limit
}

// add notes a value of the section that is being measured. t may be nil.
func (r *report) add(name string, value float64, unit string, t *target) {
	i := slices.IndexFunc(r.Figures, func(f *figure) bool { return f.Section == r.section && f.Name == name })
	if i < 0 {
		r.Figures = append(r.Figures, &figure{Section: r.section, Name: name, Unit: unit, Target: t})
		i = len(r.Figures) - 1
	}
	f := r.Figures[i]
	f.Runs = append(f.Runs, rounded(value))
	f.Median = rounded(median(f.Runs))
	if t != nil {
		met := t.met(f.Median)
		f.Met = &met
	}
}

// print writes the figures for people.
func (r *report) print(out io.Writer) {
	m := r.Machine
	fmt.Fprintf(out, "\n%s, %d processors, %s/%s, %s, commit %s\n%s, load average %s before, %s after\n",
		m.Processor, m.Processors, m.OS, m.Arch, m.Go, m.Commit, r.Began.Format("2006-01-02 15:04 MST"), m.LoadBefore, r.LoadAfter)
	section, missed := "", 0
	for _, f := range r.Figures {
		if f.Section != section {
			section = f.Section
			fmt.Fprintf(out, "\n%s\n", section)
		}
		line := fmt.Sprintf("  %-58s %10s %-12s", f.Name, plain(f.Median), f.Unit)
		if len(f.Runs) > 1 {
			line += fmt.Sprintf(" %s–%s", plain(slices.Min(f.Runs)), plain(slices.Max(f.Runs)))
		}
		if f.Target != nil {
			sign := "≤"
			if f.Target.AtLeast {
				sign = "≥"
			}
			line += fmt.Sprintf("   aim %s %s", sign, plain(f.Target.Limit))
			if !*f.Met {
				line += " MISSED"
				missed++
			}
		}
		fmt.Fprintln(out, strings.TrimRight(line, " "))
	}
	fmt.Fprintf(out, "\n%d figures, %d targets missed\n", len(r.Figures), missed)
}

// write writes the report for programs.
func (r *report) write(path string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}

// plain writes a number without an exponent, with as many digits as it has.
func plain(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// rounded keeps four significant digits, and all of a whole number.
func rounded(v float64) float64 {
	if v == 0 || v == math.Trunc(v) || math.IsInf(v, 0) || math.IsNaN(v) {
		return v
	}
	scale := math.Pow(10, 3-math.Floor(math.Log10(math.Abs(v))))
	return math.Round(v*scale) / scale
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	if n == 0 {
		return math.NaN()
	}
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// percentile is the nearest rank: the least value that p percent do not exceed.
func percentile(values []float64, p float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[max(0, int(math.Ceil(p/100*float64(len(sorted))))-1)]
}
