package docs_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/model"
	"github.com/redmoon-go/redmoon/pipectx"
)

// AccountID puts all accounts of a bank into one slot of a Cluster.
type AccountID struct {
	Bank   string `redis:"bank,slot"`
	Number int64  `redis:"number"`
}

type Account struct {
	ID      AccountID `redis:"id,key"`
	Owner   string    `redis:"owner" validate:"required,max=80"`
	Email   *string   `redis:"email" validate:"omitempty,email"` // a pointer: may be absent
	Balance int64     `redis:"balance" validate:"gte=0"`
	State   string    `redis:"state,oneof=open closed,default=open"`
	Opened  time.Time `redis:"opened,unixms"`
	Address Address   `redis:"address,inline"` // address.street, address.city
	Labels  []string  `redis:"labels"`         // JSON
	Version int64     `redis:"version,version"`
}

type Address struct {
	Street string `redis:"street,omitempty"`
	City   string `redis:"city,omitempty,was=town"` // read by its old name too
}

// BeforeSave is called by Create, Save and Edit.
func (a *Account) BeforeSave(context.Context) error {
	a.Owner = strings.TrimSpace(a.Owner)
	return nil
}

var (
	Accounts = model.Define[Account, AccountID]("account", model.Lua(lua.Must(lua.LoadFS(scripts, "account"))))
	Owner    = model.FieldOf(Accounts, func(a *Account) *string { return &a.Owner })
	Email    = model.FieldOf(Accounts, func(a *Account) **string { return &a.Email })
	Balance  = model.FieldOf(Accounts, func(a *Account) *int64 { return &a.Balance })
	City     = model.FieldOf(Accounts, func(a *Account) *string { return &a.Address.City })
	Pay      = model.Method[Payment, int64](Accounts, "pay")
)

// Payment is the arguments of account.lua's pay.
type Payment struct {
	To    model.Key[Account, AccountID] `lua:"to"`
	Cents int64                         `lua:"cents"`
}

func ExampleAccount() {
	db, end := exampleDB()
	defer end()
	ctx := context.Background()
	accounts := Accounts.On(db)
	ada, bob := AccountID{"north", 1}, AccountID{"north", 2}

	made, err := accounts.Create(ctx, Account{ID: ada, Owner: " Ada ", Balance: 900}).Result()
	fmt.Printf("%q %s v%d %v\n", made.Owner, made.State, made.Version, err)
	fmt.Println(errors.Is(accounts.Create(ctx, made).Err(), model.ErrExists))

	changed, err := accounts.Update(ctx, ada, City.Set("Paris"), Email.Set(new("ada@example.org")), model.Incr(Balance, 100)).Result()
	fmt.Println(changed, "fields changed", err)

	accounts.Create(ctx, Account{ID: bob, Owner: "Bob"})
	left, err := Pay.On(db).Call(ctx, ada, Payment{Accounts.Key(bob), 300}).Result()
	fmt.Println(left, err)

	both, err := accounts.GetMany(ctx, ada, bob, AccountID{"north", 3}).Result()
	fmt.Println(both[0].Balance, both[1].Balance, both[2], err)

	key, _ := Accounts.KeyOf(ada)
	fmt.Println(key)
	// Output:
	// "Ada" open v1 <nil>
	// true
	// 3 fields changed <nil>
	// 700 <nil>
	// 700 300 <nil> <nil>
	// account{north}:1
}

// One field of many records, a few in memory at a time.
func ExampleAccount_scan() {
	db, end := exampleDB()
	defer end()
	ctx := context.Background()
	accounts := Accounts.On(db)
	err := pipectx.Run(ctx, db, func(ctx context.Context) error {
		for n := range int64(1000) {
			accounts.Save(ctx, Account{ID: AccountID{"north", n + 1}, Owner: "Ada", State: "open", Balance: n})
		}
		return nil
	})
	fmt.Println(err)

	var sum int64
	for account, err := range accounts.Scan(ctx) {
		if err != nil {
			fmt.Println(err) // this record's: the others follow
			continue
		}
		sum += account.Balance
	}
	fmt.Println(sum)
	// Output:
	// <nil>
	// 499500
}

// Session ends by itself, an hour after the last write.
type Session struct {
	ID   string            `redis:"id,key"`
	User int64             `redis:"user"`
	Rest map[string]string `redis:",extra"` // what is not declared
}

var (
	Sessions = model.Define[Session, string]("session", keyspace.TTL(time.Hour))
	User     = model.FieldOf(Sessions, func(s *Session) *int64 { return &s.User })
)

func ExampleSession() {
	db, end := exampleDB()
	defer end()
	ctx := context.Background()
	sessions := Sessions.On(db)

	sessions.Save(ctx, Session{"x7", 42, map[string]string{"theme": "dark"}})
	created, err := sessions.Upsert(ctx, "x7", User.Set(43)).Result()
	fmt.Println(created, err)
	fmt.Println(sessions.Get(ctx, "x7"))
	left, err := sessions.TTL(ctx, "x7").Result()
	fmt.Println(left.Or(0) > 59*time.Minute, err)
	// Output:
	// false <nil>
	// {x7 43 map[theme:dark]}
	// true <nil>
}
