package lambda

import "syscall"

// dieWithParent lets the kernel kill a child whose parent is gone, even after kill -9 of the parent.
func dieWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
