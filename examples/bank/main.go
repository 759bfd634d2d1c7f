// Bank keeps accounts whose money never is lost, made, or spent twice, whoever
// transfers at the same time and whatever becomes of the programs that do. It runs on an
// embedded server, or on the one that REDIS_URL names:
//
//	go run ./examples/bank
//
// The rules of the bank are Lua, in account.lua: functions that check and change one
// account, or two, in one atomic step on the server. In them an account is the Go struct
// of bank.go, field by field. What they change is held back until they return, so a
// transfer that is refused halfway has changed neither account; one that was sent has
// happened wholly, or not at all, also if the program that sent it is gone.
//
// Two rules hold for whoever writes an account, also from Go: hooks. before_save derives
// the peak and the tier, before_delete keeps accounts with money.
//
// The accounts of a branch share a slot, by a composite id, and their histories beside
// them: so all of this runs unchanged on a Cluster, each branch on some node.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/redmoon-go/redmoon/internal/demo"
	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/pipectx"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := start(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bank:", err)
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
	bank := NewBank(db)
	ada, bob := AccountID{"north", 1}, AccountID{"north", 2}
	for _, id := range []AccountID{ada, bob} { // of an earlier run
		err := pipectx.Run(ctx, db, func(ctx context.Context) error {
			bank.accounts.Hash(id).Del(ctx)
			bank.history.Del(ctx, id)
			return nil
		})
		if err != nil {
			return err
		}
	}
	err := errors.Join(bank.Open(ctx, ada, "Ada", 70, 100), bank.Open(ctx, bob, "Bob", 500, 10))
	if err != nil {
		return err
	}

	left, err := bank.Transfer(ctx, ada, bob, 60).Result()
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Ada sends Bob 60, and has %d left\n", left)

	// Refusals are typed errors, and have changed nothing.
	for _, try := range []struct {
		what     string
		from, to AccountID
		amount   int64
	}{
		{"more than is there", ada, bob, 41},
		{"more than a day may take", ada, bob, 40},
		{"to herself", ada, ada, 1},
		{"to nobody", ada, AccountID{"north", 3}, 1},
	} {
		var refused *lua.Error
		if err := bank.Transfer(ctx, try.from, try.to, try.amount).Err(); !errors.As(err, &refused) {
			return fmt.Errorf("a transfer of %s answered %v", try.what, err)
		}
		fmt.Fprintf(out, "  %s: %s\n", try.what, refused.Code)
	}

	// The hooks see what Go does, too.
	grown, err := bank.accounts.Edit(ctx, bob, func(a *Account) error { a.Limit = 1000; return nil }).Result()
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Bob's limit is %d by now, his peak %d, his tier %s\n", grown.Limit, grown.Peak, grown.Tier)
	var refused *lua.Error
	if err := bank.accounts.Delete(ctx, bob).Err(); !errors.As(err, &refused) {
		return fmt.Errorf("closing an account with money answered %v", err)
	}
	fmt.Fprintf(out, "his account stays: %s\n", refused.Message)

	total, err := bank.Audit(ctx, ada, bob)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "the bank holds %d, as it should\n", total)
	return nil
}
