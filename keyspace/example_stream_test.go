package keyspace_test

import (
	"context"
	"embed"
	"errors"
	"fmt"

	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/lua"
)

func ExampleStream() {
	db, end := exampleDB()
	defer end()
	ctx := context.Background()
	type Sale struct {
		Article int64 `redis:"article"`
		Pieces  int64 `redis:"pieces"`
	}
	sales := keyspace.NewStream[string, Sale]("sales").On(db).Key("oslo")

	for i, sold := range []Sale{{1001, 2}, {1002, 1}, {1001, 5}} {
		id := keyspace.StreamID{Ms: 1700000000000, Seq: uint64(i)}
		sales.AddWith(ctx, sold, keyspace.AddOptions{ID: id, Trim: keyspace.MaxLen(1000)}) // XADD sales{oslo} MAXLEN = 1000 1700000000000-0 article …
	}
	last, err := sales.RevRange(ctx, keyspace.Span[keyspace.StreamID]{}.Limit(0, 1)).Result() // XREVRANGE sales{oslo} + - COUNT 1
	if err != nil {
		panic(err)
	}
	fmt.Println(last[0].ID, last[0].ID.Time().UTC().Format("2006-01-02"), last[0].Value.Pieces)

	ctx, stop := context.WithCancel(ctx)
	sum := int64(0)
	err = sales.Consume(ctx, keyspace.Consumer{Group: "books", Name: "host1"}, // XREADGROUP GROUP books host1 …, XACK
		func(_ context.Context, e keyspace.Entry[Sale]) error {
			if sum += e.Value.Pieces; sum == 8 {
				stop()
			}
			return e.Err
		})
	fmt.Println(sum, errors.Is(err, context.Canceled))
	fmt.Println(sales.Len(context.Background())) // XLEN sales{oslo}
	// Output:
	// 1700000000000-2 2023-11-14 5
	// 8 true
	// 3
}

//go:embed testdata/board.lua
var board embed.FS

func ExampleMethod() {
	db, end := exampleDB()
	defer end()
	ctx := context.Background()

	// testdata/board.lua:
	//
	//	--- @arg keep int
	//	--- @return int
	//	function M.trim(key, keep)
	//	  return redis.call("ZREMRANGEBYRANK", key, 0, -keep - 1)
	//	end
	scores := keyspace.NewSortedSet[string, string]("scores", keyspace.Lua(lua.Must(lua.LoadFS(board, "testdata/board"))))
	trim := keyspace.Method[int64, int64](scores, "trim")

	scores.On(db).AddMany(ctx, "chess", keyspace.Z[string]{Member: "ada", Score: 9}, keyspace.Z[string]{Member: "bob", Score: 7}, keyspace.Z[string]{Member: "cy", Score: 5})
	fmt.Println(trim.On(db).Call(ctx, "chess", 2)) // EVALSHA … 1 scores{chess} 2
	fmt.Println(scores.On(db).RevRange(ctx, "chess", 0, -1))
	// Output:
	// 1
	// [ada bob]
}
