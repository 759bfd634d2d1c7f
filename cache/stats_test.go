package cache_test

import (
	"errors"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/cache"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Statistics add up: each call is a hit, a stale value or a miss, each load ends or fails.
func TestStatistics(t *testing.T) {
	everywhere(t, func(t *testing.T, _ redis.UniversalClient, db *pipectx.DB) {
		ctx := t.Context()
		r := region(t, cache.Options{})
		l := &loader{next: func(n int64, arg string) (string, error) {
			if arg == "bad" {
				return "", errOurs
			}
			return arg, nil
		}}
		f := cache.Func(r, "f", l.load).On(db)
		for range 11 { // 1 load and 10 hits
			want(t, "a", f.Get(ctx, "a"), "a")
		}
		if err := f.Get(ctx, "bad").Err(); !errors.Is(err, errOurs) {
			t.Error(err)
		}
		if err := f.Remove(ctx, "a").Err(); err != nil {
			t.Fatal(err)
		}
		want(t, "a", f.Get(ctx, "a"), "a")
		if err := r.On(db).Flush(ctx); err != nil {
			t.Fatal(err)
		}
		all, err := r.On(db).Statistics(ctx, time.Now()).Result()
		got := all["f"]
		got.LoadTime = 0
		if want := (cache.Statistics{Hits: 10, Misses: 3, Loads: 2, Errors: 1}); err != nil || got != want {
			t.Errorf("%+v, %v; want %+v", got, err, want)
		}
		if all["f"].LoadTime <= 0 {
			t.Error("loads take no time")
		}
		if all, err := r.On(db).Statistics(ctx, time.Now().AddDate(0, 0, -1)).Result(); err != nil || len(all) != 0 {
			t.Errorf("yesterday: %v, %v", all, err)
		}
	})
}

// What is counted arrives when the DB is closed, at the latest.
func TestStatisticsAtClose(t *testing.T) {
	client := redistest.Embedded(t).Client(t)
	db, err := pipectx.New(client)
	if err != nil {
		t.Fatal(err)
	}
	r := region(t, cache.Options{})
	f := cache.Func(r, "f", (&loader{}).load)
	want(t, "a", f.On(db).Get(t.Context(), "a"), "a 1")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	all, err := r.On(newDB(t, client)).Statistics(t.Context(), time.Now()).Result()
	if err != nil || all["f"].Misses != 1 {
		t.Errorf("%+v, %v", all, err)
	}
}

// A miss that waits for another process's load is a wait, as one that waits for a load
// of its own process is.
func TestStatisticsOfWaits(t *testing.T) {
	client := redistest.Server(t).Client(t)
	here, there := newDB(t, client), newDB(t, client)
	sent := redistest.Record(client)
	ctx := t.Context()
	r := region(t, cache.Options{})
	loading, go_ := make(chan struct{}), make(chan struct{})
	l := &loader{next: func(int64, string) (string, error) { close(loading); <-go_; return "v", nil }}
	f := cache.Func(r, "f", l.load)
	answers := make(chan error, 3)
	go func() { answers <- f.On(there).Get(ctx, "a").Err() }()
	<-loading
	before := sent.Commands()
	for range 2 {
		go func() { answers <- f.On(here).Get(ctx, "a").Err() }()
	}
	redistest.Until(t, 10*time.Second, "both wait", func() error {
		if sent.Commands() < before+6 { // 2 MGET, and the questions of one of them
			return errors.New("not yet")
		}
		return nil
	})
	close(go_)
	for range 3 {
		if err := <-answers; err != nil {
			t.Error(err)
		}
	}
	if err := r.On(here).Flush(ctx); err != nil {
		t.Fatal(err)
	}
	all, err := r.On(here).Statistics(ctx, time.Now()).Result()
	if want := (cache.Statistics{Misses: 2, Waits: 2}); err != nil || all["f"] != want {
		t.Errorf("%+v, %v; want %+v", all["f"], err, want)
	}
}

// What the server refuses to count is counted with the next flush; each once.
func TestStatisticsRefused(t *testing.T) {
	s, p := redistest.Server(t), redistest.NewProxy(t)
	db := newDB(t, s.Client(t, func(o *redis.Options) { o.Dialer = p.Dial }))
	ctx := t.Context()
	r := region(t, cache.Options{})
	f := cache.Func(r, "f", (&loader{}).load).On(db)
	for range 3 {
		want(t, "a", f.Get(ctx, "a"), "a 1")
	}
	p.On(func(r redistest.Request) redistest.Fate {
		if r.Name() == "HINCRBY" && r.Args[2] != "f.hits" {
			return redistest.Answer("-OOM command not allowed when used memory > 'maxmemory'.\r\n")
		}
		return redistest.Pass()
	})
	if err := r.On(db).Flush(ctx); err == nil {
		t.Error("the server is full, and nobody says so")
	}
	p.On(nil)
	if err := r.On(db).Flush(ctx); err != nil {
		t.Error(err)
	}
	all, err := r.On(db).Statistics(ctx, time.Now()).Result()
	got := all["f"]
	got.LoadTime = 0
	if want := (cache.Statistics{Hits: 2, Misses: 1, Loads: 1}); err != nil || got != want {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
}
