//go:build !linux

package redistest

import "os/exec"

// fork starts cmd. Only Linux can tie its life to ours: elsewhere a server
// outlives a test process that is killed.
func fork(cmd *exec.Cmd) error { return cmd.Start() }
