package lambda

import (
	"os/exec"
	"runtime"
)

// spawner starts processes from one operating system thread that lives as long as the Runtime: on Linux the signal that
// a child gets when its parent dies (spawn_linux.go) is tied to the thread that started it, and Go ends idle threads.
type spawner struct {
	commands chan spawn
}

type spawn struct {
	cmd  *exec.Cmd
	done chan error
}

func newSpawner() *spawner {
	s := &spawner{make(chan spawn)}
	go func() {
		runtime.LockOSThread()
		for c := range s.commands {
			c.cmd.SysProcAttr = dieWithParent()
			c.done <- c.cmd.Start()
		}
	}()
	return s
}

func (s *spawner) start(cmd *exec.Cmd) error {
	done := make(chan error, 1)
	s.commands <- spawn{cmd, done}
	return <-done
}

// close ends the thread; no start may follow.
func (s *spawner) close() { close(s.commands) }
