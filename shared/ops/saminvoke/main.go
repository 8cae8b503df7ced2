// Command saminvoke runs every function's sample events under `sam local invoke`, in Lambda's container with Lambda's
// runtime interface emulator, on the DynamoDB and SQS of a running `make run`, or of a stack of its own when none runs.
//
// The services listen on the host's loopback interface alone, which a container does not reach, and the SAM CLI's
// --docker-network host does nothing. So the containers get the name host.docker.internal: where the container engine is a
// daemon of this very machine, the services are relayed on its bridge while the program runs; Docker Desktop needs none.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

func main() {
	var o options
	flag.StringVar(&o.sam, "sam", ".aws-sam/sam-cli/bin/sam", "the SAM CLI")
	flag.StringVar(&o.template, "template", ".aws-sam/host/template.yaml", "what sam build made, for this machine's processor")
	flag.StringVar(&o.environment, "env-vars", ".build/env.json", "written by a running make run")
	flag.StringVar(&o.function, "function", "", "only this one: IntakeFunction")
	flag.StringVar(&o.event, "event", "", "only this file, with -function")
	flag.BoolVar(&o.localImage, "local-image", false, "make the container image here when it is missing: the emulator that comes with the SAM CLI on an empty file system, no registry needed")
	flag.Usage = func() {
		fmt.Fprint(flag.CommandLine.Output(), "saminvoke runs the functions' sample events under sam local invoke: make sam-invoke\n\n")
		flag.PrintDefaults()
	}
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "saminvoke:", err)
		stop()
		os.Exit(1)
	}
}

type options struct {
	sam, template, environment, function, event string
	localImage                                  bool
}

func run(ctx context.Context, o options, out io.Writer) error {
	if text, err := exec.CommandContext(ctx, "docker", "info", "--format", "{{.ServerVersion}}").CombinedOutput(); err != nil {
		return fmt.Errorf("no container engine: install Docker, start it, and see `docker info` work (%s)", strings.TrimSpace(string(text)))
	}
	if o.localImage {
		if err := makeImage(ctx, o.sam, out); err != nil {
			return err
		}
	}
	variables, from, closeStack, err := environment(ctx, o)
	if err != nil {
		return err
	}
	defer closeStack()
	fmt.Fprintf(out, "on the data of %s\n", from)
	variables, closeRelays, err := reachable(ctx, variables)
	if err != nil {
		return err
	}
	defer closeRelays()
	file, err := os.CreateTemp("", "env-*.json")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	if _, err := file.WriteString(variables); err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}

	jobs, err := samples(o)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(4) // each mostly waits for its container
	for _, j := range jobs {
		group.Go(func() error { return j.invoke(ctx, o, file.Name(), out) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	fmt.Fprintf(out, "%d passed, 0 failed\n", len(jobs))
	return nil
}

// job is one event for one function.
type job struct{ function, event string }

// samples are the events of functions/<name>/events, or the one that was asked for.
func samples(o options) (jobs []job, err error) {
	if o.event != "" {
		if o.function == "" {
			return nil, errors.New("-event wants -function")
		}
		return []job{{o.function, o.event}}, nil
	}
	files, err := filepath.Glob("functions/*/events/*.json")
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		name := filepath.Base(filepath.Dir(filepath.Dir(f)))
		function := strings.ToUpper(name[:1]) + name[1:] + "Function"
		if o.function == "" || o.function == function {
			jobs = append(jobs, job{function, f})
		}
	}
	if len(jobs) == 0 {
		return nil, errors.New("there is no event for " + o.function)
	}
	return jobs, nil
}

// invoke runs one event and judges the answer: the function must not have failed, and an HTTP answer must not be a 5xx.
func (j job) invoke(ctx context.Context, o options, environment string, out io.Writer) error {
	began := time.Now()
	args := []string{"local", "invoke", j.function, "--template", o.template, "--event", j.event, "--env-vars", environment,
		"--add-host", "host.docker.internal:host-gateway", "--parameter-overrides", "Architecture=" + architecture()}
	if o.localImage {
		args = append(args, "--skip-pull-image")
	}
	command := exec.CommandContext(ctx, o.sam, args...)
	command.Env = append(os.Environ(), "SAM_CLI_TELEMETRY=0", "AWS_REGION=eu-central-1", "AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local")
	var log strings.Builder
	command.Stderr = &log
	answer, err := command.Output()
	if err != nil {
		return fmt.Errorf("%s %s: %w\n%s", j.function, j.event, err, log.String())
	}
	said, err := judge(answer)
	if err != nil {
		return fmt.Errorf("%s %s: %w\n%s", j.function, j.event, err, log.String())
	}
	fmt.Fprintf(out, "ok   %-20s %-47s %-18s %s\n", j.function, j.event, said, time.Since(began).Round(100*time.Millisecond))
	return nil
}

// judge reads an answer of a function: what it says in brief, or why it is a failure.
func judge(answer []byte) (string, error) {
	var a struct {
		StatusCode        int    `json:"statusCode"`
		ErrorType         string `json:"errorType"`
		ErrorMessage      string `json:"errorMessage"`
		BatchItemFailures *[]any `json:"batchItemFailures"`
	}
	if err := json.Unmarshal(answer, &a); err != nil {
		return "", fmt.Errorf("not an answer of ours: %q", answer)
	}
	switch {
	case a.ErrorType != "" || a.ErrorMessage != "":
		return "", fmt.Errorf("%s: %s", a.ErrorType, a.ErrorMessage)
	case a.StatusCode >= 500:
		return "", fmt.Errorf("status %d: %s", a.StatusCode, answer)
	case a.StatusCode != 0:
		return fmt.Sprint("status ", a.StatusCode), nil
	case strings.Contains(string(answer), "batchItemFailures"):
		n := 0
		if a.BatchItemFailures != nil {
			n = len(*a.BatchItemFailures)
		}
		if n > 0 {
			return "", fmt.Errorf("%d messages come back: %s", n, answer)
		}
		return "every message done", nil
	}
	return "", fmt.Errorf("neither an HTTP answer nor one of a queue: %s", answer)
}
