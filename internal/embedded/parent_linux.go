package embedded

import "syscall"

// childAttr keeps Ctrl-C from the child, which must outlive our own drain, and
// ends it when this process is killed. The kernel takes the end of the thread
// that forked for the end of the parent, so the caller must keep its goroutine
// locked to its thread for as long as the child lives.
func childAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
