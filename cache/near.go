package cache

import (
	"bytes"
	"sync"
	"sync/atomic"
	"time"
)

// near is the values of a function that this process keeps decoded. A nil near keeps
// none.
type near[V any] struct {
	Near
	decode func(entry, string, *V) error
	hub    *hub
	epoch  atomic.Uint64 // counts what was dropped: what was read before is not put

	mu     sync.RWMutex
	values map[string]*nearValue[V]
}

type nearValue[V any] struct {
	value V
	entry entry // of Copy, instead of value
	ends  int64 // see elapsed
	used  atomic.Int64
}

func newNear[V any](o Near, h *hub, decode func(entry, string, *V) error) *near[V] {
	return &near[V]{Near: o, hub: h, decode: decode, values: map[string]*nearValue[V]{}}
}

// since is what put is to be told: the epoch before a value was asked for.
func (n *near[V]) since() uint64 {
	if n == nil {
		return 0
	}
	return n.epoch.Load()
}

// get returns a value that is fresh.
func (n *near[V]) get(key []byte) (v V, ok bool) {
	if n == nil || !n.hub.live.Load() {
		return v, false
	}
	n.mu.RLock()
	kept := n.values[string(key)]
	n.mu.RUnlock()
	if kept == nil {
		return v, false
	}
	now := elapsed()
	if now >= kept.ends {
		return v, false
	}
	if now-kept.used.Load() > 1000 { // a millisecond; a store for each hit would cost more than the rest
		kept.used.Store(now)
	}
	if n.Copy {
		return n.copy(kept)
	}
	return kept.value, true
}

// copy is apart from get because its value moves to the heap.
func (n *near[V]) copy(kept *nearValue[V]) (v V, ok bool) {
	err := n.decode(kept.entry, "", &v)
	return v, err == nil
}

// put keeps a value, unless something was dropped since it was asked for.
func (n *near[V]) put(key string, e entry, v V, left time.Duration, since uint64) {
	if n == nil {
		return
	}
	now := elapsed()
	kept := &nearValue[V]{value: v, ends: now + min(left, n.TTL).Microseconds()}
	if n.Copy {
		kept.value, kept.entry = *new(V), e
		kept.entry.body = bytes.Clone(e.body)
	}
	kept.used.Store(now)
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.epoch.Load() != since || !n.hub.live.Load() {
		return
	}
	if _, had := n.values[key]; !had && len(n.values) >= n.Entries {
		n.evict()
	}
	n.values[key] = kept
}

// evict makes room: of a few, which the map picks at random, the one that was not
// used for longest goes.
func (n *near[V]) evict() {
	const few = 8
	var oldest string
	least, seen := int64(0), 0
	for key, kept := range n.values {
		if used := kept.used.Load(); seen == 0 || used < least {
			oldest, least = key, used
		}
		if seen++; seen == few {
			break
		}
	}
	delete(n.values, oldest)
}

func (n *near[V]) drop(key string) {
	if n == nil {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.epoch.Add(1)
	delete(n.values, key)
}

func (n *near[V]) clear() {
	if n == nil {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.epoch.Add(1)
	clear(n.values)
}
