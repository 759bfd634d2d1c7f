package pipectx_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/pipectx"
)

// BenchmarkRun compares a Run of 100 commands with a bare pipeline of go-redis
// that sends the same.
func BenchmarkRun(b *testing.B) {
	const n = 100
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprint("key", i)
	}
	value := strings.Repeat("x", 64)
	decodeOK, decodeText, decodeInt := pipectx.Reply.OK, pipectx.Reply.Text, pipectx.Reply.Int
	command := func(name, key string) *pipectx.Command {
		c := pipectx.NewCommand(name)
		c.Key(key)
		return c
	}
	goSet := func(ctx context.Context, p redis.Pipeliner, i int) { p.Set(ctx, keys[i], value, 0) }
	goGet := func(ctx context.Context, p redis.Pipeliner, i int) { p.Get(ctx, keys[i]) }
	goHash := func(ctx context.Context, p redis.Pipeliner, i int) {
		p.HSet(ctx, "h"+keys[i], "name", value, "age", i)
	}
	ourSet := func(ctx context.Context, db *pipectx.DB, i int) {
		c := command("SET", keys[i])
		c.Word(value)
		pipectx.Send(ctx, db, c, decodeOK)
	}
	ourGet := func(ctx context.Context, db *pipectx.DB, i int) {
		pipectx.Send(ctx, db, command("GET", keys[i]).Read(), decodeText)
	}
	ourHash := func(ctx context.Context, db *pipectx.DB, i int) {
		c := command("HSET", "h"+keys[i])
		c.Word("name")
		c.Word(value)
		c.Word("age")
		c.Int(int64(i))
		pipectx.Send(ctx, db, c, decodeInt)
	}
	tests := []struct {
		name    string
		goredis []func(ctx context.Context, p redis.Pipeliner, i int)
		ours    []func(ctx context.Context, db *pipectx.DB, i int)
	}{
		{"SET", []func(context.Context, redis.Pipeliner, int){goSet}, []func(context.Context, *pipectx.DB, int){ourSet}},
		{"GET", []func(context.Context, redis.Pipeliner, int){goGet}, []func(context.Context, *pipectx.DB, int){ourGet}},
		{"HSET", []func(context.Context, redis.Pipeliner, int){goHash}, []func(context.Context, *pipectx.DB, int){ourHash}},
		{"mixed", []func(context.Context, redis.Pipeliner, int){goSet, goGet, goHash}, []func(context.Context, *pipectx.DB, int){ourSet, ourGet, ourHash}},
	}
	s := redistest.Shared(b)
	client := s.Client(b, func(o *redis.Options) { o.Network, o.Addr = "unix", s.Socket })
	db := newDB(b, client)
	ctx := b.Context()
	for _, test := range tests {
		b.Run(test.name+"/goredis", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, err := client.Pipelined(ctx, func(p redis.Pipeliner) error {
					for i := range n {
						test.goredis[i%len(test.goredis)](ctx, p, i)
					}
					return nil
				})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(test.name+"/ours", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				err := pipectx.Run(ctx, db, func(ctx context.Context) error {
					for i := range n {
						test.ours[i%len(test.ours)](ctx, db, i)
					}
					return nil
				})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkImmediate compares one command outside Run.
func BenchmarkImmediate(b *testing.B) {
	s := redistest.Shared(b)
	client := s.Client(b, func(o *redis.Options) { o.Network, o.Addr = "unix", s.Socket })
	db := newDB(b, client)
	if err := client.Set(b.Context(), "k", "v", 0).Err(); err != nil {
		b.Fatal(err)
	}
	b.Run("goredis", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := client.Get(b.Context(), "k").Err(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("ours", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			c := pipectx.NewCommand("GET").Read()
			c.Key("k")
			if err := pipectx.Send(b.Context(), db, c, pipectx.Reply.Text).Err(); err != nil {
				b.Fatal(err)
			}
		}
	})
	ctx := context.Background() // nothing to watch while the server answers
	b.Run("ours without cancellation", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			c := pipectx.NewCommand("GET").Read()
			c.Key("k")
			if err := pipectx.Send(ctx, db, c, pipectx.Reply.Text).Err(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkNested is a hundred services of a Run and two commands each, in one.
func BenchmarkNested(b *testing.B) {
	s := redistest.Shared(b)
	client := s.Client(b, func(o *redis.Options) { o.Network, o.Addr = "unix", s.Socket })
	db := newDB(b, client)
	b.Run("goredis", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, err := client.Pipelined(b.Context(), func(p redis.Pipeliner) error {
				for range 100 {
					p.Incr(b.Context(), "a")
					p.Incr(b.Context(), "b")
				}
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("ours", func(b *testing.B) {
		b.ReportAllocs()
		incr := func(ctx context.Context, key string) {
			c := pipectx.NewCommand("INCR")
			c.Key(key)
			pipectx.Send(ctx, db, c, pipectx.Reply.Int)
		}
		for b.Loop() {
			err := pipectx.Run(b.Context(), db, func(ctx context.Context) error {
				for range 100 {
					if err := pipectx.Run(ctx, db, func(ctx context.Context) error {
						incr(ctx, "a")
						incr(ctx, "b")
						return nil
					}); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}
