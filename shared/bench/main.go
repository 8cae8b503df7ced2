// Command bench measures what the functions cost and how quickly they deliver, on this machine: `make bench`. It prints
// the figures, each beside what is aimed at, and writes them as JSON for programs, with the machine and the commit.
//
// Times depend on the machine and on what else it does, so a section is measured several times and the median counts.
// Counts (allocations, calls, request units, bytes) do not; ordinary tests hold them.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// options are the flags.
type options struct {
	sections   string
	runs       int
	events     int
	at         string
	starts     int
	waiting    int
	functions  string
	template   string
	program    string
	yardsticks string
	out        string
	chart      string
}

// section is one part of the benchmark. It adds its figures to b; those of one name from several runs are put together.
type section struct {
	name    string
	about   string
	once    bool // what it counts is the same every time
	measure func(ctx context.Context, b *bench) error
}

var sections = []section{
	{"handlers", "the handlers without I/O: time, memory and allocations for an event", false, measureHandlers},
	{"cold", "from a process's start to its first request for work, beside a function that does nothing; sizes", false, measureColdStarts},
	{"floor", "what an invocation costs here without our code: of a function that does nothing, and of one that calls AWS twice", false, measureFloor},
	{"load", "from the Academy's post to the receipt: throughput, latency, CPU and memory", false, measureLoad},
	{"neighbours", "the latency of one organiser's events beside another whose link hangs", false, measureNeighbours},
	{"calls", "AWS calls and request units for 1,000 events", true, measureCalls},
	{"growth", "the cost of an event with 10 to 100,000 connections, and with 0 to 100,000 messages waiting", true, measureGrowth},
}

func main() {
	var o options
	flag.StringVar(&o.sections, "sections", "handlers,cold,floor,load,neighbours,calls,growth", "what to measure")
	flag.IntVar(&o.runs, "runs", 3, "how often each section is measured; the median counts")
	flag.IntVar(&o.events, "events", 20000, "events at saturation")
	flag.StringVar(&o.at, "connections", "1,100", "with how many connections the load is measured; the chart with more than one")
	flag.IntVar(&o.starts, "starts", 50, "cold starts of each binary")
	flag.IntVar(&o.waiting, "growth", 100000, "the most connections, and the most messages waiting")
	flag.StringVar(&o.functions, "functions", filepath.Join(".build", "run"), "folder with <function>/bootstrap")
	flag.StringVar(&o.template, "template", "template.yaml", "the template")
	flag.StringVar(&o.program, "program", filepath.Join(".build", "run", "local"), "the program of make run")
	flag.StringVar(&o.yardsticks, "yardsticks", filepath.Join(".build", "bench"), "folder with empty/bootstrap and calls/bootstrap, which the functions are compared with")
	flag.StringVar(&o.out, "out", filepath.Join(".build", "bench"), "folder for result.json and stack.log")
	flag.StringVar(&o.chart, "chart", "", "file for the chart of latency against load (SVG)")
	flag.Usage = func() {
		fmt.Fprintf(flag.CommandLine.Output(), "make bench BENCH='[flags]'\n\nsections:\n")
		for _, s := range sections {
			fmt.Fprintf(flag.CommandLine.Output(), "  %-10s %s\n", s.name, s.about)
		}
		fmt.Fprintf(flag.CommandLine.Output(), "\nflags:\n")
		flag.PrintDefaults()
	}
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

// bench is one run of the program: what to do, and what was measured.
type bench struct {
	options
	report
	progress io.Writer
	run      int // of the section, from 1
}

// note tells a person who waits what is going on.
func (b *bench) note(format string, args ...any) {
	fmt.Fprintf(b.progress, "  "+format+"\n", args...)
}

func run(ctx context.Context, o options, out, progress io.Writer) error {
	chosen, err := choose(o.sections)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return err
	}
	b := &bench{options: o, progress: progress}
	b.Machine, b.Began = describe(), time.Now().UTC()
	for _, s := range chosen {
		runs := o.runs
		if s.once {
			runs = 1
		}
		for b.run = 1; b.run <= runs; b.run++ {
			fmt.Fprintf(progress, "%s, %d of %d: %s\n", s.name, b.run, runs, s.about)
			b.section = s.name
			if err := s.measure(ctx, b); err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
		}
	}
	b.Ended = time.Now().UTC()
	b.LoadAfter = loadAverage()
	b.print(out)
	if o.chart != "" && len(b.curve()) > 0 {
		if err := os.WriteFile(o.chart, chart(b.curve(), b.Machine), 0o644); err != nil {
			return err
		}
	}
	return b.write(filepath.Join(o.out, "result.json"))
}

// choose gives the sections of a list, in their own order.
func choose(list string) ([]section, error) {
	wanted := strings.Split(list, ",")
	var chosen []section
	for _, s := range sections {
		if i := slices.Index(wanted, s.name); i >= 0 {
			wanted = slices.Delete(wanted, i, i+1)
			chosen = append(chosen, s)
		}
	}
	if len(wanted) > 0 {
		return nil, fmt.Errorf("there is no section %q", wanted[0])
	}
	return chosen, nil
}
