package model_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redmoon-go/redmoon/model"
)

// Those who lost to each other try again at times of their own, within a bound that
// doubles with each try up to 64 ms. The pause counts from when they lost, and ends
// with the context.
func TestEditRestsAtRandom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, test := range []struct {
			try  int
			most time.Duration
		}{{1, 2 * time.Millisecond}, {4, 16 * time.Millisecond}, {6, 64 * time.Millisecond}, {31, 64 * time.Millisecond}} {
			pauses := map[time.Duration]bool{}
			var sum time.Duration
			const n = 200
			for range n {
				start := time.Now()
				if err := model.Rest(t.Context(), start, test.try); err != nil {
					t.Fatal(err)
				}
				pause := time.Since(start)
				if pause >= test.most {
					t.Fatalf("try %d: %v", test.try, pause)
				}
				pauses[pause] = true
				sum += pause
			}
			// The mean of 200 is as far off as this once in 10⁹ runs.
			if mean := sum / n; len(pauses) < n/2 || mean < test.most*3/8 || mean > test.most*5/8 {
				t.Errorf("try %d: %d pauses, %v in the mean, want up to %v at random", test.try, len(pauses), mean, test.most)
			}
		}
		start := time.Now()
		if err := model.Rest(t.Context(), start.Add(-time.Second), 31); err != nil || time.Since(start) > 0 {
			t.Errorf("who lost long ago waits %v, %v", time.Since(start), err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := model.Rest(ctx, start.Add(time.Hour), 1); !errors.Is(err, context.Canceled) || time.Since(start) > 0 {
			t.Errorf("a context that has ended waits %v, %v", time.Since(start), err)
		}
	})
}
