//go:build !linux

package main

import "time"

// cpuTime is the time of day where processor time is not to be had.
func cpuTime() time.Duration { return time.Since(epoch) }
