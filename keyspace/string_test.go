package keyspace_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/pipectx"
)

var nan, inf = math.NaN(), math.Inf(1)

// The verbs of String do the same on all servers.
func TestString(t *testing.T) {
	type address struct {
		City string `json:"city"`
	}
	addresses := keyspace.NewString[int64, address]("address")
	opened := keyspace.NewString[int64, time.Time]("opened")
	bytes := keyspace.NewString[int64, []byte]("bytes")
	small := keyspace.NewString[int64, int8]("small")

	conform(t, []conformance{
		{"Get", "ErrNotFound that names the key, and is no failure of a Run", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			absent(t, "Get", Names.On(db).Get(ctx, id), fmt.Sprintf("keyspace: name{%d}: not found", id))
			var ref *pipectx.Ref[string]
			err := pipectx.Run(ctx, db, func(ctx context.Context) error {
				ref = Names.On(db).Get(ctx, id)
				return nil
			})
			if err != nil {
				t.Errorf("Run: %v", err)
			}
			wantErr(t, "Get in a Run", ref.Err(), pipectx.ErrNotFound)
		}},
		{"Set", "what is set is read back, of every type", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			for _, s := range []string{"Ada", "", "line\r\n", "\xff\x00"} {
				done(t, "Set", Names.On(db).Set(ctx, id, s))
				want(t, "Get", Names.On(db).Get(ctx, id), s)
			}
			done(t, "Set", Hits.On(db).Set(ctx, id, math.MinInt64))
			want(t, "Get", Hits.On(db).Get(ctx, id), math.MinInt64)
			done(t, "Set", addresses.On(db).Set(ctx, id, address{"Oslo"}))
			want(t, "Get", addresses.On(db).Get(ctx, id), address{"Oslo"})
			now := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
			done(t, "Set", opened.On(db).Set(ctx, id, now))
			want(t, "Get", opened.On(db).Get(ctx, id), now)
		}},
		{"Set", "a TTL goes with the value it was for", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			done(t, "Set", DayNames.On(db).Set(ctx, id, "Ada"))
			left(t, Names.On(db).Key(id), day-time.Minute, day)
			done(t, "Set", Names.On(db).Set(ctx, id, "Ada"))
			want(t, "TTL", Names.On(db).TTL(ctx, id), field.None[time.Duration]())
		}},
		{"SetNX", "set where there is nothing", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			want(t, "first", Names.On(db).SetNX(ctx, id, "Ada"), true)
			want(t, "second", Names.On(db).SetNX(ctx, id, "Bob"), false)
			want(t, "Get", Names.On(db).Get(ctx, id), "Ada")
		}},
		{"SetXX", "set where there is something", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			want(t, "first", Names.On(db).SetXX(ctx, id, "Ada"), false)
			want(t, "Exists", Names.On(db).Exists(ctx, id), false)
			done(t, "Set", Names.On(db).Set(ctx, id, "Bob"))
			want(t, "second", Names.On(db).SetXX(ctx, id, "Ada"), true)
			want(t, "Get", Names.On(db).Get(ctx, id), "Ada")
		}},
		{"GetDel", "the last value, and then none", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			done(t, "Set", Hits.On(db).Set(ctx, id, 7))
			want(t, "first", Hits.On(db).GetDel(ctx, id), 7)
			absent(t, "second", Hits.On(db).GetDel(ctx, id), fmt.Sprintf("keyspace: hits{%d}: not found", id))
		}},
		{"Incr", "counts from nothing", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			want(t, "first", Hits.On(db).Incr(ctx, id), 1)
			want(t, "second", Hits.On(db).Incr(ctx, id), 2)
		}},
		{"IncrBy", "any step, exactly, and an overflow is refused", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			want(t, "up", Hits.On(db).IncrBy(ctx, id, math.MaxInt64), math.MaxInt64)
			want(t, "down", Hits.On(db).IncrBy(ctx, id, -7), math.MaxInt64-7)
			var refused *pipectx.ServerError
			if err := Hits.On(db).IncrBy(ctx, id, 8).Err(); !errors.As(err, &refused) {
				t.Errorf("overflow: %v, want a *ServerError", err)
			}
			want(t, "Get", Hits.On(db).Get(ctx, id), math.MaxInt64-7)
		}},
		{"IncrBy", "a sum beyond the type is an error", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			want(t, "fits", small.On(db).IncrBy(ctx, id, 127), 127)
			wantText(t, "does not", small.On(db).Incr(ctx, id).Err(),
				fmt.Sprintf(`field: small{%d}: "128" is not an int8: out of range`, id))
		}},
		{"IncrByFloat", "any float that is a number", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			want(t, "up", Rates.On(db).IncrByFloat(ctx, id, 1.5), 1.5)
			want(t, "down", Rates.On(db).IncrByFloat(ctx, id, -0.25), 1.25)
			want(t, "Get", Rates.On(db).Get(ctx, id), 1.25)
		}},
		{"Append", "texts are joined, and their length is told", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			want(t, "first", Names.On(db).Append(ctx, id, "Ada "), 4)
			want(t, "second", Names.On(db).Append(ctx, id, "Løvelace"), 13)
			want(t, "Get", Names.On(db).Get(ctx, id), "Ada Løvelace")
			want(t, "bytes", bytes.On(db).Append(ctx, id, []byte{1, 2}), 2)
		}},
		{"StrLen", "bytes, 0 without a key", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			want(t, "before", Names.On(db).StrLen(ctx, id), 0)
			done(t, "Set", Names.On(db).Set(ctx, id, "ø"))
			want(t, "after", Names.On(db).StrLen(ctx, id), 2)
		}},
		{"MGet", "the order asked for, repeats and absences in their places", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			a, b, c := id, id+1000, id+2000
			done(t, "Set", Hits.On(db).Set(ctx, a, 1))
			done(t, "Set", Hits.On(db).Set(ctx, c, 3))
			one, three, none := field.Some[int64](1), field.Some[int64](3), field.None[int64]()
			want(t, "several", Hits.On(db).MGet(ctx, c, b, a, c), []field.Optional[int64]{three, none, one, three})
			want(t, "one", Hits.On(db).MGet(ctx, a), []field.Optional[int64]{one})
			want(t, "none", Hits.On(db).MGet(ctx), []field.Optional[int64]{})
			var ref *pipectx.Ref[[]field.Optional[int64]]
			err := pipectx.Run(ctx, db, func(ctx context.Context) error {
				Hits.On(db).Set(ctx, b, 2)
				ref = Hits.On(db).MGet(ctx, a, b)
				Hits.On(db).Set(ctx, b, 22)
				wantErr(t, "before the flush", ref.Err(), pipectx.ErrPending)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			want(t, "in program order", ref, []field.Optional[int64]{one, field.Some[int64](2)})
		}},
		{"MGet", "what is no string is absent, what does not parse is an error that names its key", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			done(t, "hash", pipectx.Do[int64](ctx, db, "HSET", fmt.Sprintf("hits{%d}", id), "a", "b"))
			want(t, "hash", Hits.On(db).MGet(ctx, id), []field.Optional[int64]{field.None[int64]()})
			done(t, "foreign", pipectx.Do[any](ctx, db, "SET", fmt.Sprintf("hits{%d}", id+1000), "x"))
			wantText(t, "foreign", Hits.On(db).MGet(ctx, id, id+1000).Err(),
				fmt.Sprintf(`field: hits{%d}: "x" is not an int64: want decimal digits`, id+1000))
		}},
		{"Get", "what does not parse is an error that names the key", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			done(t, "foreign", pipectx.Do[any](ctx, db, "SET", fmt.Sprintf("hits{%d}", id), "x"))
			var decode *field.DecodeError
			if err := Hits.On(db).Get(ctx, id).Err(); !errors.As(err, &decode) || decode.Key != fmt.Sprintf("hits{%d}", id) || decode.Text != "x" {
				t.Errorf("Get: %v, want a *DecodeError", err)
			}
		}},
		{"Get", "another Redis type is the server's error", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			done(t, "hash", pipectx.Do[int64](ctx, db, "HSET", fmt.Sprintf("name{%d}", id), "a", "b"))
			var refused *pipectx.ServerError
			if err := Names.On(db).Get(ctx, id).Err(); !errors.As(err, &refused) || refused.Code != "WRONGTYPE" {
				t.Errorf("Get: %v, want WRONGTYPE", err)
			}
		}},
	})
}

// What cannot be added to is refused at the call, with the cure.
func TestIncrRefuses(t *testing.T) {
	db, sent := embedded(t)
	ctx := t.Context()
	hits, rates, names := Hits.On(db), Rates.On(db), Names.On(db)
	for _, row := range []struct {
		err  error
		want string
	}{
		{names.Incr(ctx, 42).Err(), "keyspace: name{42}: Incr needs an integer, and the values are string; declare the keyspace with int64 or float64"},
		{names.IncrByFloat(ctx, 42, 1).Err(), "keyspace: name{42}: IncrByFloat needs a float, and the values are string; declare the keyspace with int64 or float64"},
		{hits.IncrByFloat(ctx, 42, 1).Err(), "keyspace: hits{42}: IncrByFloat needs a float, and the values are int64; use IncrBy, or declare it with float64"},
		{rates.IncrBy(ctx, 42, 1).Err(), "keyspace: rate{42}: IncrBy needs an integer, and the values are float64; use IncrByFloat, or declare it with int64"},
		{rates.IncrByFloat(ctx, 42, nan).Err(), "keyspace: rate{42}: IncrByFloat: NaN is not a number that Redis takes here"},
		{rates.IncrByFloat(ctx, 42, -inf).Err(), "keyspace: rate{42}: IncrByFloat: -Inf is not a number that Redis takes here"},
		{hits.Append(ctx, 42, 1).Err(), "keyspace: hits{42}: Append needs a string or []byte, and the values are int64; Set the whole value"},
		{rates.Set(ctx, 42, nan).Err(), "field: rate{42}: NaN is not storable as float64: NaN and infinities need the option nan"},
		{Stock.On(db).IncrByFloat(ctx, 42, "a", 1).Err(), "keyspace: stock{42}: IncrByFloat needs a float, and the values are int64; use IncrBy, or declare it with float64"},
		{Prices.On(db).IncrBy(ctx, 42, "a", 1).Err(), "keyspace: prices{42}: IncrBy needs an integer, and the values are float64; use IncrByFloat, or declare it with int64"},
		{Prices.On(db).Set(ctx, 42, "a", inf).Err(), "field: prices{42} a: +Inf is not storable as float64: NaN and infinities need the option nan"},
	} {
		wantText(t, "refused", row.err, row.want)
	}
	if sent.Commands() != 0 {
		t.Errorf("sent: %v", sent)
	}
}

// Named types of numbers, and durations, are counted as themselves.
func TestIncrNamed(t *testing.T) {
	type cents uint32
	db, _ := embedded(t)
	want(t, "cents", keyspace.NewString[int64, cents]("c").On(db).IncrBy(t.Context(), 42, 5), 5)
	want(t, "duration", keyspace.NewString[int64, time.Duration]("d").On(db).IncrBy(t.Context(), 42, int64(time.Second)), time.Second)
	wantText(t, "below zero", keyspace.NewString[int64, cents]("c").On(db).IncrBy(t.Context(), 42, -6).Err(),
		`field: c{42}: "-1" is not a keyspace_test.cents (uint32): want decimal digits`)
}

// MGet of very many ids is one command for each 5,000, and for each slot of a
// Cluster, in one round trip for each node.
func TestMGetMany(t *testing.T) {
	near := keyspace.NewString[int64, int64]("near", keyspace.OneSlot("A"))
	everywhere(t, func(t *testing.T, db *pipectx.DB, sent *redistest.Recorder) {
		const n = 12_001
		ids := make([]int64, n)
		wanted := make([]field.Optional[int64], n)
		err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
			for i := range ids {
				ids[i] = int64(i)
				if i%1000 == 0 {
					wanted[i] = field.Some(ids[i])
					near.On(db).Set(ctx, ids[i], ids[i])
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		sent.Reset()
		want(t, "MGet", near.On(db).MGet(t.Context(), ids...), wanted)
		if sent.Commands() != 3 || sent.RoundTrips() != 1 {
			t.Errorf("%d commands in %d round trips, want 3 in 1", sent.Commands(), sent.RoundTrips())
		}

		sent.Reset()
		want(t, "MGet of many slots", Hits.On(db).MGet(t.Context(), ids[:1000]...), make([]field.Optional[int64], 1000))
		switch {
		case db.Cluster() && (sent.Commands() < 900 || sent.RoundTrips() != 3):
			t.Errorf("on a Cluster: %d commands in %d round trips, want one a slot in 3", sent.Commands(), sent.RoundTrips())
		case !db.Cluster() && (sent.Commands() != 1 || sent.RoundTrips() != 1):
			t.Errorf("%d commands in %d round trips, want 1 in 1", sent.Commands(), sent.RoundTrips())
		}
	})
}
