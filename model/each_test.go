package model_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/model"
	"github.com/redmoon-go/redmoon/pipectx"
)

// redistestEmbedded is a client of an embedded server of the test's own.
func redistestEmbedded(t testing.TB) redis.UniversalClient {
	t.Helper()
	return redistest.Embedded(t).Client(t)
}

// Each yields records in the order of ids, without those that are missing, and
// goes on behind what cannot be loaded.
func TestEach(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		pages := pages.On(p.db)
		var ids, wanted []string
		ok(t, "Run", pipectx.Run(t.Context(), p.db, func(ctx context.Context) error {
			for i := range 600 {
				id := fmt.Sprint("p", i)
				ids = append(ids, id)
				if i%7 != 0 {
					pages.Save(ctx, Page{ID: id, Views: int64(i)})
					wanted = append(wanted, fmt.Sprint(id, " ", i))
				}
			}
			return nil
		}))
		p.store(t, "page{p8}", "views", "many")
		ids, wanted = slices.Insert(ids, 300, ""), append(slices.Delete(wanted, 6, 7), "p1 1")
		ids = append(ids, "p1")
		var got []string
		var errs []error
		for r, err := range pages.Each(t.Context(), slices.Values(ids)) {
			if err != nil {
				errs = append(errs, err)
				continue
			}
			got = append(got, fmt.Sprint(r.ID, " ", r.Views))
		}
		if !slices.Equal(got, wanted) {
			t.Errorf("%d records, want %d:\n%v\n%v", len(got), len(wanted), got, wanted)
		}
		if len(errs) != 2 || !errors.Is(errs[1], keyspace.ErrEmptyID) {
			t.Fatalf("errors %v", errs)
		}
		if d := as[*field.DecodeError](t, "p8", errs[0]); d != nil && d.Key != "page{p8}" {
			t.Errorf("%+v", *d)
		}
	})
}

// Each takes of ids what it needs, and stops when its caller does.
func TestEachStops(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		pages := pages.On(p.db)
		value(t, "Save", pages.Save(t.Context(), Page{ID: "a"}))
		taken := 0
		endless := func(yield func(string) bool) {
			for yield("a") {
				taken++
			}
		}
		n := 0
		for range pages.Each(t.Context(), endless) {
			if n++; n == 300 {
				break
			}
		}
		if taken > 600 {
			t.Errorf("%d ids taken for 300 records", taken)
		}
		for range pages.Each(t.Context(), func(func(string) bool) {}) {
			t.Error("a record of no ids")
		}

		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		n = 0
		var errs []error
		for _, err := range pages.Each(ctx, endless) {
			if err != nil {
				errs = append(errs, err)
			}
			if n++; n == 10 {
				cancel()
			}
		}
		if len(errs) != 1 || !errors.Is(errs[0], context.Canceled) || n > 600 {
			t.Errorf("%d after cancel: %v", n, errs)
		}
	})
}

// Scan sees each record, of all masters, in every placement, and none of others.
func TestScan(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		for _, place := range []keyspace.Option{keyspace.Placement{}, keyspace.OneSlot("t"), keyspace.Buckets("t", 8), keyspace.Template("scan:%s:x")} {
			scanned := model.Define[Page, string]("scanned", place)
			on := scanned.On(p.db)
			const n = 700
			ok(t, "Run", pipectx.Run(t.Context(), p.db, func(ctx context.Context) error {
				for i := range n {
					on.Save(ctx, Page{ID: fmt.Sprint("{", i), Views: int64(i)})
					pages.On(p.db).Save(ctx, Page{ID: fmt.Sprint(i)})
				}
				return nil
			}))
			key, err := scanned.KeyOf("a string")
			ok(t, "KeyOf", err)
			ok(t, "SET", p.client.Set(t.Context(), key, "s", 0).Err())

			seen, ids := map[string]bool{}, map[string]bool{}
			for r, err := range on.Scan(t.Context()) {
				ok(t, "Scan", err)
				if r.ID != fmt.Sprint("{", r.Views) {
					t.Errorf("%+v", r)
				}
				seen[r.ID] = true
			}
			for id, err := range on.ScanIDs(t.Context()) {
				ok(t, "ScanIDs", err)
				ids[id] = true
			}
			if len(seen) != n || len(ids) != n {
				t.Errorf("%v: %d records and %d ids, want %d", place, len(seen), len(ids), n)
			}
			if c := value(t, "Count", on.Count(t.Context())); c < n || c > n+n/10 {
				t.Errorf("%v: Count answers %d, want %d", place, c, n)
			}
		}
	})
}

// A key that no id makes and a text that no field holds are errors that name
// them, and the scan goes on.
func TestScanForeign(t *testing.T) {
	cities := model.Define[City, CityID]("city")
	each(t, func(t *testing.T, p place) {
		on := cities.On(p.db)
		value(t, "Save", on.Save(t.Context(), City{ID: CityID{"FR", 1}, Pop: 5}))
		p.store(t, "city{FR}:x", "pop", 1)
		p.store(t, "city{FR}:1:index", "pop", 1)
		p.store(t, "city{FR}:2", "pop", "many")
		var errs []string
		var got []City
		for r, err := range on.Scan(t.Context()) {
			if err != nil {
				errs = append(errs, err.Error())
				continue
			}
			got = append(got, r)
		}
		slices.Sort(errs)
		if len(got) != 1 || got[0].Pop != 5 || len(errs) != 3 {
			t.Fatalf("%v, %q", got, errs)
		}
		for _, key := range []string{`"city{FR}:x"`, `"city{FR}:1:index"`, "city{FR}:2 pop"} {
			if !strings.Contains(strings.Join(errs, "\n"), key) {
				t.Errorf("no error names %s: %q", key, errs)
			}
		}
		want(t, "Count", on.Count(t.Context()), 2)
	})
}

// What iterates is refused inside a Run: it would wait for ever.
func TestIteratorsInRun(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		pages := pages.On(p.db)
		value(t, "Save", pages.Save(t.Context(), Page{ID: "a"}))
		err := pipectx.Run(t.Context(), p.db, func(ctx context.Context) error {
			onlyError(t, "model: Each inside a Run", pages.Each(ctx, slices.Values([]string{"a", "b"})))
			onlyError(t, "model: Scan inside a Run", pages.Scan(ctx))
			onlyError(t, "model: ScanIDs inside a Run", pages.ScanIDs(ctx))
			n := 0
			for _, err := range pages.Each(pipectx.Detach(ctx), slices.Values([]string{"a", "b"})) {
				ok(t, "Each, detached", err)
				n++
			}
			if n != 1 {
				t.Errorf("%d records, detached", n)
			}
			return nil
		})
		ok(t, "Run", err)
		says(t, "Count", pipectx.Run(t.Context(), p.db, func(ctx context.Context) error {
			pages.Count(ctx)
			return nil
		}), "model: Count inside a Run")
		elsewhere := model.Define[Page, string]("page", keyspace.Connection("elsewhere")).On(p.db)
		onlyError(t, "elsewhere", elsewhere.Each(t.Context(), slices.Values([]string{"a", "b"})))
		onlyError(t, "elsewhere", elsewhere.Scan(t.Context()))
	})
}

// onlyError fails the test unless a sequence is one error.
func onlyError[V any](t *testing.T, say string, seq iter.Seq2[V, error]) {
	t.Helper()
	n := 0
	for _, err := range seq {
		n++
		says(t, say, err, say)
	}
	if n != 1 {
		t.Errorf("%s: %d values, want one error", say, n)
	}
}

// However many records there are, an iterator has a few of them in memory.
func TestIteratorsAreBounded(t *testing.T) {
	p := at(t, redistest.Shared(t).Client(t))
	pages := pages.On(p.db)
	const n = 200_000
	ok(t, "Stream", pipectx.Stream(t.Context(), p.db, func(ctx context.Context) error {
		for i := range n {
			pages.Save(ctx, Page{ID: fmt.Sprint(i), Title: "a small record"})
		}
		return nil
	}))
	ids := func(yield func(string) bool) {
		for i := range n {
			if !yield(fmt.Sprint(i)) {
				return
			}
		}
	}
	for _, c := range []struct {
		what string
		seq  iter.Seq2[Page, error]
	}{{"Each", pages.Each(t.Context(), ids)}, {"Scan", pages.Scan(t.Context())}} {
		var mem runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&mem)
		begin, most, seen := mem.HeapAlloc, uint64(0), 0
		for _, err := range c.seq {
			ok(t, c.what, err)
			if seen++; seen%1000 == 0 {
				runtime.ReadMemStats(&mem)
				most = max(most, mem.HeapAlloc)
			}
		}
		grown := (int64(most) - int64(begin)) >> 10
		t.Logf("%s: %d records, the heap grew by %d KiB", c.what, seen, grown)
		if seen < n || grown > 32<<10 {
			t.Errorf("%s: %d records, and the heap grew by %d KiB; want %d and below 32 MiB", c.what, seen, grown, n)
		}
	}
}
