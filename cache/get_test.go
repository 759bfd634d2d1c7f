package cache_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/cache"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/pipectx"
)

// A value is loaded once and then stored, for every argument by itself.
func TestGet(t *testing.T) {
	everywhere(t, func(t *testing.T, _ redis.UniversalClient, db *pipectx.DB) {
		l := &loader{}
		f := cache.Func(region(t, cache.Options{}), "f", l.load).On(db)
		ctx := t.Context()
		wantErr(t, "before", f.Peek(ctx, "a"), pipectx.ErrNotFound)
		want(t, "the first", f.Get(ctx, "a"), "a 1")
		want(t, "again", f.Get(ctx, "a"), "a 1")
		want(t, "peek", f.Peek(ctx, "a"), "a 1")
		want(t, "another", f.Get(ctx, "b"), "b 2")
		want(t, "anew", f.Refresh(ctx, "a"), "a 3")
		want(t, "the new one", f.Get(ctx, "a"), "a 3")
		wantLoads(t, l, 3)
	})
}

// An invalidated value is served once more, while one caller loads; a removed one
// is not: one value, a function's, a region's.
func TestInvalidate(t *testing.T) {
	everywhere(t, func(t *testing.T, _ redis.UniversalClient, db *pipectx.DB) {
		for _, buckets := range []int{1, 5} {
			r := region(t, cache.Options{Buckets: buckets})
			l, other := &loader{}, &loader{}
			f, g := cache.Func(r, "f", l.load).On(db), cache.Func(r, "g", other.load).On(db)
			ctx := t.Context()
			loads, others := int64(0), int64(0)
			fill := func() {
				for _, arg := range []string{"a", "b"} {
					if err := f.Get(ctx, arg).Err(); err != nil {
						t.Fatal(err)
					}
				}
				if err := g.Get(ctx, "a").Err(); err != nil {
					t.Fatal(err)
				}
				loads, others = l.loads.Load(), other.loads.Load()
			}
			for name, c := range map[string]struct {
				do          func() error
				remove      bool
				a, b, other bool // which are outdated
			}{
				"one":               {func() error { return f.Invalidate(ctx, "a").Err() }, false, true, false, false},
				"one, removed":      {func() error { return f.Remove(ctx, "a").Err() }, true, true, false, false},
				"function":          {func() error { return f.InvalidateAll(ctx).Err() }, false, true, true, false},
				"function, removed": {func() error { return f.RemoveAll(ctx).Err() }, true, true, true, false},
				"region":            {func() error { return r.On(db).Invalidate(ctx).Err() }, false, true, true, true},
				"region, removed":   {func() error { return r.On(db).Remove(ctx).Err() }, true, true, true, true},
			} {
				fill()
				olds := map[string]string{}
				for _, arg := range []string{"a", "b"} {
					olds[arg], _ = f.Peek(ctx, arg).Result()
				}
				if err := c.do(); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				for arg, outdated := range map[string]bool{"a": c.a, "b": c.b} {
					switch {
					case outdated && c.remove:
						wantErr(t, name+": peek "+arg, f.Peek(ctx, arg), pipectx.ErrNotFound)
					default:
						want(t, name+": peek "+arg, f.Peek(ctx, arg), olds[arg])
					}
					got, err := f.Get(ctx, arg).Result()
					if err != nil || (got == olds[arg]) != (!outdated || !c.remove) {
						t.Errorf("%s: Get %s: %q, %v; was %q", name, arg, got, err, olds[arg])
					}
				}
				if err := g.Get(ctx, "a").Err(); err != nil {
					t.Fatal(err)
				}
				wantLoaded := func(l *loader, n int64) {
					redistest.Until(t, 5*time.Second, name+": the load", func() error {
						if l.loads.Load() != n {
							return errors.New("not yet")
						}
						return nil
					})
				}
				n := int64(0)
				for _, outdated := range []bool{c.a, c.b} {
					if outdated {
						n++
					}
				}
				wantLoaded(l, loads+n)
				n = 0
				if c.other {
					n++
				}
				wantLoaded(other, others+n)
				settle(t, f, olds, map[string]bool{"a": c.a, "b": c.b})
			}
		}
	})
}

// settle waits until what was loaded in the background is stored.
func settle(t *testing.T, f cache.Bound[string, string], olds map[string]string, outdated map[string]bool) {
	t.Helper()
	for arg, was := range outdated {
		redistest.Until(t, 5*time.Second, "the new value of "+arg, func() error {
			got, err := f.Peek(t.Context(), arg).Result()
			if err == nil && was == (got == olds[arg]) {
				err = errors.New("still the old one")
			}
			return err
		})
	}
}

// What a loader answers besides values: that there is none, and errors.
func TestLoaderFails(t *testing.T) {
	everywhere(t, func(t *testing.T, _ redis.UniversalClient, db *pipectx.DB) {
		ctx := t.Context()
		answers := func(err error) *loader {
			return &loader{next: func(int64, string) (string, error) { return "", err }}
		}
		for name, c := range map[string]struct {
			options cache.Options
			answer  error
			loads   int64 // of two calls
		}{
			"an error":       {cache.Options{}, errOurs, 2},
			"a kept error":   {cache.Options{Errors: time.Minute}, errOurs, 1},
			"nothing":        {cache.Options{}, pipectx.NotFound("it"), 2},
			"a kept nothing": {cache.Options{Missing: time.Minute}, pipectx.NotFound("it"), 1},
		} {
			l := answers(c.answer)
			f := cache.Func(region(t, c.options), "f", l.load).On(db)
			first, second := f.Get(ctx, "a").Err(), f.Get(ctx, "a").Err()
			wantLoads(t, l, c.loads)
			if errors.Is(c.answer, pipectx.ErrNotFound) {
				if !errors.Is(first, pipectx.ErrNotFound) || !errors.Is(second, pipectx.ErrNotFound) {
					t.Errorf("%s: %v, then %v", name, first, second)
				}
				continue
			}
			var loadError *cache.LoadError
			if !errors.Is(first, errOurs) || !errors.As(second, &loadError) || loadError.Elsewhere != (c.loads == 1) || loadError.Err.Error() != "ours" {
				t.Errorf("%s: %v, then %v", name, first, second)
			}
		}
		for name, next := range map[string]func(int64, string) (string, error){
			"panic": func(int64, string) (string, error) { panic("ours") },
			"slow":  func(int64, string) (string, error) { <-t.Context().Done(); return "", nil },
		} {
			l := &loader{next: next}
			f := cache.Func(region(t, cache.Options{Lease: 50 * time.Millisecond}), "f", l.load).On(db)
			err := f.Get(ctx, "a").Err()
			var panicked *cache.PanicError
			if errors.As(err, &panicked) != (name == "panic") || errors.Is(err, context.DeadlineExceeded) != (name == "slow") {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// In a Run everything is read in one round trip, loads run side by side, and loaders see
// no open Run.
func TestInRun(t *testing.T) {
	everywhere(t, func(t *testing.T, _ redis.UniversalClient, db *pipectx.DB) {
		ctx := t.Context()
		both := make(chan struct{}, 2)
		f := cache.Func(region(t, cache.Options{}), "f", func(ctx context.Context, arg string) (string, error) {
			if err := pipectx.Outside(ctx, db, "the loader"); err != nil {
				return "", err
			}
			if arg == "stored" {
				return arg, nil
			}
			both <- struct{}{}
			for len(both) < 2 { // the other one is to be under way too
				select {
				case <-ctx.Done():
					return "", ctx.Err()
				case <-time.After(time.Millisecond):
				}
			}
			return "loaded " + arg, nil
		}).On(db)
		want(t, "before", f.Get(ctx, "stored"), "stored")
		var a, b, stored *pipectx.Ref[string]
		err := pipectx.Run(ctx, db, func(ctx context.Context) error {
			a, b, stored = f.Get(ctx, "a"), f.Get(ctx, "b"), f.Get(ctx, "stored")
			if a.Ready() || stored.Ready() {
				t.Error("a Ref is ready before the flush")
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		want(t, "a", a, "loaded a")
		want(t, "b", b, "loaded b")
		want(t, "stored", stored, "stored")
	})
}

// Streams, Atomics and Gathers have Runs too.
func TestInOthers(t *testing.T) {
	everywhere(t, func(t *testing.T, _ redis.UniversalClient, db *pipectx.DB) {
		ctx := t.Context()
		l := &loader{next: func(_ int64, arg string) (string, error) { return arg, nil }}
		f := cache.Func(region(t, cache.Options{}), "f", l.load).On(db)
		seen := 0
		err := pipectx.Stream(ctx, db, func(ctx context.Context) error {
			for i := range 2500 {
				arg := fmt.Sprint(i % 100)
				err := pipectx.Then(ctx, f.Get(ctx, arg), func(got string, err error) error {
					if seen++; err != nil || got != arg {
						t.Errorf("%q: %q, %v", arg, got, err)
					}
					return nil
				})
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil || seen != 2500 || l.loads.Load() != 100 {
			t.Errorf("Stream: %v, %d seen, %d loads", err, seen, l.loads.Load())
		}
		var stored, loaded *pipectx.Ref[string]
		err = pipectx.Atomic(ctx, db, func(ctx context.Context) error {
			stored, loaded = f.Get(ctx, "7"), f.Get(ctx, "new")
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		want(t, "stored, in Atomic", stored, "7")
		want(t, "loaded, in Atomic", loaded, "new")
		err = pipectx.Gather(ctx, db, func(g *pipectx.Group) error {
			for range 10 {
				g.Go(func(ctx context.Context) error {
					_, err := f.Get(pipectx.Detach(ctx), "7").Result()
					return err
				})
			}
			return nil
		})
		if err != nil {
			t.Errorf("Gather: %v", err)
		}
	})
}

// Off, a function is called as it is, and no command is sent.
func TestOff(t *testing.T) {
	client := redistest.Embedded(t).Client(t)
	db := newDB(t, client)
	sent := redistest.Record(client)
	l := &loader{}
	def := cache.Func(region(t, cache.Options{}), "f", l.load)
	f := def.On(db)
	ctx := t.Context()
	want(t, "for a call", f.Get(cache.Without(ctx), "a"), "a 1")
	def.Disable()
	want(t, "the function", f.Get(ctx, "a"), "a 2")
	def.Enable()
	cache.Disable()
	want(t, "all", f.Get(ctx, "a"), "a 3")
	cache.Enable()
	if n := sent.Commands(); n != 0 {
		t.Errorf("%d commands", n)
	}
	want(t, "on again", f.Get(ctx, "a"), "a 4")
	want(t, "stored", f.Get(ctx, "a"), "a 4")
}
