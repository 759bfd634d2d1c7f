package model_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/redmoon-go/redmoon/model"
)

// An integer within JSON that a number of Lua does not hold is its digits: nothing
// around it is lost when something else is changed, and it may be changed itself.
func TestTablesHoldLongIntegers(t *testing.T) {
	hoards := model.Define[Hoard, string]("hoard", model.Lua(methods("hoard", `
--- @return string
function M.read(self)
  local worth = self.gem.worth
  return type(worth.x) .. " " .. worth.x .. " " .. type(worth.y) .. " " .. string.format("%.0f", worth.y) .. " " .. self.free[1]
end

--- @arg name string
--- @arg x string
function M.write(self, name, x)
  self.gem.name = name
  self.gem.worth.x = x ~= "" and x or self.gem.worth.x
end`)))
	type change struct {
		Name string `lua:"name"`
		X    string `lua:"x"`
	}
	read, write := model.Method[struct{}, string](hoards, "read"), model.Method[change, struct{}](hoards, "write")
	const gem = `{"name":"%s","thin":0,"cut":-9223372036854775808,"tags":["9007199254740993","\\\"9007199254740993"],"sides":[0,0],"worth":{"x":%s,"y":9007199254740991},"seen":"0001-01-01T00:00:00Z","who":"00000000-0000-0000-0000-000000000000","OK":false}`
	each(t, func(t *testing.T, p place) {
		for _, name := range []string{"n", "\u007f", "\u007f\u007f9007199254740993"} {
			p.store(t, "hoard{a}", "gem", fmt.Sprintf(gem, name, "9007199254740993"), "free", "[18446744073709551616]")
			want(t, "read", read.On(p.db).Call(t.Context(), "a", struct{}{}), "string 9007199254740993 number 9007199254740991 18446744073709551616")
			for _, x := range []string{"", "9223372036854775807", "7"} {
				ok(t, "write", write.On(p.db).Call(t.Context(), "a", change{name + "!", x}).Err())
				if x == "" {
					x = "9007199254740993"
				}
				if got, want := p.client.HGet(t.Context(), "hoard{a}", "gem").Val(), fmt.Sprintf(gem, name+"!", x); got != want {
					t.Errorf("stored is\n\t%s\nwant\n\t%s", got, want)
				}
			}
		}
	})
}

// Lists are as long as they like: they are written in pieces where servers have no room
// for all of it at once.
func TestTablesAreLong(t *testing.T) {
	hoards := model.Define[Hoard, string]("hoard", model.Lua(methods("hoard", `
--- @return json
function M.grow(self)
  for _, list in ipairs({self.tags, self.list, self.comma}) do
    list[#list + 1] = "last"
  end
  for i = 1, 3000 do
    self.table[string.format("%d", i)] = {i}
  end
  return self.tags
end`)))
	grow := model.Method[struct{}, []string](hoards, "grow")
	long := strings.Split(strings.Repeat("x,", 8999)+"x", ",")
	each(t, func(t *testing.T, p place) {
		ok(t, "Save", hoards.On(p.db).Save(t.Context(), Hoard{ID: "a", Tags: long, List: long, Comma: long}).Err())
		tags := value(t, "grow", grow.On(p.db).Call(t.Context(), "a", struct{}{}))
		h := value(t, "Get", hoards.On(p.db).Get(t.Context(), "a"))
		for what, list := range map[string][]string{"the result": tags, "tags": h.Tags, "list": h.List, "comma": h.Comma} {
			if len(list) != 9001 || list[0] != "x" || list[9000] != "last" {
				t.Errorf("%s has %d elements", what, len(list))
			}
		}
		if len(h.Table) != 3000 || h.Table["3000"][0] != 3000 {
			t.Errorf("table has %d members", len(h.Table))
		}
	})
}

// Members are found in any case, as Go finds them, and digits that are zero are left
// out where zero is.
func TestTablesReadAsGoDoes(t *testing.T) {
	type part struct {
		Title string `json:"title"`
		N     int64  `json:"n,omitempty"`
	}
	type kit struct {
		ID   string `redis:"id,key"`
		Part part   `redis:"part"`
	}
	kits := model.Define[kit, string]("kit", model.Lua(methods("kit", `
--- @return string
function M.f(self)
  self.part.n = "0"
  return self.part.title
end`)))
	f := model.Method[struct{}, string](kits, "f")
	each(t, func(t *testing.T, p place) {
		p.store(t, "kit{a}", "part", `{"TITLE":"x","N":5}`)
		want(t, "f", f.On(p.db).Call(t.Context(), "a", struct{}{}), "x")
		p.wantHash(t, "kit{a}", `part={"title":"x"}`)
	})
}
