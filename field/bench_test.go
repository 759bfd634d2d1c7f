package field_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strconv"
	"testing"
	"time"
	"unsafe"

	"github.com/google/uuid"

	"github.com/redmoon-go/redmoon/field"
)

// account is a record of ten scalars.
type account struct {
	ID      int64
	Owner   string
	Balance int64
	Rate    float64
	Open    bool
	Opened  time.Time
	Visits  uint32
	Level   int8
	Timeout time.Duration
	Token   uuid.UUID
}

var ada = account{1721480123456789, "Ada Lovelace", -1234567, 0.0375, true, moment, 4096, -3, 1500 * time.Millisecond, id}

// byHand is what a patient author writes.
func byHand(dst []byte, a *account) []byte {
	dst = strconv.AppendInt(dst, a.ID, 10)
	dst = append(dst, a.Owner...)
	dst = strconv.AppendInt(dst, a.Balance, 10)
	dst = strconv.AppendFloat(dst, a.Rate, 'f', -1, 64)
	if a.Open {
		dst = append(dst, '1')
	} else {
		dst = append(dst, '0')
	}
	dst = a.Opened.AppendFormat(dst, time.RFC3339Nano)
	dst = strconv.AppendUint(dst, uint64(a.Visits), 10)
	dst = strconv.AppendInt(dst, int64(a.Level), 10)
	dst = strconv.AppendInt(dst, int64(a.Timeout), 10)
	text, _ := a.Token.MarshalText()
	return append(dst, text...)
}

type member struct {
	offset uintptr
	codec  *field.Erased
}

func members[T any]() (list []member) {
	for f := range reflect.TypeFor[T]().Fields() {
		list = append(list, member{f.Offset, must(field.Of(f.Type))})
	}
	return list
}

func BenchmarkAppend(b *testing.B) {
	a := ada
	dst := make([]byte, 0, 512)
	b.Run("hand", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			dst = byHand(dst[:0], &a)
		}
	})
	b.Run("erased", func(b *testing.B) {
		list := members[account]()
		b.ReportAllocs()
		for b.Loop() {
			dst = dst[:0]
			for i := range list {
				dst, _ = list[i].codec.Append(dst, unsafe.Add(unsafe.Pointer(&a), list[i].offset))
			}
		}
	})
}

func parseByHand(texts []string, a *account) (err error) {
	if a.ID, err = strconv.ParseInt(texts[0], 10, 64); err != nil {
		return err
	}
	a.Owner = texts[1]
	if a.Balance, err = strconv.ParseInt(texts[2], 10, 64); err != nil {
		return err
	}
	if a.Rate, err = strconv.ParseFloat(texts[3], 64); err != nil {
		return err
	}
	a.Open = texts[4] == "1"
	if a.Opened, err = time.Parse(time.RFC3339Nano, texts[5]); err != nil {
		return err
	}
	visits, err := strconv.ParseUint(texts[6], 10, 32)
	if err != nil {
		return err
	}
	level, err := strconv.ParseInt(texts[7], 10, 8)
	if err != nil {
		return err
	}
	timeout, err := strconv.ParseInt(texts[8], 10, 64)
	if err != nil {
		return err
	}
	a.Visits, a.Level, a.Timeout = uint32(visits), int8(level), time.Duration(timeout)
	a.Token, err = uuid.Parse(texts[9])
	return err
}

func BenchmarkParse(b *testing.B) {
	a := ada
	list := members[account]()
	var texts []string
	for _, m := range list {
		text, _ := m.codec.Append(nil, unsafe.Add(unsafe.Pointer(&a), m.offset))
		texts = append(texts, string(text))
	}
	b.Run("hand", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := parseByHand(texts, &a); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("erased", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			for i := range list {
				if err := list[i].codec.ParseShared(texts[i], unsafe.Add(unsafe.Pointer(&a), list[i].offset)); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}

// BenchmarkCodec is the same work, one integer at a time.
func BenchmarkCodec(b *testing.B) {
	codec := field.MustFor[level]()
	dst := make([]byte, 0, 64)
	b.Run("hand", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			dst = strconv.AppendInt(dst[:0], int64(level(-100)), 10)
		}
	})
	b.Run("codec", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			dst, _ = codec.Append(dst[:0], -100)
		}
	})
}

// orders is JSON of about n bytes, as records have it.
func orders(n int) (list []order) {
	words := []string{"alpha", "beta", "gamma", "delta", "omega", "north", "south", "river", "stone", "cloud"}
	random := rand.New(rand.NewPCG(1, 2))
	word := func() string { return words[random.IntN(len(words))] }
	for size := 0; size < n; size += 150 {
		list = append(list, order{
			ID: random.Int64N(1e9), Owner: word() + " " + word(), Email: word() + strconv.Itoa(random.IntN(1000)) + "@example.org", City: word(),
			Balance: float64(random.IntN(1e6)) / 100, Open: random.IntN(2) == 0, Tags: []string{word(), word()},
		})
	}
	return list
}

type order struct {
	ID                 int64
	Owner, Email, City string
	Balance            float64
	Open               bool
	Tags               []string
}

// BenchmarkCompress is JSON alone, and what the options add to it. The ratio is
// of what is stored.
func BenchmarkCompress(b *testing.B) {
	for _, n := range []int{1 << 10, 64 << 10} {
		v := orders(n)
		plain := must(field.MustFor[[]order]().Append(nil, v))
		for _, option := range []string{"", "gzip", "zstd"} {
			codec, name := field.MustFor[[]order](), "plain"
			if option != "" {
				codec, name = field.MustFor[[]order](option), option
			}
			text := must(codec.Append(nil, v))
			b.Run(fmt.Sprintf("append/%d/%s", n, name), func(b *testing.B) {
				b.ReportAllocs()
				dst := make([]byte, 0, 2*n)
				for b.Loop() {
					dst, _ = codec.Append(dst[:0], v)
				}
				b.ReportMetric(float64(len(text))/float64(len(plain)), "ratio")
			})
			b.Run(fmt.Sprintf("parse/%d/%s", n, name), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					_, _ = codec.Parse(text)
				}
			})
		}
	}
}
