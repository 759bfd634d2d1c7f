package model

import (
	"context"
	"fmt"
	"math/big"
	"reflect"
	"slices"
	"strconv"
	"unsafe"

	"github.com/redmoon-go/redmoon/pipectx"
)

// Upsert makes typed changes to a record as [Repo.Update] does, and makes the record
// if there is none. Its Ref answers whether it made one.
//
//	created, err := accounts.Upsert(ctx, 42, Owner.Set("Ada"), model.Incr(Balance, 5)).Result()
//
// A record that it makes is whole: fields that no change names have their defaults,
// or zero where their type is never absent; Incr begins from there, and the version
// is 1. So it must keep all rules, of fields that are not named too: if it would
// break one, and there is no record, the answer is *[ValidationError], or
// *field.EncodeError for an enum without a default, and nothing is written. A record that is there is not validated but for what changes, its version
// is counted up when anything changed, and a model's time to live begins again
// either way.
//
// Errors: those of Update but for the missing record, and *[ValidationError] as said.
//
// Cost: EVALSHA, at first EVAL; 1 command; 1 round trip outside Run, none of its
// own inside.
func (r Repo[T, K]) Upsert(ctx context.Context, id K, changes ...Change[T]) *pipectx.Ref[bool] {
	m := r.bound()
	c := r.script(m.scripts.upsert, id)
	fresh, made := new(T), new(T)
	*m.id(unsafe.Pointer(fresh)), *m.id(unsafe.Pointer(made)) = id, id
	m.schema.defaults(unsafe.Pointer(fresh))
	m.schema.defaults(unsafe.Pointer(made))
	invalid := m.schema.addUpsert(c, unsafe.Pointer(fresh), unsafe.Pointer(made), erased(changes))
	return pipectx.Send(ctx, r.db, c, func(reply pipectx.Reply) (bool, error) { return upserted(reply, invalid) })
}

// upserted reads the reply of upsert.lua; invalid is why there must be no new
// record, if so.
func upserted(r pipectx.Reply, invalid error) (bool, error) {
	if !r.IsInt() {
		return false, refusedSum("upsert", r)
	}
	n, err := r.Int()
	if err == nil && n < 0 {
		err = fmt.Errorf("model: upsert %s: there is no record, and none can be made: %w", r.Key(), invalid)
	}
	return n > 0, err
}

// addUpsert adds the words of upsert.lua: what a new record begins with, which the
// one at fresh has, and the changes. It returns why there must not be such a record,
// if so, for which it makes the changes of that at made.
func (s *schema) addUpsert(c *pipectx.Command, fresh, made unsafe.Pointer, changes []change) (invalid error) {
	if s.rules != nil {
		for _, one := range changes {
			s.apply(made, one)
		}
		invalid = s.rules.check(made)
	}
	begin, err := s.beginning(fresh, changes)
	if invalid == nil {
		invalid = err
	}
	if invalid != nil {
		c.Int(-1)
	} else {
		c.Int(int64(len(begin) / 2))
		addWords(c, begin)
	}
	addChanges(c, "Upsert", changes)
	return invalid
}

// beginning are name and text of each field of the record at p but for those that
// changes give a text, or none.
func (s *schema) beginning(p unsafe.Pointer, changes []change) ([]string, error) {
	var begin []string
	for _, col := range s.columns {
		given := slices.ContainsFunc(changes, func(one change) bool {
			return one.name == col.name && (one.what == "set" || one.what == "absent" || one.what == "clear")
		})
		if col == s.version || given || col.absent(col.at(p)) {
			continue
		}
		text, err := col.text(col.at(p))
		if err != nil {
			return nil, err // an enum has no zero
		}
		begin = append(begin, col.name, text)
	}
	return begin, nil
}

// apply makes a change of the record at p, as update.lua does of what is stored.
// What cannot be added is left for the server to refuse.
func (s *schema) apply(p unsafe.Pointer, one change) {
	col, text := s.byName[one.name], one.text
	if col == nil || one.err != nil {
		return
	}
	if one.what == "clear" {
		reflect.NewAt(col.codec.Type(), col.at(p)).Elem().SetZero() // it may have had a default
		return
	}
	if one.what == "add" || one.what == "addfloat" {
		old, err := col.codec.Append(nil, col.at(p))
		if err != nil {
			return
		}
		if text, err = added(string(old), text, one.what == "addfloat"); err != nil {
			return
		}
	}
	_ = col.codec.Parse([]byte(text), col.at(p)) // the text was written by the codec; a sum may be too large for it
}

// added is the text of the sum of two numbers.
func added(a, b string, float bool) (string, error) {
	if float {
		x, err := strconv.ParseFloat(a, 64)
		if err != nil {
			return "", err
		}
		y, err := strconv.ParseFloat(b, 64)
		return strconv.FormatFloat(x+y, 'g', -1, 64), err
	}
	x, ok := new(big.Int).SetString(a, 10)
	y, ok2 := new(big.Int).SetString(b, 10)
	if !ok || !ok2 {
		return "", fmt.Errorf("%s and %s are no integers", a, b)
	}
	return x.Add(x, y).String(), nil
}
