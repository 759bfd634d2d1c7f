package keyspace_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/pipectx"
)

type (
	shelf  = keyspace.BoundHash[int64, string, int64]
	pieces = keyspace.FieldValue[string, int64]
)

const (
	fieldTTL = "Redis 7.4 or Valkey 9"
	fieldEx  = "Redis 8.0 or Valkey 9"
)

// The verbs of Hash do the same on all servers. Each begins with 7 nuts and 12 bolts.
func TestHashVerbs(t *testing.T) {
	fill := func(ctx context.Context, s shelf, id int64) error {
		return s.SetMany(ctx, id, map[string]int64{"nut": 7, "bolt": 12}).Err()
	}
	holds := func(ctx context.Context, s shelf, id int64) outcome { return of(s.GetAll(ctx, id)) }
	const none = 1_000_000 // an id without a key
	nuts := map[string]int64{"nut": 8}
	seven, twelve, nothing := field.Some[int64](7), field.Some[int64](12), field.None[int64]()
	bolts := map[string]int64{"bolt": 12}
	eightNuts := map[string]int64{"nut": 8, "bolt": 12}
	fields := func(ref *pipectx.Ref[[]string]) outcome { return anyOrder(ref) }
	trips(t, Stock.On, fill, holds, []trip[shelf]{
		{verb: "StrLen", keeps: "bytes of the text", want: int64(2),
			call: func(ctx context.Context, s shelf, id int64) outcome { return of(s.StrLen(ctx, id, "bolt")) }},
		{verb: "StrLen", keeps: "0 of nothing", want: int64(0),
			call: func(ctx context.Context, s shelf, _ int64) outcome { return of(s.StrLen(ctx, none, "bolt")) }},
		{verb: "RandField", keeps: "absent of nothing", want: pipectx.ErrNotFound,
			call: func(ctx context.Context, s shelf, _ int64) outcome { return of(s.RandField(ctx, none)) }},
		{verb: "RandFieldN", keeps: "all different", want: []string{"bolt", "nut"},
			call: func(ctx context.Context, s shelf, id int64) outcome { return fields(s.RandFieldN(ctx, id, 5)) }},
		{verb: "RandFieldN", keeps: "none of nothing", want: []string{},
			call: func(ctx context.Context, s shelf, _ int64) outcome { return of(s.RandFieldN(ctx, none, -3)) }},
		{verb: "RandFieldNWithValues", keeps: "with their values", want: []pieces{{"bolt", 12}, {"nut", 7}},
			call: func(ctx context.Context, s shelf, id int64) outcome {
				got := of(s.RandFieldNWithValues(ctx, id, 2))
				slices.SortFunc(got.value.([]pieces), func(a, b pieces) int { return int(b.Value - a.Value) })
				return got
			}},
		{verb: "Scan", keeps: "what matches, and that it was the last step", want: keyspace.Page[pieces]{Items: []pieces{{"nut", 7}}},
			call: func(ctx context.Context, s shelf, id int64) outcome { return of(s.Scan(ctx, id, 0, "n*", 100)) }},
		{verb: "ScanFields", keeps: "fields alone", absent: true, needs: "Redis 7.4 or Valkey 8", want: keyspace.Page[string]{Items: []string{"nut"}},
			call: func(ctx context.Context, s shelf, id int64) outcome {
				return of(s.ScanFields(ctx, id, 0, "n*", 0))
			}},
		{verb: "GetDel", keeps: "the values it removes", absent: true, needs: "Redis 8.0 or Valkey 9.1", after: bolts,
			want: []field.Optional[int64]{nothing, seven},
			call: func(ctx context.Context, s shelf, id int64) outcome { return of(s.GetDel(ctx, id, "cog", "nut")) }},
		{verb: "GetEx", keeps: "in the order asked", absent: true, needs: fieldEx, want: []field.Optional[int64]{twelve, nothing, seven},
			call: func(ctx context.Context, s shelf, id int64) outcome {
				return of(s.GetEx(ctx, id, minute, "bolt", "cog", "nut"))
			}},
		{verb: "GetEx", keeps: "none are no command", want: []field.Optional[int64]{},
			call: func(ctx context.Context, s shelf, id int64) outcome { return of(s.GetEx(ctx, id, minute)) }},
		{verb: "SetEx", keeps: "stored", needs: fieldEx, want: true, after: eightNuts,
			call: func(ctx context.Context, s shelf, id int64) outcome { return of(s.SetEx(ctx, id, minute, nuts)) }},
		{verb: "SetEx", keeps: "none are no command", want: true,
			call: func(ctx context.Context, s shelf, id int64) outcome { return of(s.SetEx(ctx, id, minute, nil)) }},
		{verb: "SetExFNX", keeps: "not where one is there", needs: fieldEx, want: false,
			call: func(ctx context.Context, s shelf, id int64) outcome { return of(s.SetExFNX(ctx, id, minute, nuts)) }},
		{verb: "SetExFXX", keeps: "where all are there", needs: fieldEx, want: true, after: eightNuts,
			call: func(ctx context.Context, s shelf, id int64) outcome { return of(s.SetExFXX(ctx, id, minute, nuts)) }},
		{verb: "HExpire", keeps: "those that are there", absent: true, needs: fieldTTL, want: []bool{true, false},
			call: func(ctx context.Context, s shelf, id int64) outcome {
				return of(s.HExpire(ctx, id, time.Minute, "nut", "cog"))
			}},
		{verb: "HExpire", keeps: "nothing in no key", absent: true, needs: fieldTTL, want: []bool{false},
			call: func(ctx context.Context, s shelf, _ int64) outcome {
				return of(s.HExpire(ctx, none, time.Minute, "nut"))
			}},
		{verb: "HExpireNX", keeps: "those without a TTL", absent: true, needs: fieldTTL, want: []bool{false, true},
			call: expiring(func(ctx context.Context, s shelf, id int64) outcome {
				return of(s.HExpireNX(ctx, id, time.Hour, "nut", "bolt"))
			})},
		{verb: "HExpireXX", keeps: "those with a TTL", absent: true, needs: fieldTTL, want: []bool{true, false},
			call: expiring(func(ctx context.Context, s shelf, id int64) outcome {
				return of(s.HExpireXX(ctx, id, time.Hour, "nut", "bolt"))
			})},
		{verb: "HExpireGT", keeps: "those that end before", absent: true, needs: fieldTTL, want: []bool{true, false},
			call: expiring(func(ctx context.Context, s shelf, id int64) outcome {
				return of(s.HExpireGT(ctx, id, time.Hour, "nut", "bolt"))
			})},
		{verb: "HExpireLT", keeps: "those that end later, or never", absent: true, needs: fieldTTL, want: []bool{false, true},
			call: expiring(func(ctx context.Context, s shelf, id int64) outcome {
				return of(s.HExpireLT(ctx, id, time.Hour, "nut", "bolt"))
			})},
		{verb: "HExpireAt", keeps: "the past is now", absent: true, needs: fieldTTL, want: []bool{true}, after: bolts,
			call: func(ctx context.Context, s shelf, id int64) outcome {
				return of(s.HExpireAt(ctx, id, time.UnixMilli(1), "nut"))
			}},
		{verb: "HExpireAt", keeps: "however long ago", absent: true, needs: fieldTTL, want: []bool{true}, after: bolts,
			call: func(ctx context.Context, s shelf, id int64) outcome {
				return of(s.HExpireAt(ctx, id, time.UnixMilli(-1), "nut"))
			}},
		{verb: "HExpireAtNX", keeps: "those without a TTL", absent: true, needs: fieldTTL, want: []bool{false, true},
			call: expiring(func(ctx context.Context, s shelf, id int64) outcome {
				return of(s.HExpireAtNX(ctx, id, later, "nut", "bolt"))
			})},
		{verb: "HExpireAtXX", keeps: "those with a TTL", absent: true, needs: fieldTTL, want: []bool{true, false},
			call: expiring(func(ctx context.Context, s shelf, id int64) outcome {
				return of(s.HExpireAtXX(ctx, id, later, "nut", "bolt"))
			})},
		{verb: "HExpireAtGT", keeps: "those that end before", absent: true, needs: fieldTTL, want: []bool{true, false},
			call: expiring(func(ctx context.Context, s shelf, id int64) outcome {
				return of(s.HExpireAtGT(ctx, id, later, "nut", "bolt"))
			})},
		{verb: "HExpireAtLT", keeps: "those that end later, or never", absent: true, needs: fieldTTL, want: []bool{false, true},
			call: expiring(func(ctx context.Context, s shelf, id int64) outcome {
				return of(s.HExpireAtLT(ctx, id, later, "nut", "bolt"))
			})},
		{verb: "HPersist", keeps: "those with a TTL", needs: fieldTTL, absent: true, want: []bool{true, false, false},
			call: expiring(func(ctx context.Context, s shelf, id int64) outcome {
				return of(s.HPersist(ctx, id, "nut", "bolt", "cog"))
			})},
		{verb: "HTTL", keeps: "no field, no TTL", needs: fieldTTL, want: []keyspace.FieldEnd[time.Duration]{{Found: true}, {}},
			call: func(ctx context.Context, s shelf, id int64) outcome { return of(s.HTTL(ctx, id, "nut", "cog")) }},
		{verb: "HTTL", keeps: "no key, no field", needs: fieldTTL, want: []keyspace.FieldEnd[time.Duration]{{}},
			call: func(ctx context.Context, s shelf, _ int64) outcome { return of(s.HTTL(ctx, none, "nut")) }},
		{verb: "HExpireTime", keeps: "when, to the millisecond", needs: fieldTTL, absent: true,
			want: []keyspace.FieldEnd[time.Time]{{Found: true, Ends: field.Some(later)}, {Found: true}, {}},
			call: func(ctx context.Context, s shelf, id int64) outcome {
				if err := s.HExpireAt(ctx, id, later, "nut").Err(); err != nil {
					return outcome{err: err}
				}
				return of(s.HExpireTime(ctx, id, "nut", "bolt", "cog"))
			}},
	})
}

// expiring has the nuts end in a minute before a call.
func expiring(call func(context.Context, shelf, int64) outcome) func(context.Context, shelf, int64) outcome {
	return func(ctx context.Context, s shelf, id int64) outcome {
		if err := s.HExpire(ctx, id, time.Minute, "nut").Err(); err != nil {
			return outcome{err: err}
		}
		return call(ctx, s, id)
	}
}

// A field's own end is the one that was given, and goes with its next value.
func TestFieldEnds(t *testing.T) {
	everywhere(t, func(t *testing.T, db *pipectx.DB, _ *redistest.Recorder) {
		ctx, stock := t.Context(), Stock.On(db)
		err := stock.SetEx(ctx, 42, minute, map[string]int64{"nut": 7}).Err()
		if errors.Is(err, pipectx.ErrUnsupported) {
			t.Skip(err)
		}
		ends := func(least, greatest time.Duration) {
			t.Helper()
			of, err := stock.HTTL(ctx, 42, "nut").Result()
			if err != nil {
				t.Fatal(err)
			}
			if d, ok := of[0].Ends.Get(); ok != (greatest > 0) || d < least || d > greatest {
				t.Errorf("the field ends in %v (%v), want %v to %v", d, ok, least, greatest)
			}
		}
		ends(time.Second, time.Minute)
		done(t, "SetEx", stock.SetEx(ctx, 42, keyspace.KeepTTL(), map[string]int64{"nut": 8}))
		ends(time.Second, time.Minute)
		done(t, "SetEx", stock.SetEx(ctx, 42, keyspace.NoTTL(), map[string]int64{"nut": 8}))
		ends(0, 0)
		if got := stock.GetEx(ctx, 42, keyspace.For(time.Hour), "nut"); !errors.Is(got.Err(), pipectx.ErrUnsupported) {
			ends(59*time.Minute, time.Hour)
			done(t, "GetEx", stock.GetEx(ctx, 42, keyspace.NoTTL(), "nut"))
			ends(0, 0)
		}
	})
}

// Each sees every field, in steps; inside a Run it is refused, and its step queues.
func TestHashScan(t *testing.T) {
	everywhere(t, func(t *testing.T, db *pipectx.DB, sent *redistest.Recorder) {
		const n = 3000
		ctx, stock := t.Context(), Stock.On(db)
		squares := map[string]int64{}
		for i := range int64(n) {
			squares[fmt.Sprint("f", i)] = i * i
		}
		done(t, "SetMany", stock.SetMany(ctx, 42, squares))
		seen := map[string]int64{}
		sent.Reset()
		for p, err := range stock.Each(ctx, 42, "") {
			if err != nil {
				t.Fatal(err)
			}
			seen[p.Field] = p.Value
		}
		if !maps.Equal(seen, squares) {
			t.Errorf("%d fields, want %d", len(seen), n)
		}
		if sent.RoundTrips() > 6 {
			t.Errorf("%d round trips for %d fields", sent.RoundTrips(), n)
		}
		for p, err := range stock.Key(42).Each(ctx, "f1*") { // a caller may stop
			if err != nil || p.Field[:2] != "f1" {
				t.Errorf("%v, %v", p, err)
			}
			break
		}
		for range stock.Each(ctx, 43, "") {
			t.Error("a field of no key")
		}

		done(t, "foreign", pipectx.Do[int64](ctx, db, "HSET", "stock{44}", "nut", "many"))
		var decode *field.DecodeError
		if err := walk(stock.Each(ctx, 44, ""))(); !errors.As(err, &decode) || decode.Key != "stock{44}" || decode.Field != "nut" {
			t.Errorf("Each of what is no number: %v, want a *DecodeError", err)
		}

		var page *pipectx.Ref[keyspace.Page[pieces]]
		err := pipectx.Run(ctx, db, func(ctx context.Context) error {
			wantText(t, "Each inside a Run", walk(stock.Each(ctx, 42, ""))(),
				"keyspace: Each inside a Run: a Run sends nothing before it ends; call it outside, or with a context of pipectx.Detach")
			page = stock.Scan(ctx, 42, 0, "", 10)
			wantErr(t, "Scan", page.Err(), pipectx.ErrPending)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if p, err := page.Result(); err != nil || len(p.Items) == 0 {
			t.Errorf("Scan in a Run: %v, %v", p, err)
		}
		wantText(t, "Scan of -1", stock.Scan(ctx, 42, 0, "", -1).Err(),
			"keyspace: stock{42}: a step of -1 elements; give a number that is not negative, 0 for the server's own")
	})
	wantErr(t, "Each of an empty id", walk(keyspace.NewHash[string, string, int64]("s").On(firstDB(t)).Each(t.Context(), "", ""))(), keyspace.ErrEmptyID)
}

func firstDB(t *testing.T) *pipectx.DB { db, _ := embedded(t); return db }

// What cannot be an end of fields is refused at the call.
func TestFieldEndsRefuse(t *testing.T) {
	db, sent := embedded(t)
	ctx, stock := t.Context(), Stock.On(db)
	for want, err := range map[string]error{
		"keyspace: stock{42}: fields that end after 0s: Redis counts milliseconds; give at least one, or HDel them (HExpireNX)": stock.HExpireNX(ctx, 42, 0, "a").Err(),
		"keyspace: stock{42}: fields that end at the zero Time; give a time, or HPersist them (HExpireAt)":                      stock.HExpireAt(ctx, 42, time.Time{}, "a").Err(),
		"keyspace: stock{42}: GetEx with KeepTTL() changes nothing; use MGet":                                                   stock.GetEx(ctx, 42, keyspace.KeepTTL(), "a").Err(),
	} {
		wantText(t, "refused", err, want)
	}
	if sent.Commands() != 0 {
		t.Errorf("sent: %v", sent)
	}
}
