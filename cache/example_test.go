package cache_test

import (
	"context"
	"fmt"
	"time"

	"github.com/redmoon-go/redmoon/cache"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/pipectx"
)

type Product struct {
	Name  string
	Cents int64
}

// Price is the argument of a function of two.
type Price struct {
	Product  int64
	Currency string
}

var (
	Products = cache.NewRegion("products", cache.Options{TTL: time.Hour, Soft: time.Minute})

	ProductByID = cache.Func(Products, "byID", func(_ context.Context, id int64) (Product, error) {
		fmt.Println("loading", id)
		if id == 404 {
			return Product{}, pipectx.NotFound("product 404")
		}
		return Product{fmt.Sprint("product ", id), 100 * id}, nil
	})

	PriceIn = cache.Func(Products, "price", func(_ context.Context, p Price) (string, error) {
		return fmt.Sprint(p.Product, " ", p.Currency), nil
	})
)

func Example() {
	client, end := redistest.Example()
	defer end()
	db, err := pipectx.New(client)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()
	ctx := context.Background()

	products := ProductByID.On(db)
	for range 2 { // the second time it is stored
		p, err := products.Get(ctx, 42).Result()
		fmt.Println(p, err)
	}
	_, err = products.Get(ctx, 404).Result()
	fmt.Println(err)

	many, err := products.GetMany(ctx, 42, 7).Result()
	for _, p := range many {
		fmt.Println(p.Get())
	}
	fmt.Println(err)

	price, err := PriceIn.On(db).Get(ctx, Price{42, "EUR"}).Result()
	fmt.Println(price, err)
	// Output:
	// loading 42
	// {product 42 4200} <nil>
	// {product 42 4200} <nil>
	// loading 404
	// cache:byID{products}:404: not found
	// loading 7
	// {product 42 4200} true
	// {product 7 700} true
	// <nil>
	// 42 EUR <nil>
}

// What changes a product removes what is cached of it.
func ExampleBound_Remove() {
	client, end := redistest.Example()
	defer end()
	db, err := pipectx.New(client)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()
	ctx := context.Background()

	products := ProductByID.On(db)
	fmt.Println(products.Get(ctx, 1))
	fmt.Println(products.Remove(ctx, 1))
	fmt.Println(products.Peek(ctx, 1))
	fmt.Println(products.Get(ctx, 1))
	// Output:
	// loading 1
	// {product 1 100}
	// true
	// cache:byID{products}:1: not found
	// loading 1
	// {product 1 100}
}
