// Package field turns Go values into the text Redis stores, and back. What is
// stored reads back as the same value, or as an error that says where and why;
// it is never rounded, cut or made zero on the quiet.
//
//	type Status string
//
//	balances := field.MustFor[int64]()
//	statuses := field.MustFor[Status]()
//	openings := field.MustFor[time.Time]("unixms") // an option chooses the form
//
//	text, err := balances.Append(nil, 42) // "42"
//	n, err := balances.Parse(text)        // 42
//
// A [Codec] is for a type known to the compiler; an [Erased] is the same for a
// type learned at run time, behind a pointer. There is no Redis in this
// package: it knows text, not keys.
//
// # Text forms
//
//	type                     option      text, for example
//	string                               the bytes: any, UTF-8 or not
//	string                   ascii       the same, where all are ' ' to '~'
//	string, any integer      oneof=a b   what it is without the option, if that is a or b
//	[]byte, [N]byte                      the bytes
//	bool                                 1 or 0; reads true false t f yes no y n on off in any case
//	bool                     emptyfalse  the same, and reads the empty text as false
//	int, int8 … int64                    -42
//	uint, uint8 … uint64                 42
//	float32, float64                     3.14, 1.0e+21; NaN and infinities refused
//	float32, float64         nan         the same, and NaN, +Inf, -Inf
//	time.Time                            2006-01-02T15:04:05.999999999+02:00
//	time.Time                unix        1136214245, seconds since 1970
//	time.Time                unixms      1136214245999, milliseconds
//	time.Time                unixus      1136214245999999, microseconds
//	time.Duration                        1500000000, nanoseconds
//	uuid.UUID                            f81d4fae-7dec-11d0-a765-00a0c91e6bf6
//	[16]byte                 uuid        the same
//	encoding.TextMarshaler               what MarshalText writes: netip.Addr, big.Int, …
//	encoding.BinaryMarshaler             what MarshalBinary writes: url.URL, …
//	struct, map, slice, array            compact JSON
//	json.RawMessage                      compact JSON
//	anything                 json        compact JSON
//	[]string                 list        a,b\,c
//	[]string                 commas      a,b,c; empty elements, and those with commas, refused
//	any text that is long    gzip        the text; from 256 bytes compressed, where that is shorter
//	any text that is long    zstd        the same
//	*T, Optional[T]          those of T  the text of T; absent has none
//
// Named types are stored as what they are made of, unless they marshal
// themselves or a codec is registered for them ([Register]). [For] gives the
// rules in their order. A type marshals itself only when it can do both, write
// and read.
//
// The options gzip and zstd are for strings, bytes, lists, JSON and what types
// marshal themselves, and go with another option: "json", "zstd". All others
// exclude each other.
//
// # Enums
//
// The option oneof=a b c names all values that a field may have: of a string
// or an integer, with spaces between. Any other is an error, when it is written
// and when it is read, that names those allowed. "" is never one of them, nor 0
// unless named: a field without a value is a pointer or an [Optional].
//
// # Compression
//
// A compressed text begins with the magic bytes of its format, 1f 8b 08 or
// 28 b5 2f fd, and other programs read it with any library of that name. What
// begins otherwise is the text itself. So either option may be added to a field
// that has texts already, and reads what the other wrote; it may not be added
// where texts are stored that begin like that, such as what a program
// compressed by itself, and it may not be taken away again. A text that begins
// like magic without being it is compressed, however short.
//
// A text holds at most 64 MiB, written or read. Two versions of this module may
// compress one value in two ways: such a text is not for keys, members of sets
// or comparisons in Lua, which sees it as opaque.
//
// # Absent is not zero
//
// A nil pointer and an unset [Optional] have no text: who writes a record
// removes what was stored. The empty text is a value, "" for a string and an
// error for an int. A nil map or slice is not absent either: it is null, as
// JSON, and a nil []byte reads back empty.
//
// # Guarantees
//
//   - The text of a value, parsed, is the value, to the last bit: integers in
//     their whole range, floats with the sign of zero, times with their offset
//     and every nanosecond.
//   - Parse of any bytes gives a value or a *[DecodeError], and never panics.
//   - Append of any value gives its text or an *[EncodeError].
//   - Types without a text form, and options that do not fit, fail in [For] and
//     [Of]: at start-up, with the cure.
//   - Append and Parse of strings, booleans, numbers, enums, times and UUIDs
//     allocate nothing beyond dst, but for the copy of a parsed string. A time
//     with an offset that is not a whole hour allocates its zone.
//   - Strings, bytes, booleans, numbers, times and durations that go-redis
//     wrote are read, and it reads ours, but for the options. Types that have
//     MarshalBinary (uuid.UUID, netip.Addr) and net.IP it writes as raw bytes:
//     they are text here.
//
// # Not guaranteed
//
//   - A time loses the name of its zone and its monotonic clock; where the
//     offset is not a whole minute, as before zones were agreed, it is written
//     in UTC. The unix options cut what is finer than their unit, toward the
//     past, and read as UTC.
//   - JSON is encoding/json's: unexported members are not stored, unknown ones
//     not read, numbers in an any become float64, an array takes as many
//     elements as it has. null is refused for types that have no nil; inside a
//     struct it leaves a member zero.
//   - A nil json.RawMessage is null, and reads back as those four bytes.
//   - The option commas has one text for nil and for an empty list, the empty
//     one; it reads as nil. Of what others wrote it drops empty elements.
//   - Marshaling methods and registered codecs are as exact, as fast and as
//     calm as their authors made them: their panics are not caught.
//   - A float32 or float64 reads the nearest number to what others wrote.
//
// # Compatibility
//
// Text forms are API. testdata/encodings.txt holds one line for each, a test
// compares it, and a change there is a breaking change of this module.
package field
