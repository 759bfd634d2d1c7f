package keyspace_test

import (
	"bytes"
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

// The verbs of whole keys do the same on all servers, and for a key of any type: here
// it is a hash with 7 nuts. Its neighbour, id+1000, has no key.
func TestLife(t *testing.T) {
	stock := keyspace.NewHash[int64, string, int64]("stock", together)
	fill := func(ctx context.Context, s shelf, id int64) error { return s.Set(ctx, id, "nut", 7).Err() }
	holds := func(ctx context.Context, s shelf, id int64) outcome { return of(s.GetAll(ctx, id)) }
	const none, seven = 1_000_000, "Redis 7.0"
	gone, cogs := map[string]int64{}, map[string]int64{"cog": 1}
	other := func(ctx context.Context, s shelf, id int64) { s.Set(ctx, id+1000, "cog", 1) }
	// moved is an outcome that the neighbour confirms.
	moved := func(ctx context.Context, s shelf, id int64, got outcome) outcome {
		want(t, "the neighbour", s.GetAll(ctx, id+1000), map[string]int64{"nut": 7})
		return got
	}
	ends := func(ctx context.Context, s shelf, id int64) { s.Expire(ctx, id, time.Minute) }
	trips(t, stock.On, fill, holds, []trip[shelf]{
		{verb: "ExpireNX", keeps: "one that does not expire", needs: seven, want: true,
			call: func(ctx context.Context, s shelf, id int64) outcome { return of(s.ExpireNX(ctx, id, time.Hour)) }},
		{verb: "ExpireNX", keeps: "not one that expires", needs: seven, want: false,
			call: func(ctx context.Context, s shelf, id int64) outcome {
				ends(ctx, s, id)
				return of(s.ExpireNX(ctx, id, time.Hour))
			}},
		{verb: "ExpireXX", keeps: "not one that does not expire", needs: seven, want: false,
			call: func(ctx context.Context, s shelf, id int64) outcome { return of(s.ExpireXX(ctx, id, time.Hour)) }},
		{verb: "ExpireGT", keeps: "later", needs: seven, want: true,
			call: func(ctx context.Context, s shelf, id int64) outcome {
				ends(ctx, s, id)
				return of(s.ExpireGT(ctx, id, time.Hour))
			}},
		{verb: "ExpireGT", keeps: "never is later than any", other: "takes no TTL for none", needs: seven, want: false,
			call: func(ctx context.Context, s shelf, id int64) outcome { return of(s.ExpireGT(ctx, id, time.Hour)) }},
		{verb: "ExpireLT", keeps: "not later", needs: seven, want: false,
			call: func(ctx context.Context, s shelf, id int64) outcome {
				ends(ctx, s, id)
				return of(s.ExpireLT(ctx, id, time.Hour))
			}},
		{verb: "ExpireTime", keeps: "to the millisecond", needs: seven, want: field.Some(later),
			call: func(ctx context.Context, s shelf, id int64) outcome {
				s.ExpireAt(ctx, id, later)
				return of(s.ExpireTime(ctx, id))
			}},
		{verb: "ExpireTime", keeps: "never", needs: seven, want: field.None[time.Time](),
			call: func(ctx context.Context, s shelf, id int64) outcome { return of(s.ExpireTime(ctx, id)) }},
		{verb: "ExpireTime", keeps: "of nothing", needs: seven, want: pipectx.ErrNotFound,
			call: func(ctx context.Context, s shelf, _ int64) outcome { return of(s.ExpireTime(ctx, none)) }},
		{verb: "Rename", keeps: "it is elsewhere then", want: struct{}{}, after: gone,
			call: func(ctx context.Context, s shelf, id int64) outcome {
				other(ctx, s, id)
				return moved(ctx, s, id, of(s.Rename(ctx, id, id+1000)))
			}},
		{verb: "Rename", keeps: "nothing cannot be moved", want: pipectx.ErrNotFound,
			call: func(ctx context.Context, s shelf, id int64) outcome { return of(s.Rename(ctx, none, id)) }},
		{verb: "RenameNX", keeps: "not over another", want: false,
			call: func(ctx context.Context, s shelf, id int64) outcome {
				other(ctx, s, id)
				return of(s.RenameNX(ctx, id, id+1000))
			}},
		{verb: "RenameNX", keeps: "where there is nothing", want: true, after: gone,
			call: func(ctx context.Context, s shelf, id int64) outcome {
				return moved(ctx, s, id, of(s.RenameNX(ctx, id, id+1000)))
			}},
		{verb: "RenameNX", keeps: "nothing cannot be moved", want: pipectx.ErrNotFound,
			call: func(ctx context.Context, s shelf, id int64) outcome { return of(s.RenameNX(ctx, none, id)) }},
		{verb: "Copy", keeps: "it is in both then", want: true,
			call: func(ctx context.Context, s shelf, id int64) outcome {
				return moved(ctx, s, id, of(s.Copy(ctx, id, id+1000)))
			}},
		{verb: "Copy", keeps: "not over another", want: false,
			call: func(ctx context.Context, s shelf, id int64) outcome {
				other(ctx, s, id)
				return of(s.Copy(ctx, id, id+1000))
			}},
		{verb: "CopyReplace", keeps: "in the place of another", want: true, after: cogs,
			call: func(ctx context.Context, s shelf, id int64) outcome {
				other(ctx, s, id)
				return of(s.CopyReplace(ctx, id+1000, id))
			}},
		{verb: "Dump", keeps: "what Restore takes", absent: true, want: struct{}{},
			call: func(ctx context.Context, s shelf, id int64) outcome {
				dump, err := s.Dump(ctx, id).Result()
				if err != nil {
					return outcome{err: err}
				}
				return moved(ctx, s, id, of(s.Restore(ctx, id+1000, dump, 0)))
			}},
		{verb: "Dump", keeps: "of nothing", want: pipectx.ErrNotFound,
			call: func(ctx context.Context, s shelf, _ int64) outcome { return of(s.Dump(ctx, none)) }},
		{verb: "Restore", keeps: "not over another", absent: true, want: keyspace.ErrKeyExists,
			call: func(ctx context.Context, s shelf, id int64) outcome {
				dump, err := s.Dump(ctx, id).Result()
				if err != nil {
					return outcome{err: err}
				}
				return of(s.Restore(ctx, id, dump, 0))
			}},
		{verb: "RestoreReplace", keeps: "in the place of another", absent: true, want: struct{}{},
			call: func(ctx context.Context, s shelf, id int64) outcome {
				dump, err := s.Dump(ctx, id).Result()
				if err != nil {
					return outcome{err: err}
				}
				other(ctx, s, id)
				return moved(ctx, s, id, of(s.RestoreReplace(ctx, id+1000, dump, time.Minute)))
			}},
		{verb: "ObjectEncoding", keeps: "the server's word", absent: true, want: "listpack",
			call: func(ctx context.Context, s shelf, id int64) outcome { return of(s.ObjectEncoding(ctx, id)) }},
		{verb: "ObjectEncoding", keeps: "of nothing", absent: true, want: pipectx.ErrNotFound,
			call: func(ctx context.Context, s shelf, _ int64) outcome { return of(s.ObjectEncoding(ctx, none)) }},
		{verb: "ObjectIdleTime", keeps: "none: it was just used", want: time.Duration(0),
			call: func(ctx context.Context, s shelf, id int64) outcome { return of(s.ObjectIdleTime(ctx, id)) }},
		{verb: "ObjectIdleTime", keeps: "of nothing", want: pipectx.ErrNotFound,
			call: func(ctx context.Context, s shelf, _ int64) outcome { return of(s.ObjectIdleTime(ctx, none)) }},
		{verb: "ObjectRefCount", keeps: "one", absent: true, want: int64(1),
			call: func(ctx context.Context, s shelf, id int64) outcome { return of(s.ObjectRefCount(ctx, id)) }},
		{verb: "DelMany", keeps: "those that there were", want: int64(1), after: gone,
			call: func(ctx context.Context, s shelf, id int64) outcome { return of(s.DelMany(ctx, id, none)) }},
		{verb: "DelMany", keeps: "none of none", want: int64(0),
			call: func(ctx context.Context, s shelf, _ int64) outcome { return of(s.DelMany(ctx)) }},
		{verb: "UnlinkMany", keeps: "those that there were", want: int64(1), after: gone,
			call: func(ctx context.Context, s shelf, id int64) outcome { return of(s.UnlinkMany(ctx, none, id)) }},
		{verb: "ExistsMany", keeps: "one given twice counts twice", want: int64(2),
			call: func(ctx context.Context, s shelf, id int64) outcome { return of(s.ExistsMany(ctx, id, none, id)) }},
		{verb: "TouchMany", keeps: "those that there are", want: int64(1),
			call: func(ctx context.Context, s shelf, id int64) outcome { return of(s.TouchMany(ctx, id, none)) }},
	})
}

// ObjectFreq answers where the server counts uses.
func TestObjectFreq(t *testing.T) {
	client := redistest.Server(t).Client(t)
	if err := client.ConfigSet(t.Context(), "maxmemory-policy", "allkeys-lfu").Err(); err != nil {
		t.Fatal(err)
	}
	db := newDB(t, client)
	ctx := t.Context()
	done(t, "Set", Names.On(db).Set(ctx, 42, "Ada"))
	if n, err := Names.On(db).ObjectFreq(ctx, 42).Result(); err != nil || n < 1 {
		t.Errorf("ObjectFreq = %d, %v", n, err)
	}
	absent(t, "of nothing", Names.On(db).ObjectFreq(ctx, 43), "keyspace: name{43}: not found")
}

// What is dumped is restored under another id, with the default TTL or the one given,
// and a dump is the caller's own.
func TestRestoreTTL(t *testing.T) {
	redistest.Each(t, func(t *testing.T, s *redistest.Node) {
		db := newDB(t, s.Client(t))
		ctx := t.Context()
		done(t, "Set", Names.On(db).Set(ctx, 42, "Ada"))
		dump, err := Names.On(db).Dump(ctx, 42).Result()
		if err != nil {
			t.Fatal(err)
		}
		kept := bytes.Clone(dump)
		done(t, "Restore", DayNames.On(db).Restore(ctx, 43, dump, 0))
		left(t, Names.On(db).Key(43), day-time.Minute, day)
		done(t, "Restore", DayNames.On(db).RestoreReplace(ctx, 43, dump, time.Minute))
		left(t, Names.On(db).Key(43), 0, time.Minute)
		done(t, "Restore", Names.On(db).Restore(ctx, 44, dump, 0))
		want(t, "TTL", Names.On(db).TTL(ctx, 44), field.None[time.Duration]())
		want(t, "Get", Names.On(db).Get(ctx, 44), "Ada")
		if !bytes.Equal(dump, kept) {
			t.Error("the dump has changed")
		}
		wantText(t, "Restore over another", Names.On(db).Restore(ctx, 43, dump, 0).Err(), "keyspace: name{43}: the key exists already")
		wantText(t, "Restore for less than a millisecond", Names.On(db).Restore(ctx, 45, dump, 1).Err(),
			"keyspace: name{45}: Restore for 1ns: Redis counts milliseconds; give at least one, or 0 for the default")
	})
}

// Ids in any number and any slots go in as few commands as may be, in one round trip
// to each node; an id without a key is named by its position, before anything is sent,
// and what a server refuses by those it was about.
func TestDelManyOfAMillion(t *testing.T) {
	everywhere(t, func(t *testing.T, db *pipectx.DB, sent *redistest.Recorder) {
		const n = 12_001
		ids := make([]int64, n)
		for i := range ids {
			ids[i] = int64(i)
		}
		near := keyspace.NewString[int64, int64]("near", keyspace.OneSlot("A"))
		err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
			for _, id := range []int64{0, 4_999, 5_000, n - 1} {
				near.On(db).Set(ctx, id, 1)
				Hits.On(db).Set(ctx, id, 1)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		want(t, "ExistsMany", near.On(db).ExistsMany(t.Context(), ids...), 4)
		sent.Reset()
		want(t, "DelMany", near.On(db).DelMany(t.Context(), ids...), 4)
		if sent.Commands() != 3 || sent.RoundTrips() != 1 {
			t.Errorf("%d commands in %d round trips, want 3 in 1", sent.Commands(), sent.RoundTrips())
		}
		want(t, "DelMany of many slots", Hits.On(db).DelMany(t.Context(), ids...), 4)
	})

	if !testing.Short() {
		db, sent := embedded(t)
		ids := make([]string, 1_000_000)
		for i := range ids {
			ids[i] = fmt.Sprint(i)
		}
		names := keyspace.NewString[string, string]("n").On(db)
		want(t, "ExistsMany of a million", names.ExistsMany(t.Context(), ids...), 0)
		if sent.Commands() != 200 {
			t.Errorf("%d commands, want 200", sent.Commands())
		}
		sent.Reset()
		ids[700_000] = ""
		var at *keyspace.PositionError
		if err := names.DelMany(t.Context(), ids...).Err(); !errors.As(err, &at) || at.From != 700_000 || at.To != 700_000 || !errors.Is(err, keyspace.ErrEmptyID) {
			t.Errorf("DelMany: %v, want the position of the empty id", err)
		}
		if sent.Commands() != 0 {
			t.Errorf("sent %d commands", sent.Commands())
		}
	}

	client := redistest.Server(t).Client(t)
	db := newDB(t, client)
	if err := client.Do(t.Context(), "ACL", "SETUSER", "default", "-del").Err(); err != nil {
		t.Fatal(err)
	}
	var at *keyspace.PositionError
	if err := Hits.On(db).DelMany(t.Context(), make([]int64, 5_001)...).Err(); !errors.As(err, &at) || at.From != 0 || at.To != 4_999 || at.Of != 5_001 {
		t.Errorf("DelMany that the server refuses: %v, want which ids", err)
	}
}
