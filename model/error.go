package model

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/redmoon-go/redmoon/pipectx"
)

// ErrExists is the answer of [Repo.Create] for an id that is taken. Save would
// overwrite the record, Update changes it.
var ErrExists = errors.New("a record of this id exists already; Save overwrites it, Update changes it")

// ConflictError refuses to overwrite what somebody else has changed: a [Repo.Save]
// of a record whose version is another by now, or a [Repo.Edit] or [Pop] for which
// others were faster each time. Load the record again, and repeat the change. It is
// a [pipectx.ErrConflict].
type ConflictError struct {
	Key     string
	Fields  []string // those that differ; of Save, the version
	Stored  string   // the text that is stored in the first of them, "" if there is none
	Missing bool     // the record is gone

	verb  string // in place of save
	calls int    // how often it was tried
}

func (e *ConflictError) Error() string {
	verb := cmp.Or(e.verb, "save")
	switch {
	case e.Missing:
		return fmt.Sprintf("model: %s %s: conflict: the record was deleted since it was loaded", verb, e.Key)
	case e.calls > 0:
		return fmt.Sprintf("model: %s %s: conflict: others were faster each of %d times, at last with %s; change such a record by Update or a Lua method",
			verb, e.Key, e.calls, strings.Join(e.Fields, ", "))
	}
	return fmt.Sprintf("model: %s %s: conflict: %s is %s by now; load the record again and repeat the change",
		verb, e.Key, strings.Join(e.Fields, ", "), e.Stored)
}

// Is makes errors.Is with [pipectx.ErrConflict] hold.
func (e *ConflictError) Is(target error) bool { return target == pipectx.ErrConflict }

// SumError refuses a [Repo.Update] or [Repo.Upsert] one of whose sums cannot be stored: it is
// outside of what the field's type or its rules allow, or what is stored is no
// number. Nothing was changed.
type SumError struct {
	Key, Field string
	Stored     string // the text that was to be added to, "" if there is none
	Reason     string

	verb string
}

func (e *SumError) Error() string {
	return fmt.Sprintf("model: %s %s: %s (%q) cannot be added to: %s", e.verb, e.Key, e.Field, e.Stored, e.Reason)
}

// ValidationError refuses a record or a change before anything is sent. The
// rules are those of the `validate` tags, in the language of
// github.com/go-playground/validator/v10.
type ValidationError struct {
	Struct string // main.Account
	Faults []Fault
}

// Fault is one field that breaks one rule.
type Fault struct {
	Field string // its name in the record: owner, address.Street
	Rule  string // required, max=80
	Value any
}

func (e *ValidationError) Error() string {
	faults := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		faults[i] = f.String()
	}
	return fmt.Sprintf("model: %s is not valid: %s", e.Struct, strings.Join(faults, "; "))
}

// String quotes at most 64 bytes of the value.
func (f Fault) String() string {
	const most = 64
	value := fmt.Sprintf("%#v", f.Value)
	if len(value) > most {
		value = strings.ToValidUTF8(value[:most], "") + "…"
	}
	return fmt.Sprintf("%s breaks the rule %s (it is %s)", f.Field, f.Rule, value)
}
