package model_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/redmoon-go/redmoon/model"
)

// Shared is a struct of the types that go-redis writes and reads.
type Shared struct {
	ID    string        `redis:"id,key"`
	Text  string        `redis:"text"`
	Raw   []byte        `redis:"raw"`
	Int   int           `redis:"int"`
	I8    int8          `redis:"i8"`
	I16   int16         `redis:"i16"`
	I32   int32         `redis:"i32"`
	I64   int64         `redis:"i64"`
	U     uint          `redis:"u"`
	U8    uint8         `redis:"u8"`
	U64   uint64        `redis:"u64"`
	F32   float32       `redis:"f32"`
	F64   float64       `redis:"f64"`
	Big   float64       `redis:"big"`
	Tiny  float64       `redis:"tiny"`
	Yes   bool          `redis:"yes"`
	No    bool          `redis:"no"`
	At    time.Time     `redis:"at"`
	Wait  time.Duration `redis:"wait"`
	Name  *string       `redis:"name"`
	N     *int          `redis:"n"`
	Other string        // neither stores it
}

func shared() Shared {
	return Shared{
		ID: "a", Text: "a\r\nb", Raw: []byte{0, 255}, Int: -1, I8: -128, I16: -32768, I32: 7, I64: -1 << 63, U: 7, U8: 255, U64: 1<<64 - 1,
		F32: 0.1, F64: 1.0 / 3, Big: 1e300, Tiny: 5e-324, Yes: true, At: opened.In(time.FixedZone("", 3600)), Wait: time.Second, Name: new("n"), N: new(-7),
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
