package lua51_test

import (
	"fmt"
	"slices"

	"github.com/redmoon-go/redmoon/internal/lua51"
)

const module = `local M = {}
local audit = require "audit"

--- Takes an amount.
--- @arg amount int
function M.take(self, amount)
  self.balance = self.balance - amount
  audit.rejct(self.id)
end
function M.unused() end
return M
`

// A linker cuts the function nobody needs and replaces the require, by offset:
// the rest stays as it was written.
func Example() {
	c, err := lua51.Parse("accounts.lua", module)
	if err != nil {
		fmt.Println(err)
		return
	}
	var edits []lua51.Edit
	for _, top := range c.Top() {
		switch {
		case top.Pure && slices.Contains(top.Names(), "M.unused"):
			edits = append(edits, c.Cut(top.Stat))
		case len(top.Locals) == 1 && top.Locals[0].Name == "audit":
			edits = append(edits, c.Replace(top.Locals[0].Init, "__.audit"))
		}
	}
	fmt.Print(c.Apply(edits...))
	// Output:
	// local M = {}
	// local audit = __.audit
	//
	// --- Takes an amount.
	// --- @arg amount int
	// function M.take(self, amount)
	//   self.balance = self.balance - amount
	//   audit.rejct(self.id)
	// end
	//
	// return M
}

// A checker finds a call of a function that does not exist.
func ExampleCall_Callee() {
	c, _ := lua51.Parse("accounts.lua", module)
	exported := []string{"reject", "summary"}
	for _, call := range c.Calls {
		root, path := call.Callee()
		if root != nil && root.Local != nil && root.Name == "audit" && !slices.Contains(exported, path[1]) {
			at := root.Fields()[0].Key.Pos()
			fmt.Printf("%s:%v: unknown function %q\n", c.Name, at, "audit."+path[1])
		}
	}
	// Output:
	// accounts.lua:8:9: unknown function "audit.rejct"
}

// A compiler of methods learns what a method does with self.
func ExampleName_Escapes() {
	c, _ := lua51.Parse("accounts.lua", module)
	self := c.Functions[0].Param("self")
	for _, use := range self.Uses {
		fmt.Println(use.Pos(), use.Path(), "store:", use.Store, "escapes:", use.Escapes())
	}
	// Output:
	// 7:3 [balance] store: true escapes: false
	// 7:18 [balance] store: false escapes: false
	// 8:15 [id] store: false escapes: false
}

// Directives stand in the comments above a function.
func ExampleChunk_CommentsAbove() {
	c, _ := lua51.Parse("accounts.lua", module)
	for _, comment := range c.CommentsAbove(c.Functions[0]) {
		fmt.Println(comment.Pos, comment.Body())
	}
	// Output:
	// 4:1 Takes an amount.
	// 5:1 @arg amount int
}
