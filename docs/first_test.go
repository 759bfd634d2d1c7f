package docs_test

import (
	"context"
	"fmt"

	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/model"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Guest is the record of the README's first program.
type Guest struct {
	ID     int64  `redis:"id,key"`
	Name   string `redis:"name" validate:"required"`
	Visits int64  `redis:"visits"`
}

var (
	Guests = model.Define[Guest, int64]("guest") // guest{7}: a hash
	Visits = model.FieldOf(Guests, func(g *Guest) *int64 { return &g.Visits })
	Online = keyspace.NewSet[string, int64]("online") // online{lobby}: ids
)

func Welcome(ctx context.Context, url string) error {
	db, err := pipectx.Open(url) // redis://localhost:6379
	if err != nil {
		return err
	}
	defer db.Close()
	guests, online := Guests.On(db), Online.On(db)

	if err := guests.Save(ctx, Guest{ID: 7, Name: "Ada"}).Err(); err != nil { // HSET
		return err
	}
	var ada *pipectx.Ref[Guest]
	var there *pipectx.Ref[int64]
	err = pipectx.Run(ctx, db, func(ctx context.Context) error { // four commands, one round trip
		guests.Update(ctx, 7, model.Incr(Visits, 1))
		online.Add(ctx, "lobby", 7)
		ada = guests.Get(ctx, 7)
		there = online.Card(ctx, "lobby")
		return nil
	})
	if err != nil {
		return err
	}
	guest, _ := ada.Result() // Run has told of what failed
	n, _ := there.Result()
	fmt.Printf("%s, visit %d; online: %d\n", guest.Name, guest.Visits, n)
	return nil
}

func ExampleWelcome() {
	client, end := redistest.Example()
	defer end()
	if err := Welcome(context.Background(), "redis://"+client.Options().Addr); err != nil {
		fmt.Println(err)
	}
	// Output:
	// Ada, visit 1; online: 1
}
