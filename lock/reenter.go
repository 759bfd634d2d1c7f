package lock

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// leaseContext carries the lease that it belongs to.
type leaseContext struct {
	context.Context
	lease *Lease
}

type leaseKey struct{}

func (c *leaseContext) Value(key any) any {
	if key == (leaseKey{}) {
		return c
	}
	return c.Context.Value(key)
}

// reenter looks for a lease that ctx belongs to and that holds what is asked for.
// It returns that lease where it is to be shared; an error where to wait would be
// to wait for oneself; nil for all else.
func (l locker) reenter(ctx context.Context, keys []string) (*Lease, error) {
	for c := leaseOf(ctx); c != nil; c = leaseOf(c.Context) {
		held := c.lease
		switch {
		case held.db.Client() != l.db.Client() || !held.holdsAny(keys) || errors.Is(held.Err(), ErrReleased):
		case l.def.many() && !l.def.options.Reentrant: // of many permits a second one is another one
		case !l.def.options.Reentrant, !held.holdsAll(keys), held.shape == shared && l.shape == exclusive:
			return nil, fmt.Errorf("%w: %s", ErrReentered, keys[0])
		default:
			return held, held.again()
		}
	}
	return nil, nil
}

func leaseOf(ctx context.Context) *leaseContext {
	c, _ := ctx.Value(leaseKey{}).(*leaseContext)
	return c
}

func (l *Lease) holdsAny(keys []string) bool {
	return slices.ContainsFunc(keys, func(key string) bool { return slices.Contains(l.keys, key) })
}

func (l *Lease) holdsAll(keys []string) bool {
	return !slices.ContainsFunc(keys, func(key string) bool { return !slices.Contains(l.keys, key) })
}

// again counts one more who uses the lease.
func (l *Lease) again() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.check(); err != nil {
		return err
	}
	l.uses++
	return nil
}
