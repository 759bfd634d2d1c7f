package field_test

import (
	"testing"
	"time"

	"github.com/redmoon-go/redmoon/field"
)

// Every type has a view in Lua, and knows what its stored text is.
func TestLua(t *testing.T) {
	for _, c := range []struct {
		got  field.Lua
		want field.Lua
		text string
	}{
		{field.MustFor[status]().Lua(), field.Lua{Kind: field.LuaString}, "string"},
		{field.MustFor[[]byte]().Lua(), field.Lua{Kind: field.LuaBytes}, "bytes"},
		{field.MustFor[uint64]().Lua(), field.Lua{Kind: field.LuaInt}, "int"},
		{field.MustFor[time.Duration]().Lua(), field.Lua{Kind: field.LuaInt}, "int"},
		{field.MustFor[float32]("nan").Lua(), field.Lua{Kind: field.LuaFloat}, "float"},
		{field.MustFor[*bool]().Lua(), field.Lua{Kind: field.LuaBool, Optional: true}, "bool?"},
		{field.MustFor[time.Time]().Lua(), field.Lua{Kind: field.LuaTime}, "time"},
		{field.MustFor[field.Optional[time.Time]]("unixms").Lua(), field.Lua{Kind: field.LuaTime, Unit: time.Millisecond, Optional: true}, "time?"},
		{field.MustFor[address]().Lua(), field.Lua{Kind: field.LuaJSON}, "json"},
		{field.MustFor[ticket]("uuid").Lua(), field.Lua{Kind: field.LuaOpaque}, "opaque"},
		{field.MustFor[[]string]("list").Lua(), field.Lua{Kind: field.LuaOpaque}, "opaque"},
		{field.MustFor[[]string]("commas").Lua(), field.Lua{Kind: field.LuaOpaque}, "opaque"},
		{field.MustFor[status]("oneof=open closed").Lua(), field.Lua{Kind: field.LuaString}, "string"},
		{field.MustFor[*level]("oneof=1 2").Lua(), field.Lua{Kind: field.LuaInt, Optional: true}, "int?"},
		{field.MustFor[status]("ascii").Lua(), field.Lua{Kind: field.LuaString}, "string"},
		{field.MustFor[address]("gzip").Lua(), field.Lua{Kind: field.LuaOpaque}, "opaque"},
		{field.MustFor[*string]("zstd").Lua(), field.Lua{Kind: field.LuaOpaque, Optional: true}, "opaque?"},
	} {
		if c.got != c.want || c.got.String() != c.text {
			t.Errorf("%+v, %s; want %+v, %s", c.got, c.got, c.want, c.text)
		}
	}
}
