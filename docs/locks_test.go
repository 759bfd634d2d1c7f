package docs_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redmoon-go/redmoon/lock"
	"github.com/redmoon-go/redmoon/model"
)

var Audits = lock.New("audit", lock.Options{TTL: 20 * time.Second})

func ExampleAudits() {
	db, end := exampleDB()
	defer end()
	ctx := context.Background()
	accounts := Accounts.On(db)
	ada := AccountID{"north", 1}
	accounts.Create(ctx, Account{ID: ada, Owner: "Ada"})

	first, _ := Audits.On(db).Acquire(ctx, "north")
	token, _ := first.Fence()
	_ = first.Release(ctx)

	err := Audits.On(db).Do(ctx, "north", func(ctx context.Context, lease *lock.Lease) error {
		return accounts.Fenced(lease).Update(ctx, ada, Balance.Set(100)).Err()
	})
	fmt.Println(err)

	// The first holder was stopped behind its last look at the clock.
	err = accounts.Fenced(stopped(token)).Update(ctx, ada, Balance.Set(0)).Err()
	var fenced *model.FencedError
	fmt.Println(errors.As(err, &fenced), fenced.Token < fenced.Stored)
	account, err := accounts.Get(ctx, ada).Result()
	fmt.Println(account.Balance, err)
	// Output:
	// <nil>
	// true true
	// 100 <nil>
}

// stopped is a lease whose holder does not know that it is over.
type stopped int64

func (s stopped) Fence() (int64, error) { return int64(s), nil }
