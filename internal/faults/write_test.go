package faults_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/pipectx"
)

// The part of the workload that goes by typed verbs; the rest is raw commands.
var (
	tallies = keyspace.NewSortedSet[string, string]("tally")
	ledgers = keyspace.NewHash[string, string, int64]("ledger")

	luaBooks = lua.Module("books", lua.Source("books.lua", `local M = {}
--- @key balance
--- @key ledger
--- @arg id string
--- @arg amount int
--- @return int
function M.enter(balance, ledger, id, amount)
  local now = redis.call("INCRBY", balance, string.format("%d", amount))
  redis.call("HINCRBY", ledger, id, string.format("%d", amount))
  return now
end
return M`))
	enterByModule = lua.Bind[enterArgs, int64](luaBooks, "enter")
)

type enterArgs struct {
	Balance string `lua:"balance,key"`
	Ledger  string `lua:"ledger,key"`
	ID      string `lua:"id"`
	Amount  int64  `lua:"amount"`
}

// enterScripts do the same thing and differ in their first lines: a server knows
// some of them and not others, at any time.
var enterScripts = func() (all []*pipectx.Script) {
	for i := range 5 {
		all = append(all, pipectx.NewScript(fmt.Sprintf(`-- enter%d
local now = redis.call("INCRBY", KEYS[1], ARGV[2])
redis.call("HINCRBY", KEYS[2], ARGV[1], ARGV[2])
return now`, i)))
	}
	return all
}()

// readScript may be sent again when its answer was lost.
var readScript = func() *pipectx.Script {
	s := pipectx.NewScript("-- read\nreturn redis.call('GET', KEYS[1])")
	s.ReadOnly = true
	return s
}()

// issue queues or sends an operation.
func (t *task) issue(ctx context.Context, db *pipectx.DB) {
	switch t.kind {
	case hit:
		track(t, pipectx.Do[int64](ctx, db, "INCRBY", key("hits", t.tag), t.amount), keep(&t.reply))
	case push:
		track(t, pipectx.Do[int64](ctx, db, "RPUSH", key("journal", t.tag), t.id), keep(&t.reply))
	case event:
		track(t, pipectx.Do[string](ctx, db, "XADD", key("events", t.tag), "*", "op", t.id), keep(&t.at))
	case field:
		track(t, pipectx.Do[bool](ctx, db, "HSETNX", key("fields", t.tag), t.id, t.value), is(t, true))
	case tally:
		track(t, tallies.On(db).IncrBy(ctx, t.tag, t.id, 1), is(t, 1.0))
	case box:
		track(t, pipectx.Do[struct{}](ctx, db, "SET", boxKey(t.tag, t.worker), t.value), func(struct{}) error { return nil })
	case entry:
		t.enter(ctx, db)
	case delivery:
		t.deliver(ctx, db)
	}
}

// enter writes into counter and ledger, in one of three ways.
func (t *task) enter(ctx context.Context, db *pipectx.DB) {
	balance, ledger := key("balance", t.tag), key("ledger", t.tag)
	switch t.way {
	case 0:
		// Its error is that of its Refs; where it has none, nothing was issued.
		_ = pipectx.Atomic(ctx, db, func(ctx context.Context) error {
			track(t, pipectx.Do[int64](ctx, db, "INCRBY", balance, t.amount), keep(&t.reply))
			track(t, ledgers.On(db).IncrBy(ctx, t.tag, t.id, t.amount), is(t, t.amount))
			return nil
		})
	case 1:
		c := enterScripts[t.seq%len(enterScripts)].Command(2)
		c.Key(balance)
		c.Key(ledger)
		c.Word(t.id)
		c.Int(t.amount)
		track(t, pipectx.Send(ctx, db, c, pipectx.Reply.Int), keep(&t.reply))
	default:
		track(t, enterByModule.On(db).Call(ctx, enterArgs{balance, ledger, t.id, t.amount}), keep(&t.reply))
	}
}

// deliver adds to the stock what it has read before: whoever does so without a
// guard loses what others add meanwhile. Of all that is tried, the last counts.
func (t *task) deliver(ctx context.Context, db *pipectx.DB) {
	stock, deliveries := key("stock", t.tag), key("deliveries", t.tag)
	// Its error is that of its Refs, or there are none: a read failed.
	_ = pipectx.Watch(ctx, db, func(ctx context.Context) error {
		if before, err := t.classify(); before != notIssued && before != notRun {
			t.refs = append(t.refs, func() error { return fmt.Errorf("%w: Watch tried again behind %s, %v", errReply, before, err) })
			return errWanted
		}
		t.refs = nil
		have, err := pipectx.Do[int64](ctx, db, "GET", stock).Result()
		if err != nil && !errors.Is(err, pipectx.ErrNotFound) {
			return err
		}
		return pipectx.Atomic(ctx, db, func(ctx context.Context) error {
			track(t, pipectx.Do[struct{}](ctx, db, "SET", stock, have+t.amount), func(struct{}) error { return nil })
			track(t, pipectx.Do[int64](ctx, db, "HINCRBY", deliveries, t.id, t.amount), is(t, t.amount))
			return nil
		})
	}, stock)
}

// classify says what the answers so far mean.
func (t *task) classify() (outcome, error) {
	errs := make([]error, len(t.refs))
	for i, answer := range t.refs {
		errs[i] = answer()
	}
	return classify(errs)
}

// track keeps the Ref of a command of t.
func track[T any](t *task, ref *pipectx.Ref[T], check func(T) error) {
	t.refs = append(t.refs, func() error {
		v, err := ref.Result()
		if err != nil {
			return err
		}
		return check(v)
	})
	if t.await == nil {
		t.await = func(ctx context.Context) error {
			_, err := pipectx.Await(ctx, ref)
			return err
		}
	}
}

func keep[T any](where *T) func(T) error {
	return func(v T) error {
		*where = v
		return nil
	}
}

// is checks a reply of which only one is right: another one says that the
// operation was executed before, or that the reply is somebody else's.
func is[T comparable](t *task, right T) func(T) error {
	return func(v T) error {
		if v != right {
			return fmt.Errorf("%w: %s was answered %v, right is %v", errReply, t.id, v, right)
		}
		return nil
	}
}

var errReply = errors.New("wrong reply")
