package keyspace_test

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/pipectx"
)

type (
	text    = keyspace.BoundString[int64, string]
	counter = keyspace.BoundString[int64, int64]
)

var (
	some   = field.Some[string]
	nobody = field.None[string]()
)

const (
	equal   = "Redis 8.4 or Valkey 8.1"
	compare = "Redis 8.4"
	setEX   = "Redis 8.4 or Valkey 9.1"
)

// The verbs of String do the same on all servers. Each begins with "Ada", which ends
// in an hour.
func TestStringVerbs(t *testing.T) {
	names := keyspace.NewString[int64, string]("name", together)
	fill := func(ctx context.Context, s text, id int64) error {
		return s.Set(ctx, id, "Ada", keyspace.For(time.Hour)).Err()
	}
	holds := func(ctx context.Context, s text, id int64) outcome { return of(s.Get(ctx, id)) }
	const none = 1_000_000 // an id without a key
	const wrong = 0xbeef   // the digest of something else
	digest := func(ctx context.Context, s text, id int64) uint64 { d, _ := s.Digest(ctx, id).Result(); return d }
	kv := func(id int64, value string) keyspace.KV[int64, string] {
		return keyspace.KV[int64, string]{ID: id, Value: value}
	}
	trips(t, names.On, fill, holds, []trip[text]{
		{verb: "SetXX", keeps: "only where there is a key", want: false,
			call: func(ctx context.Context, s text, _ int64) outcome { return of(s.SetXX(ctx, none, "Bob")) }},
		{verb: "SetIFEQ", keeps: "set where the value is the one", needs: equal, want: true, after: "Bob",
			call: func(ctx context.Context, s text, id int64) outcome { return of(s.SetIFEQ(ctx, id, "Bob", "Ada")) }},
		{verb: "SetIFEQ", keeps: "and nowhere else", needs: equal, want: false,
			call: func(ctx context.Context, s text, id int64) outcome { return of(s.SetIFEQ(ctx, id, "Bob", "Eve")) }},
		{verb: "SetIFNE", keeps: "set where the value is another", needs: compare, want: true, after: "Bob",
			call: func(ctx context.Context, s text, id int64) outcome { return of(s.SetIFNE(ctx, id, "Bob", "Eve")) }},
		{verb: "SetIFNE", keeps: "and nowhere else", needs: compare, want: false,
			call: func(ctx context.Context, s text, id int64) outcome { return of(s.SetIFNE(ctx, id, "Bob", "Ada")) }},
		{verb: "SetIFDEQ", keeps: "set where the digest is the one", needs: compare, want: true, after: "Bob",
			call: func(ctx context.Context, s text, id int64) outcome {
				return of(s.SetIFDEQ(ctx, id, "Bob", digest(ctx, s, id)))
			}},
		{verb: "SetIFDNE", keeps: "set where the digest is another", needs: compare, want: true, after: "Bob",
			call: func(ctx context.Context, s text, id int64) outcome { return of(s.SetIFDNE(ctx, id, "Bob", wrong)) }},
		{verb: "GetSet", keeps: "answers what it overwrites", want: some("Ada"), after: "Bob",
			call: func(ctx context.Context, s text, id int64) outcome { return of(s.GetSet(ctx, id, "Bob")) }},
		{verb: "GetSet", keeps: "or that it overwrites nothing", want: nobody,
			call: func(ctx context.Context, s text, id int64) outcome { return of(s.GetSet(ctx, id+1000, "Bob")) }},
		{verb: "GetSetNX", keeps: "answers what is in the way", needs: "Redis 7.0", want: some("Ada"),
			call: func(ctx context.Context, s text, id int64) outcome { return of(s.GetSetNX(ctx, id, "Bob")) }},
		{verb: "GetSetXX", keeps: "answers what it overwrites", want: some("Ada"), after: "Bob",
			call: func(ctx context.Context, s text, id int64) outcome { return of(s.GetSetXX(ctx, id, "Bob")) }},
		{verb: "GetSetXX", keeps: "or that there is nothing", want: nobody,
			call: func(ctx context.Context, s text, _ int64) outcome { return of(s.GetSetXX(ctx, none, "Bob")) }},
		{verb: "GetSetIFEQ", keeps: "answers what it overwrites", needs: equal, want: some("Ada"), after: "Bob",
			call: func(ctx context.Context, s text, id int64) outcome { return of(s.GetSetIFEQ(ctx, id, "Bob", "Ada")) }},
		{verb: "GetSetIFEQ", keeps: "or what is in the way", needs: equal, want: some("Ada"),
			call: func(ctx context.Context, s text, id int64) outcome { return of(s.GetSetIFEQ(ctx, id, "Bob", "Eve")) }},
		{verb: "GetSetIFNE", keeps: "answers what it overwrites", needs: compare, want: some("Ada"), after: "Bob",
			call: func(ctx context.Context, s text, id int64) outcome { return of(s.GetSetIFNE(ctx, id, "Bob", "Eve")) }},
		{verb: "GetSetIFDEQ", keeps: "answers what is in the way", needs: compare, want: some("Ada"),
			call: func(ctx context.Context, s text, id int64) outcome { return of(s.GetSetIFDEQ(ctx, id, "Bob", wrong)) }},
		{verb: "GetSetIFDNE", keeps: "answers what it overwrites", needs: compare, want: some("Ada"), after: "Bob",
			call: func(ctx context.Context, s text, id int64) outcome { return of(s.GetSetIFDNE(ctx, id, "Bob", wrong)) }},
		{verb: "DelIFEQ", keeps: "removed where the value is the one", needs: compare, want: true, after: "",
			call: func(ctx context.Context, s text, id int64) outcome { return of(s.DelIFEQ(ctx, id, "Ada")) }},
		{verb: "DelIFEQ", keeps: "and nowhere else", needs: compare, want: false,
			call: func(ctx context.Context, s text, id int64) outcome { return of(s.DelIFEQ(ctx, id, "Eve")) }},
		{verb: "DelIFNE", keeps: "removed where the value is another", needs: compare, want: true, after: "",
			call: func(ctx context.Context, s text, id int64) outcome { return of(s.DelIFNE(ctx, id, "Eve")) }},
		{verb: "DelIFDEQ", keeps: "kept where the digest is another", absent: true, needs: compare, want: false,
			call: func(ctx context.Context, s text, id int64) outcome { return of(s.DelIFDEQ(ctx, id, wrong)) }},
		{verb: "DelIFDNE", keeps: "removed where the digest is another", absent: true, needs: compare, want: true, after: "",
			call: func(ctx context.Context, s text, id int64) outcome { return of(s.DelIFDNE(ctx, id, wrong)) }},
		{verb: "Digest", keeps: "of nothing there is none", needs: compare, want: pipectx.ErrNotFound,
			call: func(ctx context.Context, s text, _ int64) outcome { return of(s.Digest(ctx, none)) }},
		{verb: "GetEx", keeps: "reads, as Get does", want: "Ada",
			call: func(ctx context.Context, s text, id int64) outcome { return of(s.GetEx(ctx, id, minute)) }},
		{verb: "GetEx", keeps: "absent of nothing", want: pipectx.ErrNotFound,
			call: func(ctx context.Context, s text, _ int64) outcome { return of(s.GetEx(ctx, none, keyspace.NoTTL())) }},
		{verb: "GetRange", keeps: "both ends are in it", want: "da",
			call: func(ctx context.Context, s text, id int64) outcome { return of(s.GetRange(ctx, id, 1, 2)) }},
		{verb: "GetRange", keeps: "beyond the text is nothing", want: "",
			call: func(ctx context.Context, s text, id int64) outcome { return of(s.GetRange(ctx, id, 7, 9)) }},
		{verb: "GetRange", keeps: "nor in no text", want: "",
			call: func(ctx context.Context, s text, _ int64) outcome { return of(s.GetRange(ctx, none, 0, -1)) }},
		{verb: "SetRange", keeps: "over what there is, and a gap is zeros", want: int64(6), after: "Ada\x00!!",
			call: func(ctx context.Context, s text, id int64) outcome { return of(s.SetRange(ctx, id, 4, "!!")) }},
		{verb: "LCS", keeps: "what both have in this order", absent: true, needs: "Redis 7.0", want: "Aa",
			call: func(ctx context.Context, s text, id int64) outcome {
				done(t, "Set", s.Set(ctx, id+1000, "Aha"))
				return of(s.LCS(ctx, id, id+1000))
			}},
		{verb: "LCSLen", keeps: "its length", absent: true, needs: "Redis 7.0", want: int64(2),
			call: func(ctx context.Context, s text, id int64) outcome {
				done(t, "Set", s.Set(ctx, id+1000, "Aha"))
				return of(s.LCSLen(ctx, id, id+1000))
			}},
		{verb: "LCSMatches", keeps: "where it is, the last first", absent: true, needs: "Redis 7.0",
			want: []keyspace.Match{{Start: 2, End: 3, OtherStart: 2, OtherEnd: 3}, {Start: 0, End: 1, OtherStart: 0, OtherEnd: 1}},
			call: func(ctx context.Context, s text, id int64) outcome {
				done(t, "Set", s.Set(ctx, id+1000, "Aha"))
				return of(s.LCSMatches(ctx, id, id+1000, 0))
			}},
		{verb: "LCSMatches", keeps: "only those that are long enough", absent: true, needs: "Redis 7.0", want: []keyspace.Match{},
			call: func(ctx context.Context, s text, id int64) outcome { return of(s.LCSMatches(ctx, id, none, 1)) }},
		{verb: "MSet", keeps: "all of them", want: struct{}{}, after: "Bob",
			call: func(ctx context.Context, s text, id int64) outcome {
				set := of(s.MSet(ctx, kv(id, "Bob"), kv(id+1000, "Eve")))
				want(t, "MGet", s.MGet(ctx, id, id+1000), []field.Optional[string]{some("Bob"), some("Eve")})
				return set
			}},
		{verb: "MSet", keeps: "none are no command", want: struct{}{},
			call: func(ctx context.Context, s text, _ int64) outcome { return of(s.MSet(ctx)) }},
		{verb: "MSetNX", keeps: "all or none: one is there", want: false,
			call: func(ctx context.Context, s text, id int64) outcome {
				set := of(s.MSetNX(ctx, kv(id+1000, "Eve"), kv(id, "Bob")))
				want(t, "Exists", s.Exists(ctx, id+1000), false)
				return set
			}},
		{verb: "MSetNX", keeps: "all or none: none is there", want: true,
			call: func(ctx context.Context, s text, id int64) outcome { return of(s.MSetNX(ctx, kv(id+1000, "Eve"))) }},
		{verb: "MSetEX", keeps: "all of them, with one end", needs: setEX, want: true, after: "Bob",
			call: func(ctx context.Context, s text, id int64) outcome {
				return of(s.MSetEX(ctx, []keyspace.KV[int64, string]{kv(id, "Bob")}, minute))
			}},
		{verb: "MSetEXNX", keeps: "all or none: one is there", needs: setEX, want: false,
			call: func(ctx context.Context, s text, id int64) outcome {
				return of(s.MSetEXNX(ctx, []keyspace.KV[int64, string]{kv(id, "Bob")}))
			}},
		{verb: "MSetEXXX", keeps: "all or none: all are there", needs: setEX, want: true, after: "Bob",
			call: func(ctx context.Context, s text, id int64) outcome {
				return of(s.MSetEXXX(ctx, []keyspace.KV[int64, string]{kv(id, "Bob")}, keyspace.KeepTTL()))
			}},
	})
}

// The counting verbs of String do the same on all servers. Each begins with 7.
func TestStringCounts(t *testing.T) {
	fill := func(ctx context.Context, n counter, id int64) error { return n.Set(ctx, id, 7).Err() }
	holds := func(ctx context.Context, n counter, id int64) outcome { return of(n.Get(ctx, id)) }
	upTo9 := keyspace.Bounds[int64]{Greatest: field.Some[int64](9)}
	saturating := keyspace.Bounds[int64]{Least: field.Some[int64](0), Saturate: true}
	type step = keyspace.Increment[int64]
	trips(t, Hits.On, fill, holds, []trip[counter]{
		{verb: "Decr", keeps: "one less", want: int64(6), after: int64(6),
			call: func(ctx context.Context, n counter, id int64) outcome { return of(n.Decr(ctx, id)) }},
		{verb: "DecrBy", keeps: "from nothing too", want: int64(-3),
			call: func(ctx context.Context, n counter, id int64) outcome { return of(n.DecrBy(ctx, id+1000, 3)) }},
		{verb: "IncrEX", keeps: "within its bounds", needs: "Redis 8.8", want: step{9, 2}, after: int64(9),
			call: func(ctx context.Context, n counter, id int64) outcome { return of(n.IncrEX(ctx, id, 2, upTo9, minute)) }},
		{verb: "IncrEX", keeps: "nothing beyond them", needs: "Redis 8.8", want: step{7, 0},
			call: func(ctx context.Context, n counter, id int64) outcome { return of(n.IncrEX(ctx, id, 3, upTo9)) }},
		{verb: "IncrEX", keeps: "as far as they are", needs: "Redis 8.8", want: step{0, -7}, after: int64(0),
			call: func(ctx context.Context, n counter, id int64) outcome { return of(n.IncrEX(ctx, id, -9, saturating)) }},
	})
	rates := func(ctx context.Context, r keyspace.BoundString[int64, float64], id int64) outcome {
		return of(r.Get(ctx, id))
	}
	trips(t, Rates.On, func(ctx context.Context, r keyspace.BoundString[int64, float64], id int64) error {
		return r.Set(ctx, id, 1).Err()
	},
		rates, []trip[keyspace.BoundString[int64, float64]]{
			{verb: "IncrEXFloat", keeps: "floats too", needs: "Redis 8.8", want: keyspace.Increment[float64]{Value: 1.5, Added: 0.5}, after: 1.5,
				call: func(ctx context.Context, r keyspace.BoundString[int64, float64], id int64) outcome {
					return of(r.IncrEXFloat(ctx, id, 0.5, keyspace.Bounds[float64]{}))
				}},
		})
}

// An Expiry stands in place of the default TTL, in every verb that takes one, and what
// cannot be one is refused at the call.
func TestExpiry(t *testing.T) {
	everywhere(t, func(t *testing.T, db *pipectx.DB, _ *redistest.Recorder) {
		ctx, names := t.Context(), DayNames.On(db)
		at := time.Now().Add(time.Hour)
		key := Names.On(db).Key(42)
		never := func(what string) { t.Helper(); want(t, what, key.TTL(ctx), field.None[time.Duration]()) }
		for _, row := range []struct {
			verb string
			set  func(e ...keyspace.Expiry) interface{ Err() error }
		}{
			{"Set", func(e ...keyspace.Expiry) interface{ Err() error } { return names.Set(ctx, 42, "Ada", e...) }},
			{"SetXX", func(e ...keyspace.Expiry) interface{ Err() error } { return names.SetXX(ctx, 42, "Ada", e...) }},
			{"GetSet", func(e ...keyspace.Expiry) interface{ Err() error } { return names.GetSet(ctx, 42, "Ada", e...) }},
		} {
			t.Run(row.verb, func(t *testing.T) {
				done(t, "fill", Names.On(db).Set(ctx, 42, "x"))
				set := func(e ...keyspace.Expiry) {
					t.Helper()
					if err := row.set(e...).Err(); err != nil {
						t.Error(err)
					}
				}
				set()
				left(t, key, day-time.Minute, day)
				set(minute)
				left(t, key, time.Second, time.Minute)
				set(keyspace.KeepTTL())
				left(t, key, time.Second, time.Minute)
				set(keyspace.Until(at))
				left(t, key, 59*time.Minute, time.Hour)
				set(keyspace.NoTTL())
				never("NoTTL")
			})
		}
		done(t, "GetEx", names.GetEx(ctx, 42, minute))
		left(t, key, time.Second, time.Minute)
		done(t, "GetEx", names.GetEx(ctx, 42, keyspace.NoTTL()))
		never("GetEx with NoTTL")
		done(t, "MSet", names.MSet(ctx, keyspace.KV[int64, string]{ID: 42, Value: "Ada"}))
		left(t, key, day-time.Minute, day)
	})

	db, sent := embedded(t)
	ctx, names := t.Context(), Names.On(db)
	for _, row := range []struct {
		err  error
		want string
	}{
		{names.Set(ctx, 42, "a", keyspace.For(0)).Err(), "keyspace: For(0s): Redis counts milliseconds; give at least one"},
		{names.Set(ctx, 42, "a", keyspace.Until(time.Time{})).Err(), "keyspace: Until(0001-01-01 00:00:00 +0000 UTC): Redis counts from 1970; give a later time, or NoTTL()"},
		{names.Set(ctx, 42, "a", keyspace.Until(time.UnixMilli(0).UTC())).Err(), "keyspace: Until(1970-01-01 00:00:00 +0000 UTC): Redis counts from 1970; give a later time, or NoTTL()"},
		{names.SetNX(ctx, 42, "a", keyspace.Expiry{}).Err(), "keyspace: an Expiry that says nothing; give For, Until, KeepTTL or NoTTL"},
		{names.SetXX(ctx, 42, "a", minute, keyspace.KeepTTL()).Err(), "keyspace: two ends of one value, For(1m0s) and KeepTTL(); give one"},
		{names.GetEx(ctx, 42, keyspace.KeepTTL()).Err(), "keyspace: name{42}: GetEx with KeepTTL() changes nothing; use Get"},
		{names.SetRange(ctx, 42, -1, "a").Err(), "keyspace: name{42}: SetRange at -1; give an offset that is not negative"},
		{Hits.On(db).GetRange(ctx, 42, 0, 1).Err(), "keyspace: hits{42}: GetRange needs a string or []byte, and the values are int64; Get the whole value"},
		{Hits.On(db).LCS(ctx, 42, 42).Err(), "keyspace: hits{42}: LCS needs a string or []byte, and the values are int64; Get the whole value"},
		{Hits.On(db).DecrBy(ctx, 42, math.MinInt64).Err(), "keyspace: hits{42}: DecrBy of -9223372036854775808: its opposite is no 64 bit integer; use IncrBy twice"},
		{names.Decr(ctx, 42).Err(), "keyspace: name{42}: Decr needs an integer, and the values are string; declare the keyspace with int64 or float64"},
		{DayNames.On(db).MSetNX(ctx, keyspace.KV[int64, string]{ID: 1}).Err(), "keyspace: MSetNX cannot give the default TTL to those keys alone that it makes; use MSetEXNX, or SetNX for each"},
		{Rates.On(db).IncrEXFloat(ctx, 42, inf, keyspace.Bounds[float64]{}).Err(), "keyspace: rate{42}: IncrEXFloat: +Inf is not a number that Redis takes here"},
	} {
		wantText(t, "refused", row.err, row.want)
	}
	if sent.Commands() != 0 {
		t.Errorf("sent: %v", sent)
	}
}

// Verbs that must find all their keys in one slot of a Cluster name two that are not,
// before anything is sent.
func TestMSetCrossSlot(t *testing.T) {
	client := redistest.Cluster(t).Client(t)
	db, sent := newDB(t, client), redistest.Record(client)
	ctx, names := t.Context(), Names.On(db)
	one, two := keyspace.KV[int64, string]{ID: 1, Value: "a"}, keyspace.KV[int64, string]{ID: 2, Value: "b"}
	for verb, err := range map[string]error{
		"MSetNX": names.MSetNX(ctx, one, two).Err(),
		"MSetEX": names.MSetEX(ctx, []keyspace.KV[int64, string]{one, two}).Err(),
		"LCS":    names.LCS(ctx, 1, 2).Err(),
		"Rename": names.Rename(ctx, 1, 2).Err(),
		"Copy":   names.Copy(ctx, 1, 2).Err(),
		"BitOp":  Seen.On(db).BitOpOr(ctx, 1, 2).Err(),
		"Merge":  Callers.On(db).Merge(ctx, 1, 2).Err(),
		"Count":  Callers.On(db).CountMany(ctx, 1, 2).Err(),
		"Atomic": pipectx.Atomic(ctx, db, func(ctx context.Context) error {
			names.MSet(ctx, one, two)
			return nil
		}),
		"DelMany in Atomic": pipectx.Atomic(ctx, db, func(ctx context.Context) error {
			names.DelMany(ctx, 1, 2)
			return nil
		}),
	} {
		var crossed *pipectx.CrossSlotError
		if !errors.As(err, &crossed) || crossed.Key1 == "" || crossed.Key2 == "" || crossed.Key1 == crossed.Key2 {
			t.Errorf("%s: %v, want a *CrossSlotError that names both keys", verb, err)
		}
	}
	if sent.Commands() != 0 {
		t.Errorf("sent: %v", sent)
	}
	done(t, "MSet", names.MSet(ctx, one, two)) // which may be split
	want(t, "MGet", names.MGet(ctx, 2, 1), []field.Optional[string]{some("b"), some("a")})
}
