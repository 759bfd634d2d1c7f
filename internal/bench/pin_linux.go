package main

import (
	"fmt"
	"os"
	"strconv"
	"syscall"
	"unsafe"
)

// pin has the threads of some processes run on the last processor only, until unpin.
func pin(processes ...int) (unpin func() error, err error) {
	var was, last [128]byte // a bit for each processor
	if err := affinity(syscall.SYS_SCHED_GETAFFINITY, 0, &was); err != nil {
		return nil, err
	}
	for i, bits := range was {
		for bit := range 8 {
			if bits&(1<<bit) != 0 {
				last = [128]byte{}
				last[i] = 1 << bit
			}
		}
	}
	all := func(mask *[128]byte) error {
		for _, process := range processes {
			threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", process))
			if err != nil {
				return err
			}
			for _, t := range threads {
				id, err := strconv.Atoi(t.Name())
				if err != nil {
					return err
				}
				if err := affinity(syscall.SYS_SCHED_SETAFFINITY, id, mask); err != nil {
					return err
				}
			}
		}
		return nil
	}
	return func() error { return all(&was) }, all(&last)
}

func affinity(call uintptr, thread int, mask *[128]byte) error {
	_, _, errno := syscall.Syscall(call, uintptr(thread), unsafe.Sizeof(*mask), uintptr(unsafe.Pointer(mask)))
	if errno == syscall.ESRCH { // a thread that has ended
		return nil
	} else if errno != 0 {
		return os.NewSyscallError("sched affinity", errno)
	}
	return nil
}
