package cache

import (
	"fmt"
	"reflect"
	"sync"
)

// declared are the functions of this process by the place of what they store. Two
// regions of one name share it, which two packages may do without knowing: what one has
// stored the other would read, as a value of its own type.
var declared sync.Map // place: types

// A storedAt is a function's place, on whatever DB.
type storedAt struct{ connection, region, function string }

// types are what a function's stored texts stand for.
type types struct {
	arg, value reflect.Type
	form       string
}

// share notes what a function stores, and refuses another of the same place with other
// types. It is tempting to refuse every other one, but who declares in a function and
// not in a package declares the same again.
func (r *Region) share(function string, t types) error {
	had, taken := declared.LoadOrStore(storedAt{r.Connection, r.name, function}, t)
	if !taken || had == t {
		return nil
	}
	other := had.(types)
	return fmt.Errorf("another region %s of this process has a function of this name, from %v to %v; they would share what is stored, and this one is from %v to %v: rename one of the regions",
		r.name, other.arg, other.shown(), t.arg, t.shown())
}

func (t types) shown() string {
	if t.form == "" {
		return t.value.String()
	}
	return t.value.String() + " as " + t.form
}
