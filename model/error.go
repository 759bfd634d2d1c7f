package model

import (
	"errors"
	"fmt"
	"strings"
)

// ErrExists is the answer of [Repo.Create] for an id that is taken. Save would
// overwrite the record, Update changes it.
var ErrExists = errors.New("a record of this id exists already; Save overwrites it, Update changes it")

// ConflictError refuses a [Repo.Save] whose record was changed by somebody else
// since it was loaded. Load it again, and repeat the change.
type ConflictError struct {
	Key     string
	Fields  []string // those that differ: the version
	Stored  string   // the text that is stored there, "" if there is none
	Missing bool     // the record is gone
}

func (e *ConflictError) Error() string {
	if e.Missing {
		return fmt.Sprintf("model: save %s: conflict: the record was deleted since it was loaded", e.Key)
	}
	return fmt.Sprintf("model: save %s: conflict: %s is %s by now; load the record again and repeat the change",
		e.Key, strings.Join(e.Fields, ", "), e.Stored)
}

// SumError refuses a [Repo.Update] one of whose sums cannot be stored: it is
// outside of what the field's type or its rules allow, or what is stored is no
// number. Nothing was changed.
type SumError struct {
	Key, Field string
	Stored     string // the text that was to be added to, "" if there is none
	Reason     string
}

func (e *SumError) Error() string {
	return fmt.Sprintf("model: update %s: %s (%q) cannot be added to: %s", e.Key, e.Field, e.Stored, e.Reason)
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
