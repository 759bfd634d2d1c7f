package lua_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/pipectx"
)

// here is a Lua text in which each line with HERE can be made to fail; it
// replaces HERE by code and returns the numbers of these lines.
func here(text string) (string, []int) {
	lines := strings.Split(text, "\n")
	var numbers []int
	for i, line := range lines {
		if strings.Contains(line, "HERE") {
			numbers = append(numbers, i+1)
			lines[i] = strings.ReplaceAll(line, "HERE", fmt.Sprintf(`if n == %d then error("here") end`, i+1))
		}
	}
	return strings.Join(lines, "\n"), numbers
}

// wild is a text with everything that moves lines about when it is cut,
// trimmed or replaced.
const wild = `-- a comment
local M = {
}

local other = require
  "other"

local function never() --[==[ a long

comment ]==] return [[

a long string]] end HERE_NOT

--[[ one
two ]] local function first(n) HERE
  return n --[[ inside

  ]] + 1
end; local function never2() return [[
]] end

local text = [[

-- no comment

  spaces at the end:   
]]
local escaped = "a\
\
b"
function M.never3()
  local x = [[

  ]]
end M.never4 = function() end


function M.main(n)
  HERE
  first(n)

  -- a comment
  local t = { [[

  ]], n }
  ;(function() HERE end)()
  HERE  if #text ~= 40 then error("the string has " .. #text) end
  if #escaped ~= 4 then error("the other string has " .. #escaped) end
  other.go(function(n) HERE return n end, n) HERE
  return n
end

return M
`

// Ensure that every line keeps its number: whatever is cut before it or on it,
// in comments and strings over several lines, with any ends of lines, from a
// file and from a Func.
func TestLinesKeepTheirNumbers(t *testing.T) {
	text, numbers := here(strings.ReplaceAll(wild, "HERE_NOT", ""))
	if len(numbers) != 5 {
		t.Fatalf("%d lines are marked", len(numbers))
	}
	const otherText = "local M = {} function M.go(f, n)\n return f(n)\nend return M"
	db := embedded(t)
	for _, ends := range []string{"\n", "\r\n", "\r"} {
		crlf := strings.ReplaceAll(text, "\n", ends)
		mod := load(t, "m", crlf, "other", otherText)
		entry := bind[int, int](t, mod, "main")
		for _, n := range numbers {
			checkLine(t, fmt.Sprintf("lines that end in %q", ends), entry.On(db), "m.lua", n)
		}
		want(t, "without an error", entry.On(db).Call(t.Context(), 0), 0)
	}

	body, numbers := here(" HERE -- first\n\n--[[\n]] HERE\nlocal s = [[\n]] HERE return n -- last")
	mod := lua.Module("Mod", lua.Func("never", "", "return [[\n\n]]"), lua.Func("f", "n", body))
	entry := bind[int, int](t, mod, "f")
	for _, n := range numbers {
		checkLine(t, "a Func", entry.On(db), "Mod.f", n)
	}
	want(t, "a Func without an error", entry.On(db).Call(t.Context(), 0), 0)
}

func checkLine(t *testing.T, what string, entry lua.BoundEntry[int, int], file string, n int) {
	t.Helper()
	err := entry.Call(t.Context(), n).Err()
	failed, ok := errors.AsType[*lua.Error](err)
	if !ok || failed.Message != "here" || len(failed.Trace) == 0 {
		t.Errorf("%s: line %d: %+v", what, n, err)
		return
	}
	if f := failed.Trace[0]; f.File != file || f.Line != n || !strings.Contains(f.Source, "here") {
		t.Errorf("%s: line %d is told as %s:%d: %s", what, n, f.File, f.Line, f.Source)
	}
}

// What Lua takes in parts but not in one script is an error at start-up, which
// names the place.
func TestScriptAtLuasLimits(t *testing.T) {
	locals := "local M = {}\n" + strings.Repeat("local x\n", 199) + "function M.f() return x end\nreturn M"
	mod := load(t, "m", locals)
	_, err := lua.TryBind[struct{}, int](mod, "f")
	says(t, "200 locals", err, "lua: m.lua:200: m.f is at a limit of Lua's", "200 local variables", "split the function or the text")

	upvalues := make([]string, 60)
	for i := range upvalues {
		upvalues[i] = fmt.Sprintf("x%d", i)
	}
	names := strings.Join(upvalues, ", ")
	mod = load(t, "m", "local M = {}\nlocal "+names+"\nfunction M.f()\nlocal t = {"+names+"} fail('X')\nend\nreturn M")
	_, err = lua.TryBind[struct{}, int](mod, "f")
	says(t, "60 upvalues and fail", err, "lua: m.lua:4: m.f is at a limit of Lua's", "60 upvalues")

	nested := strings.Repeat("do ", 190) + "x = 1 " + strings.Repeat("end ", 190)
	mod = load(t, "m", "local M = {}\nfunction M.f()\nlocal x "+nested+" return x end\nreturn M")
	each(t, func(t *testing.T, db *pipectx.DB) {
		want(t, "190 levels", bind[struct{}, int](t, mod, "f").On(db).Call(t.Context(), struct{}{}), 1)
	})
}
