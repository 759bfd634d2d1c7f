package keyspace_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/pipectx"
)

// A whole service: declared once, bound once, and what it asks for in one Run
// costs one round trip.
func Example() {
	db, end := exampleDB()
	defer end()
	ctx := context.Background()

	names := keyspace.NewString[int64, string]("name").On(db)
	visits := keyspace.NewSortedSet[int64, string]("visits", keyspace.TTL(24*time.Hour)).On(db)

	if err := names.Set(ctx, 42, "Ada").Err(); err != nil { // SET name{42} Ada
		fmt.Println(err)
	}

	var name *pipectx.Ref[string]
	var views *pipectx.Ref[float64]
	err := pipectx.Run(ctx, db, func(ctx context.Context) error {
		name = names.Get(ctx, 42)                  // GET name{42}
		views = visits.IncrBy(ctx, 42, "/home", 1) // ZINCRBY visits{42} 1 /home | PEXPIRE visits{42} 86400000
		return nil
	})
	fmt.Println(name, views, err)
	// Output: Ada 1 <nil>
}

func ExampleString() {
	db, end := exampleDB()
	defer end()
	ctx := context.Background()
	stocks := keyspace.NewString[string, int64]("stock").On(db)

	nuts := stocks.Key("nuts")
	fmt.Println(nuts.IncrBy(ctx, 7), "of", nuts) // INCRBY stock{nuts} 7
	fmt.Println(nuts.SetNX(ctx, 100))            // SET stock{nuts} 100 NX

	_, err := stocks.Get(ctx, "bolts").Result() // GET stock{bolts}
	fmt.Println(err, errors.Is(err, pipectx.ErrNotFound))

	all, err := stocks.MGet(ctx, "nuts", "bolts").Result() // MGET stock{nuts} stock{bolts}
	for _, stock := range all {
		n, ok := stock.Get()
		fmt.Println(n, ok, err)
	}
	// Output:
	// 7 of stock{nuts}
	// false
	// keyspace: stock{bolts}: not found true
	// 7 true <nil>
	// 0 false <nil>
}

func ExampleSet() {
	db, end := exampleDB()
	defer end()
	ctx := context.Background()
	tags := keyspace.NewSet[int64, string]("tags").On(db)

	fmt.Println(tags.Add(ctx, 42, "red", "round", "red"))        // SADD tags{42} red round red
	fmt.Println(tags.IsMember(ctx, 42, "red"))                   // SISMEMBER tags{42} red
	fmt.Println(tags.MIsMember(ctx, 42, "red", "blue", "round")) // SMISMEMBER tags{42} red blue round
	fmt.Println(tags.Rem(ctx, 42, "red"), tags.Members(ctx, 42)) // SREM tags{42} red, SMEMBERS tags{42}
	fmt.Println(tags.Card(ctx, 7), tags.Members(ctx, 7))         // SCARD tags{7}, SMEMBERS tags{7}
	// Output:
	// 2
	// true
	// [true false true]
	// 1 [round]
	// 0 []
}

func ExampleSortedSet() {
	db, end := exampleDB()
	defer end()
	ctx := context.Background()
	scores := keyspace.NewSortedSet[string, int64]("scores").On(db) // game → player

	game := scores.Key("chess")
	fmt.Println(game.AddMany(ctx, // ZADD scores{chess} 1200 1 1850 2 1500 3
		keyspace.Z[int64]{Member: 1, Score: 1200},
		keyspace.Z[int64]{Member: 2, Score: 1850},
		keyspace.Z[int64]{Member: 3, Score: 1500}))
	fmt.Println(game.IncrBy(ctx, 1, 700))                          // ZINCRBY scores{chess} 700 1
	fmt.Println(game.RevRangeWithScores(ctx, 0, 1))                // ZREVRANGE scores{chess} 0 1 WITHSCORES
	fmt.Println(game.RevRank(ctx, 3))                              // ZREVRANK scores{chess} 3
	fmt.Println(scores.Count(ctx, "chess", keyspace.From(1500.0))) // ZCOUNT scores{chess} 1500 +inf
	// Output:
	// 3
	// 1900
	// [{1 1900} {2 1850}]
	// 2
	// 3
}

func ExampleHash() {
	db, end := exampleDB()
	defer end()
	ctx := context.Background()
	stock := keyspace.NewHash[string, int64, int64]("stock").On(db) // shop → article → pieces

	oslo := stock.Key("oslo")
	fmt.Println(oslo.SetMany(ctx, map[int64]int64{1001: 5, 1002: 1})) // HSET stock{oslo} 1001 5 1002 1
	fmt.Println(oslo.IncrBy(ctx, 1002, -1))                           // HINCRBY stock{oslo} 1002 -1
	fmt.Println(oslo.GetAll(ctx))                                     // HGETALL stock{oslo}
	fmt.Println(oslo.HDel(ctx, 1002), oslo.HExists(ctx, 1002))        // HDEL stock{oslo} 1002, HEXISTS stock{oslo} 1002
	fmt.Println(oslo.Get(ctx, 1002))                                  // HGET stock{oslo} 1002
	// Output:
	// 2
	// 0
	// map[1001:5 1002:0]
	// 1 false
	// keyspace: stock{oslo} 1002: not found
}

// Placements decide the slot, and with it what can meet in one command.
func ExamplePlacement() {
	type Seat struct {
		Hall string `redis:"hall,slot"`
		No   int    `redis:"no"`
	}
	fmt.Println(keyspace.NewString[int64, string]("name").KeyOf(42))
	fmt.Println(keyspace.NewString[int64, string]("name", keyspace.OneSlot("users")).KeyOf(42))
	fmt.Println(keyspace.NewString[int64, string]("name", keyspace.Buckets("users", 64)).KeyOf(42))
	fmt.Println(keyspace.NewString[Seat, string]("name").KeyOf(Seat{"opera", 7}))
	fmt.Println(keyspace.NewString[int64, string]("name", keyspace.Template("user:%s:name")).KeyOf(42))
	// Output:
	// name{42} <nil>
	// name{users}:42 <nil>
	// name{users.0}:42 <nil>
	// name{opera}:7 <nil>
	// user:42:name <nil>
}
