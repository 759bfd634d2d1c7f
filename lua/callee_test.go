package lua_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

const hooks = `local M = {}

--- @arg changed list
function M.before(self, changed)
  redis.call("INCR", self.key)
  redis.call("GET", self.key)
  self.count = self.count + 1
  self.tags[1] = "a"
  self:expire(60)
  if self.count > 9 then
    fail("FULL", "nine at most")
  end
  redis.call("SET", self.key, 1)
end

function M:after(...) return self end

function M._hidden(self) return self end

M.late = tostring

return M
`

// Who calls functions of others by their names is told what they take, what they do
// with it, what stays written when they fail, and where that stands.
func TestCallee(t *testing.T) {
	mod := load(t, "hooks", hooks)
	before, ok := mod.Callee("before")
	if !ok || !slices.Equal(before.Params, []string{"self", "changed"}) || before.Method || before.Vararg || before.At.Line != 4 {
		t.Fatalf("before is %+v, %v", before, ok)
	}
	var uses []string
	for _, u := range before.Uses("self") {
		uses = append(uses, fmt.Sprintf("%s %t %t %t %d", u.Field, u.Write, u.Below, u.Method, u.At.Line))
	}
	want := []string{"key false false false 5", "key false false false 6", "count true false false 7", "count false false false 7",
		"tags false true false 8", "expire false false true 9", "count false false false 10", "key false false false 13"}
	slices.Sort(uses)
	slices.Sort(want)
	if !slices.Equal(uses, want) {
		t.Errorf("it uses\n%s\nwant\n%s", strings.Join(uses, "\n"), strings.Join(want, "\n"))
	}
	if uses := before.Uses("gone"); uses != nil {
		t.Errorf("uses of what is no parameter: %v", uses)
	}
	early := before.Early()
	if len(early) != 1 || early[0].Line != 5 || !strings.Contains(early[0].Message, "INCR") {
		t.Errorf("written before the last fail: %v", early)
	}
	if err := before.Fault("it is wrong", "mend it").Error(); !strings.HasPrefix(err, "lua: hooks.lua:4:") || !strings.Contains(err, "it is wrong; mend it") {
		t.Errorf("a fault is told as %s", err)
	}

	if after, ok := mod.Callee("after"); !ok || !after.Method || !after.Vararg || len(after.Params) != 0 {
		t.Errorf("after is %+v, %v", after, ok)
	}
	for _, name := range []string{"_hidden", "gone", "late"} {
		if c, ok := mod.Callee(name); ok {
			t.Errorf("%s is %+v", name, c)
		}
	}
	if at, ok := mod.Assigned("late"); !ok || at.Line != 20 {
		t.Errorf("late is assigned at %v, %v", at, ok)
	}
	if at, ok := mod.Assigned("gone"); ok {
		t.Errorf("gone is assigned at %v", at)
	}
}
