package main

import (
	"context"
	"embed"
	"fmt"
	"time"

	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/model"
	"github.com/redmoon-go/redmoon/pipectx"
)

// AccountID places all accounts of a branch in one Cluster slot, so that two of them
// can meet in one script.
type AccountID struct {
	Branch string `redis:"branch,slot"`
	Number int64  `redis:"number"`
}

// Account is a record. The hook before_save in account.lua keeps its peak and tier.
type Account struct {
	ID      AccountID `redis:"id,key"`
	Owner   string    `redis:"owner" validate:"required,max=80"`
	Balance int64     `redis:"balance" validate:"gte=0"`
	Limit   int64     `redis:"limit" validate:"gte=0"` // of what may go in a day
	Day     time.Time `redis:"day,unix"`               // the last on which something went
	Spent   int64     `redis:"spent"`                  // what went then
	Entries int64     `redis:"entries"`                // of its history
	Peak    int64     `redis:"peak"`
	Tier    string    `redis:"tier,oneof=basic gold,default=basic"`
}

// TransferArgs are the arguments of transfer in account.lua, by name.
type TransferArgs struct {
	To     model.Key[Account, AccountID] `lua:"to"`
	Amount int64                         `lua:"amount"`
}

//go:embed account.lua
var sources embed.FS

// What is stored. A history is a sorted set: its members say what happened, their
// scores how much it was.
var (
	History  = keyspace.NewSortedSet[AccountID, string]("bank.history") // bank.history{north}:1
	Accounts = model.Define[Account, AccountID]("bank.account",         // bank.account{north}:1
		model.Lua(lua.Must(lua.LoadFS(sources, "account"))), model.With("history", History))
	Deposit  = model.Method[int64, int64](Accounts, "deposit")
	Transfer = model.Method[TransferArgs, int64](Accounts, "transfer")
)

// Bank is a service on them.
type Bank struct {
	db       *pipectx.DB
	accounts model.Repo[Account, AccountID]
	history  keyspace.BoundSortedSet[AccountID, string]
	deposit  model.BoundOperation[AccountID, int64, int64]
	transfer model.BoundOperation[AccountID, TransferArgs, int64]
}

// NewBank returns the service on a DB.
func NewBank(db *pipectx.DB) *Bank {
	return &Bank{db, Accounts.On(db), History.On(db), Deposit.On(db), Transfer.On(db)}
}

// Open makes an account and puts its first money in: two commands, one round trip.
func (b *Bank) Open(ctx context.Context, id AccountID, owner string, limit, money int64) error {
	return pipectx.Run(ctx, b.db, func(ctx context.Context) error {
		b.accounts.Create(ctx, Account{ID: id, Owner: owner, Limit: limit})
		b.deposit.Call(ctx, id, money)
		return nil
	})
}

// Transfer moves money, and answers what is left.
func (b *Bank) Transfer(ctx context.Context, from, to AccountID, amount int64) *pipectx.Ref[int64] {
	return b.transfer.Call(ctx, from, TransferArgs{Accounts.Key(to), amount})
}

// Audit adds up some accounts: it is an error if one has less than nothing, or another
// balance than its history. All of it is read in one moment, where that is possible: in
// one slot.
func (b *Bank) Audit(ctx context.Context, ids ...AccountID) (total int64, err error) {
	accounts := make([]*pipectx.Ref[Account], len(ids))
	histories := make([]*pipectx.Ref[[]keyspace.Z[string]], len(ids))
	err = pipectx.Atomic(ctx, b.db, func(ctx context.Context) error {
		for i, id := range ids {
			accounts[i] = b.accounts.Get(ctx, id)
			histories[i] = b.history.RangeWithScores(ctx, id, 0, -1)
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	for i, ref := range accounts {
		account, err := ref.Result()
		if err != nil {
			return 0, err
		}
		entries, err := histories[i].Result()
		if err != nil {
			return 0, err
		}
		sum := 0.0
		for _, entry := range entries {
			sum += entry.Score
		}
		if account.Balance < 0 || account.Balance != int64(sum) || account.Entries != int64(len(entries)) || account.Peak < account.Balance {
			return 0, fmt.Errorf("account %v has %d, and a history of %d entries with a sum of %.0f; it counts %d, and its peak is %d",
				ids[i], account.Balance, len(entries), sum, account.Entries, account.Peak)
		}
		total += account.Balance
	}
	return total, nil
}
