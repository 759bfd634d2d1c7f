//go:build !linux

package main

import "syscall"

// endsWithUs is for Linux: elsewhere a server outlives a process that is killed.
var endsWithUs *syscall.SysProcAttr
