//go:build !linux

package lambda

import "syscall"

// dieWithParent has no counterpart outside Linux: there a child ends with its parent because its Runtime API is gone,
// which aws-lambda-go takes as fatal.
func dieWithParent() *syscall.SysProcAttr { return nil }
