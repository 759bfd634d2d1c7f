package lua_test

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/pipectx"
)

var counter = lua.Module("Counter",
	lua.Func("add", "key, n", `return redis.call("INCRBY", key, n)`),
	lua.Func("twice", "key, n", `
		Counter.add(key, n)
		return Counter.add(key, n)`),
)

type count struct {
	Key string `lua:"key,key"`
	N   int64  `lua:"n"`
}

// Functions written in a Go file, and a call of one of them.
func Example() {
	db, end := exampleDB()
	defer end()

	twice := lua.Bind[count, int64](counter, "twice").On(db)
	n, err := twice.Call(context.Background(), count{"hits", 21}).Result()
	fmt.Println(n, err)
	// Output: 42 <nil>
}

// Two modules in files that require each other; a function that refuses.
func ExampleLoadFS() {
	db, end := exampleDB()
	defer end()
	accounts, err := lua.LoadFS(os.DirFS("testdata"), "accounts")
	if err != nil {
		fmt.Println(err)
		return
	}
	move := lua.Bind[transfer, summary](accounts, "transfer").On(db)
	err = move.Call(context.Background(), transfer{Src: "a{1}", Dst: "b{1}", Amount: 30}).Err()
	if refused, ok := errors.AsType[*lua.Error](err); ok {
		fmt.Println(refused.Code)
		fmt.Println(refused.Traceback())
	}
	// Output:
	// FUNDS
	// Lua traceback of accounts.transfer (most recent call last):
	//   accounts.lua:31 in accounts.transfer
	//       audit.reject(src, "insufficient: have " .. fmt(have), amount)
	//   audit.lua:15 in audit.reject
	//       fail("FUNDS", why .. ", need " .. string.format("%.0f", amount))
}

// Mistakes end a program before it has begun, all at once.
func ExampleTryModule() {
	_, err := lua.TryModule("Stock", lua.Source("stock.lua", `local M = {}
function M.take(item, n)
  local have = rdis.call("GET", item)
  if have < n then
    M.refuze(item)
  end
end
function M.refuse(item) fail("SOLD_OUT", item) end
return M`))
	fmt.Println(err)
	// Output:
	// lua: stock.lua:3:16: unknown global "rdis"; did you mean redis?
	// 	  local have = rdis.call("GET", item)
	// 	               ^
	// lua: stock.lua:5:7: module Stock has no function "refuze"; did you mean refuse?
	// 	    M.refuze(item)
	// 	      ^
}

// Go's types are held against Lua's annotations.
func ExampleTryBind() {
	accounts := lua.Must(lua.LoadFS(os.DirFS("testdata"), "accounts"))
	_, err := lua.TryBind[string, string](accounts, "balance")
	fmt.Println(err)
	// Output: lua: accounts.lua:17:1: accounts.balance: its result is annotated int, and Go's string is string in Lua; change one of them
}

// In a pipeline a call is queued like any command: here are two calls and a
// command, in one round trip.
func ExampleBoundEntry_Call() {
	db, end := exampleDB()
	defer end()

	add := lua.Bind[count, int64](counter, "add").On(db)
	var first, second *pipectx.Ref[int64]
	err := pipectx.Run(context.Background(), db, func(ctx context.Context) error {
		first = add.Call(ctx, count{"hits", 1})
		second = add.Call(ctx, count{"hits", 1})
		pipectx.Do[int64](ctx, db, "DEL", "hits")
		return nil
	})
	fmt.Println(first, second, err)
	// Output: 1 2 <nil>
}

// Integers of all 64 bits pass as strings of digits.
func ExampleExact() {
	db, end := exampleDB()
	defer end()

	note := lua.Module("Note", lua.Func("note", "key, id", `
		redis.call("SET", key, id)
		return redis.call("GET", key)`))
	type args struct {
		Key string    `lua:"key,key"`
		ID  lua.Exact `lua:"id"`
	}
	id, err := lua.Bind[args, lua.Exact](note, "note").On(db).Call(context.Background(), args{"last", 1<<63 - 1}).Result()
	fmt.Println(id, err)
	// Output: 9223372036854775807 <nil>
}
