package model_test

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/model"
	"github.com/redmoon-go/redmoon/pipectx"
)

// id makes the structs of the tables below shorter.
type id struct {
	ID int64 `redis:"id,key"`
}

type embedsPointer struct {
	id
	*Address
	*Audit
	Name string `redis:"name"`
}

// Audit is made to be embedded.
type Audit struct {
	Created time.Time `redis:"created"`
	Editor  *string   `redis:"editor"`
}

func define[T any](options ...keyspace.Option) func() error {
	return defineWith[T, int64]("p", options...)
}

func defineWith[T, K any](prefix string, options ...keyspace.Option) func() error {
	return func() error {
		_, err := model.TryDefine[T, K](prefix, options...)
		return err
	}
}

// A wrong declaration is an error that names the type, the field, what is
// wrong and the cure.
func TestDefineRefuses(t *testing.T) {
	tagged := func(tag reflect.StructTag) func() error { // go vet would find these in the source
		return func() error {
			return model.CheckType(reflect.StructOf([]reflect.StructField{
				{Name: "ID", Type: reflect.TypeFor[int64](), Tag: `redis:"id,key"`},
				{Name: "Name", Type: reflect.TypeFor[string](), Tag: tag},
			}))
		}
	}
	for _, c := range []struct {
		reason string
		define func() error
		says   []string
	}{
		{"a record is a struct", defineWith[int, int64]("p"), []string{"int is no struct"}},
		{"also not a pointer to one", defineWith[*Page, string]("p"), []string{"*model_test.Page is no struct"}},
		{"there is no Redis key without an id", define[struct {
			Name string `redis:"name"`
		}](), []string{"has no key", "`redis:\"id,key\"`"}},
		{"one id is enough", define[struct {
			id
			Other int64 `redis:"other,key"`
		}](), []string{"field Other", "a second key", "id.ID"}},
		{"ids have one type", defineWith[Page, int64]("p"), []string{"key field ID", "string", "int64", "make them the same"}},
		{"no prefix, no key", defineWith[Page, string](""), []string{"prefix is empty"}},
		{"braces would be a hash tag", defineWith[Page, string]("a{b}"), []string{"brace"}},
		{"an id that can be absent is none", defineWith[struct {
			ID   *string `redis:"id,key"`
			Name string  `redis:"name"`
		}, *string]("p"), []string{"cannot be an id"}},
		{"a struct id needs a slot", defineWith[struct {
			ID   Address `redis:"id,key"`
			Name string  `redis:"name"`
		}, Address]("p"), []string{"cannot be an id", "slot"}},
		{"a field of the key's text form would be ignored", define[struct {
			ID   int64  `redis:"id,key,json"`
			Name string `redis:"name"`
		}](), []string{"field ID", "the option key goes with no other, and there is json"}},

		{"a chan has no text", define[struct {
			id
			C chan int `redis:"c"`
		}](), []string{"field C", "chan int", "TextMarshaler"}},
		{"a func has no text", define[struct {
			id
			F func() `redis:"f"`
		}](), []string{"field F", "func()"}},
		{"an interface has no text of its own", define[struct {
			id
			I fmt.Stringer `redis:"i"`
		}](), []string{"field I", "fmt.Stringer", "name a type"}},
		{"a complex number has no text", define[struct {
			id
			Z complex128 `redis:"z"`
		}](), []string{"field Z", "complex128"}},
		{"a struct{} has nothing to store", define[struct {
			id
			E struct{} `redis:"e"`
			F struct{} `redis:"f"`
		}](), []string{"field E", "nothing to store"}},
		{"a pointer to a pointer is absent in two ways", define[struct {
			id
			P **int `redis:"p"`
		}](), []string{"field P", "absent in two ways"}},

		{"reds is not redis", define[struct {
			id
			Name string `reds:"name"`
		}](), []string{"field Name", "reds", "did you mean redis?"}},
		{"also in capitals", define[struct {
			id
			Name string `Redis:"name"`
		}](), []string{"field Name", "did you mean redis?"}},
		{"validate has one spelling too", define[struct {
			id
			Name string `redis:"name" valdiate:"required"`
		}](), []string{"field Name", "did you mean validate?"}},
		{"an option with its letters swapped", define[struct {
			id
			Name int64 `redis:"balance,versoin"`
		}](), []string{"field Name", "versoin", "did you mean version?"}},
		{"an option with a space", define[struct {
			id
			Name int64 `redis:"name, json"`
		}](), []string{"field Name", `" json"`, "did you mean json?"}},
		{"an option that nothing resembles", define[struct {
			id
			Name int64 `redis:"name,compressed"`
		}](), []string{"field Name", "compressed", "the options are key, version, inline, extra, omitempty, was=name, default=text, ascii, commas"}},
		{"with omitempty zero is absent too", define[struct {
			id
			Name string `redis:"name,omitempty"`
		}](), []string{"no field that is never absent", "add one"}},
		{"a space behind the colon", tagged(`redis: "name"`), []string{"field Name", "malformed", "without a space"}},
		{"a quote that does not close", tagged(`redis:"name`), []string{"field Name", "no closing quote"}},
		{"no space between two tags", tagged(`redis:"name"validate:"required`), []string{"field Name", "malformed"}},
		{"a tag without a name", define[struct {
			id
			Name string `redis:",json"`
		}](), []string{"field Name", "no name", `redis:"name"`}},
		{"reflection cannot see it", define[struct {
			id
			name string `redis:"name"`
		}](), []string{"field name", "not exported", "capital"}},
		{"one name, one field", define[struct {
			id
			A int `redis:"n"`
			B int `redis:"n"`
		}](), []string{"field B", `"n" is taken by A`}},
		{"also of the key", define[struct {
			id
			A int `redis:"id"`
		}](), []string{"field A", `"id" is taken by the key id.ID`}},
		{"also among embedded structs", define[struct {
			id
			Audit
			A int `redis:"created"`
		}](), []string{"field A", `"created" is taken by Audit.Created`}},
		{"an embedded pointer may be nil", define[embedsPointer](), []string{"field Audit", "embedded pointer", "embed model_test.Audit itself"}},
		{"two options for one form", define[struct {
			id
			T time.Time `redis:"t,unix,json"`
		}](), []string{"field T", "exclude each other"}},
		{"an option for another type", define[struct {
			id
			S string `redis:"s,unix"`
		}](), []string{"field S", "unix", "time.Time"}},

		{"nothing but what may be absent", define[struct {
			id
			N *string             `redis:"n"`
			O field.Optional[int] `redis:"o"`
		}](), []string{"no field that is never absent", "add one"}},
		{"nothing at all", define[id](), []string{"no field that is never absent"}},
		{"a version counts", define[struct {
			id
			V int32 `redis:"v,version"`
		}](), []string{"field V", "an int64, not int32"}},
		{"a version has no other text", define[struct {
			id
			V int64 `redis:"v,version,json"`
		}](), []string{"field V", "the option version goes with no other, and there is json"}},
		{"one version", define[struct {
			id
			V int64 `redis:"v,version"`
			W int64 `redis:"w,version"`
		}](), []string{"field W", "a second version", "V"}},
		{"an id does not change", define[struct {
			ID int64 `redis:"id,key,version"`
		}](), []string{"field ID", "cannot be the version"}},

		{"a rule that does not exist", define[struct {
			id
			S string `redis:"s" validate:"requird"`
		}](), []string{"field S", `no rule "requird"`, "validator/v10"}},
		{"a rule behind one that fails", define[struct {
			id
			S string `redis:"s" validate:"required,maxx=3"`
		}](), []string{"field S", `no rule "maxx=3"`}},
		{"a rule for another type", define[struct {
			id
			B bool `redis:"b" validate:"omitempty,max=3"`
		}](), []string{"field B", "max=3 does not fit bool"}},
		{"a rule for what a pointer points to", define[struct {
			id
			S string `redis:"s"`
			B *bool  `redis:"b" validate:"omitempty,max=3"`
		}](), []string{"field B", "max=3 does not fit bool"}},
		{"a rule for what an Optional holds", define[struct {
			id
			S string               `redis:"s"`
			B field.Optional[bool] `redis:"b" validate:"omitempty,max=3"`
		}](), []string{"field B", "max=3 does not fit bool"}},
		{"a rule for elements", define[struct {
			id
			L []bool `redis:"l" validate:"dive,max=3"`
		}](), []string{"field L", "max=3 does not fit bool"}},
		{"a rule for the keys of a map", define[struct {
			id
			M map[string]int `redis:"m" validate:"dive,keys,urlx,endkeys,gt=3"`
		}](), []string{"field M", `no rule "urlx"`}},
		{"a dive into nothing", define[struct {
			id
			S string `redis:"s" validate:"dive,required"`
		}](), []string{"field S", "dive is for"}},
		{"a bound that is no number", define[struct {
			id
			N int `redis:"n" validate:"gte=low"`
		}](), []string{"field N", "gte=low does not fit int"}},
		{"a rule of the key", define[struct {
			ID   int64  `redis:"id,key" validate:"positive"`
			Name string `redis:"name"`
		}](), []string{"field ID", `no rule "positive"`}},
		{"a rule inside of JSON", define[struct {
			id
			L []struct {
				S string `validate:"mx=3"`
			} `redis:"l"`
		}](), []string{"field S", `no rule "mx=3"`}},

		{"an option that is nil", defineWith[Page, string]("p", nil), []string{"an option is nil"}},
		{"two placements", defineWith[Page, string]("p", keyspace.OneSlot("a"), keyspace.Buckets("b", 2)), []string{"two placements"}},
		{"a time to live of nothing", defineWith[Page, string]("p", keyspace.TTL(0)), []string{"TTL", "milliseconds"}},
		{"a module that is nil", defineWith[Page, string]("p", model.Lua(nil)), []string{"nil", "load it"}},
		{"two modules", defineWith[Page, string]("p", model.Lua(methods("a", "function M.f(self) end")), model.Lua(methods("b", "function M.f(self) end"))),
			[]string{"two Lua modules, a and b", "require"}},
		{"a module for a keyspace", func() error {
			_, err := keyspace.NewSettings(model.Lua((*lua.Mod)(nil)))
			return err
		}, []string{"not to a keyspace"}},
	} {
		t.Run(c.reason, func(t *testing.T) { says(t, "Define", c.define(), c.says...) })
	}
}

// What has more fields than a script can pass on is refused; as many as that
// are fine on every server.
func TestManyFields(t *testing.T) {
	of := func(n int) reflect.Type {
		fields := []reflect.StructField{{Name: "ID", Type: reflect.TypeFor[int64](), Tag: `redis:"id,key"`}}
		for i := range n {
			fields = append(fields, reflect.StructField{Name: fmt.Sprintf("F%d", i), Type: reflect.TypeFor[*int](), Tag: reflect.StructTag(fmt.Sprintf(`redis:"f%d"`, i))})
		}
		return reflect.StructOf(fields)
	}
	says(t, "Define", model.CheckType(of(model.Most+1)), "2001 stored fields", "may have 2000")

	each(t, func(t *testing.T, p place) {
		call := func(s *pipectx.Script, words ...string) int64 {
			t.Helper()
			c := s.Command(1)
			c.Key("many")
			for _, w := range words {
				c.Word(w)
			}
			return value(t, s.Body[:20], pipectx.Send(t.Context(), p.db, c, pipectx.Reply.Int))
		}
		create, save, remove := []string{""}, []string{"", "", "", "1", "f0", "y"}, []string{"", ""}
		for i := range model.Most {
			name := fmt.Sprintf("f%d", i)
			create = append(create, name, "x")
			if i > 0 {
				save = append(save, name)
			}
			remove = append(remove, "clear", name, "", "")
		}
		call(model.CreateScript, create...)
		if n := call(model.UpdateScript, remove...); n != model.Most {
			t.Errorf("Update changed %d fields", n)
		}
		call(model.CreateScript, create...)
		call(model.SaveScript, save...)
		p.wantHash(t, "many", "f0=y")
	})
}

// Types that contain themselves are no trouble.
func TestRecursiveTypes(t *testing.T) {
	type list []list
	type tree struct {
		Leaves []tree
		Up     *tree
		List   list
		Name   string `validate:"max=3"`
	}
	ok(t, "Define", define[struct {
		id
		T tree `redis:"t"`
	}]()())
}

// A panic of Define begins with the place of the declaration, and names types
// and prefix.
func TestDefinePanics(t *testing.T) {
	err := panics(t, func() { model.Define[Page, int64]("page") })
	if !regexp.MustCompile(`^schema_test\.go:\d+: model: Define\[model_test\.Page, int64\]\("page"\): the key field ID `).MatchString(err.Error()) {
		t.Errorf("panic with %q", err)
	}
}

// Types and forms of all sorts make a record, and it comes back as it was.
func TestFieldsOfAllSorts(t *testing.T) {
	type Level int8
	type base struct {
		Made time.Time  `redis:"made,unixms"`
		By   *uuid.UUID `redis:"by"`
	}
	type sorts struct {
		base
		Audit
		ID      string               `redis:"id,key"`
		Level   Level                `redis:"level"`
		Wait    time.Duration        `redis:"wait"`
		Max     uint64               `redis:"max"`
		Raw     []byte               `redis:"raw"`
		Tags    []string             `redis:"tags,list"`
		Map     map[string]int       `redis:"map"`
		On      bool                 `redis:"on,emptyfalse"`
		Maybe   field.Optional[bool] `redis:"maybe"`
		Odd     string               `redis:"quo\"te ü\x01"`
		Skipped string               `redis:"-"`
		Untold  string
		hidden  int
	}
	m := model.Define[sorts, string]("sorts")
	by := uuid.MustParse("f81d4fae-7dec-11d0-a765-00a0c91e6bf6")
	each(t, func(t *testing.T, p place) {
		r := sorts{
			base: base{Made: opened, By: &by}, Audit: Audit{Created: opened.Add(time.Hour)}, ID: "a}b", Level: -3, Wait: time.Second,
			Max: 1<<64 - 1, Raw: []byte{0, 255}, Tags: []string{"a,b", ""}, Map: map[string]int{"x": 1}, On: true,
			Maybe: field.Some(false), Odd: "odd\r\n", Skipped: "s", Untold: "u", hidden: 1,
		}
		_ = r.hidden
		m := m.On(p.db)
		value(t, "Save", m.Save(t.Context(), r))
		got := value(t, "Get", m.Get(t.Context(), "a}b"))
		r.Skipped, r.Untold, r.hidden = "", "", 0
		if *got.By != by {
			t.Errorf("By = %v", got.By)
		}
		got.By, r.By = nil, nil
		if g, w := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", r); g != w {
			t.Errorf("read\n\t%s\nwant\n\t%s", g, w)
		}
		if h := p.hash(t, "sorts{a%7Db}"); strings.Contains(h, "kipped") || strings.Contains(h, "ntold") {
			t.Errorf("stored %s", h)
		}
	})
}
