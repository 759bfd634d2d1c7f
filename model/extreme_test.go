package model_test

import (
	"encoding/json"
	"errors"
	"maps"
	"math"
	"math/big"
	"net/netip"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/model"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Extremes has a field of every type, and of every form that an option chooses.
type Extremes struct {
	ID int64 `redis:"id,key"`

	Text   string                  `redis:"text"`
	Word   Word                    `redis:"word"`
	Bytes  []byte                  `redis:"bytes"`
	Code   [4]byte                 `redis:"code"`
	Bool   bool                    `redis:"bool"`
	Int    int                     `redis:"int"`
	I8     int8                    `redis:"i8"`
	Tiny   Tiny                    `redis:"tiny"`
	I16    int16                   `redis:"i16"`
	I32    int32                   `redis:"i32"`
	I64    int64                   `redis:"i64"`
	Uint   uint                    `redis:"uint"`
	U8     uint8                   `redis:"u8"`
	U16    uint16                  `redis:"u16"`
	U32    uint32                  `redis:"u32"`
	U64    uint64                  `redis:"u64"`
	F32    float32                 `redis:"f32"`
	F64    float64                 `redis:"f64"`
	Time   time.Time               `redis:"time"`
	Wait   time.Duration           `redis:"wait"`
	UUID   uuid.UUID               `redis:"uuid"`
	Addr   netip.Addr              `redis:"addr"`
	Big    *big.Int                `redis:"big"`
	URL    url.URL                 `redis:"url"`
	JSON   json.RawMessage         `redis:"json"`
	List   []string                `redis:"list"`
	Map    map[string]int64        `redis:"map"`
	Struct Address                 `redis:"struct"`
	PInt   *int64                  `redis:"pint"`
	PText  *string                 `redis:"ptext"`
	OFloat field.Optional[float64] `redis:"ofloat"`
	OText  field.Optional[string]  `redis:"otext"`

	NaN    float64   `redis:"nan,nan"`
	Unix   time.Time `redis:"unix,unix"`
	Unixms time.Time `redis:"unixms,unixms"`
	Unixus time.Time `redis:"unixus,unixus"`
	Items  []string  `redis:"items,list"`
	Commas []string  `redis:"commas,commas"`
	Raw    [16]byte  `redis:"raw,uuid"`
	ASCII  string    `redis:"ascii,ascii"`
	State  string    `redis:"state,oneof=a b"`
	Grade  uint64    `redis:"grade,oneof=0 18446744073709551615"`
	Zip    string    `redis:"zip,gzip"`
	Std    []byte    `redis:"std,zstd"`
}

// Named types are stored as what they are made of.
type (
	Word string
	Tiny int8
)

var extremes = model.Define[Extremes, int64]("extreme")

// extreme is a record of zeros that come back as they are: nil bytes would be
// empty ones, which have the same text, and no raw JSON the JSON null.
func extreme() Extremes {
	return Extremes{ID: 1, Bytes: []byte{}, Std: []byte{}, JSON: json.RawMessage("0"), State: "a"}
}

// Every type and form keeps its extreme values through a real record, to the
// last bit.
func TestExtremeValues(t *testing.T) {
	far, odd := time.FixedZone("", 14*3600), time.FixedZone("", -(3*3600+30*60))
	year := func(y int) time.Time { return time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC) }
	minus := math.Copysign(0, -1)
	rows := map[string]func(e *Extremes){
		"zeros": func(*Extremes) {},
		"least": func(e *Extremes) {
			e.Int, e.I8, e.Tiny, e.I16, e.I32, e.I64 = math.MinInt, math.MinInt8, math.MinInt8, math.MinInt16, math.MinInt32, math.MinInt64
			e.F32, e.F64, e.Wait, e.PInt, e.OFloat = -math.MaxFloat32, -math.MaxFloat64, math.MinInt64, new(int64(math.MinInt64)), field.Some(-math.MaxFloat64)
			e.Time, e.Unix, e.Unixms, e.Unixus = year(0), year(-9999), year(-9999), year(-9999)
			e.Big = new(big.Int).Neg(new(big.Int).Lsh(big.NewInt(1), 200))
			e.NaN, e.Map = math.Inf(-1), map[string]int64{"": math.MinInt64}
		},
		"greatest": func(e *Extremes) {
			e.Int, e.I8, e.Tiny, e.I16, e.I32, e.I64 = math.MaxInt, math.MaxInt8, math.MaxInt8, math.MaxInt16, math.MaxInt32, math.MaxInt64
			e.Uint, e.U8, e.U16, e.U32, e.U64 = math.MaxUint, math.MaxUint8, math.MaxUint16, math.MaxUint32, math.MaxUint64
			e.F32, e.F64, e.Wait, e.PInt, e.OFloat = math.MaxFloat32, math.MaxFloat64, math.MaxInt64, new(int64(math.MaxInt64)), field.Some(math.MaxFloat64)
			e.Time = time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC)
			e.Unix, e.Unixms, e.Unixus = year(99999), year(99999), year(99999)
			e.UUID, e.Raw, e.Code, e.Grade, e.State = uuid.Max, uuid.Max, [4]byte{255, 255, 13, 10}, math.MaxUint64, "b"
			e.Bool, e.NaN, e.Map = true, math.Inf(1), map[string]int64{"a": math.MaxInt64}
		},
		"beyond 2^53": func(e *Extremes) { e.I64, e.U64, e.F64 = 1<<53+1, 1<<63, 1<<53+2 },
		"minus zero":  func(e *Extremes) { e.F32, e.F64, e.NaN, e.OFloat = float32(minus), minus, minus, field.Some(minus) },
		"small floats": func(e *Extremes) {
			e.F32, e.F64, e.NaN = math.SmallestNonzeroFloat32, 1e-308, math.SmallestNonzeroFloat64
		},
		"odd floats": func(e *Extremes) { e.F32, e.F64, e.NaN = 0.1, 1.0/3, 1e21 },
		"no UTF-8": func(e *Extremes) {
			e.Text, e.Word, e.PText, e.Bytes = "\xff\xfe\xc0", "\xff", new("\xff"), []byte{0, 255}
		},
		"strange texts": func(e *Extremes) { e.Text, e.Word, e.ASCII, e.OText = "a\r\nb\x00", "😀", " ~", field.Some("\x00") },
		"empty": func(e *Extremes) {
			e.List, e.Items, e.Map, e.PText, e.OText = []string{}, []string{}, map[string]int64{}, new(""), field.Some("")
		},
		"of one that is": func(e *Extremes) {
			e.List, e.Items, e.PInt, e.OFloat = []string{""}, []string{""}, new(int64(0)), field.Some(0.0)
		},
		"strange lists": func(e *Extremes) {
			e.List = []string{",", `\`, "\u2028", "😀"}
			e.Items = []string{"", ",", `\`}
			e.Commas = []string{"a", "b"}
		},
		"strange structs":   func(e *Extremes) { e.Struct = Address{"\"", "\n"}; e.JSON = json.RawMessage(`{"a":[1,"\u0000"]}`) },
		"old, with a zone":  func(e *Extremes) { e.Time = time.Date(1600, 2, 29, 0, 0, 0, 1, far) },
		"late, with a zone": func(e *Extremes) { e.Time = time.Date(2400, 1, 1, 0, 0, 0, 0, odd) },
		"addresses": func(e *Extremes) {
			e.Addr = netip.MustParseAddr("fe80::1%eth0")
			e.URL = url.URL{Scheme: "https", Host: "h:1", Path: "/a b", RawQuery: "q=%00"}
		},
		"long": func(e *Extremes) {
			e.Text, e.Zip, e.Std = strings.Repeat("x", 1<<20), strings.Repeat("\xff\x00", 5000), []byte(strings.Repeat("a", 5000))
		},
	}
	each(t, func(t *testing.T, p place) {
		for name, change := range rows {
			given := extreme()
			change(&given)
			value(t, name, extremes.On(p.db).Save(t.Context(), given))
			got := value(t, name, extremes.On(p.db).Get(t.Context(), 1))

			// The texts tell zeros by their sign and times by their offset, which
			// DeepEqual does not, or not well.
			want, _ := extremes.Map(given)
			if texts, err := extremes.Map(got); err != nil || !maps.Equal(texts, want) {
				t.Errorf("%s: came back as the texts %v (%v), want %v", name, texts, err, want)
			}
			for field, times := range map[string][2]*time.Time{
				"time": {&got.Time, &given.Time}, "unix": {&got.Unix, &given.Unix}, "unixms": {&got.Unixms, &given.Unixms}, "unixus": {&got.Unixus, &given.Unixus},
			} {
				if !times[0].Equal(*times[1]) {
					t.Errorf("%s: %s came back as %v, want %v", name, field, times[0], times[1])
				}
				*times[0] = *times[1]
			}
			if !reflect.DeepEqual(got, given) {
				t.Errorf("%s: came back as\n\t%+v\nwant\n\t%+v", name, got, given)
			}
		}

		given := extreme()
		given.NaN = math.NaN() // which equals nothing
		value(t, "NaN", extremes.On(p.db).Save(t.Context(), given))
		if got := value(t, "NaN", extremes.On(p.db).Get(t.Context(), 1)); !math.IsNaN(got.NaN) {
			t.Errorf("NaN came back as %v", got.NaN)
		}
	})
}

// What has no text is refused before anything is sent, and names the field.
func TestNoText(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		p.remove(t, "extreme{1}")
		for _, c := range []struct {
			reason, field string
			change        func(e *Extremes)
			says          []string
		}{
			{"NaN", "f64", func(e *Extremes) { e.F64 = math.NaN() }, []string{"NaN is not storable", "option nan"}},
			{"infinity", "f32", func(e *Extremes) { e.F32 = float32(math.Inf(1)) }, []string{"+Inf is not storable", "option nan"}},
			{"the year 10000", "time", func(e *Extremes) { e.Time = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }, []string{"years 0 to 9999", "unix"}},
			{"JSON that is no UTF-8", "list", func(e *Extremes) { e.List = []string{"\xff"} }, []string{"UTF-8"}},
			{"raw JSON that is none", "json", func(e *Extremes) { e.JSON = json.RawMessage("{") }, []string{"JSON"}},
			{"what is not ASCII", "ascii", func(e *Extremes) { e.ASCII = "ä" }, []string{"ascii"}},
		} {
			given := extreme()
			c.change(&given)
			err := extremes.On(p.db).Save(t.Context(), given).Err()
			if e := as[*field.EncodeError](t, c.reason, err); e == nil || e.Field != c.field || e.Key != "extreme{1}" {
				t.Errorf("%s: the error is of %+v", c.reason, e)
			}
			says(t, c.reason, err, c.says...)
		}
		if n := p.client.Exists(t.Context(), "extreme{1}").Val(); n != 0 {
			t.Error("something was stored")
		}
	})
}

// A field whose type was changed reads what the new type can say, and what it
// cannot is an error that names key, field and text, never a zero.
func TestTypeChanged(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		for _, c := range []struct{ reason, field, stored, says string }{
			{"a text that is a number", "i64", "42", ""},
			{"a number that fits", "i8", "-128", ""},
			{"a bool of another program", "bool", "yes", ""},
			{"a number for a text", "text", "42", ""},
			{"a text that is no number", "i64", "many", "is not an int64: want decimal digits"},
			{"a number too large", "u8", "300", "is not a uint8"},
			{"a float where there are integers", "int", "1.5", "is not an int"},
			{"an empty text", "f64", "", "is not a float64"},
			{"a number that is no bool", "bool", "2", "is not a bool"},
			{"seconds where there is RFC 3339", "time", "1700000000", "is not a time.Time: want RFC 3339"},
			{"RFC 3339 where there are seconds", "unix", "2026-01-02T03:04:05Z", "is not a time.Time (unix)"},
			{"a text where there is JSON", "struct", "Main St", "is not a json model_test.Address"},
			{"null where there is no nil", "struct", "null", "is not a json model_test.Address"},
			{"a text behind a pointer", "pint", "x", "is not an int64"},
			{"a word that is not listed", "state", "c", "want a or b"},
		} {
			p.store(t, "extreme{1}", c.field, c.stored)
			err := extremes.On(p.db).Get(t.Context(), 1).Err()
			if many := extremes.On(p.db).GetMany(t.Context(), 1).Err(); (many == nil) != (err == nil) {
				t.Errorf("%s: Get answers %v, GetMany %v", c.reason, err, many)
			}
			if c.says == "" {
				ok(t, c.reason, err)
				continue
			}
			says(t, c.reason, err, "model: field: extreme{1} "+c.field+`: "`+c.stored+`" `, c.says)
			if e := as[*field.DecodeError](t, c.reason, err); e != nil && (e.Key != "extreme{1}" || e.Field != c.field || e.Text != c.stored) {
				t.Errorf("%s: the error is of %+v", c.reason, *e)
			}
			if errors.Is(err, pipectx.ErrNotFound) {
				t.Errorf("%s: %v is taken for absence", c.reason, err)
			}
		}
	})
}
