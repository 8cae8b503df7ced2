// Command cost prints what a million events cost on AWS, from the calls one event makes, which the test counts, and AWS's
// list prices: make cost.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
)

// Usage is what one event for one connection takes.
type Usage struct {
	Requests    float64 // at the HTTP API
	Invocations float64 // of functions
	GBSeconds   float64 // of functions
	QueueCalls  float64 // our own, and Lambda's receiving and deleting
	Reads       float64 // read units of the table
	Writes      float64 // write units of the table
	LogBytes    float64
	SentBytes   float64 // out to the internet
	StoredBytes float64 // in the table, for 30 days
}

// Prices are list prices in US dollars, us-east-1, without free tiers, as published in November 2026.
var prices = struct{ million, invocations, gbSecond, queue, reads, writes, logs, out, stored float64 }{
	million:     1.00,         // HTTP API, a million requests of up to 512 KB
	invocations: 0.20,         // Lambda, a million
	gbSecond:    0.0000133334, // Lambda on arm64
	queue:       0.50,         // SQS FIFO, a million requests of up to 64 KB
	reads:       0.125,        // DynamoDB on demand, a million read units
	writes:      0.625,        // DynamoDB on demand, a million write units
	logs:        0.50,         // CloudWatch Logs, a GB taken in
	out:         0.09,         // to the internet, a GB
	stored:      0.25,         // DynamoDB, a GB a month
}

// assumptions that no counting gives.
const (
	memory       = 0.5   // GB, of intake and sender
	intakeTime   = 0.020 // s
	linkTime     = 0.300 // s, the link's answer and the sender's own calls
	sentBytes    = 4_000 // a usual event, with headers and TLS
	systemBytes  = 300   // of the gateway's access log
	receiveCalls = 2     // Lambda's receive and delete, a batch
)

// alone is an event that comes by itself: the dearest case. The test holds what it counts against these.
var alone = Usage{Requests: 1, Invocations: 2, GBSeconds: memory * (intakeTime + linkTime), QueueCalls: 1 + receiveCalls,
	Reads: 2.5, Writes: 1, LogBytes: 1_800 + systemBytes, SentBytes: sentBytes, StoredBytes: 1_100}

// full is an event in a batch of ten: the sender's calls and time are shared, the log is still written for each.
func full() Usage {
	u := alone
	u.Invocations, u.QueueCalls = 1.1, 1+receiveCalls/10.
	u.GBSeconds = memory * (intakeTime + linkTime/10)
	u.Reads = 0.5 + 1 + 0.1 // the connection is read once a batch, the log entry for each
	return u
}

type line struct {
	name    string
	formula string
	dollars func(Usage) float64 // for a million events
}

var lines = []line{
	{"HTTP API", "1 request × $1.00", func(u Usage) float64 { return u.Requests * prices.million }},
	{"Lambda, invocations", "intake 1 + sender 1 a batch, × $0.20", func(u Usage) float64 { return u.Invocations * prices.invocations }},
	{"Lambda, time", "0.5 GB × (20 ms + 300 ms a batch) × $0.0000133334 a GB-s", func(u Usage) float64 { return u.GBSeconds * 1e6 * prices.gbSecond }},
	{"SQS FIFO", "send 1 + receive and delete 2 a batch, × $0.50", func(u Usage) float64 { return u.QueueCalls * prices.queue }},
	{"DynamoDB, reads", "intake ½ + log entry 1 + connection 1 a batch, × $0.125", func(u Usage) float64 { return u.Reads * prices.reads }},
	{"DynamoDB, writes", "log entry 1 × $0.625", func(u Usage) float64 { return u.Writes * prices.writes }},
	{"DynamoDB, storage", "1.1 KB for 30 days × $0.25 a GB", func(u Usage) float64 { return u.StoredBytes / 1e3 * prices.stored }},
	{"CloudWatch Logs", "2.1 KB × $0.50 a GB", func(u Usage) float64 { return u.LogBytes / 1e3 * prices.logs }},
	{"Data to Albato", "4 KB × $0.09 a GB", func(u Usage) float64 { return u.SentBytes / 1e3 * prices.out }},
}

// total is the price of a million events.
func (u Usage) total() (sum float64) {
	for _, l := range lines {
		sum += l.dollars(u)
	}
	return sum
}

// monthly is what the stack costs without any event.
var monthly = []struct {
	name    string
	dollars float64
}{
	{"alarms on 16 metrics × $0.10", 1.60},
	{"our own metrics, 17 × $0.30", 5.10},
	{"the secret", 0.40},
	{"Lambda asking two empty queues, 5 × 3 a minute each × $0.50 a million", 0.65},
}

func table(w io.Writer) {
	fmt.Fprintln(w, "| a million events | how it is counted | one by one | in full batches |\n|---|---|---:|---:|")
	for _, l := range lines {
		fmt.Fprintf(w, "| %s | %s | $%.2f | $%.2f |\n", l.name, l.formula, l.dollars(alone), l.dollars(full()))
	}
	fmt.Fprintf(w, "| **together** | | **$%.2f** | **$%.2f** |\n\n", alone.total(), full().total())
	sum := 0.0
	fmt.Fprint(w, "A month without any event: ")
	for i, m := range monthly {
		if i > 0 {
			fmt.Fprint(w, ", ")
		}
		sum += m.dollars
		fmt.Fprintf(w, "%s $%.2f", m.name, m.dollars)
	}
	fmt.Fprintf(w, "; together $%.2f.\n", sum)
}

func main() {
	flag.Usage = func() { fmt.Fprintln(flag.CommandLine.Output(), "make cost prints what a million events cost") }
	flag.Parse()
	table(os.Stdout)
}
