package model

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"
	"unsafe"

	"github.com/go-playground/validator/v10"
	"github.com/redmoon-go/redmoon/field"
)

// rules are the `validate` tags of a record type and of the structs in it. Each
// type has a validator of its own: one that is shared may not learn of further
// types while it is in use.
type rules struct {
	schema *schema
	engine *validator.Validate
	ruled  bool // some field has a rule
	seen   map[reflect.Type]bool
}

// newRules returns the rules of a schema, nil if there are none. A rule that
// does not exist, or does not fit its field, is found here.
func newRules(s *schema) (*rules, error) {
	r := &rules{schema: s, engine: validator.New(validator.WithRequiredStructEnabled()), seen: map[reflect.Type]bool{}}
	if err := r.visit(s.typ); err != nil {
		return nil, err
	}
	if !r.ruled {
		return nil, nil
	}
	return r, nil
}

// visit looks for rules where validator will: in structs, and in what they
// point to or contain.
func (r *rules) visit(t reflect.Type) error {
	if r.seen[t] {
		return nil
	}
	r.seen[t] = true
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return r.visit(t.Elem())
	case reflect.Struct:
	default:
		return nil
	}
	if t.ConvertibleTo(reflect.TypeFor[time.Time]()) {
		return nil
	}
	if value, ok := optionalOf(t); ok {
		r.engine.RegisterCustomTypeFunc(func(v reflect.Value) any {
			return v.Interface().(interface{ Any() any }).Any()
		}, reflect.Zero(t).Interface())
		return r.visit(value)
	}
	ruled := false
	for f := range t.Fields() {
		if !f.IsExported() && !f.Anonymous {
			continue
		}
		if rule := f.Tag.Get("validate"); rule != "" && rule != "-" {
			ruled = true
			if err := r.try(t, f.Type, rule); err != nil {
				return fmt.Errorf("field %s: the tag `validate:%q`: %w", r.nameIn(t, f.Name), rule, err)
			}
		}
		if err := r.visit(f.Type); err != nil {
			return err
		}
	}
	r.ruled = r.ruled || ruled
	if !ruled {
		return nil
	}
	// What remains shows when a whole struct is tried: rules that name fields.
	_, err := r.attempt(func() error { return r.engine.Struct(reflect.New(t).Interface()) })
	return err
}

// nameIn names a field of the record, or of a struct in it, in messages.
func (r *rules) nameIn(t reflect.Type, name string) string {
	if t == r.schema.typ {
		return name
	}
	return fmt.Sprintf("%s of %v", name, t)
}

// optionalOf returns the type of the value of a field.Optional.
func optionalOf(t reflect.Type) (reflect.Type, bool) {
	get, ok := t.MethodByName("Get")
	if !ok || t.PkgPath() != reflect.TypeFor[field.Erased]().PkgPath() || !strings.HasPrefix(t.Name(), "Optional[") {
		return nil, false
	}
	return get.Type.Out(0), true
}

// try tries each rule of a tag on a zero value: of several, validator would
// come to the second only when the first holds.
//
// in is the struct that the field is in.
func (r *rules) try(in, t reflect.Type, tag string) error {
	t = base(t)
	words := strings.Split(tag, ",")
	for i, word := range words {
		isTime := t.Kind() == reflect.Struct && t.ConvertibleTo(reflect.TypeFor[time.Time]())
		switch {
		case word == "dive":
			return r.dive(in, t, words[i+1:])
		case isFlow(word):
			continue
		case otherField(word):
			if err := r.checkNamed(in, t, word); err != nil {
				return err
			}
			continue
		case t.Kind() == reflect.Interface, t.Kind() == reflect.Struct && !isTime:
			continue
		}
		for rule := range strings.SplitSeq(word, "|") {
			panicked, err := r.attempt(func() error { return r.engine.Var(reflect.Zero(t).Interface(), rule) })
			switch {
			case !panicked:
			case strings.HasPrefix(err.Error(), "Undefined"):
				return fmt.Errorf("there is no rule %q; the rules are those of github.com/go-playground/validator/v10", rule)
			default:
				return fmt.Errorf("the rule %s does not fit %v: %w", rule, t, err)
			}
			if err := r.neverHolds(t, rule); err != nil {
				return err
			}
		}
	}
	return nil
}

// dive tries the rules of the elements of t.
func (r *rules) dive(in, t reflect.Type, words []string) error {
	switch t.Kind() {
	case reflect.Slice, reflect.Array, reflect.Map:
	default:
		return fmt.Errorf("dive is for the elements of slices, arrays and maps, not for %v", t)
	}
	if len(words) > 0 && words[0] == "keys" {
		end := 1
		for end < len(words) && words[end] != "endkeys" {
			end++
		}
		if t.Kind() != reflect.Map || end == len(words) {
			return fmt.Errorf("keys stands behind the dive into a map, and endkeys ends its rules")
		}
		if err := r.try(in, t.Key(), strings.Join(words[1:end], ",")); err != nil {
			return err
		}
		words = words[end+1:]
	}
	return r.try(in, t.Elem(), strings.Join(words, ","))
}

// isFlow knows the words of a tag that are no rules of their own.
func isFlow(word string) bool {
	switch word {
	case "omitempty", "omitnil", "omitzero", "structonly", "nostructlevel", "isdefault", "-":
		return true
	}
	return false
}

// otherField tells whether a rule looks at other fields: eqfield=Password,
// required_with=Email.
func otherField(rule string) bool {
	name, _, _ := strings.Cut(rule, "=")
	return strings.HasSuffix(name, "field") || strings.HasPrefix(name, "field") ||
		strings.HasPrefix(name, "required_") || strings.HasPrefix(name, "excluded_") || name == "skip_unless"
}

// attempt turns what validator panics with into an error.
func (r *rules) attempt(do func() error) (panicked bool, err error) {
	defer func() {
		if p := recover(); p != nil {
			panicked, err = true, fmt.Errorf("%v", p)
		}
	}()
	err = do()
	var broken validator.ValidationErrors
	if errors.As(err, &broken) {
		return false, nil
	}
	return false, err
}

// check validates the record at p.
func (r *rules) check(p unsafe.Pointer) error {
	if r == nil {
		return nil
	}
	return r.run(func() error { return r.engine.Struct(reflect.NewAt(r.schema.typ, p).Interface()) })
}

// checkField validates one field of the record at p, and what is in it.
func (r *rules) checkField(p unsafe.Pointer, c *column) error {
	if r == nil {
		return nil
	}
	if rule := c.besideOther(); rule != "" {
		return fmt.Errorf("model: %v: the rule %s of %s looks at another field, which a single change does not have; Save the record", r.schema.typ, rule, c.name)
	}
	skip := func(place []byte) bool {
		path := r.path(string(place))
		return !within(path, c.path) && !within(c.path, path)
	}
	return r.run(func() error { return r.engine.StructFiltered(reflect.NewAt(r.schema.typ, p).Interface(), skip) })
}

// besideOther is the column's rule that looks at another field, "" if it has
// none.
func (c *column) besideOther() string {
	for rule := range strings.SplitSeq(c.rule, ",") {
		if rule == "dive" {
			break
		}
		if otherField(rule) {
			return rule
		}
	}
	return ""
}

// path cuts the type's name from a place that validator names.
func (r *rules) path(place string) string { return strings.TrimPrefix(place, r.schema.typ.Name()+".") }

// within tells whether path is outer or inside of it.
func within(path, outer string) bool {
	rest, ok := strings.CutPrefix(path, outer)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

// run runs a validation and makes its faults ours.
func (r *rules) run(validate func() error) (err error) {
	defer func() {
		if p := recover(); p != nil { // a value in an interface that a rule does not fit
			err = fmt.Errorf("model: %v cannot be validated: %v", r.schema.typ, p)
		}
	}()
	err = validate()
	var broken validator.ValidationErrors
	if !errors.As(err, &broken) {
		return err
	}
	e := &ValidationError{Struct: r.schema.typ.String()}
	for _, b := range broken {
		f := Fault{Field: r.field(b.StructNamespace()), Rule: b.Tag(), Value: b.Value()}
		if b.Param() != "" {
			f.Rule += "=" + b.Param()
		}
		e.Faults = append(e.Faults, f)
	}
	return e
}

// field names a place by the names in the hash: owner, address.Street.
func (r *rules) field(place string) string {
	path := r.path(place)
	for _, c := range r.schema.columns {
		if within(path, c.path) {
			return c.name + path[len(c.path):]
		}
	}
	if path == r.schema.key.path {
		return r.schema.key.name
	}
	return path
}
