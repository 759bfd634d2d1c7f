package model_test

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/model"
	"github.com/redmoon-go/redmoon/pipectx"
)

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
		open := []string{"", "", "0"}
		create, save, remove := slices.Clone(open), append(slices.Clone(open), "", "1", "f0", "y"), slices.Clone(open)
		edit, texts, upsert := append(slices.Clone(open), fmt.Sprint(model.Most)), []string{}, append(slices.Clone(open), fmt.Sprint(model.Most))
		for i := range model.Most {
			name := fmt.Sprintf("f%d", i)
			create = append(create, name, "x")
			if i > 0 {
				save = append(save, name)
			}
			remove = append(remove, "clear", name, "", "")
			edit, texts, upsert = append(edit, name), append(texts, "x"), append(upsert, name, "x")
		}
		edit = append(append(edit, strings.Repeat("1", model.Most)), texts...)
		edit = append(append(edit, fmt.Sprint(model.Most)), create[len(open):]...)
		call(model.CreateScript, create...)
		if n := call(model.UpdateScript, remove...); n != model.Most {
			t.Errorf("Update changed %d fields", n)
		}
		call(model.CreateScript, create...)
		call(model.EditScript, edit...)
		call(model.SaveScript, save...)
		p.wantHash(t, "many", "f0=y")
		call(model.UpdateScript, append(slices.Clone(open), "clear", "f0", "", "")...)
		if made := call(model.UpsertScript, upsert...); made != 1 {
			t.Errorf("Upsert answers %d", made)
		}
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
	if !regexp.MustCompile(`^schema_test\.go:\d+: model: Define\[model_test\.Page, int64\]\("page"\): the key field ID, `).MatchString(err.Error()) {
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
