package pipectx

import (
	"errors"
	"fmt"
	"strings"
)

var (
	// ErrPending is the answer of a Ref whose command has not been sent yet.
	// Read it after the outermost Run has returned, or in a callback of After.
	ErrPending = errors.New("pipectx: pending: the command is queued; read its Ref after the outermost Run has returned")

	// ErrDiscarded is the answer of a Ref whose Run returned an error or
	// panicked: the command was never sent. It wraps that error.
	ErrDiscarded = errors.New("pipectx: discarded: the command was not sent")

	// ErrEnded is the answer to a verb given the context of a Run that has
	// ended. Do not keep that context; use the one Run was given.
	ErrEnded = errors.New("pipectx: the Run of this context has ended; use a context from outside it")

	// ErrNotFound says that what was asked for does not exist. A Ref that
	// answers it for a read is no failure of its Run.
	ErrNotFound = errors.New("not found")

	// ErrOutcomeUnknown says that a write was sent and its answer was lost: it
	// has run once or not at all. It is not sent again, unless by [Resend]; look
	// at the data before you repeat it.
	ErrOutcomeUnknown = errors.New("outcome unknown: the command was sent and its answer was lost")

	// ErrNotSent is the answer of a command that stood behind a lost
	// connection, or whose context had ended by its turn: it has not run and
	// may be repeated.
	ErrNotSent = errors.New("not sent")

	// ErrConflict is the answer of the commands of a [Watch]'s Atomic when a
	// watched key has changed: none of them has run.
	ErrConflict = errors.New("conflict: a watched key has changed")

	// ErrUnknownConnection is the answer for a connection name that New was
	// not given.
	ErrUnknownConnection = errors.New("pipectx: unknown connection")

	// ErrAlreadyConnected is New's answer to one connection name given with
	// two clients.
	ErrAlreadyConnected = errors.New("pipectx: connection name already in use by another client")

	// ErrClosed is the answer of a DB after Close.
	ErrClosed = errors.New("pipectx: the DB is closed")
)

// ServerError is an error reply of the server.
type ServerError struct {
	Code    string // the first word: WRONGTYPE, OOM, ERR
	Message string // the rest
}

func (e *ServerError) Error() string {
	if e.Message == "" {
		return e.Code
	}
	return e.Code + " " + e.Message
}

// RedisError marks the error as one of the server's, as go-redis does: its
// helpers, such as redis.HasErrorPrefix, take it.
func (e *ServerError) RedisError() {}

// CommandError is the failure of one command.
type CommandError struct {
	Command string // HINCRBY
	Key     string // its first key, if it has one
	Err     error
}

func (e *CommandError) Error() string {
	if e.Key == "" {
		return fmt.Sprintf("pipectx: %s: %v", e.Command, e.Err)
	}
	return fmt.Sprintf("pipectx: %s %s: %v", e.Command, e.Key, e.Err)
}

func (e *CommandError) Unwrap() error { return e.Err }

// RunError joins what failed in one Run. errors.Is and errors.As look through
// to each of Errors.
type RunError struct {
	Errors []error // the first 16, in program order
	Failed int     // how many commands and callbacks failed
	Sent   int     // how many commands there were

	callbacks int // how many of Failed
}

// joined is how many failures a RunError keeps.
const joined = 16

func (e *RunError) Error() string {
	if e.Failed == 1 && len(e.Errors) == 1 {
		return e.Errors[0].Error()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "pipectx: %d of %d commands failed", e.Failed-e.callbacks, e.Sent)
	if e.callbacks > 0 {
		fmt.Fprintf(&b, ", and %d callbacks", e.callbacks)
	}
	b.WriteByte(':')
	for _, err := range e.Errors {
		b.WriteString("\n\t")
		b.WriteString(err.Error())
	}
	if more := e.Failed - len(e.Errors); more > 0 {
		fmt.Fprintf(&b, "\n\tand %d more", more)
	}
	return b.String()
}

// Unwrap returns the failures, so that errors.Is and errors.As find each.
func (e *RunError) Unwrap() []error { return e.Errors }

// CrossSlotError refuses a command whose keys live in different slots of a
// Cluster. The cure is a placement that gives both the same hash tag.
type CrossSlotError struct {
	Command      string
	Key1, Key2   string
	Slot1, Slot2 int
}

func (e *CrossSlotError) Error() string {
	return fmt.Sprintf("pipectx: %s: keys %q (slot %d) and %q (slot %d) are in different slots of the Cluster; give them the same hash tag",
		e.Command, e.Key1, e.Slot1, e.Key2, e.Slot2)
}

// NotFound returns the error of a read that found nothing: errors.Is with
// [ErrNotFound] holds, its text names the thing, and Run does not count it as
// a failure.
func NotFound(thing string) error { return &absence{thing} }

type absence struct{ thing string }

func (e *absence) Error() string   { return e.thing + ": not found" }
func (e *absence) Is(t error) bool { return t == ErrNotFound }

// failure tells whether err is one, or only says that something is absent.
func failure(err error) bool {
	if err == nil || err == ErrNotFound {
		return false
	}
	_, absent := err.(*absence)
	return !absent
}

// discarded is ErrDiscarded with its cause.
type discarded struct{ cause error }

func (e *discarded) Error() string   { return ErrDiscarded.Error() + ": " + e.cause.Error() }
func (e *discarded) Is(t error) bool { return t == ErrDiscarded }
func (e *discarded) Unwrap() error   { return e.cause }
