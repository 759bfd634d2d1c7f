package model_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/model"
)

// Preset is a record of defaults of all sorts.
type Preset struct {
	ID    int64               `redis:"id,key"`
	Plain string              `redis:"plain"`
	Text  string              `redis:"text,default=Hello, world,json,=x" validate:"required"`
	Level int8                `redis:"level,default=3" validate:"gte=1,lte=9"`
	State string              `redis:"state,oneof=open closed,default=open"`
	Wait  time.Duration       `redis:"wait,default=1000"`
	At    time.Time           `redis:"at,unix,default=7"`
	Tags  []string            `redis:"tags,list,default=a,b"`
	Map   map[string]int      `redis:"map,default={\"a\":1,\"b\":2}"`
	Nick  *string             `redis:"nick,default=nick"`
	Age   field.Optional[int] `redis:"age,default=0"`
	Pass  string              `redis:"pass,default=p" validate:"eqfield=Again"`
	Again string              `redis:"again,default=p"`
}

const presetLua = `
--- @return string
function M.show(self)
  return table.concat({self.text, self.level, self.state, self.wait, self.at, tostring(self.nick), self.plain}, "|")
end
--- @return int
function M.up(self)
  self.level = self.level + 1
  return self.level
end`

var (
	presets = model.Define[Preset, int64]("preset", model.Lua(methods("preset", presetLua)))
	level   = model.FieldOf(presets, func(p *Preset) *int8 { return &p.Level })
	nicks   = model.FieldOf(presets, func(p *Preset) **string { return &p.Nick })
)

func preset() Preset {
	return Preset{
		ID: 1, Text: "Hello, world,json,=x", Level: 3, State: "open", Wait: 1000, At: time.Unix(7, 0).UTC(), Tags: []string{"a", "b"},
		Map: map[string]int{"a": 1, "b": 2}, Nick: new("nick"), Age: field.Some(0), Pass: "p", Again: "p",
	}
}

// Create gives what is zero or absent its default, stores it, and answers the
// record with it; what has a value keeps it. Save stores what it is given.
func TestDefaults(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		repo := presets.On(p.db)
		given := Preset{ID: 1}
		created := value(t, "Create", repo.Create(t.Context(), given))
		if !reflect.DeepEqual(created, preset()) {
			t.Errorf("created\n\t%+v\nwant\n\t%+v", created, preset())
		}
		if !reflect.DeepEqual(given, Preset{ID: 1}) {
			t.Errorf("the caller's record is %+v", given)
		}
		p.wantHash(t, "preset{1}", `again=p age=0 at=7 level=3 map={"a":1,"b":2} nick=nick pass=p plain= state=open tags=a,b text=Hello, world,json,=x wait=1000`)
		if got := value(t, "Get", repo.Get(t.Context(), 1)); !reflect.DeepEqual(got, preset()) {
			t.Errorf("loaded %+v", got)
		}

		own := Preset{ID: 2, Text: "t", Level: 9, State: "closed", Wait: 1, At: time.Unix(1, 0).UTC(), Tags: []string{}, Map: map[string]int{}, Nick: new(""), Age: field.Some(1), Pass: "q", Again: "q"}
		if got := value(t, "Create", repo.Create(t.Context(), own)); !reflect.DeepEqual(got, own) {
			t.Errorf("created %+v, want %+v", got, own)
		}

		// Zero where it has no meaning is refused, as without a default.
		says(t, "Save", repo.Save(t.Context(), Preset{ID: 1, Text: "t", Level: 1}).Err(), `state`, "want open or closed")
		bare := Preset{ID: 1, Text: "t", Level: 1, State: "open", Map: map[string]int{}, At: time.Unix(0, 0).UTC()}
		value(t, "Save", repo.Save(t.Context(), bare))
		if got := value(t, "Get", repo.Get(t.Context(), 1)); got.Wait != 0 || got.Nick != nil || got.Age != field.None[int]() || got.Pass != "" {
			t.Errorf("saved zeros came back as %+v", got)
		}
	})
}

// A stored record that is older than a field has the field's default; a field
// that may be absent is absent, since that says something too.
func TestDefaultsOfOldRecords(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		repo := presets.On(p.db)
		p.store(t, "preset{1}", "plain", "old", "level", "5")
		old := preset()
		old.Plain, old.Level, old.Nick, old.Age = "old", 5, nil, field.None[int]()
		for i, got := range value(t, "GetMany", repo.GetMany(t.Context(), 1, 1)) {
			if !reflect.DeepEqual(*got, old) {
				t.Errorf("loaded\n\t%+v\nwant\n\t%+v", *got, old)
			}
			got.Map["a"], got.Tags[0] = i, "changed" // no two records share a default
		}
		p.wantHash(t, "preset{1}", "level=5 plain=old")
		want(t, "Update", repo.Update(t.Context(), 1, nicks.SetIfAbsent(new("n"))), 1)

		p.client.Del(t.Context(), "preset{1}")
		if err := repo.Get(t.Context(), 1).Err(); err == nil || !strings.Contains(err.Error(), "not found") {
			t.Errorf("a record of defaults alone: %v", err)
		}
	})
}

// Lua sees the same defaults, and sums begin with them.
func TestDefaultsInLua(t *testing.T) {
	show := model.Method[struct{}, string](presets, "show")
	up := model.Method[struct{}, int](presets, "up")
	each(t, func(t *testing.T, p place) {
		p.store(t, "preset{1}", "plain", "old")
		want(t, "Call", show.On(p.db).Call(t.Context(), 1, struct{}{}), "Hello, world,json,=x|3|open|1000|7000000|nil|old")
		want(t, "Call", up.On(p.db).Call(t.Context(), 1, struct{}{}), 4)
		p.wantHash(t, "preset{1}", "level=4 plain=old")
		p.store(t, "preset{1}", "plain", "old")
		want(t, "Update", presets.On(p.db).Update(t.Context(), 1, model.Incr(level, 2)), 1)
		p.wantHash(t, "preset{1}", "level=5 plain=old")
		p.store(t, "preset{1}", "plain", "old")
		as[*model.SumError](t, "Update", presets.On(p.db).Update(t.Context(), 1, model.Incr(level, 7)).Err())
	})
}
