package model

import "reflect"

// For tests of the limits: a struct of 2,000 fields is not for writing down.
var (
	CreateScript = createScript.Script
	SaveScript   = saveScript.Script
	UpdateScript = updateScript.Script
	EditScript   = editScript.Script
	UpsertScript = upsertScript.Script
)

// Rest is the pause between a conflict of Edit and the next try.
var Rest = rest

// Most is how many fields a record may have.
const Most = most

// CheckType is what Define finds about a type.
func CheckType(t reflect.Type) error {
	_, err := newSchema(t)
	return err
}

// Proxies makes records values in all methods typed from now on, also where their
// fields could be locals, and returns what ends that.
func Proxies() (end func()) {
	proxies = true
	return func() { proxies = false }
}
