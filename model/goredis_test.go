package model_test

import (
	"errors"
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/model"
)

// Shared is a struct of the types that go-redis writes and reads.
type Shared struct {
	ID   string        `redis:"id,key"`
	Text string        `redis:"text"`
	Raw  []byte        `redis:"raw"`
	Int  int           `redis:"int"`
	I8   int8          `redis:"i8"`
	I16  int16         `redis:"i16"`
	I32  int32         `redis:"i32"`
	I64  int64         `redis:"i64"`
	U    uint          `redis:"u"`
	U8   uint8         `redis:"u8"`
	U64  uint64        `redis:"u64"`
	F32  float32       `redis:"f32"`
	F64  float64       `redis:"f64"`
	Big  float64       `redis:"big"`
	Tiny float64       `redis:"tiny"`
	Yes  bool          `redis:"yes"`
	No   bool          `redis:"no"`
	At   time.Time     `redis:"at"`
	Wait time.Duration `redis:"wait"`
	Name *string       `redis:"name"`
	N    *int          `redis:"n"`

	U16   uint16         `redis:"u16"`
	U32   uint32         `redis:"u32"`
	On    *bool          `redis:"on"`
	Rate  *float64       `redis:"rate"`
	Last  *time.Time     `redis:"last"`
	Pause *time.Duration `redis:"pause"`
	Big64 *uint64        `redis:"big64"`
	Bytes Stamp          `redis:"bytes"`
	Other string         // neither stores it
}

// Stamp marshals itself, as bytes.
type Stamp [2]byte

func (s Stamp) MarshalBinary() ([]byte, error) { return s[:], nil }

func (s *Stamp) UnmarshalBinary(b []byte) error {
	if copy(s[:], b) != len(s) {
		return errors.New("no stamp")
	}
	return nil
}

func shared() Shared {
	return Shared{
		ID: "a", Text: "a\r\nb", Raw: []byte{0, 255}, Int: -1, I8: -128, I16: -32768, I32: 7, I64: -1 << 63, U: 7, U8: 255, U64: 1<<64 - 1,
		F32: 0.1, F64: 1.0 / 3, Big: 1e300, Tiny: 5e-324, Yes: true, At: opened.In(time.FixedZone("", 3600)), Wait: time.Second, Name: new("n"), N: new(-7),
		U16: 1<<16 - 1, U32: 1<<32 - 1, On: new(true), Rate: new(-0.25), Last: new(opened), Pause: new(-time.Hour), Big64: new(uint64(1<<64 - 1)), Bytes: Stamp{255, 0},
	}
}

// go-redis reads our records, and we read its, for the types that both know.
func TestGoRedisReadsAndWrites(t *testing.T) {
	records := model.Define[Shared, string]("shared")
	each(t, func(t *testing.T, p place) {
		given := shared()
		value(t, "Save", records.On(p.db).Save(t.Context(), given))
		var scanned Shared
		ok(t, "Scan", p.client.HGetAll(t.Context(), "shared{a}").Scan(&scanned))
		if !scanned.At.Equal(given.At) {
			t.Errorf("go-redis reads the time %v, want %v", scanned.At, given.At)
		}
		scanned.At, scanned.ID = given.At, given.ID // zones are not comparable; the id is in the key
		if !reflect.DeepEqual(scanned, given) {
			t.Errorf("go-redis reads\n\t%+v\nwant\n\t%+v", scanned, given)
		}

		ok(t, "DEL", p.client.Del(t.Context(), "shared{a}").Err())
		ok(t, "HSET", p.client.HSet(t.Context(), "shared{a}", &given).Err())
		loaded := value(t, "Get", records.On(p.db).Get(t.Context(), "a"))
		if !loaded.At.Equal(given.At) {
			t.Errorf("loaded the time %v, want %v", loaded.At, given.At)
		}
		loaded.At = given.At
		if !reflect.DeepEqual(loaded, given) {
			t.Errorf("loaded\n\t%+v\nwant\n\t%+v", loaded, given)
		}
	})
}

// What go-redis loses of an absent value is what it wrote: a zero.
func TestGoRedisWritesZeroForNil(t *testing.T) {
	records := model.Define[Shared, string]("shared")
	each(t, func(t *testing.T, p place) {
		given := shared()
		given.N, given.Name = nil, nil
		ok(t, "HSET", p.client.HSet(t.Context(), "shared{a}", &given).Err())
		loaded := value(t, "Get", records.On(p.db).Get(t.Context(), "a"))
		if loaded.N == nil || *loaded.N != 0 || loaded.Name == nil || *loaded.Name != "" {
			t.Errorf("loaded %v and %v", loaded.N, loaded.Name)
		}
	})
}

// Visitor is a struct made for go-redis: it has no key, and fields that are left
// out when they are zero.
type Visitor struct {
	Name  string        `redis:"name"`
	Nick  string        `redis:"nick,omitempty"`
	Raw   []byte        `redis:"raw,omitempty"`
	Age   int           `redis:"age,omitempty"`
	Size  uint8         `redis:"size,omitempty"`
	Score float64       `redis:"score,omitempty"`
	On    bool          `redis:"on,omitempty"`
	Seen  time.Time     `redis:"seen,omitempty"`
	Wait  time.Duration `redis:"wait,omitempty"`
	Page  *string       `redis:"page,omitempty"`
	Skip  string        `redis:"-"`
}

// KeyedVisitor makes it a record, without a change to it.
type KeyedVisitor struct {
	ID int64 `redis:"id,key"`
	Visitor
}

var (
	visitors    = model.Define[KeyedVisitor, int64]("visitor", model.Lua(methods("visitor", visitorLua)))
	visitorAge  = model.FieldOf(visitors, func(v *KeyedVisitor) *int { return &v.Age })
	visitorName = model.FieldOf(visitors, func(v *KeyedVisitor) *string { return &v.Name })
	grow        = model.Method[int, int](visitors, "grow")
)

const visitorLua = `
--- @arg by int
--- @return int
function M.grow(self, by)
  self.age = self.age + by
  return self.age
end`

func visitor() Visitor {
	return Visitor{Name: "N", Nick: "n", Raw: []byte("r"), Age: 7, Size: 1, Score: 0.5, On: true, Seen: opened, Wait: time.Second, Page: new("")}
}

// A struct of go-redis is a record's when a struct with a key embeds it. With
// omitempty both leave out what is zero, and read it back as zero.
func TestGoRedisStructs(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		repo := visitors.On(p.db)
		for _, given := range []Visitor{visitor(), {Name: "N"}, {}} {
			p.remove(t, "visitor{1}", "visitor{2}")
			value(t, "Save", repo.Save(t.Context(), KeyedVisitor{1, given}))
			var scanned Visitor
			ok(t, "Scan", p.client.HGetAll(t.Context(), "visitor{1}").Scan(&scanned))
			if !reflect.DeepEqual(scanned, given) {
				t.Errorf("go-redis reads %+v, want %+v", scanned, given)
			}
			ok(t, "HSET", p.client.HSet(t.Context(), "visitor{2}", &given).Err())
			if got := value(t, "Get", repo.Get(t.Context(), 2)); !reflect.DeepEqual(got, KeyedVisitor{2, given}) {
				t.Errorf("loaded %+v, want %+v", got, given)
			}
			if ours, theirs := p.hash(t, "visitor{1}"), p.hash(t, "visitor{2}"); ours != theirs {
				t.Errorf("we stored %s, go-redis %s", ours, theirs)
			}
		}
	})
}

// What became zero is removed; go-redis leaves what was stored before.
func TestOmitEmpty(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		repo := visitors.On(p.db)
		p.remove(t, "visitor{2}")
		ok(t, "HSET", p.client.HSet(t.Context(), "visitor{2}", new(visitor())).Err())
		ok(t, "HSET", p.client.HSet(t.Context(), "visitor{2}", &Visitor{Name: "N"}).Err())
		if got := value(t, "Get", repo.Get(t.Context(), 2)); got.Age != 7 {
			t.Errorf("go-redis removed the age: %+v", got)
		}
		value(t, "Save", repo.Save(t.Context(), KeyedVisitor{ID: 2, Visitor: Visitor{Name: "N", Raw: []byte{}}}))
		p.wantHash(t, "visitor{2}", "name=N")

		want(t, "Update", repo.Update(t.Context(), 2, visitorAge.SetIfAbsent(5)), 1)
		want(t, "Update", repo.Update(t.Context(), 2, visitorAge.SetIfAbsent(6)), 0)
		p.wantHash(t, "visitor{2}", "age=5 name=N")
		want(t, "Update", repo.Update(t.Context(), 2, visitorAge.Set(0)), 1)
		p.wantHash(t, "visitor{2}", "name=N")
		want(t, "Update", repo.Update(t.Context(), 2, model.Incr(visitorAge, 2)), 1)
		want(t, "Update", repo.Update(t.Context(), 2, visitorAge.Clear()), 1)
		says(t, "Update", repo.Update(t.Context(), 2, visitorName.Clear()).Err(), "never absent")
		want(t, "Call", grow.On(p.db).Call(t.Context(), 2, 3), 3)
		p.wantHash(t, "visitor{2}", "age=3 name=N")
		all, err := visitors.Map(KeyedVisitor{ID: 1})
		if len(all) != 1 || err != nil {
			t.Errorf("Map = %v, %v", all, err)
		}
	})
}

// What the table of the package doc says of go-redis is so.
func TestGoRedisDiffers(t *testing.T) {
	type Level int8
	p := at(t, redistest.Shared(t).Client(t))
	set := func(v any) error {
		p.remove(t, "theirs")
		return p.client.HSet(t.Context(), "theirs", v).Err()
	}
	says(t, "a named type", set(&struct {
		L Level `redis:"l"`
	}{}), "can't marshal")
	says(t, "a map", set(&struct {
		M map[string]int `redis:"m"`
	}{}), "can't marshal")

	ok(t, "an embedded struct, and a pointer to one", set(&struct {
		N int `redis:"n"`
		Audit
		*Person
	}{N: 1, Person: &Person{}}))
	p.wantHash(t, "theirs", "n=1")
	ok(t, "NaN", set(&struct {
		F float64 `redis:"f"`
	}{math.NaN()}))
	p.wantHash(t, "theirs", "f=NaN")
	says(t, "nothing but zeros", set(&struct {
		N int `redis:"n,omitempty"`
	}{}), "wrong number of arguments")
	ok(t, "nil pointers", set(&struct {
		N *int    `redis:"n"`
		S *string `redis:"s"`
	}{}))
	p.wantHash(t, "theirs", "n=0 s=")
	ok(t, "an unknown option, a name twice, a name too few, a field that is hidden", set(&struct {
		A int `redis:"a,versoin"`
		B int `redis:"b"`
		C int `redis:",omitempty"`
		D int `redis:"b"`
		e int `redis:"e"`
	}{1, 2, 3, 4, 5}))
	p.wantHash(t, "theirs", "a=1 b=4")

	kept := struct {
		A int `redis:"a"`
		Z int `redis:"z"`
	}{Z: 7}
	ok(t, "Scan", p.client.HGetAll(t.Context(), "theirs").Scan(&kept))
	if kept.A != 1 || kept.Z != 7 {
		t.Errorf("Scan reads %+v: what is not stored stays what it was", kept)
	}
}
