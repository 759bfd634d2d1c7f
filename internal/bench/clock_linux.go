package main

import (
	"syscall"
	"time"
)

// cpuTime is the processor time that this program has had so far, that of the garbage
// collector too: who allocates pays for it. It leaves out what other programs had.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // the kernel is older than Go's oldest
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
