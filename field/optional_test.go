package field_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"unsafe"

	"github.com/go-playground/validator/v10"

	"github.com/redmoon-go/redmoon/field"
)

// Absent and zero are two things.
func TestOptional(t *testing.T) {
	zero, none := field.Some(0), field.None[int]()
	if zero == none || none != (field.Optional[int]{}) {
		t.Error("zero is absent")
	}
	if v, ok := zero.Get(); v != 0 || !ok || zero.Or(7) != 0 || zero.Any() != 0 {
		t.Error("zero is lost")
	}
	if v, ok := none.Get(); v != 0 || ok || none.Or(7) != 7 || none.Any() != nil {
		t.Error("none is there")
	}
}

// In JSON an Optional is its value or null.
func TestOptionalJSON(t *testing.T) {
	type form struct {
		A field.Optional[string] `json:"a"`
		B field.Optional[int]    `json:"b,omitzero"`
	}
	for _, c := range []struct {
		v    form
		want string
	}{
		{form{}, `{"a":null}`},
		{form{field.Some(""), field.Some(0)}, `{"a":"","b":0}`},
		{form{field.Some("<"), field.None[int]()}, `{"a":"\u003c"}`},
	} {
		text, err := json.Marshal(c.v)
		if err != nil || string(text) != c.want {
			t.Errorf("%+v is %s, %v; want %s", c.v, text, err, c.want)
		}
		got := form{A: field.Some("old"), B: c.v.B}
		if err := json.Unmarshal(text, &got); err != nil || got != c.v {
			t.Errorf("%s reads as %+v, %v", text, got, err)
		}
	}
	o := field.Some(1)
	if err := json.Unmarshal([]byte(`"x"`), &o); err == nil || o != field.Some(1) {
		t.Errorf("a string reads as %v, %v", o, err)
	}
	if _, err := json.Marshal(field.Some("\xff")); err == nil {
		t.Error("bytes that are no UTF-8 are replaced")
	}
}

// Clear empties whatever was there, absent or zero.
func TestClear(t *testing.T) {
	s := struct {
		A *int
		B field.Optional[address]
		C string
		D map[string]int
	}{ptr(1), field.Some(address{Street: "x"}), "x", map[string]int{"x": 1}}
	v := reflect.ValueOf(&s).Elem()
	for i, absent := range []bool{true, true, false, false} {
		e := must(field.Of(v.Field(i).Type()))
		p := v.Field(i).Addr().UnsafePointer()
		if e.Absent(p) {
			t.Errorf("%s is absent before", e.Name())
		}
		e.Clear(p)
		if e.Absent(p) != absent || e.Optional() != absent || !v.Field(i).IsZero() {
			t.Errorf("%s: Absent %v, Optional %v, %v", e.Name(), e.Absent(p), e.Optional(), v.Field(i))
		}
	}
}

// A text that cannot be read leaves an Optional as it was.
func TestOptionalParseFails(t *testing.T) {
	n, a := field.Some(1), field.None[address]()
	if err := must(field.Of(reflect.TypeOf(n))).Parse([]byte("x"), unsafe.Pointer(&n)); err == nil || n != field.Some(1) {
		t.Errorf("%v, %v", n, err)
	}
	if err := must(field.Of(reflect.TypeOf(a))).Parse([]byte("x"), unsafe.Pointer(&a)); err == nil || a != field.None[address]() {
		t.Errorf("%v, %v", a, err)
	}
}

// A validator's rules see the value, given Any.
func TestOptionalValidates(t *testing.T) {
	type form struct {
		Age  field.Optional[int]    `validate:"omitempty,min=18"`
		Name field.Optional[string] `validate:"required"`
	}
	v := validator.New()
	v.RegisterCustomTypeFunc(func(r reflect.Value) any { return r.Interface().(interface{ Any() any }).Any() },
		field.Optional[int]{}, field.Optional[string]{})
	for _, c := range []struct {
		form form
		ok   bool
	}{
		{form{field.None[int](), field.Some("Ada")}, true},
		{form{field.Some(18), field.Some("Ada")}, true},
		{form{field.Some(17), field.Some("Ada")}, false},
		{form{field.None[int](), field.None[string]()}, false},
	} {
		if err := v.Struct(c.form); (err == nil) != c.ok {
			t.Errorf("%+v: %v", c.form, err)
		}
	}
}

// Embedding an Optional does not make an Optional.
func TestEmbeddedOptional(t *testing.T) {
	type both struct {
		field.Optional[int]
		Other int
	}
	e := must(field.Of(reflect.TypeFor[both]()))
	if e.Optional() {
		t.Error("absent with its first field")
	}
}
