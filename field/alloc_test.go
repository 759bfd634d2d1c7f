package field_test

import (
	"math"
	"reflect"
	"testing"
	"time"
	"unsafe"

	"github.com/redmoon-go/redmoon/field"
)

// allocs counts the allocations of v through Codec and Erased.
func allocs[T any](t *testing.T, v T, appends, parses, shares float64, options ...string) {
	t.Helper()
	if raceDetector {
		t.Skip("the race detector allocates")
	}
	codec := field.MustFor[T](options...)
	erased := must(field.Of(reflect.TypeFor[T](), options...))
	p := new(T)
	*p = v
	text := must(codec.Append(nil, v))
	shared := string(text)
	dst := make([]byte, 0, 256)
	for _, c := range []struct {
		verb string
		want float64
		f    func()
	}{
		{"Codec.Append", appends, func() { dst, _ = codec.Append(dst[:0], v) }},
		{"Codec.Parse", parses, func() { _, _ = codec.Parse(text) }},
		{"Erased.Append", appends, func() { dst, _ = erased.Append(dst[:0], unsafe.Pointer(p)) }},
		{"Erased.Parse", parses, func() { _ = erased.Parse(text, unsafe.Pointer(p)) }},
		{"Erased.ParseShared", shares, func() { _ = erased.ParseShared(shared, unsafe.Pointer(p)) }},
		{"Erased.Absent", 0, func() { erased.Absent(unsafe.Pointer(p)) }},
		{"Erased.Clear", 0, func() { erased.Clear(unsafe.Pointer(p)) }},
	} {
		if got := testing.AllocsPerRun(100, c.f); got != c.want {
			t.Errorf("%s of %s allocates %v times; want %v", c.verb, codec.Name(), got, c.want)
		}
		*p = v
	}
}

// Scalars cost no allocation; strings and bytes only their copy; pointers only
// what they point to.
func TestAllocations(t *testing.T) {
	long := "longer than the buffers that the runtime keeps on the stack"
	allocs(t, true, 0, 0, 0)
	allocs(t, int64(math.MinInt64), 0, 0, 0)
	allocs(t, level(-3), 0, 0, 0)
	allocs(t, uint64(math.MaxUint64), 0, 0, 0)
	allocs(t, float32(0.1), 0, 0, 0)
	allocs(t, -math.MaxFloat64, 0, 0, 0)
	allocs(t, math.Inf(1), 0, 0, 0, "nan")
	allocs(t, moment, 0, 0, 0)
	allocs(t, moment.In(berlin), 0, 0, 0)
	allocs(t, stamp(moment), 0, 0, 0)
	allocs(t, moment, 0, 0, 0, "unix")
	allocs(t, time.Hour, 0, 0, 0)
	allocs(t, id, 0, 0, 0)
	allocs(t, digest{}, 0, 0, 0)
	allocs(t, level(-3), 0, 0, 0, "oneof=-3 0 3")
	allocs(t, status("closed"), 0, 0, 0, "oneof=open closed")
	allocs(t, field.Some(status("open")), 0, 0, 0, "oneof=open closed")
	allocs(t, long, 0, 1, 0, "ascii")
	allocs(t, long, 0, 1, 0)
	allocs(t, status(long), 0, 1, 0)
	allocs(t, []byte(long), 0, 1, 1)
	allocs(t, field.Some(int64(1<<40)), 0, 0, 0)
	allocs(t, field.Some(id), 0, 0, 0)
	allocs(t, ptr(int64(1<<40)), 0, 1, 1)
	allocs(t, &long, 0, 2, 1)
}
