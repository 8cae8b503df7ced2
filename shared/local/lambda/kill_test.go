//go:build unix

package lambda_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nethouse-academy/albato/shared/local/lambda"
)

func mkfifo(t *testing.T, path string) {
	t.Helper()
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
}

// supervise is a program with a runtime whose function hangs.
func supervise(dir string) {
	f := lambda.NewRuntime(os.Stdout).Function(lambda.Config{Name: "Sender", Dir: dir, Timeout: time.Hour, Limit: 1})
	_, _ = f.Invoke(context.Background(), []byte(`{"do":"hang"}`))
}

// A function that hangs, and so does not notice that its Runtime API is gone, dies with the program all the same.
func TestKill9OfTheProgramEndsAFunctionThatHangs(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux ends a child with its parent")
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "SUPERVISE="+bootstrap(t))
	log := &syncBuffer{}
	cmd.Stdout = log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	log.wait(t, func(s string) bool { return strings.Contains(s, "hanging in ") && strings.HasSuffix(s, "\n") })
	var pid int
	_, after, _ := strings.Cut(log.String(), "| ")
	if _, err := fmt.Sscanf(after, "hanging in %d", &pid); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	deadline := time.Now().Add(20 * time.Second)
	for alive(pid) {
		if time.Now().After(deadline) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
			t.Fatalf("the function (%d) has outlived the program", pid)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// alive tells whether a process runs; one that is dead but not yet waited for does not.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return syscall.Kill(pid, 0) == nil
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(after, "Z")
}
