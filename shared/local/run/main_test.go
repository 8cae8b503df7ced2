package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nethouse-academy/albato/shared/local/localtest"
)

// TestMain lets the test program be the program under test.
func TestMain(m *testing.M) {
	if os.Getenv("RUN_AS_PROGRAM") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// program is a running program.
type program struct {
	*exec.Cmd
	url   string
	start string // what it printed until it was ready
	rest  chan string
}

func start(t *testing.T, env ...string) *program {
	t.Helper()
	localtest.Make(t, "functions")
	cmd := exec.Command(os.Args[0])
	cmd.Dir = localtest.Root(t)
	cmd.Env = append(os.Environ(), "RUN_AS_PROGRAM=1", "PORT=0", "API_KEY=test-key")
	cmd.Env = append(cmd.Env, env...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	p := &program{Cmd: cmd, rest: make(chan string, 1)}
	lines := bufio.NewReader(out)
	for !strings.Contains(p.start, "Ctrl-C stops.") {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatalf("it ended:\n%s", p.start)
		}
		p.start += line
	}
	go func() {
		rest, _ := io.ReadAll(lines)
		p.rest <- string(rest)
	}()
	p.url = regexp.MustCompile(`http://127\.0\.0\.1:\d+`).FindString(p.start)
	return p
}

func TestWhatIsPrintedWorksAsPrinted(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("curl is not installed")
	}
	p := start(t)
	var lines []string
	for line := range strings.SplitSeq(p.start, "\n") {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "curl ") {
			lines = append(lines, line)
		}
	}
	if len(lines) != 3 {
		t.Fatalf("%d curl lines, want 3:\n%s", len(lines), p.start)
	}
	for i, want := range []string{`"enabled":false`, `"enabled":true`, `"deliveries":[{"id":"dlv_`} {
		out, err := exec.Command("sh", "-c", lines[i]+" -sS").CombinedOutput()
		if err != nil || !strings.Contains(string(out), want) {
			t.Fatalf("%s\n%v: %s\nwant %s", lines[i], err, out, want)
		}
	}
	response, err := http.Get(p.url + "/albato.json?wait=30s")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var came struct {
		Requests []struct{ Path, Body string }
	}
	if err := json.NewDecoder(response.Body).Decode(&came); err != nil || len(came.Requests) != 1 || !strings.Contains(came.Requests[0].Body, `"action":"order_complete"`) {
		t.Errorf("at the stand-in: %+v, %v", came, err)
	}
	page := regexp.MustCompile(`(http://\S+/page)#token=\S+`).FindStringSubmatch(p.start)
	if page == nil {
		t.Fatalf("no signed-in page:\n%s", p.start)
	}
	if got, err := http.Get(page[1]); err != nil || got.StatusCode != 200 {
		t.Errorf("the page: %v, %v", got, err)
	}
	var environment map[string]map[string]string
	text, err := os.ReadFile(filepath.Join(localtest.Root(t), environmentFile))
	if err != nil || json.Unmarshal(text, &environment) != nil || environment["SenderFunction"]["AWS_ENDPOINT_URL_SQS"] == "" {
		t.Errorf("%s: %s, %v", environmentFile, text, err)
	}
}

// children are the processes of the functions that p started.
func (p *program) children(t *testing.T) (out []string) {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil || len(stats) == 0 {
		t.Skip("needs /proc")
	}
	for _, name := range stats {
		text, _ := os.ReadFile(name)
		_, after, _ := strings.Cut(string(text), ") ")
		if f := strings.Fields(after); len(f) > 1 && f[1] == fmt.Sprint(p.Process.Pid) {
			out = append(out, filepath.Dir(name))
		}
	}
	return out
}

func gone(t *testing.T, processes []string) {
	t.Helper()
	deadline := time.Now().Add(localtest.Patience)
	for _, dir := range processes {
		for {
			text, err := os.ReadFile(filepath.Join(dir, "cmdline"))
			if err != nil || !strings.Contains(string(text), "bootstrap") {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s still runs", text)
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
}

func TestCtrlCEndsItCleanly(t *testing.T) {
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		p := start(t)
		functions := p.children(t)
		if len(functions) == 0 {
			t.Fatal("no function runs: the test proves nothing")
		}
		if err := p.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		rest := <-p.rest
		if err := p.Wait(); err != nil || !strings.Contains(rest, "stopping") {
			t.Errorf("%v: %v\n%s", signal, err, rest)
		}
		gone(t, functions)
	}
}

func TestKill9LeavesNoFunctionBehind(t *testing.T) {
	p := start(t)
	functions := p.children(t)
	if len(functions) == 0 {
		t.Fatal("no function runs: the test proves nothing")
	}
	if err := p.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = p.Wait()
	gone(t, functions)
}

func TestTakenPortIsSaidPlainly(t *testing.T) {
	p := start(t)
	port := p.url[strings.LastIndexByte(p.url, ':')+1:]
	cmd := exec.Command(os.Args[0])
	cmd.Dir = localtest.Root(t)
	cmd.Env = append(os.Environ(), "RUN_AS_PROGRAM=1", "PORT="+port)
	out, err := cmd.CombinedOutput()
	if err == nil || string(out) != "run: port "+port+" is taken by another program: end that one, or choose another port with PORT\n" {
		t.Errorf("%v: %s", err, out)
	}
}
