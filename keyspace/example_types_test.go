package keyspace_test

import (
	"context"
	"fmt"
	"time"

	"github.com/redmoon-go/redmoon/keyspace"
)

func ExampleExpiry() {
	db, end := exampleDB()
	defer end()
	ctx := context.Background()
	codes := keyspace.NewString[string, string]("code", keyspace.TTL(time.Hour)).On(db)

	codes.Set(ctx, "ada", "1815")                            // SET code{ada} 1815 PX 3600000
	codes.Set(ctx, "bob", "1912", keyspace.For(time.Minute)) // SET code{bob} 1912 PX 60000
	codes.Set(ctx, "eve", "2026", keyspace.NoTTL())          // SET code{eve} 2026

	for _, who := range []string{"ada", "bob", "eve"} {
		left, err := codes.TTL(ctx, who).Result()
		fmt.Println(who, left.Or(0), err)
	}
	// Output:
	// ada 1h0m0s <nil>
	// bob 1m0s <nil>
	// eve 0s <nil>
}

func ExampleHashKey_Each() {
	db, end := exampleDB()
	defer end()
	ctx := context.Background()
	stock := keyspace.NewHash[string, string, int64]("stock").On(db).Key("oslo")

	stock.SetMany(ctx, map[string]int64{"nuts": 7, "bolts": 3})
	for article, err := range stock.Each(ctx, "n*") { // HSCAN stock{oslo} 0 MATCH n* COUNT 1000
		fmt.Println(article.Field, article.Value, err)
	}
	// Output: nuts 7 <nil>
}

func ExampleBitmap() {
	db, end := exampleDB()
	defer end()
	ctx := context.Background()
	seen := keyspace.NewBitmap[string]("seen", keyspace.OneSlot("seen")).On(db)

	seen.SetBit(ctx, "saturday", 42, true)
	seen.SetBit(ctx, "sunday", 42, true)
	seen.SetBit(ctx, "sunday", 43, true)
	seen.BitOpOr(ctx, "weekend", "saturday", "sunday") // BITOP OR seen{seen}:weekend seen{seen}:saturday seen{seen}:sunday

	fmt.Println(seen.BitCount(ctx, "weekend"), seen.BitPos(ctx, "sunday", true))
	// Output: 2 42
}

func ExampleHyperLogLog() {
	db, end := exampleDB()
	defer end()
	ctx := context.Background()
	visitors := keyspace.NewHyperLogLog[string, int64]("visitors").On(db)

	visitors.Add(ctx, "saturday", 42, 43) // PFADD visitors{saturday} 42 43
	visitors.Add(ctx, "saturday", 42, 44)

	fmt.Println(visitors.Count(ctx, "saturday")) // PFCOUNT visitors{saturday}
	// Output: 3
}

func ExampleSharded() {
	db, end := exampleDB()
	defer end()
	ctx := context.Background()
	shortcuts := keyspace.NewSharded[string, string]("shortcut", 1024).On(db)

	shortcuts.Set(ctx, "x7Kq", "https://example.org/") // HSET shortcut{3} x7Kq https://example.org/

	fmt.Println(shortcuts.Get(ctx, "x7Kq"), shortcuts.Len(ctx))
	// Output: https://example.org/ 1
}
