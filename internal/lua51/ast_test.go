package lua51_test

import (
	"strings"
	"testing"

	"github.com/redmoon-go/redmoon/internal/lua51"
)

// A constant path is one of names and constant strings only.
func TestPathOf(t *testing.T) {
	for src, want := range map[string]string{
		"a":            "a",
		"a.b.c":        "a b c",
		`a.b["c d"]`:   "a b c d",
		"a[ [[b]] ].c": "a b c",
		"a.b[1]":       "",
		"a[b]":         "",
		"a[b].c":       "",
		"a().c":        "",
		"(a).c":        "",
		"a[('b')]":     "",
		"1":            "",
		"'a'":          "",
		"a:b().c":      "",
	} {
		c := parse(t, "return "+src)
		root, path := lua51.PathOf(c.Main.Body.Stats[0].(*lua51.ReturnStat).Values[0])
		equal(t, src, strings.Join(path, " "), want)
		equal(t, src, root != nil, want != "")
	}
}

// A call knows the path it calls and whom the path begins with.
func TestCallee(t *testing.T) {
	c := parse(t, "local M = {} M.f(1); redis.call('GET'); M.g().h(); (M.f)(); M[1]()")
	var got []string
	for _, call := range c.Calls {
		root, path := call.Callee()
		switch {
		case root == nil:
			got = append(got, "?")
		case root.Local != nil:
			got = append(got, "local "+strings.Join(path, "."))
		default:
			got = append(got, "global "+strings.Join(path, "."))
		}
	}
	equal(t, "callees", strings.Join(got, ", "), "local M.f, global redis.call, local M.g, ?, ?, ?")
}

// An integer is a number that an int and a float64 both hold.
func TestNumberInt(t *testing.T) {
	for src, want := range map[string]int{
		"1": 1, "0x10": 16, "1e3": 1000, "9007199254740992": 1 << 53, "1.5": -1, "1e300": -1, "1e999": -1, "0": 0,
	} {
		got, ok := find[*lua51.Number](parse(t, "return "+src).Main)[0].Int()
		equal(t, src, ok, want >= 0)
		if ok {
			equal(t, src, got, want)
		}
	}
}
