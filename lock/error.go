package lock

import "errors"

var (
	// ErrTimeout is the answer of a verb that has waited for as long as
	// Options.Timeout says. Nothing is held. Try again later, or raise the
	// Timeout; a lock that is often waited for guards too much. Where it comes with
	// pipectx.ErrOutcomeUnknown the server did not answer, and others may have to
	// wait until the TTL has passed.
	ErrTimeout = errors.New("lock: timeout: it was not to be had in time")

	// ErrHeld is the answer of TryAcquire when there is no room: somebody holds
	// the lock, or waits for it. Acquire waits.
	ErrHeld = errors.New("lock: held by somebody else")

	// ErrLost says that a lease is over before it was released: its time passed
	// without a renewal, as it does for a process that was stopped or cut off
	// from the server, or the server has lost it. Somebody else may hold the
	// lock: write nothing more, but through a fence. It is the cause of the
	// context that ended, and the answer of every verb of the lease.
	ErrLost = errors.New("lock: the lease is lost")

	// ErrReleased is the answer of verbs of a lease that was released, and the
	// cause of its context. Acquire another one.
	ErrReleased = errors.New("lock: the lease was released")

	// ErrReentered is the answer to a verb whose context belongs to a lease of
	// the same lock: it would wait for itself. Set Options.Reentrant if it is to
	// share that lease, or give it a context from outside.
	ErrReentered = errors.New("lock: this context holds it already: set Options.Reentrant, or use a context from outside of its lease")
)
