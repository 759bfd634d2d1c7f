package keyspace_test

import (
	"strings"
	"testing"

	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Each placement keeps its promise about slots.
func TestSlots(t *testing.T) {
	ids := []string{"a", "b", "{a}", "}{a}", "a}b", "%7D", ":", "{}", "a:b", "\xff"}
	for _, id := range ids {
		for _, place := range []keyspace.Placement{keyspace.OneSlot("A"), keyspace.OneSlot("a:b%")} {
			key, err := keysOf[string](t, place).Key(id)
			tag := strings.Split(place.String(), `"`)[1]
			if err != nil || pipectx.Slot(key) != pipectx.Slot(tag) {
				t.Errorf("%v: key %q of %q is not in the slot of its tag (%v)", place, key, id, err)
			}
		}
		first, _ := keysOf[string](t, perID).Key(id)
		other, err := keyspace.NewKeys[string]("other", perID)
		if err != nil {
			t.Fatal(err)
		}
		if second, _ := other.Key(id); pipectx.Slot(first) != pipectx.Slot(second) {
			t.Errorf("%q and %q of one id are in different slots", first, second)
		}
		key, _ := keysOf[Member](t, perID).Key(Member{id, 1})
		if next, _ := keysOf[Member](t, perID).Key(Member{id, 2}); pipectx.Slot(key) != pipectx.Slot(next) {
			t.Errorf("%q and %q of one tenant are in different slots", key, next)
		}
	}

	buckets := map[int]int{}
	keys := keysOf[int64](t, keyspace.Buckets("A", 16))
	for id := range int64(1600) {
		key, err := keys.Key(id)
		if err != nil {
			t.Fatal(err)
		}
		buckets[pipectx.Slot(key)]++
	}
	if len(buckets) != 16 {
		t.Errorf("16 buckets are in %d slots", len(buckets))
	}
	for slot, n := range buckets {
		if n < 50 || n > 200 {
			t.Errorf("of 1600 ids slot %d has %d, want about 100", slot, n)
		}
	}
}
