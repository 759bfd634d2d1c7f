package main

import (
	"context"
	"testing"
)

// BenchmarkJobs has the same jobs for the tools of go test, such as profiles:
//
//	go test -bench run-100-get/ours -cpuprofile cpu.out
func BenchmarkJobs(b *testing.B) {
	s, err := start(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	defer s.stop()
	for _, j := range jobs(s) {
		if j.before != nil {
			if err := j.before(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
		for _, r := range append([]rival{{name: "ours", run: j.ours}}, j.rivals...) {
			b.Run(j.name+"/"+r.name, func(b *testing.B) {
				ctx := b.Context()
				if !j.cancellable {
					ctx = context.WithoutCancel(ctx)
				}
				b.ReportAllocs()
				for b.Loop() {
					if err := r.run(ctx); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
