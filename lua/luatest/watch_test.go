package luatest_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/lua/luatest"
	"github.com/redmoon-go/redmoon/pipectx"
)

// seen are the commands as texts.
func seen(w *luatest.Watch) (texts []string) {
	for _, c := range w.Commands() {
		texts = append(texts, c.String())
	}
	return texts
}

func expect(t *testing.T, w *luatest.Watch, texts ...string) {
	t.Helper()
	if got := seen(w); !slices.Equal(got, texts) {
		t.Errorf("scripts called\n%q, want\n%q", got, texts)
	}
}

// One function is called with Go types, a private one too, on every server; what
// it called is told in order, with the replies.
func TestCall(t *testing.T) {
	each(t, func(t *testing.T, w *luatest.Watch) {
		if err := pipectx.Do[string](t.Context(), w.DB(), "SET", "item{7}", 5).Err(); err != nil {
			t.Fatal(err)
		}
		missing, err := luatest.Call[int](w, stock, "_missing", take{"item{7}", 8})
		if missing != 3 || err != nil {
			t.Errorf("_missing = %d, %v; want 3", missing, err)
		}
		left, err := luatest.Call[int](w, stock, "take", take{"item{7}", 2})
		if left != 3 || err != nil {
			t.Errorf("take = %d, %v; want 3", left, err)
		}
		expect(t, w, `GET item{7} → "5"`, `GET item{7} → "5"`, `DECRBY item{7} 2 → 3`)
		if name := w.Commands()[2].Script; name != "stock.take" {
			t.Errorf("the script is %q", name)
		}
		w.Reset()
		_, err = luatest.Call[int](w, stock, "take", take{"item{7}", 9})
		var refused *lua.Error
		if !errors.As(err, &refused) || refused.Code != "SOLD_OUT" || refused.Message != "have 3, want 9" {
			t.Fatalf("take more than there is: %v", err)
		}
		if len(refused.Trace) != 1 || refused.Trace[0].Line != 25 || refused.Trace[0].Func != "stock.take" {
			t.Errorf("the traceback is that of the author's text, also when watched: %+v", refused)
		}
		expect(t, w, `GET item{7} → "3"`, `HINCRBY item{7}:refused n 9 → 9`, `GET item{7} → "3"`)
	})
}

// A stub answers instead of the server, by every kind of reply; the newest of
// those that fit counts, and Reset takes them away.
func TestStub(t *testing.T) {
	each(t, func(t *testing.T, w *luatest.Watch) {
		w.When("get").Reply("1")
		w.When("GET", "item{7}").Reply("40")
		w.When("DECRBY").Reply(-1)
		left, err := luatest.Call[int](w, stock, "take", take{"item{7}", 2})
		if left != -1 || err != nil {
			t.Errorf("take = %d, %v; want -1 of the stub", left, err)
		}
		expect(t, w, `GET item{7} → "40"`, `DECRBY item{7} 2 → -1`)
		if n, err := pipectx.Do[int64](t.Context(), w.DB(), "EXISTS", "item{7}").Result(); n != 0 || err != nil {
			t.Errorf("a stubbed command reached the server: %d, %v", n, err)
		}

		w.Reset()
		w.When("DECRBY").Fail("OOM command not allowed")
		w.When("GET").Reply("40")
		_, err = luatest.Call[int](w, stock, "take", take{"item{7}", 2})
		var failed *lua.Error
		if !errors.As(err, &failed) || failed.Code != "OOM" || len(failed.Trace) != 1 || failed.Trace[0].Line != 27 {
			t.Errorf("a stubbed failure is %+v; want OOM at line 27", err)
		}
		expect(t, w, `GET item{7} → "40"`, `DECRBY item{7} 2 → error OOM command not allowed`)

		w.Reset()
		expect(t, w)
		if _, err = luatest.Call[int](w, stock, "take", take{"item{7}", 2}); err == nil {
			t.Error("stubs outlive Reset")
		}
	})
}

// Replies in Go are what scripts get in Lua.
func TestStubReplies(t *testing.T) {
	mod := lua.Module("Show", lua.Func("show", "", `
		local function show(v)
			if type(v) ~= "table" then return type(v) .. ":" .. tostring(v) end
			if v.ok then return "status:" .. v.ok end
			local items = {}
			for i, item in ipairs(v) do items[i] = show(item) end
			return "[" .. table.concat(items, " ") .. "]"
		end
		return show(redis.call("ANY"))`))
	each(t, func(t *testing.T, w *luatest.Watch) {
		for _, c := range []struct {
			reply any
			want  string
		}{
			{nil, "boolean:false"},
			{"", "string:"},
			{"a\r\nb\x00\xff", "string:a\r\nb\x00\xff"},
			{7, "number:7"},
			{int64(-7), "number:-7"},
			{luatest.Status("OK"), "status:OK"},
			{[]string{"a", "b"}, "[string:a string:b]"},
			{[]any{"a", nil, 1, []any{"b"}}, "[string:a boolean:false number:1 [string:b]]"},
			{[]any{}, "[]"},
		} {
			w.Reset()
			w.When("ANY").Reply(c.reply)
			if got, err := luatest.Call[string](w, mod, "show", struct{}{}); got != c.want || err != nil {
				t.Errorf("Reply(%#v) is %q, %v in Lua; want %q", c.reply, got, err, c.want)
			}
		}
	})
}

// redis.pcall, caught errors and calls that are no calls are seen as they are
// without a Watch.
func TestFailedCommands(t *testing.T) {
	mod := lua.Module("Try", lua.Func("try", "key", `
		redis.call("SET", key, "text")
		local soft = redis.pcall("INCR", key)
		local ok, hard = pcall(redis.call, "INCR", key)
		local none = pcall(redis.call, "GET", {})
		return (soft.err and "soft " or "") .. (not ok and type(hard) == "string" and "hard " or "") .. (not none and "none" or "")`),
		lua.Func("raise", "key", `redis.call("SET", key, "text") redis.call("INCR", key)`))
	each(t, func(t *testing.T, w *luatest.Watch) {
		type in struct {
			Key string `lua:"key,key"`
		}
		got, err := luatest.Call[string](w, mod, "try", in{"k"})
		if got != "soft hard none" || err != nil {
			t.Errorf("try = %q, %v", got, err)
		}
		all := w.Commands()
		if len(all) != 4 || all[0].Reply != luatest.Status("OK") || all[3].Words[1] != "<table>" || all[3].Err == "" {
			t.Fatalf("seen are %q", seen(w))
		}
		for _, c := range all[1:3] {
			if c.Err == "" || c.Reply != nil {
				t.Errorf("%v has not failed", c)
			}
		}
		_, err = luatest.Call[struct{}](w, mod, "raise", in{"k"})
		var failed *lua.Error
		if !errors.As(err, &failed) || len(failed.Trace) != 1 || failed.Trace[0].File != "Try.raise" || failed.Trace[0].Line != 1 {
			t.Errorf("raise: %+v", err)
		}
	})
}

// Whatever way a script goes, it is watched, and its reply arrives as it would
// without: in pipelines beside other commands, in MULTI, loaded beforehand.
func TestEveryWay(t *testing.T) {
	each(t, func(t *testing.T, w *luatest.Watch) {
		ctx, db := t.Context(), w.DB()
		if err := pipectx.Do[string](ctx, db, "SET", "item{7}", 100).Err(); err != nil {
			t.Fatal(err)
		}
		takes := lua.Bind[take, int](stock, "take").On(db)
		for _, run := range []func(context.Context, *pipectx.DB, func(context.Context) error) error{pipectx.Run, pipectx.Atomic} {
			var refs []*pipectx.Ref[int]
			var between *pipectx.Ref[string]
			err := run(ctx, db, func(ctx context.Context) error {
				refs = append(refs, takes.Call(ctx, take{"item{7}", 1}))
				between = pipectx.Do[string](ctx, db, "GET", "item{7}")
				refs = append(refs, takes.Call(ctx, take{"item{7}", 1000}), takes.Call(ctx, take{"item{7}", 1}))
				return nil
			})
			var refused *lua.Error
			if !errors.As(err, &refused) || refused.Code != "SOLD_OUT" {
				t.Errorf("the error is %v", err)
			}
			first, _ := refs[0].Result()
			text, _ := between.Result()
			last, _ := refs[2].Result()
			if text != strconv.Itoa(first) || last != first-1 {
				t.Errorf("replies are out of step: %v %q %v", first, text, last)
			}
		}
		if n := len(w.Commands()); n != 2*(2+3+2) {
			t.Errorf("%d commands were seen: %q", n, seen(w))
		}

		w.Reset()
		script := redis.NewScript(`redis.call("SET", KEYS[1], ARGV[1]) return {#ARGV, ARGV[1], false, {1}}`)
		sha, err := script.Load(ctx, db.Client()).Result()
		if err != nil || sha != script.Hash() {
			t.Fatalf("SCRIPT LOAD answers %q, %v", sha, err)
		}
		if there, err := script.Exists(ctx, db.Client()).Result(); err != nil || !there[0] {
			t.Errorf("SCRIPT EXISTS answers %v, %v", there, err)
		}
		got, err := script.EvalSha(ctx, db.Client(), []string{"raw{7}"}, "v").Result()
		if err != nil || !reflect.DeepEqual(got, []any{int64(1), "v", nil, []any{int64(1)}}) {
			t.Errorf("a script by hand answers %v, %v", got, err)
		}
		expect(t, w, `SET raw{7} v → OK`)
		if err := redis.NewScript(`error({err = "MY own"})`).Run(ctx, db.Client(), nil).Err(); err == nil || err.Error() != "MY own" {
			t.Errorf("its failure is %v", err)
		}
		if err := redis.NewScript(`return nil`).Run(ctx, db.Client(), nil).Err(); err != redis.Nil {
			t.Errorf("its nil is %v", err)
		}
	})
}

// On a Cluster every node is watched.
func TestCluster(t *testing.T) {
	db, err := pipectx.New(redistest.Cluster(t).Client(t))
	if err != nil {
		t.Fatal(err)
	}
	w := luatest.On(t, db)
	for _, item := range []string{"a", "b", "c", "d", "e", "f"} {
		if _, err := luatest.Call[int](w, stock, "reset", item); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(w.Commands()); n != 6 {
		t.Errorf("%d of 6 commands were seen", n)
	}
}

// A script that leaves no room for what a Watch adds runs as it is.
func TestTooNearToALimit(t *testing.T) {
	var b strings.Builder
	for i := range 60 {
		fmt.Fprintf(&b, "local u%d = %d\n", i, i)
	}
	b.WriteString("local function all() return 0")
	for i := range 60 {
		fmt.Fprintf(&b, "+u%d", i)
	}
	b.WriteString(" end\nreturn all()")
	w := luatest.New(t)
	got, err := redis.NewScript(b.String()).Run(t.Context(), w.DB().Client(), nil).Int()
	if got != 60*59/2 || err != nil {
		t.Errorf("it answers %d, %v", got, err)
	}
}
