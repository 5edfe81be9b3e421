//go:build !linux

package embedded

import "syscall"

// childAttr keeps Ctrl-C from the child, which must outlive our own drain. A
// child whose runner was killed lives on here; the next runner ends it.
func childAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
