package main

import (
	"bytes"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/internal/golden"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/pipectx"
)

func TestMain(m *testing.M) { redistest.Main(m, redistest.WithCluster) }

// Ensure that the program prints the same on the embedded server, on one server, and
// on a Cluster.
func TestRun(t *testing.T) {
	redistest.EachWithEmbedded(t, func(t *testing.T, s *redistest.Node) { check(t, s.Client(t)) })
	t.Run("cluster", func(t *testing.T) { check(t, redistest.Cluster(t).Client(t)) })
}

func check(t *testing.T, client redis.UniversalClient) {
	t.Helper()
	db, err := pipectx.New(client)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := run(t.Context(), db, &out); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	golden.Equal(t, "output.txt", out.String())
}

// Ensure that no more is held than there is, while many reserve, commit, release and
// take from the stock at the same time.
func TestNothingIsSoldTwice(t *testing.T) {
	redistest.EachWithEmbedded(t, func(t *testing.T, s *redistest.Node) {
		db, err := pipectx.New(s.Client(t))
		if err != nil {
			t.Fatal(err)
		}
		ctx, items := t.Context(), Items.On(db)
		if err := items.Save(ctx, Item{ID: "ink", Name: "Ink", Stock: 40}).Err(); err != nil {
			t.Fatal(err)
		}
		var sold atomic.Int64
		var all sync.WaitGroup
		for n := range 8 {
			all.Go(func() {
				for i := range 10 {
					order := fmt.Sprintf("%d/%d", n, i)
					if Reserve.On(db).Call(ctx, "ink", ReserveArgs{order, 1, 3_600_000}).Err() != nil {
						continue // all are held, or sold
					}
					if i%3 == 0 {
						if err := Release.On(db).Call(ctx, "ink", order).Err(); err != nil {
							t.Error(err)
						}
					} else if err := Commit.On(db).Call(ctx, "ink", order).Err(); err != nil {
						t.Error(err)
					} else {
						sold.Add(1)
					}
				}
			})
		}
		all.Wait()
		ink, err := items.Get(ctx, "ink").Result()
		if err != nil || ink.Stock != 40-sold.Load() || ink.Free != ink.Stock || len(ink.Holds) != 0 || sold.Load() == 0 {
			t.Errorf("%d were sold, and stored is %+v, %v", sold.Load(), ink, err)
		}
	})
}
