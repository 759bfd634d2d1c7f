package main

import "syscall"

// endsWithUs has a server end when this process does, whatever ends it.
var endsWithUs = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
