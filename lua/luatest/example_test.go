package luatest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/lua/luatest"
)

var hits = lua.Module("Hits", lua.Func("hit", "page, most", `
	local n = tonumber(redis.call("GET", page)) or 0
	if n >= most then
		fail("ENOUGH", "page has " .. n)
	end
	return redis.call("INCR", page)`))

type hit struct {
	Page string `lua:"page,key"`
	Most int    `lua:"most"`
}

// A function is called with Go types; what it called is told in order.
func ExampleCall() {
	test(func(t testing.TB) {
		w := luatest.New(t)
		n, err := luatest.Call[int](w, hits, "hit", hit{"page{1}", 10})
		fmt.Println(n, err)
		for _, c := range w.Commands() {
			fmt.Println(c)
		}
	})
	// Output:
	// 1 <nil>
	// GET page{1} → nil
	// INCR page{1} → 1
}

// A stub answers instead of the server.
func ExampleWatch_When() {
	test(func(t testing.TB) {
		w := luatest.New(t)
		w.When("GET", "page{1}").Reply("10")
		_, err := luatest.Call[int](w, hits, "hit", hit{"page{1}", 10})
		fmt.Println(err)

		w.Reset()
		w.When("INCR").Fail("OOM command not allowed when used memory > 'maxmemory'.")
		_, err = luatest.Call[int](w, hits, "hit", hit{"page{1}", 10})
		fmt.Println(err)
	})
	// Output:
	// lua: Hits.hit: ENOUGH page has 10 (Hits.hit:4)
	// lua: Hits.hit: OOM command not allowed when used memory > 'maxmemory'. (Hits.hit:6)
}

// What tests run of a module is counted.
func ExampleCoverage() {
	test(func(t testing.TB) {
		var c luatest.Coverage
		w := luatest.New(t)
		w.Cover(&c)
		_, _ = luatest.Call[int](w, hits, "hit", hit{"page{1}", 10})
		fmt.Printf("%.0f %%, without %s\n", 100*c.Share(), strings.Join(c.Missed(), ", "))
	})
	// Output:
	// 75 %, without Hits.hit:4:3
}
