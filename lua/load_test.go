package lua_test

import (
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/redmoon-go/redmoon/lua"
)

// LoadFS reads a module and those it requires, each once, however they require
// each other.
func TestLoadFS(t *testing.T) {
	mod := load(t,
		"a", "local M = {}\nlocal b, c = require 'b', require('c')\nlocal self = require 'a'\nfunction M.f() return b.f() .. c.f() .. self.g() end\nfunction M.g() return 'a' end\nreturn M",
		"b", "local M = {}\nlocal a, c = require [[a]], require \"c\"\nfunction M.f() return 'b' .. c.f() .. a.g() end\nreturn M",
		"c", "local M = {}\nfunction M.f() return 'c' end\nreturn M",
		"unread", "this is not Lua")
	want(t, "a.f", bind[struct{}, string](t, mod, "f").On(embedded(t)).Call(t.Context(), struct{}{}), "bcaca")
}

// What cannot be loaded is told with the place that asks for it, once, and
// together with all else that is wrong.
func TestLoadFSRefusals(t *testing.T) {
	tests := []struct {
		reason string
		fsys   fstest.MapFS
		says   []string
	}{
		{"no such file", files("x", ""), []string{`lua: m.lua: module "m" cannot be read from m.lua: file does not exist`, "put it into the file system given to LoadFS", "fs.Sub"}},
		{"a name that is close", files("mm", ""), []string{"did you mean mm?"}},
		{"a folder", fstest.MapFS{"m.lua/x": {}}, []string{`module "m" cannot be read`}},
		{"no such file, required twice", files("m", "local M = {}\nlocal a, b = require 'aa', require 'aa'\nreturn M"),
			[]string{`lua: m.lua:2:14: module "aa" cannot be read from aa.lua: file does not exist`, "local a, b = require 'aa'"}},
		{"faults in several files", files("m", "local M = {}\nlocal b = require 'b'\nfor\nreturn M", "b", "local M = {} return N"),
			[]string{"m.lua:4:1: '<name>' expected near 'return'"}},
		{"faults in what is required", files("m", "local M = {}\nlocal b = require 'b'\nlocal c = require 'c'\nreturn M", "b", "local M = {}\nx y\nreturn M", "c", "return 5"),
			[]string{"b.lua:2:3: '=' expected near 'y'", "c.lua:1:1: what it returns is not the local table"}},
		{"a circle in which a function is not there yet",
			files("m", "local M = {}\nlocal b = require 'b'\nfunction M.f() return b.g() end\nreturn M",
				"b", "local M = {}\nlocal m = require 'm'\nlocal late = m.f\nfunction M.g() return late() end\nreturn M"), nil},
	}
	for _, test := range tests {
		mod, err := lua.LoadFS(test.fsys, "m")
		if test.says != nil {
			says(t, test.reason, err, test.says...)
			continue
		}
		_, err = lua.TryBind[struct{}, int](mod, "f")
		says(t, test.reason, err, "b.lua:3:16: m.f is not there yet", "m and b require each other", "use it inside a function")
	}
	_, err := lua.LoadFS(files(), "../m")
	says(t, "a path", err, `module "../m" is no name of a file`, "without .lua and ..")
	_, err = lua.LoadFS(broken{}, "m")
	says(t, "a file system that fails", err, "m.lua", "the disk is gone")
}

type broken struct{}

func (broken) Open(string) (fs.File, error) { return nil, diskGone{} }

type diskGone struct{}

func (diskGone) Error() string { return "the disk is gone" }
