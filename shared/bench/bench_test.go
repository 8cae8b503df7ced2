package main

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"io"
	"math"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nethouse-academy/albato/shared/bench/cputime"
	"github.com/nethouse-academy/albato/shared/event"
	"github.com/nethouse-academy/albato/shared/local/localtest"
	"github.com/nethouse-academy/albato/shared/local/template"
)

func TestPercentilesAndMedians(t *testing.T) {
	values := []float64{40, 10, 30, 20} // in any order
	for p, want := range map[float64]float64{0: 10, 25: 10, 26: 20, 50: 20, 75: 30, 76: 40, 99: 40, 100: 40} {
		if got := percentile(values, p); got != want {
			t.Errorf("p%v = %v, want %v", p, got, want)
		}
	}
	if got := median(values); got != 25 {
		t.Errorf("median = %v", got)
	}
	if got := median(values[:3]); got != 30 {
		t.Errorf("median of three = %v", got)
	}
	if !math.IsNaN(percentile(nil, 50)) || !math.IsNaN(median(nil)) {
		t.Error("nothing has a percentile")
	}
	for v, want := range map[float64]float64{0: 0, 1234567: 1234567, 12345.678: 12350, 0.00123456: 0.001235, -12.3456: -12.35} {
		if got := rounded(v); got != want {
			t.Errorf("rounded(%v) = %v, want %v", v, got, want)
		}
	}
}

func TestFiguresOfSeveralRunsBecomeOne(t *testing.T) {
	var r report
	r.section = "load"
	for _, v := range []float64{900, 1500, 1600} {
		r.add("delivered", v, "events/s", atLeast(1400))
		r.add("CPU", v, "ms", atMost(1000))
	}
	r.section = "cold"
	r.add("delivered", 1, "events/s", nil) // the same name elsewhere is another figure
	if len(r.Figures) != 3 || r.Figures[0].Median != 1500 || !*r.Figures[0].Met || *r.Figures[1].Met || r.Figures[2].Met != nil {
		t.Errorf("%+v", r.Figures)
	}
	var out bytes.Buffer
	r.print(&out)
	for _, want := range []string{"900–1600   aim ≥ 1400\n", "aim ≤ 1000 MISSED\n", "3 figures, 1 targets missed"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q does not stand in:\n%s", want, out.String())
		}
	}
	path := filepath.Join(t.TempDir(), "result.json")
	if err := r.write(path); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var again report
	if err := json.Unmarshal(text, &again); err != nil || len(again.Figures) != 3 || !slices.Equal(again.Figures[0].Runs, []float64{900, 1500, 1600}) {
		t.Errorf("%s, %v", text, err)
	}
}

func TestSections(t *testing.T) {
	chosen, err := choose("calls,cold") // in the program's order
	if err != nil || len(chosen) != 2 || chosen[0].name != "cold" || chosen[1].name != "calls" {
		t.Errorf("%v, %v", chosen, err)
	}
	for _, list := range []string{"", "cold,warm", "cold,cold"} {
		if _, err := choose(list); err == nil {
			t.Errorf("%q was taken", list)
		}
	}
}

func TestBenchmarkOutput(t *testing.T) {
	out := []byte("goos: linux\nBenchmarkSenderSlowly-2  1  9 ns/op\nBenchmarkSender-2   \t 1479\t 800000 ns/op\t 83619.5 cpu-ns/delivery\t 152 allocs/delivery\nPASS\n")
	got := benchmarkLine(out, "BenchmarkSender")
	if len(got) != 3 || got["ns/op"] != 800000 || got["cpu-ns/delivery"] != 83619.5 || got["allocs/delivery"] != 152 {
		t.Errorf("%v", got)
	}
}

// TestEventsAreWhatTheAcademyPosts: the intake takes them, and they name themselves.
func TestEventsAreWhatTheAcademyPosts(t *testing.T) {
	b := newBatch("a-b", 3, tenant{"one", "con_1"}, tenant{"two", "con_2"})
	for n, body := range b.bodies {
		e, err := event.Parse(body)
		if err != nil || e.AccountID != b.tenants[n%2].account || len(body) < 1200 || len(body) > 1600 {
			t.Fatalf("%v, %s", err, body)
		}
		if name, number, ok := eventOf(e.ID); !ok || name != "a-b" || number != n {
			t.Errorf("%s is event %d of %s, %t", e.ID, number, name, ok)
		}
	}
	for _, id := range []string{"", "bench-", "bench-a", "bench-a-x", "bench-a--", "other-a-1"} {
		if name, n, ok := eventOf(id); ok {
			t.Errorf("%q is event %d of %q", id, n, name)
		}
	}
}

func TestTheReceiverTakesTime(t *testing.T) {
	r, err := newReceiver()
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	b := newBatch("x", 2, tenant{account: "one"})
	r.expect(b)
	post := func(kind, body string) int {
		t.Helper()
		res, err := http.Post(r.url+"/"+kind+"/one/", "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		_, _ = io.Copy(io.Discard, res.Body)
		return res.StatusCode
	}
	for _, tt := range []struct {
		kind, body    string
		status        int
		unique, extra int64
	}{
		{"down", `{"id":"bench-x-0"}`, 500, 0, 0},
		{"ok", `{"id":"bench-x-0","action":"order_update"}`, 200, 1, 0},
		{"ok", `{"id":"bench-x-0"}`, 200, 1, 1},
		{"ok", `{"id":"bench-x-2"}`, 404, 1, 1}, // there are two
		{"ok", `{"id":"bench-y-0"}`, 404, 1, 1},
		{"ok", `{}`, 404, 1, 1},
		{"ok", `{"id":"bench-x-1"}`, 200, 2, 1},
	} {
		if got := post(tt.kind, tt.body); got != tt.status || b.unique.Load() != tt.unique || b.extra.Load() != tt.extra {
			t.Errorf("%s %s: %d, %d arrived, %d again", tt.kind, tt.body, got, b.unique.Load(), b.extra.Load())
		}
	}
	select {
	case <-b.all:
	default:
		t.Error("all have arrived, and nobody was told")
	}
	if ms := b.latencies(func(n int) bool { return n == 1 }); len(ms) != 1 || ms[0] <= 0 {
		t.Errorf("latencies %v", ms)
	}
}

func TestProcessesAreMeasured(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has /proc; elsewhere the figures are 0")
	}
	measured := meter(os.Getpid())
	for began := cputime.Now(); cputime.Now()-began < 60*time.Millisecond; { // some ticks of 10 ms
		_ = slices.Sorted(slices.Values(make([]int, 1000)))
	}
	u := measured()
	if u.stack < 20*time.Millisecond || u.peaks["stack"] < 1<<20 || u.functions() != 0 {
		t.Errorf("%+v", u)
	}
	// A child counts as a function when it is a bootstrap in a folder.
	path := filepath.Join(t.TempDir(), "sender", "bootstrap")
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(sleep, path); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), path, "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	if found := functionsOf(os.Getpid()); len(found) != 1 || found[cmd.Process.Pid].function != "sender" {
		t.Errorf("%+v", found)
	}
}

func TestAProcessThatNeverAsksForWorkIsNoStart(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	sleep, err := exec.LookPath("sleep") // without an argument it ends at once
	if err != nil {
		t.Fatal(err)
	}
	if took, err := coldStart(ctx, sleep); err == nil {
		t.Errorf("it took %v", took)
	}
}

// TestTheFloorIsMeasured: the functions that the others are compared with can be made, and do their work.
func TestTheFloorIsMeasured(t *testing.T) {
	localtest.Make(t, ".build/bench/empty/bootstrap", ".build/bench/calls/bootstrap")
	b := &bench{options: options{events: 100, yardsticks: filepath.Join(localtest.Root(t), ".build", "bench")}, progress: io.Discard}
	if err := measureFloor(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	rates := 0
	for _, f := range b.Figures {
		if f.Unit == "a second" && f.Median > 0 {
			rates++
		}
	}
	if len(b.Figures) != 6 || rates != 2 {
		t.Errorf("%+v", b.Figures)
	}
}

// TestTheFloorRunsAsTheFunctionsDo: with the settings of Go's runtime that the template has.
func TestTheFloorRunsAsTheFunctionsDo(t *testing.T) {
	read, err := template.ReadFile(filepath.Join(localtest.Root(t), "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for name, value := range read.Globals["Environment"].(map[string]any)["Variables"].(map[string]any) {
		if strings.HasPrefix(name, "GO") {
			want = append(want, name+"="+value.(string))
		}
	}
	if !slices.Equal(slices.Sorted(slices.Values(goSettings)), slices.Sorted(slices.Values(want))) {
		t.Errorf("the floor has %v, the template %v", goSettings, want)
	}
}

func TestChart(t *testing.T) {
	var r report
	r.section = "load"
	for rate, p50 := range map[string]float64{"20": 3, "1000": 6, "100": 3} {
		r.add("chart, "+rate+"/s: latency p50", p50, "ms", nil)
		r.add("chart, "+rate+"/s: latency p95", 2*p50, "ms", nil)
		r.add("chart, "+rate+"/s: latency p99", 4*p50, "ms", nil)
	}
	r.add("1 connection, 20/s: latency p50", 99, "ms", nil) // is not part of it
	points := r.curve()
	if len(points) != 3 || points[0] != (point{20, 3, 6, 12}) || points[1].rate != 100 || points[2] != (point{1000, 6, 12, 24}) {
		t.Fatalf("%+v", points)
	}
	svg := chart(points, machine{Processor: "A & B <1 GHz>", Commit: "abc"})
	d, shapes := xml.NewDecoder(bytes.NewReader(svg)), map[string]int{}
	for {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("%v in %s", err, svg)
		}
		if e, ok := token.(xml.StartElement); ok {
			shapes[e.Name.Local]++
		}
	}
	if shapes["polyline"] != 3 || shapes["circle"] != 9 {
		t.Errorf("%v", shapes)
	}
}
