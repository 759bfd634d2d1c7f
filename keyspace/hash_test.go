package keyspace_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/pipectx"
)

// The verbs of Hash do the same on all servers.
func TestHash(t *testing.T) {
	byNumber := keyspace.NewHash[int64, int64, string]("words")
	conform(t, []conformance{
		{"Get", "ErrNotFound that names the field, and is no failure of a Run", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			text := fmt.Sprintf("keyspace: stock{%d} nut: not found", id)
			absent(t, "without a key", Stock.On(db).Get(ctx, id, "nut"), text)
			done(t, "Set", Stock.On(db).Set(ctx, id, "bolt", 7))
			want(t, "bolt", Stock.On(db).Get(ctx, id, "bolt"), 7)
			absent(t, "without the field", Stock.On(db).Get(ctx, id, "nut"), text)
			err := pipectx.Run(ctx, db, func(ctx context.Context) error {
				Stock.On(db).Get(ctx, id, "nut")
				return nil
			})
			if err != nil {
				t.Errorf("Run: %v", err)
			}
		}},
		{"Get", "what does not parse is an error that names key and field", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			key := fmt.Sprintf("stock{%d}", id)
			done(t, "foreign", pipectx.Do[int64](ctx, db, "HSET", key, "nut", "x"))
			text := fmt.Sprintf(`field: stock{%d} nut: "x" is not an int64: want decimal digits`, id)
			wantText(t, "Get", Stock.On(db).Get(ctx, id, "nut").Err(), text)
			wantText(t, "MGet", Stock.On(db).MGet(ctx, id, "bolt", "nut").Err(), text)
			wantText(t, "GetAll", Stock.On(db).GetAll(ctx, id).Err(), text)
			var decode *field.DecodeError
			if err := Stock.On(db).Vals(ctx, id).Err(); !errors.As(err, &decode) || decode.Key != key {
				t.Errorf("Vals: %v, want a *DecodeError", err)
			}
		}},
		{"MGet", "the order asked for, repeats and absences in their places", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			stock, none := Stock.On(db), field.None[int64]()
			want(t, "without a key", stock.MGet(ctx, id, "a"), []field.Optional[int64]{none})
			done(t, "SetMany", stock.SetMany(ctx, id, map[string]int64{"a": 1, "b": 2}))
			want(t, "some", stock.MGet(ctx, id, "b", "x", "a", "b"),
				[]field.Optional[int64]{field.Some[int64](2), none, field.Some[int64](1), field.Some[int64](2)})
			want(t, "none", stock.MGet(ctx, id), []field.Optional[int64]{})
		}},
		{"GetAll", "every field and value, none without a key", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			words := byNumber.On(db)
			want(t, "before", words.GetAll(ctx, id), map[int64]string{})
			done(t, "SetMany", words.SetMany(ctx, id, map[int64]string{1: "one", -2: ""}))
			want(t, "after", words.GetAll(ctx, id), map[int64]string{1: "one", -2: ""})
		}},
		{"GetAll", "two fields that read as one are an error, not one of them", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			done(t, "foreign", pipectx.Do[int64](ctx, db, "HSET", fmt.Sprintf("words{%d}", id), "7", "a", "07", "b"))
			wantText(t, "GetAll", byNumber.On(db).GetAll(ctx, id).Err(),
				fmt.Sprintf(`keyspace: words{%d}: two of its fields are the int64 "7"; read them as strings`, id))
		}},
		{"GetAll", "a field that does not parse is an error that names the key", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			done(t, "foreign", pipectx.Do[int64](ctx, db, "HSET", fmt.Sprintf("words{%d}", id), "x", "a"))
			text := fmt.Sprintf(`field: words{%d}: "x" is not an int64: want decimal digits`, id)
			wantText(t, "GetAll", byNumber.On(db).GetAll(ctx, id).Err(), text)
			wantText(t, "Keys", byNumber.On(db).Keys(ctx, id).Err(), text)
		}},
		{"Set", "whether the field is new", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			want(t, "first", Stock.On(db).Set(ctx, id, "a", 1), true)
			want(t, "second", Stock.On(db).Set(ctx, id, "a", 2), false)
			want(t, "Get", Stock.On(db).Get(ctx, id, "a"), 2)
		}},
		{"SetMany", "how many are new, others stay, and zero of none", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			stock := Stock.On(db)
			want(t, "first", stock.SetMany(ctx, id, map[string]int64{"a": 1, "b": 2}), 2)
			want(t, "second", stock.SetMany(ctx, id, map[string]int64{"b": 3, "c": 4}), 1)
			want(t, "none", stock.SetMany(ctx, id, nil), 0)
			want(t, "GetAll", stock.GetAll(ctx, id), map[string]int64{"a": 1, "b": 3, "c": 4})
		}},
		{"SetNX", "set where there is nothing", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			want(t, "first", Stock.On(db).SetNX(ctx, id, "a", 1), true)
			want(t, "second", Stock.On(db).SetNX(ctx, id, "a", 2), false)
			want(t, "Get", Stock.On(db).Get(ctx, id, "a"), 1)
		}},
		{"IncrBy", "the sum, from nothing", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			want(t, "up", Stock.On(db).IncrBy(ctx, id, "a", 5), 5)
			want(t, "down", Stock.On(db).IncrBy(ctx, id, "a", -7), -2)
			want(t, "Get", Stock.On(db).Get(ctx, id, "a"), -2)
		}},
		{"IncrByFloat", "the sum, from nothing", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			want(t, "up", Prices.On(db).IncrByFloat(ctx, id, "a", 1.5), 1.5)
			want(t, "down", Prices.On(db).IncrByFloat(ctx, id, "a", -0.25), 1.25)
			wantText(t, "NaN", Prices.On(db).IncrByFloat(ctx, id, "a", nan).Err(),
				fmt.Sprintf("keyspace: prices{%d}: IncrByFloat: NaN is not a number that Redis takes here", id))
		}},
		{"HDel", "how many were there, and the key goes with the last", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			stock := Stock.On(db)
			done(t, "SetMany", stock.SetMany(ctx, id, map[string]int64{"a": 1, "b": 2}))
			want(t, "one", stock.HDel(ctx, id, "a", "x"), 1)
			want(t, "none", stock.HDel(ctx, id), 0)
			want(t, "Exists", stock.Exists(ctx, id), true)
			want(t, "the last", stock.HDel(ctx, id, "b"), 1)
			want(t, "Exists", stock.Exists(ctx, id), false)
		}},
		{"HExists", "whether there is such a field", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			want(t, "before", Stock.On(db).HExists(ctx, id, "a"), false)
			done(t, "Set", Stock.On(db).Set(ctx, id, "a", 1))
			want(t, "after", Stock.On(db).HExists(ctx, id, "a"), true)
			want(t, "another", Stock.On(db).HExists(ctx, id, "b"), false)
		}},
		{"Len", "how many fields", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			want(t, "before", Stock.On(db).Len(ctx, id), 0)
			done(t, "SetMany", Stock.On(db).SetMany(ctx, id, map[string]int64{"a": 1, "b": 2}))
			want(t, "after", Stock.On(db).Len(ctx, id), 2)
		}},
		{"Keys", "the fields, none without a key", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			want(t, "before", Stock.On(db).Keys(ctx, id), []string{})
			done(t, "SetMany", Stock.On(db).SetMany(ctx, id, map[string]int64{"b": 1, "a": 2}))
			want(t, "after", sorted(Stock.On(db).Keys(ctx, id)), []string{"a", "b"})
		}},
		{"Vals", "the values, none without a key", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			want(t, "before", Stock.On(db).Vals(ctx, id), []int64{})
			done(t, "SetMany", Stock.On(db).SetMany(ctx, id, map[string]int64{"a": 2, "b": 1}))
			vals, err := Stock.On(db).Vals(ctx, id).Result()
			if slices.Sort(vals); err != nil || !slices.Equal(vals, []int64{1, 2}) {
				t.Errorf("after: %v, %v", vals, err)
			}
		}},
	})
}
