// Command fidelity runs the project's own tests of its adapters, unchanged, on two emulators of AWS that others wrote: what
// our in-memory DynamoDB and SQS are taken to do is then no invention of ours. make test-fidelity.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"time"
)

// moto runs with one thread: it is not safe with more.
const moto = `import sys
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple
run_simple("127.0.0.1", int(sys.argv[1]), DomainDispatcherApplication(create_backend_app), threaded=False)`

// emulator is one of the two.
type emulator struct {
	name    string
	command func(python, port string) []string
	env     []string
	// differs are the tests that cannot pass there, by package, each with the reason.
	differs map[string]map[string]string
}

// ours holds what no other service can answer: the tests that read our own service's counters.
const ours = "reads the calls or units that our own service counts"

func main() {
	python := flag.String("python", os.Getenv("MOTO"), "Python with moto and ministack")
	flag.Usage = func() {
		fmt.Fprint(flag.CommandLine.Output(), "fidelity runs the adapters' tests on moto and on MiniStack: make test-fidelity\n\n")
		flag.PrintDefaults()
	}
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var failed []error
	for _, e := range emulators {
		if err := e.run(ctx, *python); err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", e.name, err))
		}
	}
	if err := errors.Join(failed...); err != nil {
		fmt.Fprintln(os.Stderr, "fidelity:", err)
		stop()
		os.Exit(1)
	}
}

// packages are what is tested.
var packages = []string{"./shared/table", "./shared/queue"}

func (e emulator) run(ctx context.Context, python string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	address := l.Addr().String()
	_ = l.Close()
	_, port, _ := net.SplitHostPort(address)
	words := e.command(python, port)
	log, err := os.CreateTemp("", "fidelity-*.log")
	if err != nil {
		return err
	}
	defer os.Remove(log.Name())
	defer log.Close()
	service := exec.CommandContext(ctx, words[0], words[1:]...)
	service.Env = append(append(os.Environ(), e.env...), "GATEWAY_PORT="+port)
	service.Stdout, service.Stderr = log, log
	if err := service.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- service.Wait() }()
	defer func() {
		_ = service.Process.Kill()
		<-ended
	}()
	for deadline := time.Now().Add(time.Minute); ; {
		if c, err := net.DialTimeout("tcp", address, time.Second); err == nil {
			_ = c.Close()
			break
		}
		if time.Now().After(deadline) {
			text, _ := os.ReadFile(log.Name())
			return fmt.Errorf("it does not start: %s", text)
		}
		select {
		case err := <-ended:
			ended <- err
			text, _ := os.ReadFile(log.Name())
			return fmt.Errorf("it ended: %w: %s", err, text)
		case <-time.After(100 * time.Millisecond):
		}
	}
	var failed []error
	for _, p := range packages {
		failed = append(failed, e.test(ctx, p, "http://"+address))
	}
	return errors.Join(failed...)
}

// test runs a package's tests, but for those that differ, which it names.
func (e emulator) test(ctx context.Context, pkg, endpoint string) error {
	var skip []string
	for test, why := range e.differs[pkg] {
		fmt.Printf("%s %s: without %s: %s\n", e.name, pkg, test, why)
		skip = append(skip, "^"+strings.ReplaceAll(test, "/", "$/^")+"$")
	}
	args := []string{"test", "-count=1", "-parallel=1", "-timeout=5m"}
	if len(skip) > 0 {
		args = append(args, "-skip", strings.Join(skip, "|"))
	}
	command := exec.CommandContext(ctx, "go", append(args, pkg)...)
	command.Env = append(os.Environ(), "TEST_DYNAMODB_ENDPOINT="+endpoint, "TEST_SQS_ENDPOINT="+endpoint)
	out, err := command.CombinedOutput()
	fmt.Printf("%s %s", e.name, out)
	if err != nil {
		return fmt.Errorf("%s: %w", pkg, err)
	}
	return nil
}
