// Inventory holds goods for orders that are not paid yet: reserve, then commit or
// release, or nothing, and the hold ends by itself. It runs on an embedded server, or on
// the one that REDIS_URL names:
//
//	go run ./examples/inventory
//
// An item is one record, its holds a Go map in it, stored as JSON. The functions in
// item.lua see that map as a table, and what they put into it is written as Go writes it.
//
// How many are free is derived: from the stock and from what is held. One place derives
// it, the hook before_save in item.lua, which runs in the atomic script of whoever writes
// an item. So Create, Save, Update, Edit and the functions all leave the right number
// behind, and none of them can hold more than there is.
package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"github.com/redmoon-go/redmoon/internal/demo"
	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/model"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Item is a record. Free is nobody's to set: the hook does.
type Item struct {
	ID    string          `redis:"id,key"`
	Name  string          `redis:"name" validate:"required"`
	Stock int64           `redis:"stock" validate:"gte=0"`
	Free  int64           `redis:"free"`
	Holds map[string]Hold `redis:"holds"` // by order
}

// Hold is what an order holds.
type Hold struct {
	N    int64 `json:"n"`
	Ends int64 `json:"ends"` // Unix milliseconds, by the server's clock
}

// ReserveArgs are the arguments of reserve in item.lua, by name.
type ReserveArgs struct {
	Order string `lua:"order"`
	N     int64  `lua:"n"`
	MS    int64  `lua:"ms"`
}

//go:embed item.lua
var sources embed.FS

var (
	Items   = model.Define[Item, string]("inventory.item", model.Lua(lua.Must(lua.LoadFS(sources, "item")))) // inventory.item{pen}
	Stock   = model.FieldOf(Items, func(i *Item) *int64 { return &i.Stock })
	Reserve = model.Method[ReserveArgs, int64](Items, "reserve")
	Commit  = model.Method[string, int64](Items, "commit")
	Release = model.Method[string, struct{}](Items, "release")
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := start(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "inventory:", err)
		stop()
		os.Exit(1)
	}
}

func start(ctx context.Context) error {
	db, about, closeDB, err := demo.Open(ctx)
	if err != nil {
		return err
	}
	defer closeDB()
	fmt.Println("on", about)
	return run(ctx, db, os.Stdout)
}

// run is the program, apart from where its server comes from.
func run(ctx context.Context, db *pipectx.DB, out io.Writer) error {
	items, reserve, commit := Items.On(db), Reserve.On(db), Commit.On(db)
	if err := items.Delete(ctx, "pen").Err(); err != nil { // of an earlier run
		return err
	}
	show := func(what string, err error) error {
		var refused *lua.Error
		if err != nil && !errors.As(err, &refused) {
			return fmt.Errorf("%s: %w", what, err)
		}
		pen, err := items.Get(ctx, "pen").Result()
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%-42s stock %2d, free %2d, holds %d\n", what, pen.Stock, pen.Free, len(pen.Holds))
		if refused != nil {
			fmt.Fprintf(out, "  refused, %s: %s\n", refused.Code, refused.Message)
		}
		return nil
	}
	hold := func(order string, n int64, d time.Duration) error {
		return reserve.Call(ctx, "pen", ReserveArgs{order, n, d.Milliseconds()}).Err()
	}
	for _, step := range []struct {
		what string
		do   func() error
	}{
		{"Create ten pens", func() error { return items.Create(ctx, Item{ID: "pen", Name: "Pen", Stock: 10}).Err() }},
		{"an order reserves four", func() error { return hold("o1", 4, time.Hour) }},
		{"another reserves seven", func() error { return hold("o2", 7, time.Hour) }},
		{"Update: five more are delivered", func() error { return items.Update(ctx, "pen", model.Incr(Stock, 5)).Err() }},
		{"another reserves seven", func() error { return hold("o2", 7, time.Hour) }},
		{"a third reserves two, for no time at all", func() error { return hold("o3", 2, 0) }},
		{"and wants to commit", func() error { return commit.Call(ctx, "pen", "o3").Err() }},
		{"the first commits", func() error { return commit.Call(ctx, "pen", "o1").Err() }},
		{"the second releases", func() error { return Release.On(db).Call(ctx, "pen", "o2").Err() }},
		{"Edit: two are broken", func() error {
			return items.Edit(ctx, "pen", func(i *Item) error { i.Stock -= 2; return nil }).Err()
		}},
		{"a fourth reserves them all", func() error { return hold("o4", 9, time.Hour) }},
		{"Update: one is stolen", func() error { return items.Update(ctx, "pen", model.Decr(Stock, 1)).Err() }},
		{"Save: the shelf is counted anew", func() error {
			return items.Save(ctx, Item{ID: "pen", Name: "Pen", Stock: 12, Free: 99}).Err()
		}},
	} {
		if err := show(step.what, step.do()); err != nil {
			return err
		}
	}
	return nil
}
