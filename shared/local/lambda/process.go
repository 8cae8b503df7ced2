package lambda

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"
)

var errClosed = errors.New("the local Lambda is stopping")

// process is one bootstrap: what Lambda calls an execution environment.
type process struct {
	function *Function
	work     chan *invocation // an event for a process that waits in next
	exited   chan struct{}    // closed when the process is gone

	// Guarded by function.mu.
	ready     bool // it has asked for an event: its initialisation is over
	ended     bool // out of the books: what it asked for in its last moment is not for it
	initTimer *time.Timer
	initError *FunctionError // reported by the function itself
	current   *invocation
	delivered bool // current was written to it
	timer     *time.Timer

	mu     sync.Mutex // guards what follows
	os     *os.Process
	killed bool
}

// run starts the process, serves it its Runtime API, and waits for its end.
func (p *process) run() {
	f := p.function
	defer f.running.Done()
	cause, report, interrupted, err := p.runToEnd()
	if err != nil {
		cause = "before it started: " + err.Error()
		f.runtime.log.line(f.config.Name, []byte("cannot start: "+err.Error()))
	}
	close(p.exited)
	f.gone(p, cause, !interrupted)
	if report != "" { // only now: who reads that it ended may rely on it
		f.runtime.log.line(f.config.Name, []byte(report))
	}
}

// runToEnd returns what ended the process, a line for the log if that was not expected, and whether it was somebody who ends everything: Ctrl-C reaches the
// functions too.
func (p *process) runToEnd() (cause, report string, interrupted bool, err error) {
	f := p.function
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", "", false, err
	}
	defer listener.Close()
	cmd, output, err := p.command(listener.Addr().String())
	if err != nil {
		return "", "", false, err
	}
	defer output.Close()
	if err := f.runtime.spawner.start(cmd); err != nil {
		cmd.Stdout.(*os.File).Close()
		return "", "", false, err
	}
	cmd.Stdout.(*os.File).Close() // the child has its own
	p.mu.Lock()
	p.os = cmd.Process
	if p.killed {
		_ = p.os.Kill()
	}
	p.mu.Unlock()

	go func() { _ = f.runtime.server.Serve(processListener{listener, p}) }()
	logged := make(chan struct{})
	go func() {
		f.runtime.log.copy(f.config.Name, output)
		close(logged)
	}()
	err = cmd.Wait()
	<-logged
	cause = "with error: exit status 0"
	if err != nil {
		cause = "with error: " + err.Error()
	}
	status, _ := cmd.ProcessState.Sys().(syscall.WaitStatus)
	interrupted = status.Signaled() && (status.Signal() == syscall.SIGINT || status.Signal() == syscall.SIGTERM)
	p.mu.Lock()
	killed := p.killed
	p.mu.Unlock()
	if !killed && !interrupted {
		report = "process " + strconv.Itoa(cmd.Process.Pid) + " ended " + cause
	}
	return cause, report, interrupted, nil
}

// command makes the command of one process with the environment that Lambda sets:
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
func (p *process) command(runtimeAPI string) (*exec.Cmd, *os.File, error) {
	c := p.function.config
	path, err := filepath.Abs(filepath.Join(c.Dir, "bootstrap"))
	if err != nil {
		return nil, nil, err
	}
	read, write, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	cmd := &exec.Cmd{Path: path, Args: []string{path}, Dir: filepath.Dir(path), Stdout: write, Stderr: write}
	cmd.Env = append([]string{
		"AWS_LAMBDA_RUNTIME_API=" + runtimeAPI,
		"AWS_LAMBDA_FUNCTION_NAME=" + c.Name,
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=" + strconv.Itoa(c.Memory),
		"AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/" + c.Name,
		"AWS_LAMBDA_LOG_STREAM_NAME=local",
		"AWS_EXECUTION_ENV=AWS_Lambda_provided.al2023",
		"LAMBDA_TASK_ROOT=" + filepath.Dir(path),
		"_HANDLER=" + c.Handler,
		"TZ=:UTC",
		"LANG=en_US.UTF-8",
		"PATH=/usr/local/bin:/usr/bin:/bin",
	}, c.Env...)
	return cmd, read, nil
}

// kill ends the process; why is logged unless empty.
func (p *process) kill(why string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.killed {
		return
	}
	p.killed = true
	if why != "" {
		p.function.runtime.log.line(p.function.config.Name, fmt.Appendf(nil, "killed: %s", why))
	}
	if p.os != nil {
		_ = p.os.Kill()
	}
}

// hungUp ends a process that closed its request for work: it will never get any. Usually it is dead already, and what
// it died of is logged as for any other.
func (p *process) hungUp() {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = p.os.Kill()
}
