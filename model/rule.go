package model

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"
)

// neverHolds tells why no value of type t keeps a rule. Most rules are about
// texts and answer false for anything else, so a rule without a parameter is
// tried on values that differ in all that rules look at.
func (r *rules) neverHolds(t reflect.Type, rule string) error {
	name, _, valued := strings.Cut(rule, "=")
	// The rules of UUIDs and ULIDs look at what a value says of itself.
	says := t.Implements(reflect.TypeFor[fmt.Stringer]()) && (strings.HasPrefix(name, "uuid") || name == "ulid")
	switch {
	case says, t.Kind() == reflect.String, slices.Contains(ofAny, name):
		return nil
	case valued && !slices.Contains(ofTexts, name):
		return nil
	}
	for _, v := range samples(t) {
		holds := false
		panicked, _ := r.attempt(func() error {
			err := r.engine.Var(v.Interface(), rule)
			holds = err == nil
			return err
		})
		if panicked || holds && !valued {
			return nil
		}
	}
	cure := "drop it"
	if k := t.Kind(); k == reflect.Slice || k == reflect.Array || k == reflect.Map {
		cure = "put it behind dive, if it is for the elements"
	}
	return fmt.Errorf("the rule %s is for texts, and no %v keeps it; %s", rule, t, cure)
}

// ofAny are rules that some value of every type keeps, whatever the samples do.
var ofAny = []string{"required", "unique", "validateFn"}

// ofTexts are the rules with a parameter that are for texts alone.
var ofTexts = []string{
	"contains", "containsany", "containsrune", "excludes", "excludesall", "excludesrune",
	"startswith", "endswith", "startsnotwith", "endsnotwith", "postcode_iso3166_alpha2", "spicedb",
}

// samples are values of t that keep each rule for its kind: 8, 18, 36 and 40 are
// a country, a currency, a number with a right check digit, a port and a
// latitude between them.
func samples(t reflect.Type) (values []reflect.Value) {
	set := func(to func(v reflect.Value)) {
		v := reflect.New(t).Elem()
		to(v)
		values = append(values, v)
	}
	set(func(reflect.Value) {}) // zero
	switch {
	case t.ConvertibleTo(reflect.TypeFor[time.Time]()) && t.Kind() == reflect.Struct:
		set(func(v reflect.Value) { v.Set(reflect.ValueOf(time.Unix(1<<34, 0)).Convert(t)) })
	case t.Kind() == reflect.Bool:
		set(func(v reflect.Value) { v.SetBool(true) })
	case reflect.Zero(t).CanInt():
		for _, n := range []int64{-1, 1, 8, 18, 36, 40} {
			set(func(v reflect.Value) { v.SetInt(n) })
		}
	case reflect.Zero(t).CanUint():
		for _, n := range []uint64{1, 8, 18, 36, 40} {
			set(func(v reflect.Value) { v.SetUint(n) })
		}
	case reflect.Zero(t).CanFloat():
		for _, n := range []float64{-1, 0.5, 1, 18} {
			set(func(v reflect.Value) { v.SetFloat(n) })
		}
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8:
		set(func(v reflect.Value) { v.SetBytes([]byte("0")) }) // JSON
	case t.Kind() == reflect.Slice:
		set(func(v reflect.Value) { v.Set(reflect.MakeSlice(t, 1, 1)) })
	case t.Kind() == reflect.Map:
		set(func(v reflect.Value) { v.Set(reflect.MakeMap(t)) })
	}
	return values
}

// A named field is one that a rule looks at beside its own.
type named struct {
	path string
	top  bool // it begins at the record, else at the struct that the rule is in
}

var parameter = regexp.MustCompile(`'[^']*'|\S+`)

// namedBy are the fields that a rule names.
func namedBy(rule string) (fields []named) {
	name, text, _ := strings.Cut(rule, "=")
	words := parameter.FindAllString(text, -1)
	switch {
	case strings.HasSuffix(name, "csfield"):
		return []named{{text, true}}
	case strings.HasSuffix(name, "field"), name == "fieldcontains", name == "fieldexcludes":
		return []named{{text, false}}
	case name == "skip_unless", strings.HasSuffix(name, "_if") && otherField(name), strings.HasSuffix(name, "_unless") && otherField(name):
		for i := 0; i < len(words); i += 2 { // field value …
			fields = append(fields, named{words[i], false})
		}
	case otherField(name): // required_with=A B
		for _, word := range words {
			fields = append(fields, named{word, false})
		}
	}
	return fields
}

// checkNamed finds out whether the fields that a rule names are there, and can be
// compared with its own: a rule that looks at nothing holds always, or never.
func (r *rules) checkNamed(in reflect.Type, own reflect.Type, rule string) error {
	for _, f := range namedBy(rule) {
		from := in
		if f.top {
			from = r.schema.typ
		}
		t, ok := fieldAt(from, f.path)
		if !ok {
			return fmt.Errorf("the rule %s names no field of %v; name it as in Go: %s", rule, from, strings.Join(fieldNames(from), ", "))
		}
		name, _, _ := strings.Cut(rule, "=")
		compares := strings.HasSuffix(name, "field") && !strings.HasPrefix(name, "postcode")
		if a, b := base(own).Kind(), base(t).Kind(); compares && a != b && a != reflect.Interface && b != reflect.Interface {
			return fmt.Errorf("the rule %s compares %v with %v, which are never alike; give it a field of its own type", rule, own, t)
		}
	}
	return nil
}

// fieldAt is the type of a field by its path in Go, A.B. What is in elements
// cannot be looked up.
func fieldAt(t reflect.Type, path string) (reflect.Type, bool) {
	if strings.Contains(path, "[") {
		return t, true
	}
	for name := range strings.SplitSeq(path, ".") {
		t = base(t)
		if t.Kind() != reflect.Struct {
			return nil, false
		}
		f, ok := t.FieldByName(name)
		if !ok {
			return nil, false
		}
		t = f.Type
	}
	return t, true
}

func fieldNames(t reflect.Type) (names []string) {
	for f := range t.Fields() {
		if f.IsExported() {
			names = append(names, f.Name)
		}
	}
	return names
}
