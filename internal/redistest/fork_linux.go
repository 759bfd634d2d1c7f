package redistest

import (
	"os/exec"
	"runtime"
	"sync"
	"syscall"
)

// fork starts cmd so that the kernel kills it when we die, whatever we die of.
//
// The kernel takes the death of the parent's thread for the death of the
// parent, and Go ends threads as it likes. So one goroutine that never gives
// back its thread starts all servers.
func fork(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	result := make(chan error)
	forks() <- func() { result <- cmd.Start() }
	return <-result
}

var forks = sync.OnceValue(func() chan<- func() {
	work := make(chan func())
	go func() {
		runtime.LockOSThread()
		for f := range work {
			f()
		}
	}()
	return work
})
