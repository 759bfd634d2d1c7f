package lock

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Options are those of a lock. The zero value is a sensible one.
type Options struct {
	// TTL is how long a lease lasts without a renewal: the longest time for
	// which a holder that died keeps others out. It is cut to whole
	// milliseconds, the server's resolution. Default: 60 s.
	TTL time.Duration

	// Timeout bounds the wait of Acquire and Do, for others who hold the lock and for
	// a server that does not answer; ctx does as well. Negative: ctx alone.
	// Default: 10 s.
	Timeout time.Duration

	// Fixed leases are not renewed: they end after TTL, unless Extend prolongs
	// them. It is for leases that nobody may come back to release.
	Fixed bool

	// Reentrant lets a verb whose context belongs to a lease of the same lock
	// share that lease, at no cost. The last Release ends it. Otherwise such a
	// verb answers [ErrReentered].
	Reentrant bool

	// Slot puts all locks of the prefix into one slot of a Cluster, so that
	// several of them can be taken at once. Default: one slot for each name, that
	// of the records and keyspaces with this id.
	Slot string
}

const (
	defaultTTL     = 60 * time.Second
	defaultTimeout = 10 * time.Second
	mostTTL        = 365 * 24 * time.Hour
)

// checked returns the options with their defaults.
func (o Options) checked() (Options, error) {
	switch {
	case o.TTL == 0:
		o.TTL = defaultTTL
	case o.TTL < time.Millisecond:
		return o, fmt.Errorf("a TTL of %v is less than a millisecond, the server's resolution; zero means %v", o.TTL, defaultTTL)
	case o.TTL > mostTTL:
		return o, fmt.Errorf("a TTL of %v is more than a year; a lease that is renewed needs little: the default is %v", o.TTL, defaultTTL)
	}
	o.TTL = o.TTL.Truncate(time.Millisecond)
	if o.Timeout == 0 {
		o.Timeout = defaultTimeout
	}
	if strings.ContainsAny(o.Slot, "{}") {
		return o, fmt.Errorf("the Slot %q must not contain braces: it becomes the hash tag of the keys", o.Slot)
	}
	return o, nil
}

// A definition is what all kinds of locks are made of.
type definition struct {
	prefix  string
	options Options
	limit   int // how many may share; unbounded for readers
	stride  int // keys of a lock
}

func define(prefix string, o Options, limit, stride int) (definition, error) {
	o, err := o.checked()
	if err == nil {
		err = checkPrefix(prefix)
	}
	if err != nil {
		return definition{}, fmt.Errorf("lock: %q: %w", prefix, err)
	}
	return definition{prefix, o, limit, stride}, nil
}

func checkPrefix(prefix string) error {
	if prefix == "" || strings.ContainsAny(prefix, "{}") {
		return errors.New("the prefix of the keys must not be empty or contain braces; names go between them")
	}
	return nil
}

// unbounded is how many readers a read-write lock takes.
const unbounded = 1 << 30

// many tells whether there are several permits for one name.
func (d *definition) many() bool { return d.stride == 3 && d.limit > 1 && d.limit < unbounded }
