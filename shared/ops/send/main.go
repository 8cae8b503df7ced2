// Command send posts samples as the Academy does and shows the way they take, by the public API alone: it works against a
// run on this machine and against any deployment.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"
)

// settings are what the flags say.
type settings struct {
	url, key, account, action string
	count, parallel           int
	patience                  time.Duration
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run gives the program's exit code: 0 when all was delivered, 1 when not, 2 for a wrong flag.
func run(ctx context.Context, args []string, out, errOut io.Writer) int {
	s, err := parse(args, errOut)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	}
	if s.count == 1 {
		err = sendOne(ctx, s, out)
	} else {
		err = sendMany(ctx, s, out)
	}
	if err != nil {
		fmt.Fprintln(errOut, "send:", err)
		return 1
	}
	return 0
}

const usage = `Posts a sample event with a fresh id and order, waits for its deliveries, and shows the way they took.

  make send [ACTION=order_complete] [URL=http://127.0.0.1:8080] [KEY=local-key] [ACCOUNT=academy-1001] [COUNT=1]

An account with a connection that is on and wants the action is needed: make one on the page or by the API.

`

func parse(args []string, errOut io.Writer) (settings, error) {
	var s settings
	f := flag.NewFlagSet("send", flag.ContinueOnError)
	f.SetOutput(errOut)
	f.Usage = func() { fmt.Fprint(errOut, usage); f.PrintDefaults() }
	f.StringVar(&s.url, "url", "http://127.0.0.1:8080", "address of the API")
	f.StringVar(&s.key, "key", "local-key", "the Academy's API key")
	f.StringVar(&s.account, "account", "academy-1001", "the organiser's account")
	f.StringVar(&s.action, "action", "order_complete", "the action, one of those of /v1/triggers")
	f.IntVar(&s.count, "count", 1, "how many events; more than one shows a progress bar and a summary")
	f.IntVar(&s.parallel, "parallel", 16, "how many requests at once")
	f.DurationVar(&s.patience, "patience", 30*time.Second, "how long to wait for a delivery")
	if err := f.Parse(args); err != nil {
		return s, err
	}
	if f.NArg() > 0 || s.count < 1 || s.parallel < 1 || s.patience <= 0 {
		fmt.Fprintln(errOut, "send: count, parallel and patience must be positive, and there are no other arguments")
		return s, errors.New("wrong arguments")
	}
	return s, nil
}
