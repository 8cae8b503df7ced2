package main

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// machine is where the figures come from.
type machine struct {
	Processor  string `json:"processor"`
	Processors int    `json:"processors"`
	OS         string `json:"os"`
	Arch       string `json:"arch"`
	Go         string `json:"go"`
	Commit     string `json:"commit"` // with "-dirty" when there are changes beside it
	LoadBefore string `json:"load_average_before"`
}

func describe() machine {
	m := machine{Processor: "unknown processor", Processors: runtime.NumCPU(), OS: runtime.GOOS, Arch: runtime.GOARCH,
		Go: runtime.Version(), Commit: "unknown", LoadBefore: loadAverage()}
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
				m.Processor = strings.TrimSpace(value)
				break
			}
		}
	}
	if out, err := exec.Command("git", "describe", "--always", "--dirty", "--abbrev=12").Output(); err == nil {
		m.Commit = strings.TrimSpace(string(out))
	}
	return m
}

// loadAverage is the number of processes that wanted a processor, over the last minute.
func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	first, _, _ := strings.Cut(string(text), " ")
	return first
}

// process is what the system tells of a process.
type process struct {
	pid      int
	function string        // the folder its bootstrap stands in; empty for another program
	cpu      time.Duration // user and system
	peak     int64         // bytes of resident memory, the most so far
}

// tick is the unit of times in /proc/<pid>/stat: USER_HZ, 100 a second on every Linux that Go runs on.
const tick = 10 * time.Millisecond

// inspect reads a process from /proc, which only Linux has. Elsewhere, or when it is gone, ok is false.
func inspect(pid int) (p process, parent int, ok bool) {
	dir := "/proc/" + strconv.Itoa(pid)
	stat, err := os.ReadFile(dir + "/stat")
	if err != nil {
		return p, 0, false
	}
	// What stands behind the name, which may contain anything: state, parent, … user (12th) and system time (13th).
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 13 {
		return p, 0, false
	}
	parent, _ = strconv.Atoi(fields[1])
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	p = process{pid: pid, cpu: time.Duration(user+system) * tick, peak: peakMemory(dir)}
	if command, err := os.ReadFile(dir + "/cmdline"); err == nil {
		path, _, _ := strings.Cut(string(command), "\x00")
		if filepath.Base(path) == "bootstrap" {
			p.function = filepath.Base(filepath.Dir(path))
		}
	}
	return p, parent, true
}

// peakMemory is VmHWM of a process's status.
func peakMemory(dir string) int64 {
	status, err := os.Open(dir + "/status")
	if err != nil {
		return 0
	}
	defer status.Close()
	lines := bufio.NewScanner(status)
	for lines.Scan() {
		if value, ok := strings.CutPrefix(lines.Text(), "VmHWM:"); ok {
			kib, _ := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(value, "kB")), 10, 64)
			return kib << 10
		}
	}
	return 0
}

// functionsOf lists the functions' processes that a stack has started, by their process ids.
func functionsOf(stack int) map[int]process {
	found := map[int]process{}
	all, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range all {
		pid, _ := strconv.Atoi(filepath.Base(dir))
		if p, parent, ok := inspect(pid); ok && parent == stack && p.function != "" {
			found[pid] = p
		}
	}
	return found
}

// usage is the processor time between two moments.
type usage struct {
	stack time.Duration            // of the stack's own process
	of    map[string]time.Duration // of a function's processes together
	peaks map[string]int64         // most memory of one process so far, by function; "stack" is the stack's own
}

// functions is the time of all of them.
func (u usage) functions() (sum time.Duration) {
	for _, d := range u.of {
		sum += d
	}
	return sum
}

// meter measures processor time from now on; the functions' processes are children of the stack's.
func meter(stack int) func() usage {
	before, self := functionsOf(stack), ownCPU(stack)
	return func() usage {
		u := usage{stack: ownCPU(stack) - self, of: map[string]time.Duration{}, peaks: map[string]int64{}}
		for pid, p := range functionsOf(stack) {
			u.of[p.function] += p.cpu - before[pid].cpu // a new process has none before
			u.peaks[p.function] = max(u.peaks[p.function], p.peak)
		}
		if p, _, ok := inspect(stack); ok {
			u.peaks["stack"] = p.peak
		}
		return u
	}
}

func ownCPU(pid int) time.Duration {
	p, _, _ := inspect(pid)
	return p.cpu
}
