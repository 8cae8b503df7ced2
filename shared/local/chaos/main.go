// Command chaos runs the whole stack with the functions' real binaries, posts events as fast as they are taken, kills
// senders and intakes at random moments (SIGKILL), lets receivers fail, hang and hang up, and then closes the books:
// every accepted event must be accounted for, no order broken, and nothing received twice unless an answer was not seen or
// a sender was killed about that time. With several kills a second the last is a coarse excuse: whether each duplicate has
// a reason of its own is what the random histories of package delivery decide. It exits with 1 when a promise was broken.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/nethouse-academy/albato/shared/local"
	"github.com/nethouse-academy/albato/shared/local/lambda"
)

// visibility is the queues' visibility timeout and the senders' time limit: how long a killed sender's messages are away.
const visibility = 4 * time.Second

type options struct {
	events, connections, clients, kills int
	seed                                uint64
	functions, template                 string
	log                                 string
}

func main() {
	var o options
	flag.IntVar(&o.events, "events", 20000, "events to post")
	flag.IntVar(&o.connections, "connections", 20, "connections, each of an account of its own")
	flag.IntVar(&o.clients, "clients", 8, "clients that post at the same time")
	flag.IntVar(&o.kills, "kills", 60, "processes to kill")
	flag.Uint64Var(&o.seed, "seed", uint64(time.Now().UnixNano()), "of what happens when; the machine's own timing differs all the same")
	flag.StringVar(&o.functions, "functions", filepath.Join(".build", "run"), "folder with <function>/bootstrap")
	flag.StringVar(&o.template, "template", "template.yaml", "the template")
	flag.StringVar(&o.log, "log", "", "file for the functions' log lines; none by default")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options, out io.Writer) error {
	logs := io.Discard
	if o.log != "" {
		f, err := os.Create(o.log)
		if err != nil {
			return err
		}
		defer f.Close()
		logs = f
	}
	stack, err := local.Start(ctx, local.Options{Template: o.template, Functions: o.functions, Log: logs, Parameters: map[string]string{
		"RetrySchedule": "1s,1s,1s,2s,2s,2s,3s,3s,3s,5s,5s,5s,5s,5s,5s,5s,5s,5s,5s,5s", "DeliveryTimeout": "1s",
		"VisibilityTimeout": fmt.Sprint(int(visibility.Seconds()))}})
	if err != nil {
		return err
	}
	defer stack.Close()
	rng := rand.New(rand.NewPCG(o.seed, 1))
	receivers, err := newReceivers(o.connections)
	if err != nil {
		return err
	}
	defer receivers.close()
	academy := &academy{url: stack.URL, key: stack.APIKey}
	for n := range o.connections {
		if err := academy.connect(ctx, n, receivers.url); err != nil {
			return err
		}
	}
	fmt.Fprintf(out, "chaos: %d events, %d connections, %d clients, %d kills, seed %d\n", o.events, o.connections, o.clients, o.kills, o.seed)
	began := time.Now()
	world := &disaster{kills: o.kills, rng: rng, receivers: receivers,
		functions: []*lambda.Function{stack.Functions["SenderFunction"], stack.Functions["SenderFunction"], stack.Functions["IntakeFunction"]}}
	posting, cancel := context.WithCancel(ctx)
	defer cancel()
	var background sync.WaitGroup
	background.Go(func() { world.strike(posting) })
	background.Go(func() { progress(posting, out, academy, receivers, world, o.events) })
	err = academy.postAll(ctx, o)
	posted := time.Since(began)
	world.finish(ctx)
	cancel()
	background.Wait()
	if err != nil {
		return err
	}
	receivers.heal()
	fmt.Fprintf(out, "\nposted in %.1fs with %d kills; receivers are healthy again, waiting for what waits\n", posted.Seconds(), world.killed.Load())
	books, err := settle(ctx, academy, receivers, o)
	if err != nil {
		return err
	}
	return books.report(out, world, receivers)
}

// progress prints a line a second.
func progress(ctx context.Context, out io.Writer, a *academy, r *receivers, d *disaster, events int) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			fmt.Fprintf(out, "\r  accepted %d of %d, received %d, kills %d   ", a.accepted.Load(), events, r.unique.Load(), d.killed.Load())
		}
	}
}

// disaster kills processes and troubles receivers.
type disaster struct {
	kills     int
	rng       *rand.Rand
	receivers *receivers
	functions []*lambda.Function
	killed    atomic.Int64

	mu    sync.Mutex
	times []time.Time // of kills of senders
}

// strike goes on until ctx ends: about three kills and two troubles a second.
func (d *disaster) strike(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Duration(d.rng.IntN(600)) * time.Millisecond):
		}
		if int(d.killed.Load()) < d.kills {
			d.kill(d.functions[d.rng.IntN(len(d.functions))])
		}
		d.receivers.trouble(d.rng.IntN(len(d.receivers.all)), behaviour(d.rng.IntN(int(behaviours))), time.Duration(d.rng.IntN(4000))*time.Millisecond)
	}
}

func (d *disaster) kill(f *lambda.Function) {
	pids := f.PIDs()
	if len(pids) == 0 {
		return
	}
	if f == d.functions[0] { // the sender: nothing else that dies can send twice
		d.mu.Lock()
		d.times = append(d.times, time.Now())
		d.mu.Unlock()
	}
	if syscall.Kill(pids[d.rng.IntN(len(pids))], syscall.SIGKILL) == nil {
		d.killed.Add(1)
	}
}

// finish waits until all kills have happened, if the events were posted sooner.
func (d *disaster) finish(ctx context.Context) {
	for int(d.killed.Load()) < d.kills && ctx.Err() == nil {
		time.Sleep(50 * time.Millisecond)
	}
}

// killedWithin tells whether a sender was killed while an invocation that sent something at that time may have run.
func (d *disaster) killedWithin(at time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, k := range d.times {
		if k.After(at.Add(-time.Second)) && k.Before(at.Add(visibility)) {
			return true
		}
	}
	return false
}
