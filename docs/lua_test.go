package docs_test

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"testing"

	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/lua/luatest"
	"github.com/redmoon-go/redmoon/model"
	"github.com/redmoon-go/redmoon/pipectx"
)

var (
	//go:embed scripts
	embedded embed.FS
	scripts  = lua.Must(fs.Sub(embedded, "scripts"))

	Shelf    = lua.Must(lua.LoadFS(scripts, "shelf"))
	TakeItem = lua.Bind[Take, int64](Shelf, "take")
	Report   = lua.Bind[Low, string](lua.Must(lua.LoadFS(scripts, "report")), "main")
)

// Take is the arguments of shelf.take: each field is the parameter of that name.
type Take struct {
	Article string `lua:"article,key"`
	Log     string `lua:"log,key"`
	N       int64  `lua:"n"`
	Note    string `lua:"note"`
}

// Low is those of report.lua. The script's default holds where Least is nil.
type Low struct {
	Article string `lua:"article,key"`
	Least   *int   `lua:"least"`
}

func exampleDB() (db *pipectx.DB, end func()) {
	client, end := redistest.Example()
	db, err := pipectx.New(client)
	if err != nil {
		panic(err)
	}
	return db, end
}

func ExampleTake() {
	db, end := exampleDB()
	defer end()
	ctx := context.Background()
	pipectx.Do[struct{}](ctx, db, "SET", "stock{nuts}", 5)

	take := TakeItem.On(db)
	left, err := take.Call(ctx, Take{"stock{nuts}", "log{nuts}", 3, "order 7"}).Result()
	fmt.Println(left, err)

	err = take.Call(ctx, Take{"stock{nuts}", "log{nuts}", 3, "order 8"}).Err()
	var refused *lua.Error
	if errors.As(err, &refused) && refused.Code == "SOLD_OUT" {
		fmt.Println(refused.Message)
		fmt.Println(refused.Traceback())
	}

	report, err := Report.On(db).Call(ctx, Low{"stock{nuts}", nil}).Result()
	fmt.Println(report, err)
	// Output:
	// 2 <nil>
	// have 2, want 3
	// Lua traceback of shelf.take (most recent call last):
	//   shelf.lua:19 in shelf.take
	//       refuse(have, n)
	//   shelf.lua:7 in refuse (local)
	//       fail("SOLD_OUT", string.format("have %d, want %d", have, n))
	// few: order more <nil>
}

// What is declared wrong is told when the program starts.
func ExampleTake_wrong() {
	_, err := lua.TryBind[Low, int64](Shelf, "take")
	fmt.Println(err)

	_, err = lua.Parse("typo.lua", "--- @key article\nreturn rdis.call('GET', artikel)")
	fmt.Println(err)
	// Output:
	// lua: shelf.lua:16:1: shelf.take: field Least of docs_test.Low is for a parameter "least", which the function has not; it takes 4 arguments (article, log, n, note)
	// lua: typo.lua:2:8: unknown global "rdis"; did you mean redis?
	// 	return rdis.call('GET', artikel)
	// 	       ^
	// lua: typo.lua:2:25: unknown global "artikel"; did you mean article?
	// 	return rdis.call('GET', artikel)
	// 	                        ^
}

func TestTake(t *testing.T) {
	w := luatest.New(t) // an embedded server of the test's own
	w.When("GET", "stock{nuts}").Reply("5")

	left, err := luatest.Call[int64](w, Shelf, "take", Take{Article: "stock{nuts}", Log: "log{nuts}", N: 9})
	if refused, ok := errors.AsType[*lua.Error](err); !ok || refused.Code != "SOLD_OUT" {
		t.Errorf("take 9 of 5 = %d, %v; want SOLD_OUT", left, err)
	}
	for _, c := range w.Commands() {
		if name := c.Words[0]; name == "RPUSH" || name == "DECRBY" {
			t.Errorf("a refused take has written: %v", c)
		}
	}
}

func TestShelfIsCovered(t *testing.T) {
	var c luatest.Coverage
	w := luatest.New(t)
	w.Cover(&c)
	pipectx.Do[struct{}](t.Context(), w.DB(), "SET", "stock{nuts}", 5)
	for range 2 { // the second is refused
		_, _ = luatest.Call[int64](w, Shelf, "take", Take{"stock{nuts}", "log{nuts}", 3, "test"})
	}
	if c.Share() < 1 {
		t.Errorf("%.0f %% of the statements ran, without %v", 100*c.Share(), c.Missed())
	}
	if err := c.WriteFile(filepath.Join(t.TempDir(), "lua.cover")); err != nil { // go tool cover -html=lua.cover
		t.Error(err)
	}
}

// Member is a record whose Lua has a mistake.
type Member struct {
	ID   int64  `redis:"id,key"`
	Name string `redis:"name"`
}

var Members = model.Define[Member, int64]("member", model.Lua(lua.Must(lua.TryModule("member", lua.Source("member.lua", `local M = {}
function M.forget(self)
  redis.call("DEL", self.name)
end
return M`)))))

func ExampleMember_undeclared() {
	_, err := model.TryMethod[struct{}, struct{}](Members, "forget")
	fmt.Println(err)
	// Output:
	// model: Method "forget" of docs_test.Member: lua: member.lua:3:21: the key of DEL is what the field "name" holds; use a record's key, a keyspace by model.With, or an argument that is a key; or annotate the function --- @undeclared, which a Cluster refuses
	// 	  redis.call("DEL", self.name)
	// 	                    ^
}
