package main

import (
	"context"
	"sync/atomic"

	"github.com/redmoon-go/redmoon/pipectx"
)

// Trips counts how often a program has waited for its servers. On a Cluster the batches
// for its nodes go at a time, and are one wait.
type Trips struct{ n atomic.Int64 }

// Flushed counts a flush, and each time it was sent again.
func (t *Trips) Flushed(_ context.Context, f pipectx.Flush) { t.n.Add(int64(f.Attempts)) }

// Unread does nothing: pipectx logs it too.
func (t *Trips) Unread(error) {}

// Take returns how often since the last Take.
func (t *Trips) Take() int64 { return t.n.Swap(0) }
