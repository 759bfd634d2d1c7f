package keyspace

import (
	"context"
	"errors"
	"fmt"

	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Lua attaches a module to a keyspace: [Method] types its functions as atomic operations
// on one key.
func Lua(mod *lua.Mod) Option {
	return option(func(s *Settings) error {
		switch {
		case mod == nil:
			return errors.New("the module given to keyspace.Lua is nil; load it before the keyspace is declared")
		case s.Lua != nil:
			return fmt.Errorf("two Lua modules, %s and %s; let one require the other", s.Lua.Name(), mod.Name())
		}
		s.Lua = mod
		return nil
	})
}

// Keyspace is a declaration of any type, with ids of type K: what [NewSet], [NewHash]
// and the others return.
type Keyspace[K any] interface {
	KeyOf(id K) (string, error) // the full Redis key of an id
	Prefix() string             // what keys begin with
	String() string

	declared() *definition[K]
}

func (d *definition[K]) declared() *definition[K] { return d }

// Operation is a function of a keyspace's Lua module, typed: an atomic operation on one
// key. It holds no connection; [Operation.On] binds it.
type Operation[K, In, Out any] struct {
	entry *lua.Entry[In, Out]
	def   *definition[K]
}

// Method types a function of the keyspace's Lua module. Its first parameter is the key,
// as redis.call takes it; the others are In, as for lua.Bind:
//
//	var (
//		Visits = keyspace.NewSortedSet[int64, string]("visits", keyspace.Lua(visits))
//		Trim   = keyspace.Method[int64, int64](Visits, "trim")
//	)
//
//	removed, err := Trim.On(db).Call(ctx, 42, 100).Result()
//
//	--- @arg keep int
//	--- @return int
//	function M.trim(key, keep)
//	  return redis.call("ZREMRANGEBYRANK", key, 0, -keep - 1)
//	end
//
// The key is declared, as one of the script's KEYS, and decides the slot. Keys of other
// keyspaces are arguments tagged as keys, `lua:"to,key"`, made by their KeyOf, and must
// be in the same slot on a Cluster. Members, fields and values are texts to Lua: of a
// number they are its digits. What the function writes by redis.call is written, also
// when it fails later; a function that checks first and writes then does all or nothing.
//
// Method panics, at start-up, if the keyspace has no Lua module, the module no such
// function, or if its annotations and In or Out disagree.
func Method[In, Out, K any](space Keyspace[K], name string) *Operation[K, In, Out] {
	o, err := TryMethod[In, Out](space, name)
	if err != nil {
		panic(atCaller(err))
	}
	return o
}

// TryMethod is [Method] with the error returned.
func TryMethod[In, Out, K any](space Keyspace[K], name string) (*Operation[K, In, Out], error) {
	def := space.declared()
	if def.settings.Lua == nil {
		return nil, fmt.Errorf("keyspace: Method %q of %v: the keyspace has no Lua module; declare it with keyspace.Lua(module)", name, def)
	}
	entry, err := lua.BindReceiver[In, Out](def.settings.Lua, name, &lua.Opener{
		Open: func(keys lua.KeysOf, _ []lua.Use) (string, error) { return keys.Key, nil },
	})
	if err != nil {
		return nil, fmt.Errorf("keyspace: Method %q of %v: %w", name, def, err)
	}
	return &Operation[K, In, Out]{entry, def}, nil
}

// Script is the compiled script, to read or to load by hand.
func (o *Operation[K, In, Out]) Script() *lua.Script { return o.entry.Script() }

// On binds the operation to a DB. If the keyspace declares a connection that the DB does
// not have, calls answer [pipectx.ErrUnknownConnection].
func (o *Operation[K, In, Out]) On(db *pipectx.DB) BoundOperation[K, In, Out] {
	return BoundOperation[K, In, Out]{o, o.def.on(db)}
}

// BoundOperation is an [Operation] on a DB. Safe for concurrent use.
type BoundOperation[K, In, Out any] struct {
	operation *Operation[K, In, Out]
	bound     bound[K]
}

// Call runs the function on the key of an id, atomically. A function that fails answers
// *lua.Error with its code. The default TTL begins anew, unless the function is annotated
// @readonly.
//
// Cost: EVALSHA, at first EVAL, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round
// trip outside Run, none of its own inside.
func (b BoundOperation[K, In, Out]) Call(ctx context.Context, id K, in In) *pipectx.Ref[Out] {
	h := b.bound.handle(id)
	if h.err != nil {
		return pipectx.Failed[Out](ctx, b.bound.db, h.err)
	}
	if b.operation.Script().ReadOnly {
		h.ttl = 0
	}
	return renewed(ctx, h, func(ctx context.Context) *pipectx.Ref[Out] { return b.operation.entry.On(h.db).CallOn(ctx, h.key, in) })
}
