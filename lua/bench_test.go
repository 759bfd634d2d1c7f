package lua_test

import (
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/pipectx"
)

// A bound call beside go-redis's Script.Run of the same function by hand: one
// server, one connection.
func BenchmarkCall(b *testing.B) {
	s := redistest.Server(b)
	client := s.Client(b)
	ctx := b.Context()

	b.Run("goredis", func(b *testing.B) {
		script := redis.NewScript(`return redis.call("INCRBY", KEYS[1], tonumber(ARGV[1]))`)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := script.Run(ctx, client, []string{"goredis"}, 5).Int64(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("ours", func(b *testing.B) {
		db, err := pipectx.New(client)
		if err != nil {
			b.Fatal(err)
		}
		mod := lua.Module("Bench", lua.Func("add", "key, n", `return redis.call("INCRBY", key, n)`))
		add := lua.Bind[count, int64](mod, "add").On(db)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := add.Call(ctx, count{"ours", 5}).Result(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// Reading, checking and linking two modules: what a program pays once, when it
// starts.
func BenchmarkStart(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		transferEntry(b)
	}
}
