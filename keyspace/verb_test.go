package keyspace_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/pipectx"
)

// The default TTL is renewed by every write verb, in its own round trip, and by
// no other.
func TestDefaultTTL(t *testing.T) {
	const id = 42
	writes := func(ctx context.Context, db *pipectx.DB) map[string]func() interface{ Err() error } {
		type ref = interface{ Err() error }
		hits, rates, names := DayHits.On(db), DayRates.On(db), DayNames.On(db)
		tags, visits, stock, prices := DayTags.On(db), DayVisits.On(db), DayStock.On(db), DayPrices.On(db)
		return map[string]func() ref{
			"name Set":           func() ref { return names.Set(ctx, id, "Ada") },
			"name SetXX":         func() ref { return names.SetXX(ctx, id, "Ada") },
			"name Append":        func() ref { return names.Append(ctx, id, "Ada") },
			"name GetSet":        func() ref { return names.GetSet(ctx, id, "Ada") },
			"name GetSetXX":      func() ref { return names.GetSetXX(ctx, id, "Ada") },
			"name SetRange":      func() ref { return names.SetRange(ctx, id, 1, "d") },
			"name MSet":          func() ref { return names.MSet(ctx, keyspace.KV[int64, string]{ID: id, Value: "Ada"}) },
			"hits Decr":          func() ref { return hits.Decr(ctx, id) },
			"hits DecrBy":        func() ref { return hits.DecrBy(ctx, id, 2) },
			"seen SetBit":        func() ref { return DaySeen.On(db).SetBit(ctx, id, 1, true) },
			"seen BitOpNot":      func() ref { return DaySeen.On(db).BitOpNot(ctx, id, id) },
			"callers Add":        func() ref { return DayCallers.On(db).Add(ctx, id, "Ada") },
			"callers Merge":      func() ref { return DayCallers.On(db).Merge(ctx, id, id) },
			"hits Incr":          func() ref { return hits.Incr(ctx, id) },
			"hits IncrBy":        func() ref { return hits.IncrBy(ctx, id, 2) },
			"rate IncrByFloat":   func() ref { return rates.IncrByFloat(ctx, id, 2) },
			"tags Add":           func() ref { return tags.Add(ctx, id, "a", "b", "c", "d") },
			"tags Rem":           func() ref { return tags.Rem(ctx, id, "a") },
			"tags Pop":           func() ref { return tags.Pop(ctx, id) },
			"tags PopN":          func() ref { return tags.PopN(ctx, id, 1) },
			"visits Add":         func() ref { return visits.Add(ctx, id, "a", 1) },
			"visits AddMany":     func() ref { return visits.AddMany(ctx, id, keyspace.Z[string]{Member: "a", Score: 1}) },
			"visits IncrBy":      func() ref { return visits.IncrBy(ctx, id, "a", 1) },
			"visits Rem":         func() ref { return visits.Rem(ctx, id, "a") },
			"stock Set":          func() ref { return stock.Set(ctx, id, "a", 1) },
			"stock SetMany":      func() ref { return stock.SetMany(ctx, id, map[string]int64{"a": 1}) },
			"stock SetNX":        func() ref { return stock.SetNX(ctx, id, "a", 1) },
			"stock IncrBy":       func() ref { return stock.IncrBy(ctx, id, "a", 1) },
			"stock HDel":         func() ref { return stock.HDel(ctx, id, "a") },
			"prices IncrByFloat": func() ref { return prices.IncrByFloat(ctx, id, "a", 1) },
		}
	}
	everywhere(t, func(t *testing.T, db *pipectx.DB, sent *redistest.Recorder) {
		ctx := t.Context()
		for name := range writes(ctx, db) {
			t.Run(name, func(t *testing.T) {
				prefix, _, _ := strings.Cut(name, " ")
				key := prefix + "{42}"
				fill := map[string]func() error{
					"name":    func() error { return Names.On(db).Set(ctx, id, "x").Err() },
					"hits":    func() error { return Hits.On(db).Set(ctx, id, 1).Err() },
					"seen":    func() error { return Seen.On(db).SetBit(ctx, id, 9, true).Err() },
					"callers": func() error { return Callers.On(db).Add(ctx, id, "Bob").Err() },
					"rate":    func() error { return Rates.On(db).Set(ctx, id, 1).Err() },
					"tags":    func() error { return Tags.On(db).Add(ctx, id, "a", "x", "y", "z").Err() },
					"visits":  func() error { return Visits.On(db).Add(ctx, id, "x", 1).Err() },
					"stock":   func() error { return Stock.On(db).Set(ctx, id, "x", 1).Err() },
					"prices":  func() error { return Prices.On(db).Set(ctx, id, "x", 1).Err() },
				}[prefix]
				if err := fill(); err != nil {
					t.Fatal(err)
				}
				ttl := func() int64 {
					ms, err := pipectx.Do[int64](ctx, db, "PTTL", key).Result()
					if err != nil {
						t.Fatal(err)
					}
					return ms
				}
				if ms := ttl(); ms != -1 {
					t.Fatalf("TTL before: %d ms", ms)
				}
				sent.Reset()
				if err := writes(ctx, db)[name]().Err(); err != nil {
					t.Fatal(err)
				}
				if sent.RoundTrips() != 1 {
					t.Errorf("sent: %v, want one round trip", sent)
				}
				if ms := ttl(); ms < day.Milliseconds()-60_000 || ms > day.Milliseconds() {
					t.Errorf("TTL %d ms after the write, want a day", ms)
				}

				// In a Run too, and one that is shorter is renewed.
				done(t, "PEXPIRE", pipectx.Do[bool](ctx, db, "PEXPIRE", key, 1000))
				err := pipectx.Run(ctx, db, func(ctx context.Context) error {
					ref := writes(ctx, db)[name]()
					if ref.Err() != pipectx.ErrPending {
						t.Errorf("inside Run: %v, want pending", ref.Err())
					}
					return nil
				})
				if ms := ttl(); err != nil || ms < day.Milliseconds()-60_000 {
					t.Errorf("TTL %d ms after the write in a Run (%v), want a day", ms, err)
				}
				done(t, "DEL", pipectx.Do[int64](ctx, db, "DEL", key))
			})
		}

		// SetNX gives its TTL only where it sets.
		done(t, "Set", Names.On(db).Set(ctx, id, "x"))
		want(t, "SetNX", DayNames.On(db).SetNX(ctx, id, "y"), false)
		want(t, "TTL", Names.On(db).TTL(ctx, id), field.None[time.Duration]())
		want(t, "SetNX of another", DayNames.On(db).SetNX(ctx, 43, "y"), true)
		left(t, Names.On(db).Key(43), day-time.Minute, day)

		// Reads do not renew.
		done(t, "Expire", Names.On(db).Expire(ctx, 43, time.Second))
		want(t, "Get", DayNames.On(db).Get(ctx, 43), "y")
		left(t, Names.On(db).Key(43), 0, time.Second)
	})
}

// A TTL that the server refuses to set is an error of the verb, or of its Run:
// the write has happened.
func TestTTLRefused(t *testing.T) {
	client := redistest.Server(t).Client(t)
	db := newDB(t, client)
	if err := client.Do(t.Context(), "ACL", "SETUSER", "default", "-pexpire").Err(); err != nil {
		t.Fatal(err)
	}
	hits := DayHits.On(db)
	err := hits.Incr(t.Context(), 42).Err()
	if err == nil || !strings.Contains(err.Error(), "PEXPIRE hits{42}: NOPERM") {
		t.Errorf("outside Run: %v, want NOPERM for PEXPIRE", err)
	}
	var ref *pipectx.Ref[int64]
	err = pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		ref = hits.Incr(ctx, 42)
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), "PEXPIRE hits{42}: NOPERM") {
		t.Errorf("inside Run: %v, want NOPERM for PEXPIRE", err)
	}
	want(t, "the write itself", ref, 2)
}

// What cannot be sent poisons the Run it is called in, with a default TTL and
// without, and nothing of that Run is sent.
func TestPoison(t *testing.T) {
	db, sent := embedded(t)
	byName := func(options ...keyspace.Option) keyspace.BoundString[string, string] {
		return keyspace.NewString[string, string]("n", options...).On(db)
	}
	type ref = interface{ Err() error }
	rows := []struct {
		reason string
		verb   func(ctx context.Context) ref
		target error // nil: any
	}{
		{"an empty id", func(ctx context.Context) ref { return byName().Get(ctx, "") }, keyspace.ErrEmptyID},
		{"an empty id of a write", func(ctx context.Context) ref { return byName().Append(ctx, "", "x") }, keyspace.ErrEmptyID},
		{"and with a TTL", func(ctx context.Context) ref { return byName(keyspace.TTL(day)).Append(ctx, "", "x") }, keyspace.ErrEmptyID},
		{"an empty id of a key verb", func(ctx context.Context) ref { return byName().Del(ctx, "") }, keyspace.ErrEmptyID},
		{"one empty id of several", func(ctx context.Context) ref { return byName().MGet(ctx, "a", "") }, keyspace.ErrEmptyID},
		{"an empty id and no members", func(ctx context.Context) ref {
			return keyspace.NewSet[string, string]("n").On(db).Add(ctx, "")
		}, keyspace.ErrEmptyID},
		{"an empty id and no questions", func(ctx context.Context) ref {
			return keyspace.NewSet[string, string]("n").On(db).MIsMember(ctx, "")
		}, keyspace.ErrEmptyID},
		{"a connection that is not there", func(ctx context.Context) ref {
			return byName(keyspace.Connection("far")).Set(ctx, "a", "b")
		}, pipectx.ErrUnknownConnection},
		{"a member that cannot be encoded", func(ctx context.Context) ref {
			return keyspace.NewSet[int64, float64]("f").On(db).Add(ctx, 42, 1, nan)
		}, nil},
		{"one of very many", func(ctx context.Context) ref {
			return keyspace.NewSet[int64, float64]("f").On(db).Add(ctx, 42, append(make([]float64, 9999), nan)...)
		}, nil},
		{"a score that is none", func(ctx context.Context) ref { return DayVisits.On(db).Add(ctx, 42, "a", nan) }, nil},
	}
	for _, row := range rows {
		for _, where := range []string{"outside Run", "inside Run"} {
			sent.Reset()
			var err, rerr error
			if where == "outside Run" {
				err = row.verb(t.Context()).Err()
			} else {
				var r ref
				err = pipectx.Run(t.Context(), db, func(ctx context.Context) error {
					Names.On(db).Set(ctx, 1, "x") // goes with it
					r = row.verb(ctx)
					return nil
				})
				rerr = r.Err()
				if rerr == nil || row.target != nil && !errors.Is(rerr, row.target) {
					t.Errorf("%s, %s: the Ref answers %v, want %v", row.reason, where, rerr, row.target)
				}
			}
			if err == nil || row.target != nil && !errors.Is(err, row.target) {
				t.Errorf("%s, %s: %v, want %v", row.reason, where, err, row.target)
			}
			if sent.Commands() != 0 {
				t.Errorf("%s, %s: sent %.200s", row.reason, where, sent)
			}
		}
	}
}

// A context that has ended, or a Run that has, is the same answer with a
// default TTL and without.
func TestEndedContexts(t *testing.T) {
	db, sent := embedded(t)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, hits := range []keyspace.BoundString[int64, int64]{Hits.On(db), DayHits.On(db)} {
		err := hits.Incr(ended, 42).Err()
		wantErr(t, "cancelled", err, context.Canceled)
		wantErr(t, "cancelled", err, pipectx.ErrNotSent)
	}
	var kept context.Context
	err := pipectx.Run(t.Context(), db, func(ctx context.Context) error { kept = ctx; return nil })
	if err != nil {
		t.Fatal(err)
	}
	for _, hits := range []keyspace.BoundString[int64, int64]{Hits.On(db), DayHits.On(db)} {
		wantErr(t, "ended", hits.Incr(kept, 42).Err(), pipectx.ErrEnded)
	}
	if sent.Commands() != 0 {
		t.Errorf("sent: %v", sent)
	}
}

// Large inputs go in commands of 5,000 words in one round trip, and their
// answers are one.
func TestLarge(t *testing.T) {
	const n = 12_001
	numbers := keyspace.NewSet[int64, int64]("numbers")
	scores := keyspace.NewSortedSet[int64, int64]("scores")
	squares := keyspace.NewHash[int64, int64, int64]("squares")
	members := make([]int64, n)
	scored := make([]keyspace.Z[int64], n)
	squared := make(map[int64]int64, n)
	for i := range members {
		m := int64(i)
		members[i], scored[i], squared[m] = m, keyspace.Z[int64]{Member: m, Score: float64(2 * m)}, m*m
	}
	everywhere(t, func(t *testing.T, db *pipectx.DB, sent *redistest.Recorder) {
		ctx := t.Context()
		cost := func(what string) {
			t.Helper()
			if sent.Commands() != 3 || sent.RoundTrips() != 1 {
				t.Errorf("%s: %d commands in %d round trips, want 3 in 1", what, sent.Commands(), sent.RoundTrips())
			}
			sent.Reset()
		}
		want(t, "SADD", numbers.On(db).Add(ctx, 1, members...), n)
		cost("SADD")
		are, err := numbers.On(db).MIsMember(ctx, 1, append([]int64{-1}, members...)...).Result()
		if err != nil || len(are) != n+1 || are[0] || slices.Contains(are[1:], false) {
			t.Errorf("SMISMEMBER: %d answers, %v", len(are), err)
		}
		cost("SMISMEMBER")
		all, err := numbers.On(db).Members(ctx, 1).Result()
		if slices.Sort(all); err != nil || !slices.Equal(all, members) {
			t.Errorf("SMEMBERS: %d members, %v", len(all), err)
		}
		sent.Reset()
		want(t, "SREM", numbers.On(db).Rem(ctx, 1, members...), n)
		cost("SREM")

		want(t, "ZADD", scores.On(db).AddMany(ctx, 1, scored...), n)
		cost("ZADD")
		found, err := scores.On(db).MScore(ctx, 1, members...).Result()
		if err != nil || len(found) != n || found[n-1].Or(-1) != 2*(n-1) {
			t.Errorf("ZMSCORE: %d scores, %v", len(found), err)
		}
		cost("ZMSCORE")
		want(t, "ZRANGE", scores.On(db).RangeWithScores(ctx, 1, 0, -1), scored)
		sent.Reset()
		want(t, "ZREM", scores.On(db).Rem(ctx, 1, members...), n)
		cost("ZREM")

		want(t, "HSET", squares.On(db).SetMany(ctx, 1, squared), n)
		cost("HSET")
		values, err := squares.On(db).MGet(ctx, 1, members...).Result()
		if err != nil || len(values) != n || values[n-1].Or(-1) != (n-1)*(n-1) {
			t.Errorf("HMGET: %d values, %v", len(values), err)
		}
		cost("HMGET")
		want(t, "HGETALL", squares.On(db).GetAll(ctx, 1), squared)
		sent.Reset()
		want(t, "HDEL", squares.On(db).HDel(ctx, 1, members...), n)
		cost("HDEL")

		// In a Run the sum is pending until the flush, as every answer.
		var added *pipectx.Ref[int64]
		err = pipectx.Run(ctx, db, func(ctx context.Context) error {
			added = numbers.On(db).Add(ctx, 2, members...)
			wantErr(t, "before the flush", added.Err(), pipectx.ErrPending)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		want(t, "SADD in a Run", added, n)
		cost("SADD in a Run")
	})
}

// A caller may change the slice it passed as soon as the verb has returned.
func TestSnapshot(t *testing.T) {
	db, _ := embedded(t)
	members := []string{"a", "b"}
	var added *pipectx.Ref[int64]
	err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		added = Tags.On(db).Add(ctx, 42, members...)
		members[0], members[1] = "x", "x"
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want(t, "Add", added, 2)
	want(t, "Members", sorted(Tags.On(db).Members(t.Context(), 42)), []string{"a", "b"})
}
