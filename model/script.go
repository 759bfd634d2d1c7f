package model

import (
	"embed"
	"strconv"
	"strings"

	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/pipectx"
)

// luaFiles are the scripts of the verbs, one a file, and what they share.
//
//go:embed *.lua
var luaFiles embed.FS

// What the scripts share: write.lua is the one way to a record, for verbs and
// for Lua functions that assign to self.
var (
	numberModule = module("redmoon_number", "number.lua")
	writeModule  = module("redmoon_write", "write.lua", numberModule)
	changeModule = module("redmoon_change", "change.lua", numberModule, writeModule)
	timeModule   = module("redmoon_time", "time.lua")
	valueModule  = module("redmoon_value", "value.lua", numberModule, timeModule)
	recordModule = module("redmoon_record", "record.lua", numberModule, valueModule, writeModule)
	selfModule   = module("redmoon_self", "self.lua", numberModule, valueModule, writeModule, recordModule) // the records that functions see
	textModule   = module("redmoon_text", "text.lua", numberModule)
	tableModule  = module("redmoon_table", "table.lua", numberModule, timeModule, valueModule, textModule) // with lists and JSON among their fields
)

var (
	createScript = script("create")
	saveScript   = script("save")
	updateScript = script("update")
	upsertScript = script("upsert")
	editScript   = script("edit")
	popScript    = script("pop")
	pickScript   = script("pick")
	deleteScript = script("delete")
)

func module(name, file string, imports ...*lua.Mod) *lua.Mod {
	text, err := luaFiles.ReadFile(file)
	if err != nil {
		panic(err)
	}
	parts := []lua.Part{lua.Source(file, string(text))}
	for _, mod := range imports {
		parts = append(parts, lua.Import(mod))
	}
	return lua.Must(lua.TryModule(name, parts...))
}

// script compiles a verb's file with what it uses of the shared modules.
func script(verb string) *lua.Script {
	mod := module(verb, verb+".lua", numberModule, writeModule, changeModule)
	return lua.Must(lua.Link(mod, verb, "model."+verb))
}

// opening are the words that calls of scripts begin with, behind the key: what
// write.open reads.
func (s *schema) opening(ttl string) []string {
	words, more := []string{ttl, "", ""}, 0
	if s.version != nil {
		words[1] = s.version.name
	}
	for _, c := range s.columns {
		if c.lives || c.was != nil {
			words = append(words, c.name, c.lifeInLua(), strings.Join(c.was, ","))
			more++
		}
	}
	words[2] = strconv.Itoa(more)
	return words
}

// lifeInLua is the time to live of the column's values as write.lua has it.
func (c *column) lifeInLua() string {
	if c.lives && c.life == "" {
		return "keep"
	}
	return c.life
}

// script starts a call of a script on the record of an id.
func (r Repo[T, K]) script(s *lua.Script, id K) *pipectx.Command {
	m := r.bound()
	var with []string
	if m.luaHooks != nil {
		with = m.luaHooks.with
	}
	keys := 1 + len(with)
	if r.fence != nil {
		keys++
	}
	c := s.Command(keys)
	switch {
	case m.luaHooks != nil:
		c.OnError(s.Fault)
	case m.schema.begins:
		c.Needs(fieldTTLServers)
	}
	r.addKey(c, id)
	if with != nil {
		keys, err := m.keysBeside(id, with)
		if err != nil {
			c.Fail(err)
		}
		for _, key := range keys {
			c.Key(key)
		}
	}
	if r.fence != nil {
		r.addFence(c, s, id)
	}
	addFixed(c, r.model.begin)
	return c
}

func addWords(c *pipectx.Command, words []string) {
	for _, word := range words {
		c.Word(word)
	}
}

// addFixed adds words that never change.
func addFixed(c *pipectx.Command, words []string) {
	for i := range words {
		c.Fixed(&words[i])
	}
}
