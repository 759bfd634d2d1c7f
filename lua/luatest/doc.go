// Package luatest tests Lua functions: it calls one of them with Go types, sees
// and stubs what it asks of Redis, and counts which of its lines ran.
//
//	func TestTake(t *testing.T) {
//		w := luatest.New(t) // an embedded server of the test's own
//		w.When("GET", "item{7}").Reply("5")
//
//		left, err := luatest.Call[int](w, Stock, "take", Take{"item{7}", 2})
//		if err != nil || left != 3 {
//			t.Errorf("take = %d, %v", left, err)
//		}
//		for _, c := range w.Commands() {
//			t.Log(c) // GET item{7} → "5"
//		}
//	}
//
// [On] does the same on the server of a DB, a Cluster among them. Private
// functions, whose names begin with _, can be called too.
//
// [Watch.DB] is an ordinary DB: bind to it what is under test, entries of
// lua.Bind, models with their methods, whole services. Every script that goes by
// it is watched, in pipelines and in MULTI, and scripts written by hand too.
//
// # Coverage
//
// A [Coverage] collects over many tests and writes a Go cover profile:
//
//	go tool cover -html=lua.cover
//
// shows the .lua files with what ran and how often. go tool cover -func reads
// nothing but Go; [Coverage.String] has that table. [Coverage.Share] lets a test
// demand a share, [Coverage.Missed] names what it lacks.
//
// # How it works
//
// The client's connection exchanges each script for one that has a counter
// before each statement and a redis of its own, and takes from its reply what it
// has seen. Lines stay where they are, so errors have the same tracebacks.
// Nothing is stored on the server but what the script stores.
//
// # Not guaranteed
//
//   - A watched script is slower, and longer: tests of time and of the commands
//     that are sent have a DB that is not watched.
//   - Where redis.call is kept in a local first, `return call(…)` is a line
//     less in a traceback. A script that uses _G.redis is not seen.
//   - A script that is within two of Lua's limits (60 upvalues, 200 locals)
//     is not watched; the test's log says so.
package luatest
