package docs_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/pipectx"
)

var (
	Pieces = keyspace.NewString[string, int64]("shop.stock")             // shop.stock{nuts}: pieces
	Sales  = keyspace.NewSortedSet[string, string]("shop.sales", aMonth) // shop.sales{2026-01-02}: articles by pieces sold
)

var aMonth = keyspace.TTL(31 * 24 * time.Hour)

// Stock is a service. It keeps what it has bound, and no context.
type Stock struct {
	db     *pipectx.DB
	pieces keyspace.BoundString[string, int64]
	sales  keyspace.BoundSortedSet[string, string]
}

func NewStock(db *pipectx.DB) *Stock {
	return &Stock{db, Pieces.On(db), Sales.On(db)}
}

// Sell takes pieces out of stock and answers how many are left.
func (s *Stock) Sell(ctx context.Context, article string, pieces int64) (left *pipectx.Ref[int64], err error) {
	err = pipectx.Run(ctx, s.db, func(ctx context.Context) error {
		left = s.pieces.IncrBy(ctx, article, -pieces)
		s.sales.IncrBy(ctx, "2026-01-02", article, float64(pieces))
		return nil
	})
	return left, err
}

// Basket sells several articles: one round trip for all of them.
func (s *Stock) Basket(ctx context.Context, basket map[string]int64) (left map[string]*pipectx.Ref[int64], err error) {
	left = map[string]*pipectx.Ref[int64]{}
	err = pipectx.Run(ctx, s.db, func(ctx context.Context) error {
		for article, pieces := range basket {
			if pieces <= 0 {
				return errors.New("nothing of " + article) // and nothing at all is sent
			}
			var err error
			if left[article], err = s.Sell(ctx, article, pieces); err != nil {
				return err
			}
		}
		return nil
	})
	return left, err
}

func ExampleStock() {
	client, end := redistest.Example()
	defer end()
	db, err := pipectx.New(client)
	if err != nil {
		fmt.Println(err)
		return
	}
	stock := NewStock(db)
	ctx := context.Background()
	stock.pieces.Set(ctx, "nuts", 100)
	stock.pieces.Set(ctx, "bolts", 80)

	one, err := stock.Sell(ctx, "nuts", 10)
	fmt.Println(one, err)

	left, err := stock.Basket(ctx, map[string]int64{"nuts": 5, "bolts": 20})
	fmt.Println(left["nuts"], left["bolts"], err)

	_, err = stock.Basket(ctx, map[string]int64{"nuts": 5, "bolts": 0})
	fmt.Println(err, stock.pieces.Get(ctx, "nuts"))
	// Output:
	// 90 <nil>
	// 85 60 <nil>
	// nothing of bolts 85
}
