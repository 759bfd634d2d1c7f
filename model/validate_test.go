package model_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/model"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Form has rules of all sorts.
type Form struct {
	ID string `redis:"id,key" validate:"alphanum"`
	Basis
	Name  string               `redis:"name" validate:"required,max=5"`
	Nick  *string              `redis:"nick" validate:"omitempty,min=2"`
	Age   field.Optional[int]  `redis:"age" validate:"omitempty,gte=18"`
	Must  field.Optional[bool] `redis:"must" validate:"required"`
	Mode  string               `redis:"mode" validate:"oneof=on off"`
	Tags  []string             `redis:"tags" validate:"dive,required,max=3"`
	Map   map[string]int       `redis:"map" validate:"dive,keys,len=1,endkeys,gt=0"`
	Home  Home                 `redis:"home"`
	Homes []Home               `redis:"homes" validate:"dive"`
	Far   *Home                `redis:"far"`
	Near  field.Optional[Home] `redis:"near"`
	Pass  string               `redis:"pass"`
	Again string               `redis:"again" validate:"eqfield=Pass"`
	Any   any                  `redis:"any,json" validate:"omitempty,max=3"`
}

// Basis is embedded in a Form.
type Basis struct {
	Made int64 `redis:"made" validate:"gt=0"`
}

// Home is stored as JSON.
type Home struct {
	Street string `validate:"required,max=6"`
}

var (
	forms = model.Define[Form, string]("form")
	made  = model.FieldOf(forms, func(f *Form) *int64 { return &f.Made })
	fname = model.FieldOf(forms, func(f *Form) *string { return &f.Name })
	fnick = model.FieldOf(forms, func(f *Form) **string { return &f.Nick })
	fage  = model.FieldOf(forms, func(f *Form) *field.Optional[int] { return &f.Age })
	must  = model.FieldOf(forms, func(f *Form) *field.Optional[bool] { return &f.Must })
	tags  = model.FieldOf(forms, func(f *Form) *[]string { return &f.Tags })
	home  = model.FieldOf(forms, func(f *Form) *Home { return &f.Home })
	homes = model.FieldOf(forms, func(f *Form) *[]Home { return &f.Homes })
	far   = model.FieldOf(forms, func(f *Form) **Home { return &f.Far })
	again = model.FieldOf(forms, func(f *Form) *string { return &f.Again })
	mode  = model.FieldOf(forms, func(f *Form) *string { return &f.Mode })
)

func form() Form {
	return Form{ID: "a", Basis: Basis{1}, Name: "Ada", Must: field.Some(true), Mode: "on", Home: Home{"Main"}, Pass: "p", Again: "p"}
}

// Create and Save validate a whole record, with all that is in it, before
// anything is sent; the error names struct, field and rule.
func TestValidation(t *testing.T) {
	rows := []struct {
		reason      string
		change      func(*Form)
		field, rule string
	}{
		{"all is well", func(*Form) {}, "", ""},
		{"required", func(f *Form) { f.Name = "" }, "name", "required"},
		{"too long", func(f *Form) { f.Name = "Augusta" }, "name", "max=5"},
		{"the key", func(f *Form) { f.ID = "a b" }, "id", "alphanum"},
		{"in an embedded struct, by its own name", func(f *Form) { f.Made = -1 }, "made", "gt=0"},
		{"absent is fine", func(f *Form) { f.Nick = nil }, "", ""},
		{"present is not", func(f *Form) { f.Nick = new("x") }, "nick", "min=2"},
		{"empty is not absent", func(f *Form) { f.Nick = new("") }, "nick", "min=2"},
		{"an Optional", func(f *Form) { f.Age = field.Some(17) }, "age", "gte=18"},
		{"an Optional that is required", func(f *Form) { f.Must = field.None[bool]() }, "must", "required"},
		{"one of", func(f *Form) { f.Mode = "o" }, "mode", "oneof=on off"},
		{"an element", func(f *Form) { f.Tags = []string{"abc", "abcd"} }, "tags[1]", "max=3"},
		{"a key of a map", func(f *Form) { f.Map = map[string]int{"ab": 1} }, "map[ab]", "len=1"},
		{"a value of a map", func(f *Form) { f.Map = map[string]int{"a": 0} }, "map[a]", "gt=0"},
		{"inside of JSON", func(f *Form) { f.Home.Street = "Main Street" }, "home.Street", "max=6"},
		{"inside of elements", func(f *Form) { f.Homes = []Home{{"Main"}, {}} }, "homes[1].Street", "required"},
		{"behind a pointer", func(f *Form) { f.Far = &Home{} }, "far.Street", "required"},
		{"in an Optional", func(f *Form) { f.Near = field.Some(Home{}) }, "near.Street", "required"},
		{"beside another field", func(f *Form) { f.Again = "q" }, "again", "eqfield=Pass"},
		{"in an interface", func(f *Form) { f.Any = "abcd" }, "any", "max=3"},
	}
	each(t, func(t *testing.T, p place) {
		for _, c := range rows {
			f := form()
			c.change(&f)
			for verb, err := range map[string]error{
				"Save":   forms.On(p.db).Save(t.Context(), f).Err(),
				"Create": forms.On(p.db).Create(t.Context(), f).Err(),
			} {
				if c.field == "" {
					if err != nil && !errors.Is(err, model.ErrExists) {
						t.Errorf("%s: %s answers %v", c.reason, verb, err)
					}
					continue
				}
				e := as[*model.ValidationError](t, verb+": "+c.reason, err)
				if e != nil && (e.Struct != "model_test.Form" || len(e.Faults) != 1 || e.Faults[0].Field != c.field || e.Faults[0].Rule != c.rule) {
					t.Errorf("%s: %s answers %+v, want %s %s", verb, c.reason, *e, c.field, c.rule)
				}
				says(t, c.reason, err, "model: model_test.Form is not valid: "+c.field+" breaks the rule "+c.rule)
			}
			p.client.Del(t.Context(), "form{a}")
		}
	})
}

// All faults of a record are told at once.
func TestValidationOfAll(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		err := forms.On(p.db).Save(t.Context(), Form{ID: "-"}).Err()
		e := as[*model.ValidationError](t, "Save", err)
		var fields []string
		for _, f := range e.Faults {
			fields = append(fields, f.Field)
		}
		if want := []string{"id", "made", "name", "must", "mode", "home.Street"}; !slices.Equal(fields, want) {
			t.Errorf("faults of %v, want %v", fields, want)
		}
	})
}

// Update validates the new value of each changed field by the field's own
// rules, and no others.
func TestValidationOfChanges(t *testing.T) {
	rows := []struct {
		reason string
		change model.Change[Form]
		says   string // "" if it is fine
	}{
		{"a good value", fname.Set("Bob"), ""},
		{"a long one", fname.Set("Augusta"), "name breaks the rule max=5"},
		{"none", fname.Set(""), "name breaks the rule required"},
		{"in an embedded struct", made.Set(0), "made breaks the rule gt=0"},
		{"a pointer", fnick.Set(new("x")), "nick breaks the rule min=2"},
		{"if absent", fnick.SetIfAbsent(new("x")), "nick breaks the rule min=2"},
		{"absent", fnick.Set(nil), ""},
		{"an Optional", fage.Set(field.Some(17)), "age breaks the rule gte=18"},
		{"absent, and it must not be", must.Clear(), "must breaks the rule required"},
		{"elements", tags.Set([]string{"abcd"}), "tags[0] breaks the rule max=3"},
		{"inside of JSON", home.Set(Home{}), "home.Street breaks the rule required"},
		{"inside of elements", homes.Set([]Home{{}}), "homes[0].Street breaks the rule required"},
		{"behind a pointer", far.Set(&Home{}), "far.Street breaks the rule required"},
		{"what looks at another field", again.Set("p"), "looks at another field"},
		{"one of", mode.Set("o"), "mode breaks the rule oneof=on off"},
	}
	each(t, func(t *testing.T, p place) {
		for _, c := range rows {
			p.store(t, "form{a}", "name", "Ada") // all else breaks its rules
			err := forms.On(p.db).Update(t.Context(), "a", c.change).Err()
			if c.says == "" {
				if err != nil {
					t.Errorf("%s answers %v", c.reason, err)
				}
				continue
			}
			says(t, c.reason, err, c.says)
			p.wantHash(t, "form{a}", "name=Ada")
		}
	})
}

// An invalid record poisons its Run: nothing of it is sent.
func TestValidationPoisons(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		var good *pipectx.Ref[Form]
		err := pipectx.Run(t.Context(), p.db, func(ctx context.Context) error {
			good = forms.On(p.db).Save(ctx, form())
			forms.On(p.db).Save(ctx, Form{ID: "b"})
			return nil
		})
		as[*model.ValidationError](t, "Run", err)
		if !errors.Is(good.Err(), pipectx.ErrDiscarded) {
			t.Errorf("the valid record answers %v", good.Err())
		}
		want(t, "Exists", forms.On(p.db).Exists(t.Context(), "a"), false)
	})
}

// A rule that does not fit what an interface holds is an error, not a panic.
func TestValidationOfInterfaces(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		f := form()
		f.Any = true
		says(t, "Save", forms.On(p.db).Save(t.Context(), f).Err(), "model_test.Form cannot be validated", "bool")
	})
}

// Models may be defined while others are in use.
func TestDefineWhileValidating(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				type local struct {
					ID string                `redis:"id,key"`
					N  string                `redis:"n" validate:"max=3"`
					O  field.Optional[uint8] `redis:"o" validate:"omitempty,gt=3"`
				}
				m := model.Define[local, string]("local")
				for range 20 {
					if err := m.On(p.db).Save(t.Context(), local{ID: "a", O: field.Some[uint8](1)}).Err(); err == nil {
						t.Error("no error")
					}
				}
			})
		}
		wg.Wait()
	})
}
