package lua51_test

import (
	"errors"
	"testing"

	"github.com/redmoon-go/redmoon/internal/lua51"
)

// An error carries its place for machines and tells it to people.
func TestSyntaxError(t *testing.T) {
	_, err := lua51.Parse("dir/a.lua", "local a\n  = 1 +\r\n\t* 2")
	var syntax *lua51.SyntaxError
	if !errors.As(err, &syntax) {
		t.Fatalf("got %T", err)
	}
	equal(t, "name", syntax.Name, "dir/a.lua")
	equal(t, "pos", syntax.Pos, lua51.Pos{Offset: 18, Line: 3, Column: 2})
	equal(t, "msg", syntax.Msg, "unexpected symbol near '*'")
	equal(t, "text", err.Error(), "dir/a.lua:3:2: unexpected symbol near '*'")
}

// Limits name the function and stand at what is too much.
func TestLimitErrors(t *testing.T) {
	var locals, sum string
	for i := range 201 {
		name := string(rune('a'+i/26)) + string(rune('a'+i%26)) + "_"
		locals += "local " + name + "\n"
		if sum += name; i < 60 {
			sum += "\n+ "
		}
		if i == 60 {
			_, err := lua51.Parse("t", locals+"\nfunction f()\nreturn "+sum+" end")
			equal(t, "upvalues", err.Error(), "t:124:3: function at line 63 has more than 60 upvalues")
		}
	}
	_, err := lua51.Parse("t", locals)
	equal(t, "locals", err.Error(), "t:201:7: main function has more than 200 local variables")
	_, err = lua51.Parse("t", "\nfunction f()\n"+locals+"end")
	equal(t, "locals", err.Error(), "t:203:7: function at line 2 has more than 200 local variables")
}
