package model_test

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/model"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Book is a record of the examples.
type Book struct {
	ID      int64   `redis:"id,key"`
	Title   string  `redis:"title" validate:"required"`
	Copies  int64   `redis:"copies" validate:"gte=0"`
	Shelf   *string `redis:"shelf"` // may be absent
	Version int64   `redis:"version,version"`
}

var (
	Books  = model.Define[Book, int64]("book", model.Lua(library))
	Copies = model.FieldOf(Books, func(b *Book) *int64 { return &b.Copies })
	Title  = model.FieldOf(Books, func(b *Book) *string { return &b.Title })
	Place  = model.FieldOf(Books, func(b *Book) **string { return &b.Shelf })
	Lend   = model.Method[int64, int64](Books, "lend")
)

var library = lua.Must(lua.TryModule("library", lua.Source("library.lua", `local M = {}

--- @arg n int
--- @return int
function M.lend(self, n)
  if self.copies < n then
    fail("NONE", "only " .. self.copies .. " left")
  end
  self.copies = self.copies - n
  return self.copies
end

return M`)))

func ExampleDefine() {
	db, end := exampleDB()
	defer end()
	ctx := context.Background()
	books := Books.On(db)

	saved, err := books.Save(ctx, Book{ID: 42, Title: "Notes", Copies: 3}).Result()
	fmt.Println(saved.Version, err)

	book, err := books.Get(ctx, 42).Result()
	fmt.Println(book.Title, book.Copies, book.Shelf, err)

	fmt.Println(books.Get(ctx, 43).Err())
	fmt.Println(books.Save(ctx, Book{ID: 44}).Err())
	// Output:
	// 1 <nil>
	// Notes 3 <nil> <nil>
	// book{43}: not found
	// model: model_test.Book is not valid: title breaks the rule required (it is "")
}

func ExampleRepo_Update() {
	db, end := exampleDB()
	defer end()
	ctx := context.Background()
	books := Books.On(db)
	books.Create(ctx, Book{ID: 42, Title: "Notes", Copies: 3})

	n, err := books.Update(ctx, 42, model.Incr(Copies, 2), Place.Set(new("A7"))).Result()
	fmt.Println(n, err)

	fmt.Println(books.Update(ctx, 42, model.Decr(Copies, 6), Place.Clear()).Err())

	book, err := books.Get(ctx, 42).Result()
	fmt.Println(book.Copies, *book.Shelf, book.Version, err)
	// Output:
	// 2 <nil>
	// model: update book{42}: copies ("5") cannot be added to: the sum would be -1, below 0
	// 5 A7 2 <nil>
}

func ExampleRepo_Save_conflict() {
	db, end := exampleDB()
	defer end()
	ctx := context.Background()
	books := Books.On(db)
	mine, _ := books.Create(ctx, Book{ID: 42, Title: "Notes"}).Result()

	books.Update(ctx, 42, model.Incr(Copies, 1)) // somebody else

	mine.Title = "Sketches"
	err := books.Save(ctx, mine).Err()
	var conflict *model.ConflictError
	fmt.Println(errors.As(err, &conflict), conflict.Stored)
	fmt.Println(err)
	// Output:
	// true 2
	// model: save book{42}: conflict: version is 2 by now; load the record again and repeat the change
}

func ExampleRepo_Edit() {
	db, end := exampleDB()
	defer end()
	ctx := context.Background()
	books := Books.On(db)
	books.Create(ctx, Book{ID: 42, Title: "Notes", Copies: 3})

	shout := func(b *Book) error {
		if b.Copies == 0 {
			return errors.New("all are lent")
		}
		b.Title = strings.ToUpper(b.Title)
		return nil
	}
	book, err := books.Edit(ctx, 42, shout).Result()
	fmt.Println(book.Title, book.Version, err)

	books.Update(ctx, 42, Copies.Set(0))
	fmt.Println(books.Edit(ctx, 42, shout).Err())
	fmt.Println(books.Edit(ctx, 43, shout).Err())
	// Output:
	// NOTES 2 <nil>
	// all are lent
	// model: edit book{43}: not found; Edit changes records that exist, Create, Save and Upsert make them
}

func ExampleRepo_Upsert() {
	db, end := exampleDB()
	defer end()
	ctx := context.Background()
	books := Books.On(db)

	for range 2 {
		created, err := books.Upsert(ctx, 42, Title.Set("Notes"), model.Incr(Copies, 1)).Result()
		fmt.Println(created, err)
	}
	book, err := books.Get(ctx, 42).Result()
	fmt.Println(book.Title, book.Copies, book.Version, err)

	fmt.Println(books.Upsert(ctx, 43, model.Incr(Copies, 1)).Err())
	// Output:
	// true <nil>
	// false <nil>
	// Notes 2 2 <nil>
	// model: upsert book{43}: there is no record, and none can be made: model: model_test.Book is not valid: title breaks the rule required (it is "")
}

func ExampleRepo_Pick() {
	db, end := exampleDB()
	defer end()
	ctx := context.Background()
	books := Books.On(db)
	books.Create(ctx, Book{ID: 42, Title: "Notes", Copies: 3})

	book, err := books.Pick(ctx, 42, Copies, Place).Result()
	fmt.Println(book.ID, book.Title == "", book.Copies, book.Shelf, err)
	fmt.Println(books.Pick(ctx, 43, Copies).Err())
	// Output:
	// 42 true 3 <nil> <nil>
	// book{43}: not found
}

func ExamplePop() {
	db, end := exampleDB()
	defer end()
	ctx := context.Background()
	books := Books.On(db)
	books.Create(ctx, Book{ID: 42, Title: "Notes", Shelf: new("A7")})

	shelf, err := model.Pop(ctx, books, 42, Place).Result()
	fmt.Println(*shelf, err)
	shelf, err = model.Pop(ctx, books, 42, Place).Result()
	fmt.Println(shelf, err)
	// Output:
	// A7 <nil>
	// <nil> <nil>
}

func ExampleRepo_Scan() {
	db, end := exampleDB()
	defer end()
	ctx := context.Background()
	books := Books.On(db)
	for id := range int64(1000) {
		books.Save(ctx, Book{ID: id, Title: "Notes", Copies: 2})
	}

	var copies int64
	for book, err := range books.Scan(ctx) { // few in memory at a time
		if err != nil {
			fmt.Println(err)
			continue
		}
		copies += book.Copies
	}
	fmt.Println(copies)
	// Output: 2000
}

func ExampleMethod() {
	db, end := exampleDB()
	defer end()
	ctx := context.Background()
	Books.On(db).Create(ctx, Book{ID: 42, Title: "Notes", Copies: 3})

	left, err := Lend.On(db).Call(ctx, 42, 2).Result()
	fmt.Println(left, err)

	err = Lend.On(db).Call(ctx, 42, 2).Err()
	var refused *lua.Error
	fmt.Println(errors.As(err, &refused), refused.Code, refused.Message)
	// Output:
	// 1 <nil>
	// true NONE only 1 left
}

// TownID puts the towns of a country into one slot of a Cluster, so that they
// can meet in a method.
type TownID struct {
	Country string `redis:"country,slot"`
	Number  int64  `redis:"number"`
}

type Town struct {
	ID   TownID `redis:"id,key"`
	Name string `redis:"name"`
}

func ExampleModel_KeyOf_composite() {
	towns := model.Define[Town, TownID]("town")
	key, err := towns.KeyOf(TownID{"FR", 75056})
	fmt.Println(key, err)

	db, end := exampleDB()
	defer end()
	ctx := context.Background()
	var paris, lyon *pipectx.Ref[Town]
	err = pipectx.Run(ctx, db, func(ctx context.Context) error {
		towns.On(db).Save(ctx, Town{TownID{"FR", 75056}, "Paris"})
		paris = towns.On(db).Get(ctx, TownID{"FR", 75056})
		lyon = towns.On(db).Get(ctx, TownID{"FR", 69123})
		return nil // one round trip for all three
	})
	fmt.Println(err, paris, lyon)
	// Output:
	// town{FR}:75056 <nil>
	// <nil> {{FR 75056} Paris} town{FR}:69123: not found
}

// A struct that go-redis writes and scans becomes a record when a struct with a
// key embeds it.
func ExampleDefine_goredis() {
	type Visitor struct { // as it is
		Name string `redis:"name"`
		Age  int    `redis:"age,omitempty"`
	}
	type KeyedVisitor struct {
		ID int64 `redis:"id,key"`
		Visitor
	}
	db, end := exampleDB()
	defer end()
	ctx := context.Background()
	visitors := model.Define[KeyedVisitor, int64]("visitor").On(db)

	fmt.Println(visitors.Save(ctx, KeyedVisitor{7, Visitor{Name: "Ada"}}).Err())
	stored, err := pipectx.Do[map[string]string](ctx, db, "HGETALL", "visitor{7}").Result()
	fmt.Println(stored, err)
	// Output:
	// <nil>
	// map[name:Ada] <nil>
}

// Ids that are counted, defaults, and a struct whose fields are the record's.
func ExampleCounter() {
	type Address struct {
		City string `redis:"city,default=Paris"`
	}
	type Order struct {
		ID    int64   `redis:"id,key"`
		State string  `redis:"state,oneof=open paid sent,default=open"`
		To    Address `redis:"to,inline"`
	}
	db, end := exampleDB()
	defer end()
	ctx := context.Background()
	orders := model.Define[Order, int64]("order", model.Counter())

	for range 2 {
		order, err := orders.On(db).Create(ctx, Order{}).Result()
		fmt.Println(order, err)
	}
	fmt.Println(orders.Map(Order{State: "paid"}))
	// Output:
	// {1 open {Paris}} <nil>
	// {2 open {Paris}} <nil>
	// map[state:paid to.city:] <nil>
}
