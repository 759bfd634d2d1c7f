package keyspace

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// StreamID is the id of a stream's entry: the time in milliseconds at which it was
// added, by the server's clock, and a number among those of one millisecond. Ids grow
// from entry to entry. Its text is Redis's, 1700000000000-0; it may be compared by ==,
// be a key of a map, and be stored as a value, member or field.
type StreamID struct {
	Ms  uint64 // milliseconds since 1970
	Seq uint64
}

// MaxStreamID is above all other ids.
var MaxStreamID = StreamID{math.MaxUint64, math.MaxUint64}

// StreamIDAt is the least id of a time: From(StreamIDAt(t)) is all that was added then
// and later. A time before 1970 has the least of all.
func StreamIDAt(t time.Time) StreamID { return StreamID{Ms: uint64(max(t.UnixMilli(), 0))} }

// ParseStreamID reads the text of an id, 1700000000000-0; without a number, as in
// 1700000000000, that is 0.
func ParseStreamID(text string) (StreamID, error) {
	ms, seq, two := strings.Cut(text, "-")
	var id StreamID
	var err error
	if id.Ms, err = strconv.ParseUint(ms, 10, 64); err == nil && two {
		id.Seq, err = strconv.ParseUint(seq, 10, 64)
	}
	if err != nil {
		return StreamID{}, fmt.Errorf("keyspace: %q is no id of a stream's entry: want milliseconds and a number, as in 1700000000000-0", text)
	}
	return id, nil
}

// String is the id as Redis writes it.
func (id StreamID) String() string { return string(id.append(nil)) }

func (id StreamID) append(dst []byte) []byte {
	dst = append(strconv.AppendUint(dst, id.Ms, 10), '-')
	return strconv.AppendUint(dst, id.Seq, 10)
}

// MarshalText is String.
func (id StreamID) MarshalText() ([]byte, error) { return id.append(nil), nil }

// UnmarshalText is [ParseStreamID].
func (id *StreamID) UnmarshalText(text []byte) (err error) {
	*id, err = ParseStreamID(string(text))
	return err
}

// Time is when the entry was added, to the millisecond. Ids that a program has chosen
// by itself tell what it has put there.
func (id StreamID) Time() time.Time { return time.UnixMilli(int64(min(id.Ms, math.MaxInt64))) }

// IsZero tells whether the id is 0-0, which no entry has.
func (id StreamID) IsZero() bool { return id == StreamID{} }

// Compare is -1 if id comes before other, 1 if behind, 0 if they are the same; it is
// what slices.SortFunc takes.
func (id StreamID) Compare(other StreamID) int {
	return cmp.Or(cmp.Compare(id.Ms, other.Ms), cmp.Compare(id.Seq, other.Seq))
}

// Next is the least id above; of [MaxStreamID] it is that itself.
func (id StreamID) Next() StreamID {
	switch {
	case id == MaxStreamID:
		return id
	case id.Seq == math.MaxUint64:
		return StreamID{id.Ms + 1, 0}
	}
	return StreamID{id.Ms, id.Seq + 1}
}

// Prev is the greatest id below; of 0-0 it is that itself.
func (id StreamID) Prev() StreamID {
	switch {
	case id.IsZero():
		return id
	case id.Seq == 0:
		return StreamID{id.Ms - 1, math.MaxUint64}
	}
	return StreamID{id.Ms, id.Seq - 1}
}
