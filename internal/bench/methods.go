package main

import (
	"context"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/model"
	"github.com/redmoon-go/redmoon/pipectx"
)

// purse is a record with a method, and withdrawByHand the script that one would
// write instead, with the same checks.
type purse struct {
	ID      int64  `redis:"id,key"`
	Owner   string `redis:"owner"`
	Balance int64  `redis:"balance" validate:"gte=0"`
	Version int64  `redis:"version,version"`
}

var (
	purses = model.Define[purse, int64]("purse", model.Lua(lua.Must(lua.LoadFS(files("purse", `local M = {}

--- @arg amount int
--- @return int
function M.withdraw(self, amount)
  if self.balance < amount then
    fail("FUNDS", string.format("have %d, need %d", self.balance, amount))
  end
  self.balance = self.balance - amount
  return self.balance
end

return M`), "purse"))))
	withdraw = model.Method[int64, int64](purses, "withdraw")

	withdrawByHand = redis.NewScript(`local stored = redis.call("HMGET", KEYS[1], "balance", "version")
local amount = tonumber(ARGV[1])
if not stored[1] and redis.call("EXISTS", KEYS[1]) == 0 then
  return redis.error_reply("NOTFOUND " .. KEYS[1] .. " does not exist")
end
local balance = tonumber(stored[1] or "0")
if balance < amount then
  return redis.error_reply(string.format("FUNDS have %d, need %d", balance, amount))
end
balance = balance - amount
if balance < 0 or balance > 9007199254740991 or balance % 1 ~= 0 then
  return redis.error_reply("RANGE balance")
end
redis.call("HSET", KEYS[1], "balance", string.format("%.0f", balance),
  "version", string.format("%.0f", tonumber(stored[2] or "0") + 1))
return balance`)
)

// methodServer is the server's time for n calls of a method, and for as many of the
// script by hand.
func (s *stand) methodServer(n int) job {
	bound := withdraw.On(s.plain)
	refs, cmds := make([]*pipectx.Ref[int64], n), make([]*redis.Cmd, n)
	before := func(ctx context.Context) error {
		if err := withdrawByHand.Load(ctx, s.goredis).Err(); err != nil {
			return err
		}
		return s.goredis.HSet(ctx, "purse{1}", "owner", "Ada", "balance", 1_000_000_000_000, "version", 1).Err()
	}
	return job{
		name: "method-server", units: n, before: before, spent: s.spent, real: true,
		ours: s.run(n, func(ctx context.Context, i int) { refs[i] = bound.Call(ctx, 1, 1) },
			func(i int) error { return refs[i].Err() }),
		rivals: []rival{{name: "EVALSHA by hand", time: 1.5, run: s.bare(n, func(ctx context.Context, p redis.Pipeliner, i int) {
			cmds[i] = withdrawByHand.EvalSha(ctx, p, []string{"purse{1}"}, 1)
		}, func(i int) error { return cmds[i].Err() })}},
	}
}

// A chest is a purse with a list.
type chest struct {
	ID      int64    `redis:"id,key"`
	Balance int64    `redis:"balance" validate:"gte=0"`
	Coins   []string `redis:"coins"`
	Version int64    `redis:"version,version"`
}

var (
	guarded = model.Define[purse, int64]("guarded", model.Lua(lua.Must(lua.LoadFS(files("guarded", `local M = {}

function M.before_save(self)
  if self.balance < 10 then
    fail("FUNDS", "the last 10 stay")
  end
end

--- @arg amount int
--- @return int
function M.withdraw(self, amount)
  self.balance = self.balance - amount
  return self.balance
end

return M`), "guarded"))))
	withdrawGuarded = model.Method[int64, int64](guarded, "withdraw")

	chests = model.Define[chest, int64]("chest", model.Lua(lua.Must(lua.LoadFS(files("chest", `local M = {}

--- @arg amount int
--- @return int
function M.withdraw(self, amount)
  self.balance = self.balance - amount
  self.coins[1] = string.format("%.0f", self.balance)
  return self.balance
end

return M`), "chest"))))
	withdrawCoins = model.Method[int64, int64](chests, "withdraw")
)

// hookServer is the server's time for n calls of a method of a model with a hook, and
// listServer for as many that change a list of ten; both beside calls of one without.
func (s *stand) hookServer(n int) job {
	return s.besidePlain("hook-server", n, withdrawGuarded, "HSET", "guarded{1}", "owner", "Ada", "balance", 1_000_000_000_000, "version", 1)
}

func (s *stand) listServer(n int) job {
	const coins = `["a","b","c","d","e","f","g","h","i","j"]`
	return s.besidePlain("list-server", n, withdrawCoins, "HSET", "chest{1}", "balance", 1_000_000_000_000, "version", 1, "coins", coins)
}

func (s *stand) besidePlain(name string, n int, method *model.Operation[int64, int64, int64], record ...any) job {
	calls := func(method *model.Operation[int64, int64, int64]) work {
		bound, refs := method.On(s.plain), make([]*pipectx.Ref[int64], n)
		return s.run(n, func(ctx context.Context, i int) { refs[i] = bound.Call(ctx, 1, 1) }, func(i int) error { return refs[i].Err() })
	}
	plain := s.methodServer(n)
	return job{
		name: name, units: n, spent: s.spent, real: true, ours: calls(method), rivals: []rival{{name: "without", run: calls(withdraw)}},
		before: func(ctx context.Context) error {
			if err := plain.before(ctx); err != nil {
				return err
			}
			return s.goredis.Do(ctx, record...).Err()
		},
	}
}
