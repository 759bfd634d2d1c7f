package lua_test

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/pipectx"
)

// kinds are functions that say how they may be called.
const kinds = `
--- @readonly
--- @key k
--- @return int
function M.read(k) return tonumber(redis.call("GET", k)) end
--- @idempotent
--- @key k
--- @return int
function M.idem(k) return redis.call("SADD", k, "m") end
--- @key k
--- @return int
function M.plain(k) return redis.call("INCR", k) end
--- @undeclared
--- @return int
function M.undeclared() return M.count("b") end
--- @undeclared
function M.count(name) return redis.call("INCR", "counter:" .. name) end
--- @return int
function M.by_another() return M.count("c") end
`

// A call whose answer was lost is sent again where its function is annotated
// @readonly or @idempotent, and nowhere else.
func TestLostAnswers(t *testing.T) {
	mod := source(t, kinds)
	for name, resent := range map[string]bool{"read": true, "idem": true, "plain": false} {
		proxy := redistest.NewProxy(t)
		client := redistest.Shared(t).Client(t, func(o *redis.Options) { o.Dialer = proxy.Dial })
		db, err := pipectx.New(client)
		if err != nil {
			t.Fatal(err)
		}
		if name == "read" {
			pipectx.Do[string](t.Context(), db, "SET", "k", 1)
		}
		var calls atomic.Int32
		proxy.On(func(r redistest.Request) redistest.Fate {
			if n := calls.Add(1); n == 1 {
				return redistest.Lose()
			}
			return redistest.Pass()
		})
		err = bind[string, int](t, mod, name).On(db).Call(t.Context(), "k").Err()
		if resent != (err == nil) || !resent && !errors.Is(err, pipectx.ErrOutcomeUnknown) || calls.Load() > 1 != resent {
			t.Errorf("%s: %v after %d calls, want it resent: %v", name, err, calls.Load(), resent)
		}
	}
}

// @readonly is held against what is reachable.
func TestReadOnlyIsChecked(t *testing.T) {
	mod := source(t, `
--- @readonly
function M.f(k) return M.g(k) end
function M.g(k)
  redis.call("GET", k)
  return redis.call("INCR", k)
end
--- @readonly
function M.h(c, k) return redis.call(c, k) end`)
	_, err := lua.TryBind[string, int](mod, "f")
	says(t, "a write in what it calls", err, "m.lua:6:10: m.f is annotated @readonly, and INCR may write", "take the annotation away")
	type computed struct {
		C string `lua:"c"`
		K string `lua:"k,key"`
	}
	_, err = lua.TryBind[computed, int](mod, "h")
	says(t, "a computed command", err, "a computed command may write")
}

// A server that is too old for @readonly is told by what it needs.
func TestReadOnlyOnOldServers(t *testing.T) {
	proxy := redistest.NewProxy(t)
	db, err := pipectx.New(redistest.Shared(t).Client(t, func(o *redis.Options) { o.Dialer = proxy.Dial }))
	if err != nil {
		t.Fatal(err)
	}
	proxy.On(func(r redistest.Request) redistest.Fate {
		if strings.HasSuffix(r.Name(), "_RO") {
			return redistest.Answer("-ERR unknown command `EVAL_RO`, with args beginning with: \r\n")
		}
		return redistest.Pass()
	})
	err = bind[string, int](t, source(t, kinds), "read").On(db).Call(t.Context(), "k").Err()
	if !errors.Is(err, pipectx.ErrUnsupported) {
		t.Errorf("%v, want ErrUnsupported", err)
	}
	says(t, "an old server", err, "it needs Redis 7 or Valkey")
}

// A function that makes keys itself says so, and a Cluster refuses it before
// anything is sent.
func TestUndeclared(t *testing.T) {
	mod := source(t, kinds)
	each(t, func(t *testing.T, db *pipectx.DB) {
		want(t, "a single server", bind[struct{}, int](t, mod, "undeclared").On(db).Call(t.Context(), struct{}{}), 1)
	})
	cluster := redistest.Cluster(t).Client(t)
	db, err := pipectx.New(cluster)
	if err != nil {
		t.Fatal(err)
	}
	sent := redistest.Record(cluster)
	for _, name := range []string{"undeclared", "by_another"} {
		says(t, name, bind[struct{}, int](t, mod, name).On(db).Call(t.Context(), struct{}{}).Err(), "is annotated @undeclared", "a Cluster cannot route")
	}
	if sent.Commands() != 0 {
		t.Errorf("it was sent:\n%s", sent)
	}
	want(t, "what declares its keys", bind[string, int](t, mod, "plain").On(db).Call(t.Context(), "k"), 1)
}

// Preload loads what begins with a prefix into every node, and says how many.
func TestPreload(t *testing.T) {
	mod := load(t, "preload_a", "local M = {}\n--- @key k\nfunction M.f(k) return 1 end\n--- @key k\nfunction M.g(k) return 2 end\nreturn M")
	f, g := bind[string, int](t, mod, "f"), bind[string, int](t, mod, "g")
	shards := redistest.Cluster(t)
	db, err := pipectx.New(shards.Client(t))
	if err != nil {
		t.Fatal(err)
	}
	for prefix, n := range map[string]int{"preload_a.": 2, "preload_a.g": 1, "preload_none.": 0} {
		if got, err := lua.Preload(t.Context(), db, prefix); err != nil || got != n {
			t.Errorf("%q: %d, %v, want %d", prefix, got, err, n)
		}
	}
	for _, node := range shards.Nodes { // a Cluster does not tell of replicas that have nothing yet
		if role, err := node.Client(t).Do(t.Context(), "ROLE").Slice(); err != nil || role[0] != "master" {
			continue
		}
		there, err := node.Client(t).ScriptExists(t.Context(), f.Script().SHA, g.Script().SHA).Result()
		if err != nil || !there[0] || !there[1] {
			t.Errorf("%s knows %v, %v", node.Addr, there, err)
		}
	}
	want(t, "a call", f.On(db).Call(t.Context(), "{x}"), 1)
}

// Strict has servers hold what scripts get away with otherwise.
func TestStrict(t *testing.T) {
	mod := source(t, `
--- @undeclared
--- @key a
function M.other(a, b) return redis.call("SET", b .. "", "x") end
--- @readonly
--- @key k
function M.read(k) return redis.call("EXISTS", k) end
--- @key k
function M.fails(k) fail("CODE") end`)
	type args struct {
		A string `lua:"a,key"`
		B string `lua:"b"`
	}
	ctx := lua.Strict(t.Context())
	redistest.Each(t, func(t *testing.T, s *redistest.Node) {
		db := newDB(t, s)
		want(t, "what reads", bind[string, int](t, mod, "read").On(db).Call(ctx, "k"), 0)
		e := failed(t, "fails", bind[string, int](t, mod, "fails").On(db).Call(ctx, "k").Err())
		if e.Code != "CODE" || len(e.Trace) != 1 || e.Trace[0].Line != 9 {
			t.Errorf("%+v", e)
		}
	})
	other := bind[args, string](t, mod, "other")
	one := redistest.Cluster(t) // keys of two slots on one node
	a, b := sameNode(t, one)
	client := one.Master(t, a).Client(t)
	db, err := pipectx.New(client)
	if err != nil {
		t.Fatal(err)
	}
	want(t, "lax", other.On(db).Call(t.Context(), args{a, b}), "OK")
	says(t, "strict", other.On(db).Call(ctx, args{a, b}).Err(), "do not hash to the same slot")
}

// sameNode returns two keys of different slots that one node holds.
func sameNode(t *testing.T, s *redistest.Shards) (a, b string) {
	a = "a"
	for _, b = range []string{"b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m"} {
		if s.Master(t, a).Addr == s.Master(t, b).Addr {
			return a, b
		}
	}
	t.Fatal("no two keys share a node")
	return "", ""
}

// time reckons in microseconds, as times cross: with the server's clock, and in days
// that begin in UTC, also before 1970. It is in scripts that use it.
func TestTime(t *testing.T) {
	mod := source(t, `
--- @return time
function M.now() local a = time.now() return a == time.now() and a or nil end
--- @arg at time
--- @return time
function M.today(at) return time.midnight(at) end
--- @return int
function M.week() return 7 * time.day + time.hour + time.minute + time.second end
--- @return int
function M.own() local time = {day = 7} return time.day end`)
	each(t, func(t *testing.T, db *pipectx.DB) {
		ctx := t.Context()
		clock := func() time.Time { // of the embedded server, too
			parts, err := pipectx.Do[[]string](ctx, db, "TIME").Result()
			if err != nil {
				t.Fatal(err)
			}
			return time.UnixMicro(int64(seconds(t, parts) * 1e6))
		}
		before := clock().Add(-time.Microsecond)
		now, err := bind[struct{}, time.Time](t, mod, "now").On(db).Call(ctx, struct{}{}).Result()
		if after := clock().Add(time.Microsecond); err != nil || now.Before(before) || now.After(after) {
			t.Errorf("now is %v, %v, between %v and %v", now, err, before, after)
		}
		today := bind[time.Time, time.Time](t, mod, "today").On(db)
		for at, day := range map[string]string{
			"2026-03-01T23:59:59.999999Z": "2026-03-01T00:00:00Z",
			"2026-03-01T00:00:00Z":        "2026-03-01T00:00:00Z",
			"1969-12-31T23:00:00Z":        "1969-12-31T00:00:00Z",
			"2026-03-01T00:30:00+01:00":   "2026-02-28T00:00:00Z",
		} {
			when, err := time.Parse(time.RFC3339Nano, at)
			if err != nil {
				t.Fatal(err)
			}
			got, err := today.Call(ctx, when).Result()
			if err != nil || got.Format(time.RFC3339Nano) != day {
				t.Errorf("the day of %s begins at %v, %v, want %s", at, got, err, day)
			}
		}
		want(t, "week", bind[struct{}, int64](t, mod, "week").On(db).Call(ctx, struct{}{}), (7*24*time.Hour + time.Hour + time.Minute + time.Second).Microseconds())
		want(t, "own", bind[struct{}, int](t, mod, "own").On(db).Call(ctx, struct{}{}), 7)
	})
	for name, n := range map[string]int{"now": 1, "week": 1, "own": 0} {
		if got := strings.Count(bind[struct{}, struct{}](t, mod, name).Script().Body, "local time={second"); got != n {
			t.Errorf("%s has %d, want %d", name, got, n)
		}
	}
	_, err := lua.TryModule("m", lua.Source("m.lua", moduleText("function M.f() return time.days end")))
	says(t, "a part there is not", err, `time has no "days"; did you mean day?`)
}

// NOW is the server's time in seconds, read once a call, and only where it is
// used.
func TestNow(t *testing.T) {
	mod := source(t, `
--- @return float
function M.now() return M.also() - NOW + NOW end
function M.also() return NOW end
--- @return bool
function M.twice() local a = NOW return a == NOW end
--- @return int
function M.never() return 1 end
--- @return int
function M.own() local NOW = 7 return NOW end`)
	each(t, func(t *testing.T, db *pipectx.DB) {
		ctx := t.Context()
		clock := func() float64 {
			parts, err := pipectx.Do[[]string](ctx, db, "TIME").Result()
			if err != nil {
				t.Fatal(err)
			}
			return seconds(t, parts)
		}
		before := clock()
		now, err := bind[struct{}, float64](t, mod, "now").On(db).Call(ctx, struct{}{}).Result()
		if after := clock(); err != nil || now < before || now > after {
			t.Errorf("NOW is %f, %v, between %f and %f", now, err, before, after)
		}
		want(t, "twice", bind[struct{}, bool](t, mod, "twice").On(db).Call(ctx, struct{}{}), true)
		want(t, "own", bind[struct{}, int](t, mod, "own").On(db).Call(ctx, struct{}{}), 7)
	})
	for name, n := range map[string]int{"now": 1, "twice": 1, "never": 0, "own": 0} {
		if got := strings.Count(bind[struct{}, struct{}](t, mod, name).Script().Body, `"TIME"`); got != n {
			t.Errorf("%s reads the clock %d times, want %d", name, got, n)
		}
	}
	_, err := lua.TryModule("m", lua.Source("m.lua", moduleText("function M.f() NOW = 1 end")))
	says(t, "an assignment", err, `assignment to the global "NOW"`)
}
