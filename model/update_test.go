package model_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/model"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Update makes its changes and no others, and answers how many fields have
// another text now.
func TestUpdate(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		people := people.On(p.db)
		for _, c := range []struct {
			reason  string
			changes []model.Change[Person]
			n       int
			want    string
		}{
			{"nothing", nil, 0, "age=36 name=Ada score=1 unknown=u"},
			{"a new value", []model.Change[Person]{name.Set("Bob")}, 1, "age=36 name=Bob score=1 unknown=u"},
			{"the same value", []model.Change[Person]{name.Set("Ada")}, 0, "age=36 name=Ada score=1 unknown=u"},
			{"a value where there was none", []model.Change[Person]{nick.Set(new("al"))}, 1, "age=36 name=Ada nick=al score=1 unknown=u"},
			{"absence where there was a value", []model.Change[Person]{age.Clear()}, 1, "name=Ada score=1 unknown=u"},
			{"absence by its value", []model.Change[Person]{age.Set(field.None[int]()), nick.Set(nil)}, 1, "name=Ada score=1 unknown=u"},
			{"if absent, and it is", []model.Change[Person]{nick.SetIfAbsent(new(""))}, 1, "age=36 name=Ada nick= score=1 unknown=u"},
			{"if absent, and it is not", []model.Change[Person]{age.SetIfAbsent(field.Some(7))}, 0, "age=36 name=Ada score=1 unknown=u"},
			{"a sum", []model.Change[Person]{model.Incr(points, 41)}, 1, "age=36 name=Ada score=42 unknown=u"},
			{"a difference", []model.Change[Person]{model.Decr(points, 3)}, 1, "age=36 name=Ada score=-2 unknown=u"},
			{"the difference of a negative", []model.Change[Person]{model.Decr(points, -3)}, 1, "age=36 name=Ada score=4 unknown=u"},
			{"nothing added", []model.Change[Person]{model.Incr(points, 0)}, 0, "age=36 name=Ada score=1 unknown=u"},
			{"all at once", []model.Change[Person]{model.Incr(points, 1), age.Clear(), name.Set("B"), nick.SetIfAbsent(new("b"))}, 4, "name=B nick=b score=2 unknown=u"},
		} {
			p.store(t, "person{a}", "name", "Ada", "age", 36, "score", 1, "unknown", "u")
			want(t, c.reason, people.Update(t.Context(), "a", c.changes...), c.n)
			if got := p.hash(t, "person{a}"); got != c.want {
				t.Errorf("%s:\n\t%s\nwant\n\t%s", c.reason, got, c.want)
			}
		}
	})
}

// A record that is gone stays gone: Update makes none, and says so, also to
// the Run around it.
func TestUpdateMissing(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		err := people.On(p.db).Update(t.Context(), "a", name.Set("x"), model.Incr(points, 1)).Err()
		if !errors.Is(err, pipectx.ErrNotFound) {
			t.Errorf("Update answers %v", err)
		}
		says(t, "Update", err, "model: update person{a}: ", "Create, Save and Upsert make them")
		err = pipectx.Run(t.Context(), p.db, func(ctx context.Context) error {
			people.On(p.db).Update(ctx, "a")
			return nil
		})
		if !errors.Is(err, pipectx.ErrNotFound) {
			t.Errorf("Run answers %v", err)
		}
		want(t, "Exists", people.On(p.db).Exists(t.Context(), "a"), false)
	})
}

// A version is counted up when something changed, and only then; also where
// the record had none.
func TestUpdateVersion(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		accounts := accounts.On(p.db)
		version := func() string { return p.client.HGet(t.Context(), "account{7}", "version").Val() }
		value(t, "Create", accounts.Create(t.Context(), ada()))
		want(t, "Update", accounts.Update(t.Context(), 7, owner.Set("Ada"), model.Incr(balance, 0)), 0)
		if v := version(); v != "1" {
			t.Errorf("nothing changed, and the version is %s", v)
		}
		want(t, "Update", accounts.Update(t.Context(), 7, owner.Set("Bob"), model.Incr(balance, 1), email.Clear()), 3)
		if v := version(); v != "2" {
			t.Errorf("after one Update the version is %s", v)
		}
		p.client.HDel(t.Context(), "account{7}", "version")
		want(t, "Update", accounts.Update(t.Context(), 7, owner.Set("Cid")), 1)
		if v := version(); v != "1" {
			t.Errorf("the first version is %s", v)
		}
		p.client.HSet(t.Context(), "account{7}", "version", "two")
		before := p.hash(t, "account{7}")
		e := as[*model.SumError](t, "a version that is none", accounts.Update(t.Context(), 7, owner.Set("Dan")).Err())
		if e != nil && (e.Field != "version" || e.Stored != "two") {
			t.Errorf("%+v", *e)
		}
		p.wantHash(t, "account{7}", before)
	})
}

// Tank has numbers of all sorts.
type Tank struct {
	ID    string        `redis:"id,key"`
	Small int8          `redis:"small"`
	Byte  uint8         `redis:"byte"`
	Big   int64         `redis:"big"`
	Huge  uint64        `redis:"huge"`
	Fill  float64       `redis:"fill" validate:"gt=0,lt=1"`
	Thin  float32       `redis:"thin"`
	Wait  time.Duration `redis:"wait" validate:"min=1s,max=1h"`
	Cap   int           `redis:"cap" validate:"required,gt=10,lte=20"`
	Size  uint16        `redis:"size" validate:"omitempty,min=18"`
	Tight int64         `redis:"tight" validate:"gte=9007199254740993"`
	Two   int           `redis:"two" validate:"len=2"`
}

var (
	tanks = model.Define[Tank, string]("tank")
	small = model.FieldOf(tanks, func(t *Tank) *int8 { return &t.Small })
	byt   = model.FieldOf(tanks, func(t *Tank) *uint8 { return &t.Byte })
	large = model.FieldOf(tanks, func(t *Tank) *int64 { return &t.Big })
	huge  = model.FieldOf(tanks, func(t *Tank) *uint64 { return &t.Huge })
	fill  = model.FieldOf(tanks, func(t *Tank) *float64 { return &t.Fill })
	thin  = model.FieldOf(tanks, func(t *Tank) *float32 { return &t.Thin })
	wait  = model.FieldOf(tanks, func(t *Tank) *time.Duration { return &t.Wait })
	cubic = model.FieldOf(tanks, func(t *Tank) *int { return &t.Cap })
	size  = model.FieldOf(tanks, func(t *Tank) *uint16 { return &t.Size })
	tight = model.FieldOf(tanks, func(t *Tank) *int64 { return &t.Tight })
	two   = model.FieldOf(tanks, func(t *Tank) *int { return &t.Two })
)

// A sum is exact in all 64 bits, and fits the field's type and rules; else
// nothing of its Update is written.
func TestIncr(t *testing.T) {
	rows := []struct {
		reason string
		field  string
		stored string // "" for a field that is not there
		change model.Change[Tank]
		want   string
		says   string // of the error, if it is refused
	}{
		{"none counts as 0", "small", "", model.Incr(small, 5), "5", ""},
		{"none, and nothing added", "small", "", model.Incr(small, 0), "0", ""},
		{"up to the size", "small", "100", model.Incr(small, 27), "127", ""},
		{"beyond the size", "small", "100", model.Incr(small, 28), "", "would be 128, above 127"},
		{"below the size", "small", "-100", model.Decr(small, 29), "", "would be -129, below -128"},
		{"unsigned stops at 0", "byte", "3", model.Decr(byt, 3), "0", ""},
		{"unsigned is not negative", "byte", "3", model.Decr(byt, 4), "", "would be -1, below 0"},
		{"unsigned ends at 255", "byte", "255", model.Incr(byt, 1), "", "above 255"},
		{"beyond what a Lua number holds", "big", "9007199254740993", model.Incr(large, 2), "9007199254740995", ""},
		{"to the last int64", "big", "9223372036854775800", model.Incr(large, 7), "9223372036854775807", ""},
		{"beyond the last int64", "big", "9223372036854775807", model.Incr(large, 1), "", "would be 9223372036854775808, above"},
		{"to the first int64", "big", "-9223372036854775807", model.Decr(large, 1), "-9223372036854775808", ""},
		{"before the first int64", "big", "-1", model.Incr(large, math.MinInt64), "", "would be -9223372036854775809, below"},
		{"taking the first int64", "big", "-1", model.Decr(large, math.MinInt64), "9223372036854775807", ""},
		{"through zero", "big", "-1000000001", model.Incr(large, 2000000000), "999999999", ""},
		{"to zero", "big", "-1000000000", model.Incr(large, 1000000000), "0", ""},
		{"a carry below zero", "big", "-1", model.Incr(large, -999999999), "-1000000000", ""},
		{"to the last uint64", "huge", "18446744073709551600", model.Incr(huge, 15), "18446744073709551615", ""},
		{"beyond the last uint64", "huge", "18446744073709551615", model.Incr(huge, 1), "", "would be 18446744073709551616, above"},
		{"floats add as in Go", "fill", "0.1", model.Incr(fill, 0.2), "0.30000000000000004", ""},
		{"floats add as in Go, whoever wrote them", "fill", "1e-1", model.Incr(fill, 0.25), "0.35", ""},
		{"a float's rule excludes its bound", "fill", "0.5", model.Decr(fill, 0.5), "", "below 5e-324"},
		{"above it is fine", "fill", "0.5", model.Decr(fill, 0.4999999999999999), "1.1102230246251565e-16", ""},
		{"and the upper bound", "fill", "0.5", model.Incr(fill, 0.5), "", "above 0.9999999999999999"},
		{"a float32 has its size", "thin", "3.4e+38", model.Incr(thin, 1e37), "", "above 3.4028234663852886e+38"},
		{"durations in words", "wait", "2000000000", model.Decr(wait, time.Second), "1000000000", ""},
		{"and their bounds", "wait", "2000000000", model.Decr(wait, time.Second+1), "", "below 1000000000"},
		{"gt excludes its bound", "cap", "12", model.Decr(cubic, 2), "", "below 11"},
		{"lte does not", "cap", "12", model.Incr(cubic, 8), "20", ""},
		{"omitempty lets zero pass", "size", "18", model.Decr(size, 18), "0", ""},
		{"and nothing near it", "size", "18", model.Decr(size, 17), "", "below 18"},
		{"a bound beyond what a Lua number holds", "tight", "9007199254740994", model.Decr(tight, 2), "", "would be 9007199254740992, below 9007199254740993"},
		{"and at it", "tight", "9007199254740994", model.Decr(tight, 1), "9007199254740993", ""},
		{"len of a number is its value", "two", "1", model.Incr(two, 1), "2", ""},
		{"and nothing else", "two", "2", model.Incr(two, 1), "", "above 2"},
		{"text is no integer", "big", "abc", model.Incr(large, 1), "", "not an integer"},
		{"nothing is no integer", "big", " ", model.Incr(large, 1), "", "not an integer"},
		{"a fraction is no integer", "big", "1.5", model.Incr(large, 1), "", "not an integer"},
		{"nor a number of another base", "big", "0x10", model.Incr(large, 1), "", "not an integer"},
		{"too many digits", "big", "100000000000000000000000", model.Incr(large, 1), "", "not an integer"},
		{"text is no float", "fill", "nan", model.Incr(fill, 0.1), "", "not a number"},
	}
	each(t, func(t *testing.T, p place) {
		for _, c := range rows {
			p.store(t, "tank{a}", "other", "o")
			if c.stored != "" {
				p.client.HSet(t.Context(), "tank{a}", c.field, c.stored)
			}
			before := p.hash(t, "tank{a}")
			changes := []model.Change[Tank]{c.change}
			if c.field != "big" { // a sum before it that is fine
				changes = []model.Change[Tank]{model.Incr(large, 1), c.change}
			}
			err := tanks.On(p.db).Update(t.Context(), "a", changes...).Err()
			if c.says == "" {
				if got := p.client.HGet(t.Context(), "tank{a}", c.field).Val(); err != nil || got != c.want {
					t.Errorf("%s: %s: stored %s, want %s; %v", c.field, c.reason, got, c.want, err)
				}
				continue
			}
			e := as[*model.SumError](t, c.reason, err)
			if e != nil && (e.Key != "tank{a}" || e.Field != c.field || e.Stored != c.stored) {
				t.Errorf("%s: %s: %+v", c.field, c.reason, *e)
			}
			says(t, c.reason, err, c.says)
			p.wantHash(t, "tank{a}", before)
		}
	})
}

// Sums of any two integers are those of unlimited arithmetic, or are refused
// where that is beyond the field's type.
func TestIncrIsExact(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	number := func() int64 { return int64(random.Uint64()) >> random.IntN(64) }
	each(t, func(t *testing.T, p place) {
		for range 300 {
			a, b := number(), number()
			sum := new(big.Int).Add(big.NewInt(a), big.NewInt(b))
			p.client.HSet(t.Context(), "tank{a}", "big", a)
			err := tanks.On(p.db).Update(t.Context(), "a", model.Incr(large, b)).Err()
			if !sum.IsInt64() {
				as[*model.SumError](t, sum.String(), err)
				says(t, sum.String(), err, "would be "+sum.String()+",")
				sum = big.NewInt(a)
			}
			if got := p.client.HGet(t.Context(), "tank{a}", "big").Val(); got != sum.String() {
				t.Errorf("%d + %d is stored as %s; %v", a, b, got, err)
			}
		}
	})
}

// Many who add to one record lose none of their sums.
func TestIncrContended(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		accounts := accounts.On(p.db)
		a := ada()
		a.Balance = 0
		value(t, "Create", accounts.Create(t.Context(), a))
		const goroutines, times = 64, 20
		var wg sync.WaitGroup
		for range goroutines {
			wg.Go(func() {
				for range times {
					if err := accounts.Update(t.Context(), 7, model.Incr(balance, 1)).Err(); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		got := value(t, "Get", accounts.Get(t.Context(), 7))
		if got.Balance != goroutines*times || got.Version != goroutines*times+1 {
			t.Errorf("balance %d, version %d; want %d and one more", got.Balance, got.Version, goroutines*times)
		}
	})
}

// In one pipeline each verb sees what those before it did.
func TestUpdatesInOrder(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		pages := pages.On(p.db)
		var sums [3]*pipectx.Ref[int]
		var read *pipectx.Ref[Page]
		err := pipectx.Run(t.Context(), p.db, func(ctx context.Context) error {
			pages.Save(ctx, Page{ID: "a"})
			for i := range sums {
				sums[i] = pages.Update(ctx, "a", model.Incr(views, 2), title.Set(fmt.Sprint(i/2)), model.Incr(rank, 0.5))
			}
			read = pages.Get(ctx, "a")
			return nil
		})
		ok(t, "Run", err)
		for i, n := range []int{3, 2, 3} {
			want(t, fmt.Sprint("Update ", i), sums[i], n)
		}
		want(t, "Get", read, Page{ID: "a", Title: "1", Views: 6, Score: 1.5})
	})
}

// A sum that is what is stored leaves its text, whoever wrote it.
func TestIncrByNothing(t *testing.T) {
	type rated struct {
		ID   string  `redis:"id,key"`
		Rate float64 `redis:"rate"`
		N    int64   `redis:"n"`
	}
	m := model.Define[rated, string]("rated")
	rate := model.FieldOf(m, func(r *rated) *float64 { return &r.Rate })
	each(t, func(t *testing.T, p place) {
		p.store(t, "rated{a}", "rate", "0.10", "n", "1")
		want(t, "nothing", m.On(p.db).Update(t.Context(), "a", model.Incr(rate, 0)), 0)
		p.wantHash(t, "rated{a}", "n=1 rate=0.10")
		want(t, "something", m.On(p.db).Update(t.Context(), "a", model.Incr(rate, 0.5)), 1)
		p.wantHash(t, "rated{a}", "n=1 rate=0.6")
	})
}
