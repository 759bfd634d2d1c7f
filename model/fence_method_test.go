package model_test

import (
	"context"
	"errors"
	"testing"

	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/model"
	"github.com/redmoon-go/redmoon/pipectx"
)

// A method is refused under an earlier lease than what has written the record, as verbs
// are: by them, by methods, of whatever arguments. Verbs know the leases of methods.
func TestFencedMethods(t *testing.T) {
	eachWay(t, func(t *testing.T, p place, with teller) {
		client(t, p, 7, 100)
		client(t, p, 8, 0)
		repo, ctx := clients.On(p.db), t.Context()
		want(t, "the first lease", with.withdraw.On(p.db).Fenced(ticket(9)).Call(ctx, 7, 10), 90)
		want(t, "the same lease", with.withdraw.On(p.db).Fenced(ticket(9)).Call(ctx, 7, 10), 80)
		refused := func(lease ticket) map[string]error {
			return map[string]error{
				"withdraw": with.withdraw.On(p.db).Fenced(lease).Call(ctx, 7, 10).Err(),
				"rename":   with.rename.On(p.db).Fenced(lease).Call(ctx, 7, "Bob").Err(),
				"move":     with.move.On(p.db).Fenced(lease).Call(ctx, 7, moveArgs{clients.Key(8), 10}).Err(),
				"to self":  with.move.On(p.db).Fenced(lease).Call(ctx, 7, moveArgs{clients.Key(7), 10}).Err(),
				"a verb":   repo.Fenced(lease).Update(ctx, 7, owner.Set("Bob")).Err(),
			}
		}
		for what, err := range refused(8) {
			fenced := as[*model.FencedError](t, what, err)
			if fenced != nil && *fenced != (model.FencedError{Key: "client{bank}:7", Token: 8, Stored: 9}) {
				t.Errorf("%s: %+v", what, fenced)
			}
		}
		for what, err := range refused(0) {
			if !errors.Is(err, errOver) {
				t.Errorf("%s under a lease that is over: %v", what, err)
			}
		}
		if got := value(t, "Get", repo.Get(ctx, 7)); got.Balance != 80 || got.Owner != "Ada" || got.Version != 3 {
			t.Errorf("stored %s", show(got))
		}
		value(t, "a verb under a later lease", repo.Fenced(ticket(11)).Update(ctx, 7, owner.Set("Bob")))
		as[*model.FencedError](t, "a method behind it", with.withdraw.On(p.db).Fenced(ticket(10)).Call(ctx, 7, 10).Err())
		want(t, "without a lease", with.withdraw.On(p.db).Call(ctx, 7, 10), 70)
		want(t, "another record", with.withdraw.On(p.db).Fenced(ticket(1)).Call(ctx, 8, 0), 0)

		// The script of the call in which two records are one has its fence too.
		want(t, "to self", with.move.On(p.db).Fenced(ticket(12)).Call(ctx, 7, moveArgs{clients.Key(7), 10}), 70)
		want(t, "between two", with.move.On(p.db).Fenced(ticket(12)).Call(ctx, 7, moveArgs{clients.Key(8), 10}), 60)
	})
}

var (
	pours = keyspace.NewString[int64, int64]("pours", tillPlace)
	jugs  = model.Define[Till, int64]("jug", tillPlace, model.With("pours", pours), model.Lua(methods("jug", `
--- @arg last int
--- @arg rest json
function M.pour(self, last, rest)
  self.coin = #KEYS + #ARGV
  redis.call("INCR", self.pours)
  if last < 0 then
    fail("EMPTY")
  end
end

--- @arg n int
function M.sip(self, n)
  if n > self.coin then fail("EMPTY") end
  self.coin = self.coin - n
end`)))
	pour = model.Method[pourArgs, struct{}](jugs, "pour")
	sip  = model.Method[int64, struct{}](jugs, "sip")
)

type pourArgs struct {
	Last int64    `lua:"last"`
	Rest []string `lua:"rest"`
}

// What a method writes by redis.call is refused with it. It sees its own KEYS and ARGV
// only. One that fails is remembered if it has written something by then, and tells its
// own lines.
func TestFencedMethodsThatCall(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		ctx, poured := t.Context(), pours.On(p.db)
		value(t, "Create", jugs.On(p.db).Create(ctx, Till{ID: 1, Coin: 50}))
		value(t, "pour", pour.On(p.db).Fenced(ticket(5)).Call(ctx, 1, pourArgs{1, []string{"a"}}))
		if got := value(t, "Get", jugs.On(p.db).Get(ctx, 1)); got.Coin != 4 {
			t.Errorf("it saw %d keys and arguments; they are 4", got.Coin)
		}
		as[*model.FencedError](t, "redis.call", pour.On(p.db).Fenced(ticket(4)).Call(ctx, 1, pourArgs{}).Err())
		want(t, "poured", poured.Get(ctx, 1), 1)

		failed := as[*lua.Error](t, "nothing written", sip.On(p.db).Fenced(ticket(7)).Call(ctx, 1, 99).Err())
		if failed != nil && (failed.Code != "EMPTY" || failed.Partial || len(failed.Trace) == 0 || failed.Trace[0].Func != "jug.sip") {
			t.Errorf("%+v", failed)
		}
		value(t, "its lease is not remembered", sip.On(p.db).Fenced(ticket(6)).Call(ctx, 1, 1))
		failed = as[*lua.Error](t, "something written", pour.On(p.db).Fenced(ticket(9)).Call(ctx, 1, pourArgs{-1, nil}).Err())
		if failed != nil && !failed.Partial {
			t.Errorf("%+v", failed)
		}
		as[*model.FencedError](t, "its lease is", sip.On(p.db).Fenced(ticket(8)).Call(ctx, 1, 1).Err())
	})
}

// In a Run a method under a lease queues as all do, and its refusal is the Run's.
func TestFencedMethodInRun(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		client(t, p, 7, 100)
		value(t, "another holder", withdraw.On(p.db).Fenced(ticket(9)).Call(t.Context(), 7, 1))
		var late, last *pipectx.Ref[int64]
		err := pipectx.Run(t.Context(), p.db, func(ctx context.Context) error {
			late = withdraw.On(p.db).Fenced(ticket(8)).Call(ctx, 7, 1)
			last = withdraw.On(p.db).Fenced(ticket(9)).Call(ctx, 7, 1)
			return nil
		})
		as[*model.FencedError](t, "the Run", err)
		as[*model.FencedError](t, "the late one", late.Err())
		want(t, "the other", last, 98)
	})
}
