package docs_test

import (
	"context"
	"fmt"
	"time"

	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Day is an id of two parts. All days of a page share a slot, so that they can
// meet in one command.
type Day struct {
	Page string `redis:"page,slot"`
	Date string `redis:"date"`
}

var (
	Titles  = keyspace.NewString[string, string]("title")                               // title{home}
	Readers = keyspace.NewSet[string, int64]("readers")                                 // readers{home}: user ids
	Hits    = keyspace.NewSortedSet[Day, string]("hits", keyspace.TTL(90*24*time.Hour)) // hits{home}:2026-01-02: countries by hits
	Legacy  = keyspace.NewString[int64, string]("legacy", keyspace.Template("u:%s:name"))
)

func ExampleDay() {
	db, end := exampleDB()
	defer end()
	ctx := context.Background()
	titles, readers, hits := Titles.On(db), Readers.On(db), Hits.On(db)

	var title *pipectx.Ref[string]
	var fans *pipectx.Ref[int64]
	var top *pipectx.Ref[[]string]
	err := pipectx.Run(ctx, db, func(ctx context.Context) error {
		titles.Set(ctx, "home", "Welcome")
		readers.Add(ctx, "home", 42, 43)
		hits.IncrBy(ctx, Day{"home", "2026-01-02"}, "FR", 3)

		title = titles.Get(ctx, "home")
		fans = readers.Card(ctx, "home")
		top = hits.RevRange(ctx, Day{"home", "2026-01-02"}, 0, 9)
		return nil
	})
	fmt.Println(title, fans, top, err)

	fmt.Println(Hits.KeyOf(Day{"home", "2026-01-02"}))
	fmt.Println(Legacy.KeyOf(42))
	// Output:
	// Welcome 2 [FR] <nil>
	// hits{home}:2026-01-02 <nil>
	// u:42:name <nil>
}

// All ids of a keyspace, by SCAN over all masters.
func ExampleDay_scan() {
	db, end := exampleDB()
	defer end()
	ctx := context.Background()
	Readers.On(db).Add(ctx, "home", 42)

	for page, err := range Readers.On(db).ScanIDs(ctx) {
		fmt.Println(page, err)
	}
	// Output: home <nil>
}
