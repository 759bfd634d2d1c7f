package field

import (
	"fmt"
	"time"
)

// Lua is how Lua sees a type.
type Lua struct {
	Kind     LuaKind
	Optional bool // may be absent: nil in Lua

	// Unit is for LuaTime: what one of the stored integer stands for,
	// time.Second, time.Millisecond or time.Microsecond; 0 where the stored
	// text is RFC 3339.
	Unit time.Duration
}

// LuaKind says what a stored text becomes in Lua.
type LuaKind uint8

const (
	LuaOpaque LuaKind = iota // a string whose form only Go knows: UUIDs, addresses, foreign codecs
	LuaString                // any string
	LuaBytes                 // any string; binary data in Go
	LuaInt                   // a number, whole and within ±2^53
	LuaFloat                 // a number
	LuaBool                  // a boolean, stored as 1 or 0
	LuaTime                  // a number: microseconds since 1970 UTC
	LuaJSON                  // a table, stored as JSON
)

var luaKinds = [...]string{"opaque", "string", "bytes", "int", "float", "bool", "time", "json"}

// String is the kind in one word: "int".
func (k LuaKind) String() string {
	if int(k) < len(luaKinds) {
		return luaKinds[k]
	}
	return fmt.Sprintf("LuaKind(%d)", uint8(k))
}

// String is the view in a word, with a question mark where it may be absent:
// "int?".
func (l Lua) String() string {
	if l.Optional {
		return l.Kind.String() + "?"
	}
	return l.Kind.String()
}
