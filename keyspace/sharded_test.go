package keyspace_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/pipectx"
)

type codes = keyspace.BoundSharded[int64, string]

// The verbs of Sharded do the same on all servers. Each begins with "Ada".
func TestSharded(t *testing.T) {
	fill := func(ctx context.Context, c codes, id int64) error { return c.Set(ctx, id, "Ada").Err() }
	holds := func(ctx context.Context, c codes, id int64) outcome { return of(c.Get(ctx, id)) }
	const none = 1_000_000
	trips(t, Codes.On, fill, holds, []trip[codes]{
		{verb: "Get", keeps: "absent of nothing", want: pipectx.ErrNotFound,
			call: func(ctx context.Context, c codes, _ int64) outcome { return of(c.Get(ctx, none)) }},
		{verb: "Set", keeps: "tells whether it is new", want: false, after: "Bob",
			call: func(ctx context.Context, c codes, id int64) outcome { return of(c.Set(ctx, id, "Bob")) }},
		{verb: "SetNX", keeps: "not where one is", want: false,
			call: func(ctx context.Context, c codes, id int64) outcome { return of(c.SetNX(ctx, id, "Bob")) }},
		{verb: "Exists", keeps: "one that is there", want: true,
			call: func(ctx context.Context, c codes, id int64) outcome { return of(c.Exists(ctx, id)) }},
		{verb: "StrLen", keeps: "bytes", want: int64(3),
			call: func(ctx context.Context, c codes, id int64) outcome { return of(c.StrLen(ctx, id)) }},
		{verb: "Del", keeps: "one that was there", want: true, after: "",
			call: func(ctx context.Context, c codes, id int64) outcome { return of(c.Del(ctx, id)) }},
		{verb: "MGet", keeps: "the order asked for", want: []field.Optional[string]{nobody, some("Ada"), some("Ada")},
			call: func(ctx context.Context, c codes, id int64) outcome { return of(c.MGet(ctx, none, id, id)) }},
		{verb: "MGet", keeps: "none of none", want: []field.Optional[string]{},
			call: func(ctx context.Context, c codes, _ int64) outcome { return of(c.MGet(ctx)) }},
		{verb: "DelMany", keeps: "those that were there", want: int64(1), after: "",
			call: func(ctx context.Context, c codes, id int64) outcome { return of(c.DelMany(ctx, none, id)) }},
		{verb: "Expire", keeps: "one that is there", absent: true, needs: fieldTTL, want: true,
			call: func(ctx context.Context, c codes, id int64) outcome { return of(c.Expire(ctx, id, time.Minute)) }},
		{verb: "ExpireAt", keeps: "the past is now", absent: true, needs: fieldTTL, want: true, after: "",
			call: func(ctx context.Context, c codes, id int64) outcome {
				return of(c.ExpireAt(ctx, id, time.UnixMilli(1)))
			}},
		{verb: "Persist", keeps: "one without a TTL", needs: fieldTTL, want: false,
			call: func(ctx context.Context, c codes, id int64) outcome { return of(c.Persist(ctx, id)) }},
		{verb: "TTL", keeps: "none", needs: fieldTTL, want: field.None[time.Duration](),
			call: func(ctx context.Context, c codes, id int64) outcome { return of(c.TTL(ctx, id)) }},
		{verb: "TTL", keeps: "nor of nothing", needs: fieldTTL, want: pipectx.ErrNotFound,
			call: func(ctx context.Context, c codes, _ int64) outcome { return of(c.TTL(ctx, none)) }},
	})
	everywhere(t, func(t *testing.T, db *pipectx.DB, _ *redistest.Recorder) {
		want(t, "IncrBy", Points.On(db).IncrBy(t.Context(), 42, 3), 3)
		want(t, "IncrByFloat", Shares.On(db).IncrByFloat(t.Context(), 42, 0.5), 0.5)
	})
}

// Ids are spread over all shards, each is in the one that the documentation says, and
// Each and Len see all of them, the last shard's too.
func TestShardedLayout(t *testing.T) {
	everywhere(t, func(t *testing.T, db *pipectx.DB, _ *redistest.Recorder) {
		const n = 40
		ctx := t.Context()
		layout := keyspace.NewSharded[string, int64]("layout", 4)
		on := layout.On(db)
		for i := range int64(n) {
			id := fmt.Sprint("id", i)
			want(t, "Set", on.Set(ctx, id, i), true)
			key := fmt.Sprintf("layout{%d}", pipectx.Slot(id)%4)
			want(t, "HGET "+key, pipectx.Do[int64](ctx, db, "HGET", key, id), i)
			if k, err := layout.KeyOf(id); err != nil || k != key {
				t.Errorf("KeyOf(%s) = %s, %v, want %s", id, k, err, key)
			}
		}
		for shard := range 4 {
			if size, err := pipectx.Do[int64](ctx, db, "HLEN", fmt.Sprintf("layout{%d}", shard)).Result(); err != nil || size == 0 {
				t.Errorf("shard %d has %d ids, %v", shard, size, err)
			}
		}
		want(t, "Len", on.Len(ctx), n)
		seen := map[string]int64{}
		for kv, err := range on.Each(ctx, "") {
			if err != nil {
				t.Fatal(err)
			}
			seen[kv.ID] = kv.Value
		}
		if len(seen) != n || seen["id39"] != 39 {
			t.Errorf("Each: %d ids, want %d", len(seen), n)
		}
		done(t, "foreign", pipectx.Do[int64](ctx, db, "HSET", "layout{0}", "x", "y"))
		var decode *field.DecodeError
		if err := walk(on.Each(ctx, "x"))(); !errors.As(err, &decode) || decode.Key != "layout{0}" || decode.Field != "x" {
			t.Errorf("Each of what is no number: %v, want a *DecodeError", err)
		}
		_ = pipectx.Run(ctx, db, func(ctx context.Context) error {
			times := 0
			for range on.Each(ctx, "") {
				times++
			}
			if times != 1 {
				t.Errorf("Each inside a Run yields %d times, want its refusal once", times)
			}
			return nil
		})
	})
}

// Wrong declarations say what is wrong, and ids without a text are refused.
func TestShardedRefuses(t *testing.T) {
	for _, row := range []struct {
		err  error
		want string
	}{
		{try(keyspace.TryNewSharded[int64, string]("s", 0)), `keyspace: NewSharded[int64, string]("s", 0): 0 shards; give from 1 to 16384`},
		{try(keyspace.TryNewSharded[int64, string]("s", 4, keyspace.TTL(time.Minute))),
			`keyspace: NewSharded[int64, string]("s", 4): TTL(1m0s) would be that of a whole shard; leave it out, and use Expire for each id`},
		{try(keyspace.TryNewSharded[int64, string]("", 4)), `keyspace: NewSharded[int64, string]("", 4): the prefix is empty; name the keyspace`},
	} {
		wantText(t, "declaration", row.err, row.want)
	}
	db, sent := embedded(t)
	byName := keyspace.NewSharded[string, string]("s", 4).On(db)
	ctx := t.Context()
	for what, err := range map[string]error{
		"Get":     byName.Get(ctx, "").Err(),
		"Del":     byName.Key("").Del(ctx).Err(),
		"MGet":    byName.MGet(ctx, "a", "").Err(),
		"DelMany": byName.DelMany(ctx, "a", "").Err(),
		"TTL":     byName.TTL(ctx, "").Err(),
	} {
		wantErr(t, what, err, keyspace.ErrEmptyID)
	}
	var at *keyspace.PositionError
	if err := byName.MGet(ctx, "a", "b", "").Err(); !errors.As(err, &at) || at.From != 2 || at.Of != 3 {
		t.Errorf("MGet: %v, want the position of the empty id", err)
	}
	if sent.Commands() != 0 {
		t.Errorf("sent: %v", sent)
	}
}
