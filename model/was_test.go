package model_test

import (
	"context"
	"reflect"
	"testing"

	"github.com/redmoon-go/redmoon/model"
)

// Renamed is a record whose fields had other names, one of them two.
type Renamed struct {
	ID    int64   `redis:"id,key"`
	Name  string  `redis:"name,was=title,was=label,default=none"`
	Nick  *string `redis:"nick,was=alias"`
	Count int64   `redis:"count,was=n,default=40" validate:"lte=100"`
	Other string  `redis:"other"`
}

var (
	renamed      = model.Define[Renamed, int64]("renamed", model.Lua(methods("renamed", renamedLua)))
	renamedName  = model.FieldOf(renamed, func(r *Renamed) *string { return &r.Name })
	renamedNick  = model.FieldOf(renamed, func(r *Renamed) **string { return &r.Nick })
	renamedCount = model.FieldOf(renamed, func(r *Renamed) *int64 { return &r.Count })
	renamedOther = model.FieldOf(renamed, func(r *Renamed) *string { return &r.Other })
)

const renamedLua = `
--- @return string
function M.show(self)
  return self.name .. " " .. tostring(self.nick) .. " " .. self.count
end
--- @return string
function M.showby(self)
  local function get(name) return self[name] end
  return get("name") .. " " .. tostring(get("nick")) .. " " .. get("count")
end
--- @arg what string
function M.rename(self, what)
  self.name = what
end
--- @arg n int
function M.count(self, n)
  self.count = self.count + n
end
function M.drop(self)
  self.nick = nil
end
function M.other(self)
  self.other = "o"
end`

// A field that was renamed reads its new name, else the names it had, the
// latest first; Go and Lua alike.
func TestRenamedReads(t *testing.T) {
	show := model.Method[struct{}, string](renamed, "show")
	showBy := model.Method[struct{}, string](renamed, "showby")
	each(t, func(t *testing.T, p place) {
		for _, c := range []struct {
			reason string
			stored []any
			want   Renamed
			lua    string
		}{
			{"all by their old names", []any{"title", "T", "alias", "A", "n", "5"}, Renamed{1, "T", new("A"), 5, ""}, "T A 5"},
			{"an older one", []any{"label", "L"}, Renamed{1, "L", nil, 40, ""}, "L nil 40"},
			{"two of them", []any{"label", "L", "title", "T"}, Renamed{1, "T", nil, 40, ""}, "T nil 40"},
			{"the new name counts", []any{"label", "L", "title", "T", "name", "", "n", "5", "count", "6"}, Renamed{1, "", nil, 6, ""}, " nil 6"},
			{"no name at all", []any{"other", "o"}, Renamed{1, "none", nil, 40, "o"}, "none nil 40"},
		} {
			p.store(t, "renamed{1}", c.stored...)
			if got := value(t, c.reason, renamed.On(p.db).Get(t.Context(), 1)); !reflect.DeepEqual(got, c.want) {
				t.Errorf("%s: Get answers %+v, want %+v", c.reason, got, c.want)
			}
			if got := value(t, c.reason, renamed.On(p.db).GetMany(t.Context(), 1)); !reflect.DeepEqual(*got[0], c.want) {
				t.Errorf("%s: GetMany answers %+v, want %+v", c.reason, *got[0], c.want)
			}
			want(t, c.reason+", in Lua", show.On(p.db).Call(t.Context(), 1, struct{}{}), c.lua)
			want(t, c.reason+", in Lua by name", showBy.On(p.db).Call(t.Context(), 1, struct{}{}), c.lua)
		}
	})
}

// Whoever writes a renamed field removes what is under its old names, in the same
// command or script, so that it never comes back; other fields stay where they
// are, and nothing is lost.
func TestRenamedWrites(t *testing.T) {
	rename := model.Method[string, struct{}](renamed, "rename")
	count := model.Method[int, struct{}](renamed, "count")
	drop := model.Method[struct{}, struct{}](renamed, "drop")
	other := model.Method[struct{}, struct{}](renamed, "other")
	each(t, func(t *testing.T, p place) {
		repo := renamed.On(p.db)
		update := func(changes ...model.Change[Renamed]) func(ctx context.Context) error {
			return func(ctx context.Context) error { return repo.Update(ctx, 1, changes...).Err() }
		}
		for _, c := range []struct {
			reason string
			write  func(ctx context.Context) error
			want   string
		}{
			{"Save", func(ctx context.Context) error {
				return repo.Save(ctx, Renamed{ID: 1, Name: "S"}).Err()
			}, "count=0 name=S other="},
			{"what was read is saved", func(ctx context.Context) error {
				r, err := repo.Get(ctx, 1).Result()
				ok(t, "Get", err)
				return repo.Save(ctx, r).Err()
			}, "count=5 name=T nick=A other="},
			{"Set", update(renamedName.Set("S")), "alias=A n=5 name=S"},
			{"Set to what it is", update(renamedName.Set("T")), "alias=A label=L n=5 title=T"},
			{"Set of another field", update(renamedOther.Set("o")), "alias=A label=L n=5 other=o title=T"},
			{"Clear", update(renamedNick.Clear()), "label=L n=5 title=T"},
			{"SetIfAbsent of what has an old value", update(renamedNick.SetIfAbsent(new("new")), renamedOther.Set("o")), "alias=A label=L n=5 other=o title=T"},
			{"Incr begins with the old value", update(model.Incr(renamedCount, 2)), "alias=A count=7 label=L title=T"},
			{"a sum that is refused", func(ctx context.Context) error {
				says(t, "Incr", repo.Update(ctx, 1, renamedName.Set("S"), model.Incr(renamedCount, 96)).Err(), "count", `"5"`, "above 100")
				return nil
			}, "alias=A label=L n=5 title=T"},
			{"several", update(model.Incr(renamedCount, -1), renamedNick.Set(new("N")), renamedName.Set("S")), "count=4 name=S nick=N"},
			{"a method", func(ctx context.Context) error { return rename.On(p.db).Call(ctx, 1, "S").Err() }, "alias=A n=5 name=S"},
			{"a method that assigns what it is", func(ctx context.Context) error { return rename.On(p.db).Call(ctx, 1, "T").Err() }, "alias=A label=L n=5 title=T"},
			{"a method that counts", func(ctx context.Context) error { return count.On(p.db).Call(ctx, 1, 2).Err() }, "alias=A count=7 label=L title=T"},
			{"a method that clears", func(ctx context.Context) error { return drop.On(p.db).Call(ctx, 1, struct{}{}).Err() }, "label=L n=5 title=T"},
			{"a method that does something else", func(ctx context.Context) error { return other.On(p.db).Call(ctx, 1, struct{}{}).Err() }, "alias=A label=L n=5 other=o title=T"},
		} {
			p.store(t, "renamed{1}", "title", "T", "label", "L", "alias", "A", "n", "5")
			ok(t, c.reason, c.write(t.Context()))
			if got := p.hash(t, "renamed{1}"); got != c.want {
				t.Errorf("%s: stored is\n\t%s\nwant\n\t%s", c.reason, got, c.want)
			}
		}

		// A sum where nothing is stored begins with what a load answers.
		p.store(t, "renamed{1}", "name", "N")
		want(t, "Update", repo.Update(t.Context(), 1, model.Incr(renamedCount, 2)), 1)
		p.wantHash(t, "renamed{1}", "count=42 name=N")
		p.store(t, "renamed{1}", "name", "N")
		ok(t, "Call", count.On(p.db).Call(t.Context(), 1, 3).Err())
		p.wantHash(t, "renamed{1}", "count=43 name=N")
	})
}
