package keyspace_test

import (
	"context"
	"fmt"
	"time"

	"github.com/redmoon-go/redmoon/keyspace"
)

func ExampleList() {
	db, end := exampleDB()
	defer end()
	ctx := context.Background()
	jobs := keyspace.NewList[string, int64]("jobs").On(db) // queue → job

	fmt.Println(jobs.RPush(ctx, "mail", 101, 102, 103))                        // RPUSH jobs{mail} 101 102 103
	fmt.Println(jobs.LPop(ctx, "mail"))                                        // LPOP jobs{mail}
	fmt.Println(jobs.Range(ctx, "mail", 0, -1))                                // LRANGE jobs{mail} 0 -1
	fmt.Println(jobs.BLPop(ctx, 5*time.Second, "urgent", "mail"))              // BLPOP jobs{urgent} jobs{mail} 5
	fmt.Println(jobs.Move(ctx, "mail", "done", keyspace.Left, keyspace.Right)) // LMOVE jobs{mail} jobs{done} LEFT RIGHT
	fmt.Println(jobs.LPop(ctx, "mail"))                                        // LPOP jobs{mail}
	// Output:
	// 3
	// 101
	// [102 103]
	// {mail 102}
	// 103
	// keyspace: jobs{mail}: not found
}

func ExampleGeo() {
	db, end := exampleDB()
	defer end()
	ctx := context.Background()
	cities := keyspace.NewGeo[string, string]("cities").On(db) // country → city

	norway := cities.Key("NO")
	norway.AddMany(ctx, // GEOADD cities{NO} 10.752245 59.913869 Oslo …
		keyspace.Place[string]{Member: "Oslo", Point: keyspace.Point{Longitude: 10.752245, Latitude: 59.913869}},
		keyspace.Place[string]{Member: "Bergen", Point: keyspace.Point{Longitude: 5.322054, Latitude: 60.391263}},
		keyspace.Place[string]{Member: "Tromsø", Point: keyspace.Point{Longitude: 18.955324, Latitude: 69.649205}})

	way, err := norway.Dist(ctx, "Oslo", "Bergen").Result() // GEODIST cities{NO} Oslo Bergen m
	fmt.Printf("%.0f km %v\n", float64(way/keyspace.Kilometer), err)
	around := keyspace.Circle(500 * keyspace.Kilometer).Nearest(10)
	fmt.Println(norway.SearchByMember(ctx, "Bergen", around))    // GEOSEARCH cities{NO} FROMMEMBER Bergen BYRADIUS 500000 m ASC COUNT 10
	fmt.Println(norway.SearchByMember(ctx, "Trondheim", around)) // GEOSEARCH cities{NO} FROMMEMBER Trondheim …
	// Output:
	// 305 km <nil>
	// [Bergen Oslo]
	// keyspace: member of cities{NO}: not found
}

// A Span is a part of an order, of scores or of members.
func ExampleSpan() {
	db, end := exampleDB()
	defer end()
	ctx := context.Background()
	players := keyspace.NewSortedSet[string, string]("players").On(db).Key("chess")
	players.AddMany(ctx, // ZADD players{chess} 1200 ada 1500 bob 1500 cleo 1850 dan
		keyspace.Z[string]{Member: "ada", Score: 1200}, keyspace.Z[string]{Member: "bob", Score: 1500},
		keyspace.Z[string]{Member: "cleo", Score: 1500}, keyspace.Z[string]{Member: "dan", Score: 1850})

	good := keyspace.From(1500.0)
	fmt.Println(players.Count(ctx, good))                             // ZCOUNT players{chess} 1500 +inf
	fmt.Println(players.RangeByScore(ctx, good.Below(1850)))          // ZRANGE players{chess} 1500 (1850 BYSCORE
	fmt.Println(players.RevRangeByScore(ctx, good.Limit(0, 1)))       // ZRANGE players{chess} +inf 1500 BYSCORE REV LIMIT 0 1
	fmt.Println(players.RemRangeByScore(ctx, keyspace.Below(1500.0))) // ZREMRANGEBYSCORE players{chess} -inf (1500
	// Output:
	// 3
	// [bob cleo]
	// [dan]
	// 1
}
