package pipectx

import (
	"context"
	"fmt"
)

// Outside returns why a verb that needs its answer before it returns, as an
// iterator does, cannot have it: ctx carries an open Run of db. Otherwise it
// returns nil.
//
// Cost: no command, no round trip.
func Outside(ctx context.Context, db *DB, verb string) error { return db.outside(ctx, verb) }

// OutsideAtomic returns why a verb that reads before it writes cannot do so: ctx
// carries an open Atomic of db. Otherwise it returns nil.
//
// Cost: no command, no round trip.
func OutsideAtomic(ctx context.Context, db *DB, verb string) error {
	s := db.scopeOf(ctx)
	if s == nil {
		return nil
	}
	s.root.mu.Lock()
	defer s.root.mu.Unlock()
	if s.within() == nil {
		return nil
	}
	return fmt.Errorf("%s inside Atomic, whose commands run together when it ends: nothing can be read before; call it outside", verb)
}
