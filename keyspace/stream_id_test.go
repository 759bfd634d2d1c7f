package keyspace_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/redmoon-go/redmoon/keyspace"
)

// Ids read back from their texts, and have neighbours.
func TestStreamID(t *testing.T) {
	const top = math.MaxUint64
	for _, row := range []struct {
		text       string
		id         at
		next, prev at
		reason     string
	}{
		{"0-0", at{}, at{0, 1}, at{}, "the least has none before"},
		{"5-7", at{5, 7}, at{5, 8}, at{5, 6}, "within a millisecond"},
		{"6-0", at{6, 0}, at{6, 1}, at{5, top}, "down to the millisecond before"},
		{"5-18446744073709551615", at{5, top}, at{6, 0}, at{5, top - 1}, "up to the next"},
		{"18446744073709551615-18446744073709551615", at{top, top}, at{top, top}, at{top, top - 1}, "the greatest has none behind"},
	} {
		id, err := keyspace.ParseStreamID(row.text)
		if err != nil || id != row.id || id.String() != row.text {
			t.Errorf("%s is %v, %v: %s", row.text, id, err, row.reason)
		}
		if id.Next() != row.next || id.Prev() != row.prev {
			t.Errorf("%s: %v and %v, want %v and %v: %s", row.text, id.Next(), id.Prev(), row.next, row.prev, row.reason)
		}
		if id.Compare(id) != 0 || row.next != id && id.Compare(row.next) != -1 || row.prev != id && id.Compare(row.prev) != 1 {
			t.Errorf("%s is not between its neighbours", row.text)
		}
	}
	if id, err := keyspace.ParseStreamID("5"); err != nil || id != (at{5, 0}) {
		t.Errorf("5 is %v, %v", id, err)
	}
	for _, text := range []string{"", "-", "5-", "-5", "+5-1", "5-+1", "5-1-1", "0x5-1", " 5-1", "18446744073709551616-0", "5-*"} {
		if id, err := keyspace.ParseStreamID(text); err == nil {
			t.Errorf("%q is %v", text, id)
		}
	}
	when := time.UnixMilli(1700000000123)
	if id := keyspace.StreamIDAt(when); id != (at{1700000000123, 0}) || !id.Time().Equal(when) {
		t.Errorf("%v at %v", id, id.Time())
	}
	if id := keyspace.StreamIDAt(time.UnixMilli(-5)); !id.IsZero() {
		t.Errorf("before 1970: %v", id)
	}
	some := ids{{2, 1}, {1, 9}, {1, 2}}
	if slices.SortFunc(some, at.Compare); !slices.Equal(some, ids{{1, 2}, {1, 9}, {2, 1}}) {
		t.Errorf("sorted: %v", some)
	}
}

// An id is a value as others: a member, a field, or what a key is made of.
func TestStreamIDStored(t *testing.T) {
	db, _ := embedded(t)
	seen := keyspace.NewHash[at, at, at]("seen").On(db)
	done(t, "Set", seen.Set(t.Context(), at{1, 2}, at{3, 4}, at{5, 6}))
	want(t, "GetAll", seen.GetAll(t.Context(), at{1, 2}), map[at]at{{3, 4}: {5, 6}})
	if key := seen.Key(at{1, 2}).String(); key != "seen{1-2}" {
		t.Errorf("the key is %s", key)
	}
}
