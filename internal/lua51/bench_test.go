package lua51_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/redmoon-go/redmoon/internal/lua51"
)

// BenchmarkParse reads all scripts of testdata; SetBytes gives MB/s.
func BenchmarkParse(b *testing.B) {
	bench(b, func(src string) {
		if _, err := lua51.Parse("bench", src); err != nil {
			b.Fatal(err)
		}
	})
}

// BenchmarkTokens is the share of it that the lexer has.
func BenchmarkTokens(b *testing.B) {
	bench(b, func(src string) {
		if _, _, err := lua51.Tokens("bench", src); err != nil {
			b.Fatal(err)
		}
	})
}

func bench(b *testing.B, read func(src string)) {
	scripts := slices.Collect(maps.Values(corpus(b)))
	size := 0
	for _, src := range scripts {
		size += len(src)
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		for _, src := range scripts {
			read(src)
		}
	}
}
