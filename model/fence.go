package model

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Fencer is a lease with a fencing token, such as *lock.Lease: a number that is more
// than that of every lease before it. An error says that the lease is over.
type Fencer interface{ Fence() (int64, error) }

// Fenced is a [Repo] whose verbs write only under a lease: see [Repo.Fenced]. Its
// verbs are those of Repo, each by a script that compares the tokens in the same step.
type Fenced[T, K any] struct{ repo Repo[T, K] }

// Fenced returns the verbs that write, for the holder of a lease. A record remembers
// the greatest token that has written it so, and refuses those that are less with a
// *[FencedError]: a holder that was stopped behind its last look at the clock, and
// whose lock somebody else holds by now, changes nothing. A lease that is over is
// refused before anything is sent.
//
//	err := Checkout.On(db).Do(ctx, "42", func(ctx context.Context, lease *lock.Lease) error {
//		orders := orders.Fenced(lease)
//		…
//		return orders.Save(ctx, order).Err()
//	})
//
// Lua methods have a Fenced of their own, [BoundOperation.Fenced]. Verbs of the Repo
// itself, and methods without it, look at no token. The token is kept for a week behind
// the last write, apart from the record, so that one that was deleted stays so.
func (r Repo[T, K]) Fenced(lease Fencer) Fenced[T, K] {
	r.bound()
	if lease == nil {
		panic(errors.New("model: Fenced: the lease is nil"))
	}
	r.fence = &lease
	return Fenced[T, K]{r}
}

// Create is [Repo.Create] under the lease.
//
// Cost: EVALSHA, at first EVAL; 1 command; 1 round trip outside Run, none of its own
// inside; INCR in front of it where the id is drawn, as for Repo.Create.
func (f Fenced[T, K]) Create(ctx context.Context, record T) *pipectx.Ref[T] {
	return f.repo.Create(ctx, record)
}

// Save is [Repo.Save] under the lease.
//
// Cost: EVALSHA, at first EVAL; 1 command; 1 round trip outside Run, none of its own
// inside.
func (f Fenced[T, K]) Save(ctx context.Context, record T) *pipectx.Ref[T] {
	return f.repo.Save(ctx, record)
}

// Update is [Repo.Update] under the lease.
//
// Cost: EVALSHA, at first EVAL; 1 command; 1 round trip outside Run, none of its own
// inside.
func (f Fenced[T, K]) Update(ctx context.Context, id K, changes ...Change[T]) *pipectx.Ref[int] {
	return f.repo.Update(ctx, id, changes...)
}

// Upsert is [Repo.Upsert] under the lease.
//
// Cost: EVALSHA, at first EVAL; 1 command; 1 round trip outside Run, none of its own
// inside.
func (f Fenced[T, K]) Upsert(ctx context.Context, id K, changes ...Change[T]) *pipectx.Ref[bool] {
	return f.repo.Upsert(ctx, id, changes...)
}

// Edit is [Repo.Edit] under the lease.
//
// Cost: HMGET and EVALSHA, at first EVAL; 2 commands; 2 round trips outside Run, and as
// for Repo.Edit inside.
func (f Fenced[T, K]) Edit(ctx context.Context, id K, fn func(*T) error) *pipectx.Ref[T] {
	return f.repo.Edit(ctx, id, fn)
}

// Delete is [Repo.Delete] under the lease: a record that is gone refuses less tokens
// as well.
//
// Cost: EVALSHA, at first EVAL; 1 command; 1 round trip outside Run, none of its own
// inside.
func (f Fenced[T, K]) Delete(ctx context.Context, id K) *pipectx.Ref[bool] {
	r := f.repo
	s := deleteScript
	if hooked := r.model.scripts.delete; hooked != nil {
		s = hooked
	}
	c := r.script(s, id)
	if r.model.hooks.beforeDelete {
		if err := r.beforeDelete(ctx, id); err != nil {
			c.Fail(err)
		}
	}
	return pipectx.Send(ctx, r.db, c, pipectx.Reply.Bool)
}

// Fenced returns the operation for the holder of a lease, as [Repo.Fenced] does the
// verbs: under one that is less than what has written the record the function is not
// called, whatever it would write. Fences of records among its arguments are not looked
// at.
//
//	err := Checkout.On(db).Do(ctx, "42", func(ctx context.Context, lease *lock.Lease) error {
//		return Withdraw.On(db).Fenced(lease).Call(ctx, 42, 50).Err()
//	})
func (b BoundOperation[K, In, Out]) Fenced(lease Fencer) BoundOperation[K, In, Out] {
	if lease == nil {
		panic(errors.New("model: Fenced: the lease is nil"))
	}
	b.fence = &lease
	return b
}

// What stands around a function that is called under a lease: write.guard and write.mark
// once more, for what the function writes itself does not go through these.
const (
	beforeFenced = `local __s=redis.call("GET",__g) if __s and tonumber(__s)>tonumber(__n) then return {err="FENCED "..__s} end`
	afterFenced  = `redis.call("SET",__g,__n,"PX",604800000)`
)

// guarded is the operation's entry with the fence of a record.
func (b BoundOperation[K, In, Out]) guarded(key string) (entry lua.BoundEntry[In, Out], err error) {
	at, token, err := fenceOf(b.operation.prefix, key, *b.fence)
	if err != nil {
		return entry, err
	}
	return b.operation.fenced().On(b.db).Guard(lua.Guard{
		Key: at, Word: strconv.FormatInt(token, 10),
		Fault: func(fault *pipectx.ServerError) error { return fencedBy(fault, key, token) },
	}), nil
}

// FencedError refuses a write under a lease whose time is over: a later holder has
// written the record already. Nothing was changed. Stop, and acquire the lock again.
type FencedError struct {
	Key    string
	Token  int64 // of the lease
	Stored int64 // the greatest that has written
}

func (e *FencedError) Error() string {
	return fmt.Sprintf("model: %s: fenced: it was written by the holder of token %d, and this lease has %d; it is lost", e.Key, e.Stored, e.Token)
}

// mostFence is the greatest token: scripts compare them as Lua's numbers.
const mostFence = 1 << 53

// fenceOf is the key of a record's fence, and the token of a lease.
func fenceOf(prefix, key string, lease Fencer) (at string, token int64, err error) {
	token, err = lease.Fence()
	tail, placed := strings.CutPrefix(key, prefix)
	switch {
	case err != nil:
		err = fmt.Errorf("model: %s: fenced: %w", key, err)
	case token <= 0 || token > mostFence:
		err = fmt.Errorf("model: %s: fenced: %d is no fencing token; they are from 1 to 2^53", key, token)
	case !placed || !strings.HasPrefix(tail, "{"):
		err = fmt.Errorf("model: %s: fenced: its key is that of a template, which promises no slot for the fence beside it; give the model another placement", key)
	}
	return prefix + "#fence" + tail, token, err
}

// fencedBy is the error of a fence that has refused a token, nil for other errors.
func fencedBy(fault *pipectx.ServerError, key string, token int64) error {
	stored, err := strconv.ParseInt(fault.Message, 10, 64)
	if err != nil || fault.Code != "FENCED" {
		return nil
	}
	return &FencedError{Key: key, Token: token, Stored: stored}
}

// addFence adds the key and the token that write.open looks for.
func (r Repo[T, K]) addFence(c *pipectx.Command, s *lua.Script, id K) {
	key, err := r.model.KeyOf(id)
	at, token := "", int64(0)
	if err == nil {
		at, token, err = fenceOf(r.model.prefix, key, *r.fence)
	}
	if err != nil {
		c.Fail(err)
	}
	c.Key(at)
	c.OnError(func(fault *pipectx.ServerError) error {
		if err := fencedBy(fault, key, token); err != nil {
			return err
		}
		if r.model.luaHooks != nil {
			return s.Fault(fault)
		}
		if r.model.schema.begins && fault.Code == "ERR" && strings.HasPrefix(fault.Message, "unknown command") {
			return &pipectx.UnsupportedError{Needs: fieldTTLServers}
		}
		return fault
	})
	c.Word("F" + strconv.FormatInt(token, 10))
}
