package main

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/internal/golden"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/pipectx"
)

func TestMain(m *testing.M) { redistest.Main(m, redistest.WithCluster) }

func everywhere(t *testing.T, test func(t *testing.T, db *pipectx.DB, trips *Trips)) {
	redistest.EachWithEmbedded(t, func(t *testing.T, s *redistest.Node) {
		client := s.Client(t)
		if err := client.FlushDB(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		db, trips := dbOn(t, client)
		test(t, db, trips)
	})
	t.Run("cluster", func(t *testing.T) {
		db, trips := dbOn(t, redistest.Cluster(t).Client(t))
		test(t, db, trips)
	})
}

func dbOn(t *testing.T, client redis.UniversalClient) (*pipectx.DB, *Trips) {
	trips := &Trips{}
	db, err := pipectx.New(client, pipectx.Observe(trips))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db, trips
}

// Ensure that the program prints the same on the embedded server, on one server, and on
// a Cluster, also when it runs again.
func TestRun(t *testing.T) {
	everywhere(t, func(t *testing.T, db *pipectx.DB, trips *Trips) {
		for range 2 {
			var out bytes.Buffer
			if err := run(t.Context(), db, trips, &out); err != nil {
				t.Fatalf("%v\n%s", err, out.String())
			}
			golden.Equal(t, "output.txt", out.String())
		}
	})
}

// Ensure that a page of fifty posts takes three round trips at most, and its parts alone
// what their comments say.
func TestRoundTrips(t *testing.T) {
	everywhere(t, func(t *testing.T, db *pipectx.DB, trips *Trips) {
		ctx, feed := t.Context(), NewFeed(db)
		if err := errors.Join(feed.forget(ctx), feed.populate(ctx)); err != nil {
			t.Fatal(err)
		}
		for post := range int64(people * each) {
			if err := feed.fanOut(ctx, Posted{post + 1, post%people + 1, began}); err != nil {
				t.Fatal(err)
			}
		}
		for name, c := range map[string]struct {
			most int64
			call func() error
		}{
			"Follow":  {1, func() error { return feed.Follow(ctx, 1, 2) }},
			"Say":     {1, func() error { return feed.Say(ctx, Post{ID: 1, Author: 1, Text: "again", At: began}) }},
			"Like":    {1, func() error { return feed.Like(ctx, 1, 2).Err() }},
			"Profile": {1, func() error { _, err := feed.Profile(ctx, 1); return err }},
			"Item":    {2, func() error { _, err := feed.Item(ctx, 1, 2); return err }},
			"Page": {3, func() error {
				page, err := feed.Page(ctx, 1, shown)
				if len(page.Items) != shown {
					t.Errorf("%d items", len(page.Items))
				}
				return err
			}},
		} {
			trips.Take()
			if err := c.call(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if n := trips.Take(); n > c.most {
				t.Errorf("%s took %d round trips, want %d", name, n, c.most)
			}
		}
	})
}

// Ensure that a post that was delivered twice is on a timeline once, that the oldest go,
// and that a page goes on without a post that is gone.
func TestTimeline(t *testing.T) {
	everywhere(t, func(t *testing.T, db *pipectx.DB, _ *Trips) {
		ctx, feed := t.Context(), NewFeed(db)
		if err := errors.Join(feed.forget(ctx), feed.populate(ctx)); err != nil {
			t.Fatal(err)
		}
		for i := range int64(2 * keep) {
			for range 2 {
				if err := feed.push.Call(ctx, 1, PushArgs{i + 1, i, keep}).Err(); err != nil {
					t.Fatal(err)
				}
			}
		}
		var want []int64
		for i := range int64(keep) {
			want = append(want, 2*keep-i)
		}
		if got, err := feed.timelines.RevRange(ctx, 1, 0, -1).Result(); err != nil || !slices.Equal(got, want) {
			t.Errorf("the timeline is %v, %v", got, err)
		}
		page, err := feed.Page(context.WithoutCancel(ctx), 1, 1) // its newest post was never written
		if err != nil || len(page.Items) != 1 || !errors.Is(page.Items[0].Author.Err(), pipectx.ErrNotFound) {
			t.Errorf("a post that is gone: %+v, %v", page.Items, err)
		}
	})
}
