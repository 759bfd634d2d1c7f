package lua_test

import (
	"os"
	"testing"

	"github.com/redmoon-go/redmoon/internal/lua51"
	"github.com/redmoon-go/redmoon/lua"
)

// FuzzModule holds that any text is a module or an error, and never a panic;
// and that a script linked from a module is Lua, and says no global that the
// text did not say.
func FuzzModule(f *testing.F) {
	for _, m := range mistakes {
		f.Add(m.text)
	}
	for _, name := range []string{"accounts", "audit", "failing", "deeper"} {
		text, err := os.ReadFile("testdata/" + name + ".lua")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Add(wild)
	f.Add("local M={}local function g(A)end function M.A()g()end return M")
	for _, w := range wrongScripts {
		f.Add(w.files[1])
	}
	for _, text := range stockScripts {
		f.Add(text)
	}
	for _, file := range callers {
		f.Add(string(file.Data))
	}
	f.Add("%include \"other\"\n%include \"m\"\n--- @arg n int = 5\nreturn CALL.m({}, {n}) + NOW")
	f.Fuzz(func(t *testing.T, text string) {
		mod, err := lua.LoadFS(files("m", text, "other", otherModule, "audit", otherModule, "deeper", otherModule), "m")
		if err != nil {
			_ = err.Error()
			return
		}
		for _, name := range mod.Functions() {
			for _, bind := range []func() (string, error){bound[struct{}](mod, name), bound[string](mod, name), bound[lua.Args](mod, name)} {
				body, err := bind()
				if err != nil {
					continue
				}
				c, err := lua51.Parse("script", body)
				if err != nil {
					t.Fatalf("%s: %v\n%s", name, err, body)
				}
				for _, use := range c.Globals {
					if use.Write || use.Name == "fail" || use.Name == "require" || use.Name == "CALL" || use.Name == "NOW" || use.Name == "time" {
						t.Fatalf("%s: %v: the global %s\n%s", name, use.Pos(), use.Name, body)
					}
				}
			}
		}
	})
}

func bound[In any](mod *lua.Mod, name string) func() (string, error) {
	return func() (string, error) {
		e, err := lua.TryBind[In, struct{}](mod, name)
		if err != nil {
			return "", err
		}
		return e.Script().Body, nil
	}
}
