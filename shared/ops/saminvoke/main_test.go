package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
)

func TestJudge(t *testing.T) {
	for answer, want := range map[string]string{
		`{"statusCode":202,"body":"{}"}`: "status 202",
		`{"statusCode":404}`:             "status 404",
		`{"batchItemFailures":null}`:     "every message done",
		`{"batchItemFailures":[]}`:       "every message done",
		`{"statusCode":503}`:             "error: status 503",
		`{"errorType":"Runtime.ExitError","errorMessage":"exit status 1"}`: "error: Runtime.ExitError",
		`{"batchItemFailures":[{"itemIdentifier":"m1"}]}`:                  "error: 1 messages come back",
		`{}`:         "error: neither",
		`Task timed`: "error: not an answer",
	} {
		got, err := judge([]byte(answer))
		if err != nil {
			got = "error: " + err.Error()
		}
		if !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s, want %s", answer, got, want)
		}
	}
}

func TestEveryFunctionHasSamples(t *testing.T) {
	t.Chdir("../../..")
	jobs, err := samples(options{})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, j := range jobs {
		seen[j.function] = true
		if _, err := os.Stat(j.event); err != nil {
			t.Error(err)
		}
	}
	for _, f := range []string{"ConnectionsFunction", "IntakeFunction", "SenderFunction", "PageFunction"} {
		if !seen[f] {
			t.Errorf("no event for %s", f)
		}
	}
	if _, err := samples(options{function: "NoFunction"}); err == nil {
		t.Error("a function that does not exist has samples")
	}
}

// TestRelay sends a line through a relay to a service that answers once the line has ended.
func TestRelay(t *testing.T) {
	service, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer service.Close()
	go func() {
		c, err := service.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		line, _ := bufio.NewReader(c).ReadString('\n')
		fmt.Fprintf(c, "heard %s", line)
	}()
	front, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer front.Close()
	go relay(front, service.Addr().String())
	c, err := net.Dial("tcp", front.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintln(c, "hello")
	if answer, err := bufio.NewReader(c).ReadString('\n'); err != nil || answer != "heard hello\n" {
		t.Errorf("%q, %v", answer, err)
	}
	if !answers(`{"A":"http://`+service.Addr().String()+`"}`) || answers(`{"A":"http://127.0.0.1:1"}`) || answers(`{}`) {
		t.Error("whether services answer is told wrongly")
	}
}
