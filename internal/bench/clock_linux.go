package main

import (
	"syscall"
	"time"
)

// threadTime is how long this thread has run so far. It leaves out what other
// programs and the garbage collector's own threads had of the machine.
func threadTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_THREAD, &u); err != nil {
		panic(err) // the kernel is older than Go's oldest
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
