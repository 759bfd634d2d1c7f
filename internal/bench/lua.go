package main

import (
	"context"
	"fmt"
	"strings"
	"testing/fstest"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/pipectx"
)

// accounts is a function as users write them, with helpers and a second module;
// byHand does the same as a bare script.
var (
	accounts = lua.Must(lua.LoadFS(files(
		"accounts", `local M = {}
local audit = require "audit"

--- @key key
--- @return int
function M.balance(key)
  return tonumber(redis.call("HGET", key, "balance")) or 0
end

--- @key src
--- @key dst
--- @arg amount int
--- @arg ref int64
--- @return json
function M.transfer(src, dst, amount, ref)
  local have = M.balance(src)
  if have - amount < 0 then
    audit.reject(src, have, amount)
  end
  redis.call("HINCRBY", src, "balance", -amount)
  redis.call("HINCRBY", dst, "balance", amount)
  redis.call("HSET", dst, "ref", ref)
  return audit.summary(src, dst)
end

return M`,
		"audit", `local M = {}
local accounts = require "accounts"

function M.reject(key, have, need)
  redis.call("HINCRBY", key, "rejected", 1)
  fail("FUNDS", string.format("have %d, need %d", have, need))
end

function M.summary(src, dst)
  local a, b = accounts.balance(src), accounts.balance(dst)
  return {src = a, dst = b, ratio = b / (a + b), ok = true}
end

return M`), "accounts"))

	byHand = redis.NewScript(`local src, dst, amount = KEYS[1], KEYS[2], tonumber(ARGV[1])
local have = tonumber(redis.call("HGET", src, "balance")) or 0
if have - amount < 0 then
  redis.call("HINCRBY", src, "rejected", 1)
  return redis.error_reply(string.format("FUNDS have %d, need %d", have, amount))
end
redis.call("HINCRBY", src, "balance", -amount)
redis.call("HINCRBY", dst, "balance", amount)
redis.call("HSET", dst, "ref", ARGV[2])
local a = tonumber(redis.call("HGET", src, "balance")) or 0
local b = tonumber(redis.call("HGET", dst, "balance")) or 0
return {a, b, string.format("%.17g", b / (a + b)), 1}`)

	transfers = lua.Bind[transfer, summary](accounts, "transfer")
)

type transfer struct {
	Src    string `lua:"src,key"`
	Dst    string `lua:"dst,key"`
	Amount int64  `lua:"amount"`
	Ref    int64  `lua:"ref"`
}

type summary struct {
	Src   int64   `lua:"src"`
	Dst   int64   `lua:"dst"`
	Ratio float64 `lua:"ratio"`
	OK    bool    `lua:"ok"`
}

// files is a file system of modules: name, text, name, text.
func files(namesAndTexts ...string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for i := 0; i < len(namesAndTexts); i += 2 {
		fsys[namesAndTexts[i]+".lua"] = &fstest.MapFile{Data: []byte(namesAndTexts[i+1])}
	}
	return fsys
}

// lua is calls of Lua functions: what they take of the client, and of the
// server, beside a script by hand.
func (s *stand) lua() []job {
	return []job{s.luaCall(), s.luaClient(), s.luaServer(100), s.luaReachable(100), s.methodServer(100), s.hookServer(100), s.listServer(100)}
}

// moved is what all calls of transfer move: there is always enough of it.
var moved = transfer{"bench{1}", "bench{1}:savings", 1, 1 << 60}

// wealthy fills the account that is drawn from.
func (s *stand) wealthy(ctx context.Context) error {
	return s.goredis.HSet(ctx, moved.Src, "balance", 1<<50).Err()
}

// luaCall is the client's part: both sides call the compiled script.
func (s *stand) luaCall() job {
	bound, in := transfers.On(s.plain), moved
	script := redis.NewScript(transfers.Script().Body)
	return job{
		name: "lua-call", units: 1, before: s.wealthy,
		ours: func(ctx context.Context) error {
			_, err := bound.Call(ctx, in).Result()
			return err
		},
		rivals: []rival{{name: "go-redis Script.Run", time: 1.1, allocs: 0.99, run: func(ctx context.Context) error {
			_, err := script.Run(ctx, s.goredis, []string{in.Src, in.Dst}, in.Amount, in.Ref).Slice()
			return err
		}}},
	}
}

// luaClient is the client alone.
func (s *stand) luaClient() job {
	in, script := moved, redis.NewScript(transfers.Script().Body)
	return job{
		name: "client-lua-call", units: 1, before: s.wealthy, client: true,
		ours: s.taped(func(_ *redis.Client, db *pipectx.DB) work {
			bound := transfers.On(db)
			return func(ctx context.Context) error {
				_, err := bound.Call(ctx, in).Result()
				return err
			}
		}),
		rivals: []rival{{name: "go-redis Script.Run", run: s.taped(func(c *redis.Client, _ *pipectx.DB) work {
			return func(ctx context.Context) error {
				_, err := script.Run(ctx, c, []string{in.Src, in.Dst}, in.Amount, in.Ref).Slice()
				return err
			}
		})}},
	}
}

// luaServer is the server's time for n typed calls of a function that sends
// seven commands, and for as many of the script by hand.
func (s *stand) luaServer(n int) job {
	bound, in := transfers.On(s.plain), moved
	refs, cmds := make([]*pipectx.Ref[summary], n), make([]*redis.Cmd, n)
	before := func(ctx context.Context) error {
		if err := byHand.Load(ctx, s.goredis).Err(); err != nil {
			return err
		}
		return s.wealthy(ctx)
	}
	return job{
		name: "lua-server", units: n, before: before, spent: s.spent, real: true,
		ours: s.run(n, func(ctx context.Context, i int) { refs[i] = bound.Call(ctx, in) },
			func(i int) error { return refs[i].Err() }),
		rivals: []rival{{name: "EVALSHA by hand", time: 1.35, run: s.evalsha(byHand, n, cmds, in.Src, in.Dst, in.Amount, in.Ref)}},
	}
}

// evalsha calls a script n times in a pipeline.
func (s *stand) evalsha(script *redis.Script, n int, cmds []*redis.Cmd, key1, key2 string, args ...any) work {
	return s.bare(n, func(ctx context.Context, p redis.Pipeliner, i int) {
		cmds[i] = script.EvalSha(ctx, p, []string{key1, key2}, args...)
	}, func(i int) error { return cmds[i].Err() })
}

// luaReachable is the server's time for a function that needs 3 of 200 in ten
// modules, and for one of a module that has those 3 alone.
func (s *stand) luaReachable(n int) job {
	type in struct {
		Key string `lua:"key,key"`
	}
	bind := func(modules, functions int) work {
		var all []string
		for m := range modules {
			var b strings.Builder
			b.WriteString("local M = {}\n")
			for other := range modules {
				if other != m {
					fmt.Fprintf(&b, "local m%d = require \"m%[1]d\"\n", other)
				}
			}
			for f := range functions {
				switch {
				case f == 0 && m < 2: // on to the next module
					fmt.Fprintf(&b, "function M.f0(key) return m%d.f0(key) + 1 end\n", m+1)
				case f == 0 && m == 2:
					b.WriteString("function M.f0(key) return redis.call(\"INCR\", key) end\n")
				default:
					fmt.Fprintf(&b, "function M.f%d(key)\n  local n = redis.call(\"INCR\", key)\n  return n + %[1]d\nend\n", f)
				}
			}
			b.WriteString("return M\n")
			all = append(all, fmt.Sprintf("m%d", m), b.String())
		}
		bound := lua.Bind[in, int64](lua.Must(lua.LoadFS(files(all...), "m0")), "f0").On(s.plain)
		refs := make([]*pipectx.Ref[int64], n)
		return s.run(n, func(ctx context.Context, i int) { refs[i] = bound.Call(ctx, in{"reachable"}) },
			func(i int) error { return refs[i].Err() })
	}
	return job{
		name: "lua-3-of-200", units: n, spent: s.spent, real: true,
		ours:   bind(10, 20),
		rivals: []rival{{name: "those 3 alone", time: 1.1, run: bind(3, 1)}},
	}
}
