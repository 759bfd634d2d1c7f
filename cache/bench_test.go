package cache_test

import (
	"testing"

	"github.com/redmoon-go/redmoon/cache"
	"github.com/redmoon-go/redmoon/internal/redistest"
)

func BenchmarkNear(b *testing.B) {
	client := redistest.Server(b).Client(b)
	db := newDB(b, client)
	sent := redistest.Record(client)
	f := cache.Func(region(b, cache.Options{Near: cache.Near{Entries: 10}}), "f", (&loader{}).load).On(db)
	for before := -1; sent.Commands() != before; {
		before = sent.Commands()
		if err := f.Get(b.Context(), "a").Err(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.Get(b.Context(), "a").Result(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkHit(b *testing.B) {
	db := newDB(b, redistest.Server(b).Client(b))
	f := cache.Func(region(b, cache.Options{}), "f", (&loader{}).load).On(db)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.Get(b.Context(), "a").Result(); err != nil {
			b.Fatal(err)
		}
	}
}
