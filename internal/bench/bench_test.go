package main

import (
	"context"
	"testing"

	"github.com/redmoon-go/redmoon/pipectx"
)

// BenchmarkPairs has the same pairs for the tools of go test, such as profiles:
//
//	go test -bench run-100-get/ours -cpuprofile cpu.out
func BenchmarkPairs(b *testing.B) {
	client, stop, err := server(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	defer stop()
	db, err := pipectx.New(client)
	if err != nil {
		b.Fatal(err)
	}
	for _, p := range pairs(db, client) {
		b.Run(p.name+"/ours", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := p.ours(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(p.name+"/goredis", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := p.goredis(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
