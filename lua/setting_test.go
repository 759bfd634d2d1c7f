package lua_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/pipectx"
)

// A bound function runs once in every setting that a program has for it, and each
// call has its own answer.
func TestSettings(t *testing.T) {
	mod := source(t, `
--- @key key
--- @arg n int
--- @return int
function M.add(key, n) return redis.call("INCRBY", key, n) end
--- @key key
--- @return int
--- @readonly
function M.get(key) return tonumber(redis.call("GET", key) or 0) end`)
	add, get := bind[count, int64](t, mod, "add"), bind[string, int64](t, mod, "get")

	settings := map[string]func(ctx context.Context, db *pipectx.DB, calls func(context.Context) error) error{
		"alone":  func(ctx context.Context, _ *pipectx.DB, calls func(context.Context) error) error { return calls(ctx) },
		"run":    pipectx.Run,
		"atomic": pipectx.Atomic,
		"flush": func(ctx context.Context, db *pipectx.DB, calls func(context.Context) error) error {
			return errors.Join(db.Client().ScriptFlush(ctx).Err(), pipectx.Run(ctx, db, calls))
		},
	}
	for name, in := range settings {
		calls := func(t *testing.T, db *pipectx.DB) {
			for i := range int64(5) {
				var one, two *pipectx.Ref[int64]
				err := in(t.Context(), db, func(ctx context.Context) error {
					one = add.On(db).Call(ctx, count{"{n}" + name, 1})
					two = add.On(db).Call(ctx, count{"{n}" + name, 10})
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
				want(t, "the first", one, 11*i+1)
				want(t, "the second", two, 11*i+11)
			}
		}
		t.Run(name, func(t *testing.T) {
			each(t, calls)
			t.Run("cluster", func(t *testing.T) {
				db, err := pipectx.New(redistest.Cluster(t).Client(t))
				if err != nil {
					t.Fatal(err)
				}
				calls(t, db)
			})
		})
	}

	t.Run("failover", func(t *testing.T) {
		shards := redistest.Cluster(t)
		db, err := pipectx.New(shards.Client(t))
		if err != nil {
			t.Fatal(err)
		}
		want(t, "before", add.On(db).Call(t.Context(), count{"{f}n", 5}), 5)
		shards.Failover(t, "{f}n")
		want(t, "after", add.On(db).Call(t.Context(), count{"{f}n", 5}), 10)
		want(t, "what only reads", get.On(db).Call(t.Context(), "{f}n"), 10)
	})

	t.Run("replica", func(t *testing.T) {
		shards := redistest.Cluster(t)
		db, err := pipectx.New(shards.Client(t))
		if err != nil {
			t.Fatal(err)
		}
		want(t, "a write", add.On(db).Call(t.Context(), count{"{r}n", 5}), 5)
		client := shards.Replica(t, "{r}n").Client(t, func(o *redis.Options) {
			o.OnConnect = func(ctx context.Context, c *redis.Conn) error { return c.ReadOnly(ctx).Err() }
		})
		replica, err := pipectx.New(client)
		if err != nil {
			t.Fatal(err)
		}
		redistest.Until(t, 10*time.Second, "the replica to follow", func() error {
			if n, err := get.On(replica).Call(t.Context(), "{r}n").Result(); n != 5 {
				return fmt.Errorf("it answers %d, %v", n, err)
			}
			return nil
		})
	})
}
