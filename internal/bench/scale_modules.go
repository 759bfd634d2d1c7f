package main

import (
	"context"
	"fmt"
	"strings"
	"testing/fstest"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/pipectx"
)

// growingModules are programs of one to two hundred Lua modules of twenty functions,
// each of which requires three others. Go calls one function of each module.
func (s *stand) growingModules() subject {
	type in struct {
		Key string `lua:"key,key"`
	}
	begin, size := &line{name: "a module"}, &line{name: "a script"}
	call, byHand := &line{name: "lua.Bind"}, &line{name: "as many scripts by hand"}
	return subject{
		title: "Lua modules",
		sizes: []int{1, 2, 5, 10, 20, 50, 100, 200},
		figures: []*figure{
			{name: "module-start", x: "modules", y: "ms at start-up for a module", lines: []*line{begin},
				meaning: "At start-up each module is read and checked once, and one script is made of each function that Go calls: the time is in proportion to the modules."},
			{name: "module-text", x: "modules", y: "bytes of a compiled script", lines: []*line{size},
				meaning: "A script holds what is reachable from its function, and not the modules that happen to be there."},
			{name: "module-call", x: "modules", y: "µs for a call", lines: []*line{call, byHand},
				meaning: "A call, a hundred of them in a Run, goes by the SHA of its script, as one by hand does. A server that runs many scripts in turn finds less of each in the caches of its processor; of longer scripts sooner."},
		},
		measure: func(ctx context.Context, n int) error {
			fsys, names := modules(n)
			var bound []lua.BoundEntry[in, int64]
			bytes := 0
			load := func(context.Context) error {
				bound, bytes = bound[:0], 0
				cache := lua.NewCache(fsys)
				for _, name := range names {
					m, err := cache.Load(name)
					if err != nil {
						return err
					}
					entry := lua.Bind[in, int64](m, "f0")
					bytes += len(entry.Script().Body)
					bound = append(bound, entry.On(s.plain))
				}
				return nil
			}
			took, _, err := perUnit(ctx, n, load)
			if err != nil {
				return err
			}
			begin.add(n, float64(took)/float64(time.Millisecond))
			size.add(n, float64(bytes)/float64(n))

			const calls = 100
			refs, next := make([]*pipectx.Ref[int64], calls), 0
			took, _, err = perUnit(ctx, calls, s.run(calls, func(ctx context.Context, i int) {
				refs[i] = bound[next%n].Call(ctx, in{"counter"})
				next++
			}, func(i int) error { return refs[i].Err() }))
			if err != nil {
				return err
			}
			call.add(n, microseconds(took))

			scripts, cmds := make([]*redis.Script, n), make([]*redis.Cmd, calls)
			for i := range scripts {
				scripts[i] = redis.NewScript(fmt.Sprintf("local n = redis.call(\"INCR\", KEYS[1]) -- %d\nreturn n + 1", i))
				if err := scripts[i].Load(ctx, s.goredis).Err(); err != nil {
					return err
				}
			}
			took, _, err = perUnit(ctx, calls, s.bare(calls, func(ctx context.Context, p redis.Pipeliner, i int) {
				cmds[i] = scripts[next%n].EvalSha(ctx, p, []string{"counter"})
				next++
			}, func(i int) error { return cmds[i].Err() }))
			byHand.add(n, microseconds(took))
			return err
		},
	}
}

// modules are n files of twenty functions.
func modules(n int) (fsys fstest.MapFS, names []string) {
	fsys = fstest.MapFS{}
	for m := range n {
		var b strings.Builder
		b.WriteString("local M = {}\n")
		for i := 1; i <= 3 && i < n; i++ {
			fmt.Fprintf(&b, "local m%d = require \"m%[1]d\"\n", (m+i)%n)
		}
		b.WriteString("--- @key key\n--- @return int\nfunction M.f0(key) return M.f1(key) + 1 end\n")
		for f := 1; f < 20; f++ {
			fmt.Fprintf(&b, "function M.f%d(key)\n  local n = redis.call(\"INCR\", key)\n  return n + %[1]d\nend\n", f)
		}
		b.WriteString("return M\n")
		name := fmt.Sprintf("m%d", m)
		fsys[name+".lua"] = &fstest.MapFile{Data: []byte(b.String())}
		names = append(names, name)
	}
	return fsys, names
}
