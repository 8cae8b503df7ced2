package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// handlerBenchmarks are the Go benchmarks of the handlers: what is left when the network is taken away, for one event at
// the intake and one delivery at the sender. Processor time includes the garbage collector's, and leaves out what the
// machine does beside.
var handlerBenchmarks = []struct {
	pkg, benchmark, name string
	per                  string // behind the units, as the benchmark reports them
	time, allocations    *target
}{
	{"./functions/intake", "BenchmarkIntake", "intake, an event", "op", atMost(60), atMost(150)},
	{"./functions/sender", "BenchmarkSender", "sender, a delivery", "delivery", atMost(100), nil},
}

// measureHandlers runs the benchmarks as `go test -bench` does.
func measureHandlers(ctx context.Context, b *bench) error {
	for _, h := range handlerBenchmarks {
		b.note("%s", h.benchmark)
		cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "^"+h.benchmark+"$", "-benchmem", h.pkg)
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			return fmt.Errorf("%s: %w\n%s", h.benchmark, err, out)
		}
		values := benchmarkLine(out, h.benchmark)
		if len(values) == 0 {
			return fmt.Errorf("%s reported nothing:\n%s", h.benchmark, out)
		}
		b.add(h.name+": time", values["ns/"+h.per]/1000, "µs", nil)
		b.add(h.name+": processor time", values["cpu-ns/"+h.per]/1000, "µs", h.time)
		b.add(h.name+": allocated", values["B/"+h.per], "bytes", nil)
		b.add(h.name+": allocations", values["allocs/"+h.per], "", h.allocations)
	}
	return nil
}

// benchmarkLine reads the values of one benchmark by unit from the output of go test
// (https://go.dev/design/14313-benchmark-format: name, iterations, then pairs of value and unit).
func benchmarkLine(out []byte, name string) map[string]float64 {
	values := map[string]float64{}
	lines := bufio.NewScanner(bytes.NewReader(out))
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 4 || strings.Split(fields[0], "-")[0] != name {
			continue
		}
		for i := 2; i+1 < len(fields); i += 2 {
			if v, err := strconv.ParseFloat(fields[i], 64); err == nil {
				values[fields[i+1]] = v
			}
		}
	}
	return values
}
