package pipectx

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// ErrUnsupported is the answer of a verb whose command the server does not have;
// it is wrapped in an [*UnsupportedError]. The cure is a newer server.
var ErrUnsupported = errors.New("unsupported by the server")

// UnsupportedError refuses a command that the server does not have, or not with
// these options: nothing was done.
type UnsupportedError struct {
	Needs  string // the servers that have it: "Redis 7.4 or Valkey 9"
	Server string // what answered: "Redis 7.0.15"; "" if it did not tell
}

func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("%v, %s; it needs %s", ErrUnsupported, cmp.Or(e.Server, "which does not tell its version"), e.Needs)
}

// Is makes errors.Is with ErrUnsupported hold.
func (e *UnsupportedError) Is(target error) bool { return target == ErrUnsupported }

// Needs declares which servers have the command, or those of its options that are
// used: "Redis 7.4 or Valkey 9". One that does not know it, and says so, makes the
// Ref answer [*UnsupportedError]. In an Atomic nothing of the block runs then. It
// goes before OnError and the script, if there are any.
func (c *Command) Needs(servers string) *Command {
	c.fault = func(fault *ServerError) error {
		if unknown(fault) {
			return &UnsupportedError{Needs: servers}
		}
		return fault
	}
	return c
}

// unknown tells whether a server refused words that it does not know. It is said in
// the words of Redis 6 to 8, Valkey and miniredis.
func unknown(fault *ServerError) bool {
	text := strings.ToLower(fault.Message)
	return fault.Code == "ERR" && (strings.HasPrefix(text, "unknown command") || strings.HasPrefix(text, "unknown subcommand") ||
		strings.HasPrefix(text, "syntax error") || strings.HasPrefix(text, "unsupported option") ||
		strings.HasPrefix(text, "wrong number of arguments")) // one more than it knows
}

// version is the name and version of the node's server, "" if it does not tell. It
// is asked once for all.
func (n *node) version(ctx context.Context) string {
	if v := n.told.Load(); v != nil {
		return *v
	}
	answer := make(chan string, 1) // go-redis does not watch ctx while it reads
	go func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		info, err := n.client.Info(ctx, "server").Result()
		v := versionOf(info)
		if err == nil {
			n.told.Store(&v)
		}
		answer <- v
	}()
	select {
	case v := <-answer:
		return v
	case <-ctx.Done():
		return ""
	}
}

// versionOf reads the answer to INFO server.
func versionOf(info string) string {
	said := map[string]string{}
	for lines := bufio.NewScanner(strings.NewReader(info)); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), ":")
		said[name] = value
	}
	switch {
	case said["valkey_version"] != "":
		return "Valkey " + said["valkey_version"]
	case said["redis_version"] != "":
		return "Redis " + said["redis_version"]
	}
	return ""
}
