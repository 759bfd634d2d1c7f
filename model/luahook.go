package model

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unsafe"

	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/pipectx"
)

// luaHooks are functions of a model's Lua module with the names of hooks. A module
// of ours, made for the model, tells self.lua of them:
//
//	local M = {}
//	local author = require "account"
//	function M.about() return {types},{fields},version,ttl,more end
//	function M.before_save(self) author.before_save(self) end
//	return M
//
// The verbs of such a model are scripts of its own, in which that module and
// hooked.lua stand between the verb and write.lua.
type luaHooks struct {
	module   *lua.Mod
	names    []string
	with     []string // keyspaces that they name
	warnings []string
}

// hookNames are all, in the order in which they run.
var hookNames = []string{"before_save", "after_save", "before_delete"}

func (h *luaHooks) has(name string) bool { return h != nil && slices.Contains(h.names, name) }

// saves tells whether there are hooks of verbs that save.
func (h *luaHooks) saves() bool { return h.has("before_save") || h.has("after_save") }

// luaHooksOf finds the hooks of a module; nil if it has none.
func (s *schema) luaHooksOf(mod *lua.Mod, of luaOwner) (*luaHooks, error) {
	if mod == nil {
		return nil, nil
	}
	h := &luaHooks{}
	var all []lua.Use
	for _, name := range hookNames {
		hook, ok := mod.Callee(name)
		if !ok {
			if at, assigned := mod.Assigned(name); assigned {
				at.Message = name + " is the name of a hook, and what is assigned to it is not seen to be a function"
				at.Cure = fmt.Sprintf("write function M.%s(self), and call the other from there", name)
				return nil, lua.Findings{at}
			}
			continue
		}
		uses, err := s.luaHook(hook)
		if err != nil {
			return nil, err
		}
		h.names, all = append(h.names, name), append(all, uses...)
	}
	if h.names == nil {
		return nil, nil
	}
	v, err := s.view(all, of)
	if err != nil {
		return nil, err
	}
	h.warnings, h.with = s.warnings(all), of.named(all)
	for _, name := range h.names {
		hook, _ := mod.Callee(name)
		keys := append([]string{s.keyInLua()}, h.with...)
		if err := hook.Undeclared(selfOf(hook), keys); err != nil {
			return nil, err
		}
		h.warnings = append(h.warnings, early(mod, name)...)
	}
	h.module, err = lua.TryModule("redmoon_hooks_"+luaName(s.typ.String()), lua.Source("hooks.lua", h.text(mod, v)), lua.Import(mod), lua.Import(tableModule))
	return h, err
}

// text is the module's.
func (h *luaHooks) text(mod *lua.Mod, v *view) string {
	var b strings.Builder
	fmt.Fprintf(&b, "local M = {}\nlocal author = require %s\n", quote(mod.Name()))
	if v.tables {
		b.WriteString("local tables = require \"redmoon_table\"\n")
	}
	fmt.Fprintf(&b, "function M.about() return {%s},{%s},%s end\n", v.types, v.names(), v.about("tables"))
	with := make([]string, len(h.with))
	for i, name := range h.with {
		with[i] = "[" + quote(name) + "]=KEYS[" + strconv.Itoa(i+2) + "]"
	}
	fmt.Fprintf(&b, "function M.keys(KEYS) return {%s} end\n", strings.Join(with, ","))
	for _, name := range h.names {
		fmt.Fprintf(&b, "function M.%s(self) author.%[1]s(self) end\n", name)
	}
	b.WriteString("return M\n")
	return b.String()
}

// luaName makes a Lua name of a Go type's.
func luaName(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' {
			return r
		}
		return '_'
	}, text)
}

// luaHook holds a hook against what it may do, and returns what it does with self.
func (s *schema) luaHook(hook lua.Callee) ([]lua.Use, error) {
	name := hook.Name
	switch form := fmt.Sprintf("write function M.%s(self)", name); {
	case hook.Vararg || !hook.Method && len(hook.Params) != 1 || hook.Method && len(hook.Params) != 0:
		return nil, hook.Fault(fmt.Sprintf("%s is a hook, which takes the record and nothing else", name), form+", or give a function that is no hook another name")
	case hook.Sign.Returns != "":
		return nil, hook.Fault(fmt.Sprintf("%s is a hook, and nobody takes what it returns", name), "take the annotation @return away; fail(code, message) refuses the write")
	case hook.Sign.ReadOnly:
		return nil, hook.Fault(fmt.Sprintf("%s is a hook of verbs that write, and annotated @readonly", name), "take the annotation away")
	}
	uses := hook.Uses(selfOf(hook))
	for _, u := range uses {
		changes := u.Field != "" && (u.Write || u.Method && (u.Field == "incr" || u.Field == "expire"))
		switch {
		case u.Method && u.Field == "delete" && s.byName["delete"] == nil:
			return nil, u.Fault("a hook does not delete its record", "let a method do that, or fail(code, message) to refuse the write")
		case changes && name != "before_save":
			return nil, u.Fault(fmt.Sprintf("the hook %s changes the record, when all that is written stands", name), "change it in before_save")
		}
	}
	return uses, nil
}

// selfOf is the hook's parameter that is the record.
func selfOf(hook lua.Callee) string {
	if hook.Method {
		return "self"
	}
	return hook.Params[0]
}

// scripts are those of a model's verbs.
type scripts struct{ create, save, update, upsert, edit, pop, delete *lua.Script }

var plainScripts = &scripts{createScript, saveScript, updateScript, upsertScript, editScript, popScript, nil}

// scripts are those of the verbs of a model with these hooks.
func (h *luaHooks) scripts() (*scripts, error) {
	own := *plainScripts
	if h == nil {
		return &own, nil
	}
	text, err := luaFiles.ReadFile("hooked.lua")
	if err != nil {
		return nil, err
	}
	hooked, err := lua.TryModule("redmoon_hooked", lua.Source("hooked.lua", string(text)), lua.ImportAs("redmoon_model", h.module), lua.Import(selfModule), lua.Import(writeModule))
	if err != nil {
		return nil, err
	}
	link := func(verb string, to **lua.Script) {
		if err != nil {
			return
		}
		var mod *lua.Mod
		if text, err = luaFiles.ReadFile(verb + ".lua"); err == nil {
			mod, err = lua.TryModule("redmoon_"+verb, lua.Source(verb+".lua", string(text)), lua.Import(numberModule), lua.Import(changeModule), lua.ImportAs("redmoon_write", hooked))
		}
		if err == nil {
			*to, err = lua.LinkGuarded(mod, verb, "model."+verb)
		}
	}
	if h.saves() {
		link("create", &own.create)
		link("save", &own.save)
		link("update", &own.update)
		link("upsert", &own.upsert)
		link("edit", &own.edit)
		link("pop", &own.pop)
	}
	if h.has("before_delete") {
		link("delete", &own.delete)
	}
	return &own, err
}

// told reads the reply of a script in which hooks gave fields of the record at p
// other texts: 1, and name and text of each.
func (s *schema) told(r pipectx.Reply, p unsafe.Pointer) error {
	items, err := r.Items()
	if err != nil {
		return err
	}
	items.Next()
	for items.Next() {
		name, err := items.Reply().Text()
		if err != nil {
			return err
		}
		items.Next()
		c := s.byName[name]
		if c == nil {
			continue
		}
		reflect.NewAt(c.codec.Type(), c.at(p)).Elem().SetZero() // what it points to is the caller's
		text, err := items.Reply().Text()
		switch {
		case items.Reply().IsNil():
			c.lacking(p, false)
		case err != nil:
			return err
		default:
			if err := c.parse(r, text, p); err != nil {
				return err
			}
		}
	}
	return nil
}

// tells tells whether a reply is for told.
func tells(r pipectx.Reply) bool {
	items, err := r.Items()
	return err == nil && items.Next() && items.Reply().IsInt()
}

// keyedModels keeps the models with Lua hooks, keyspaces or times to live, the last that was defined
// for a type of Key: methods of other models find them there.
var keyedModels sync.Map // reflect.Type → *Model[T, K]

// modelOfKey is the model of records that a method of another, or of itself, takes as
// arguments of type Key[T, K]; nil where that needs no model.
func modelOfKey[T, K any](owner any) *Model[T, K] {
	if m, ok := owner.(*Model[T, K]); ok {
		return m
	}
	kept, _ := keyedModels.Load(reflect.TypeFor[Key[T, K]]())
	m, _ := kept.(*Model[T, K])
	return m
}
