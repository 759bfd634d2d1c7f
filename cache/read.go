package cache

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"time"
	"unsafe"

	"github.com/redmoon-go/redmoon/pipectx"
)

// A reading is what was found of one argument.
type reading[V any] struct {
	place
	state  state
	early  bool // fresh, and to be loaded anew all the same
	value  V
	err    error // what is stored instead of a value
	flight *flight[V]
	joined bool // somebody else's flight
}

type state int

const (
	absent state = iota
	stale
	fresh
	found // near, and counted
)

// send reads an entry and its generations. Launch is called with what was read, as soon
// as the reply is here: loads of one Run run side by side.
func (w *work[K, V]) send(ctx context.Context, p place, launch func(*reading[V])) *pipectx.Ref[*reading[V]] {
	if w.on.err != nil {
		return pipectx.Failed[*reading[V]](ctx, w.on.db, w.on.err)
	}
	since, texts := w.near.since(), 3
	c := pipectx.NewCommand("MGET").Read()
	if w.on.timed() {
		if _, known := w.on.clocks[p.bucket].now(); !known {
			c, texts = look.Command(3), 4
		}
	}
	c.Key(p.key)
	c.Key(w.tags[p.bucket].region)
	c.Key(w.tags[p.bucket].function)
	return pipectx.Send(ctx, w.on.db, c, func(r pipectx.Reply) (*reading[V], error) {
		read, err := w.read(p, r, texts, since)
		if err == nil && launch != nil {
			launch(read)
		}
		return read, err
	})
}

// read judges what MGET answers, or look, which has the clock behind it.
func (w *work[K, V]) read(p place, r pipectx.Reply, n int, since uint64) (*reading[V], error) {
	var most [4][]byte
	texts, err := w.texts(r, most[:0])
	if err == nil && len(texts) != n {
		err = fmt.Errorf("%d texts, not %d", len(texts), n)
	}
	if err == nil && n == 4 {
		var now int64
		if now, err = parseInt(texts[3]); err == nil {
			w.on.clocks[p.bucket].set(now)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("cache: %s: %w", p.key, err)
	}
	return w.judge(p, texts[0], texts[1], texts[2], since), nil
}

// texts appends the elements of MGET's reply, nil where there is no such key.
func (w *work[K, V]) texts(r pipectx.Reply, texts [][]byte) ([][]byte, error) {
	items, err := r.Items()
	if err != nil {
		return nil, err
	}
	for items.Next() {
		item := items.Reply()
		if item.IsNil() {
			texts = append(texts, nil)
			continue
		}
		text, err := item.Bytes()
		if err != nil {
			return nil, err
		}
		texts = append(texts, text)
	}
	return texts, nil
}

func bytesOf(text *string) []byte {
	if text == nil {
		return nil
	}
	return unsafe.Slice(unsafe.StringData(*text), len(*text))
}

// judge says what an entry is worth.
func (w *work[K, V]) judge(p place, text, region, function []byte, since uint64) *reading[V] {
	r := &reading[V]{place: p}
	if text == nil {
		return r
	}
	e, ok, err := parseEntry(text, region, function)
	if err != nil || !ok { // what is not ours is written over
		return r
	}
	if err := w.decode(e, p.key, &r.value); err != nil {
		if e.kind == kindValue { // of another type: to be loaded anew
			return r
		}
		r.err = err
	}
	left := w.left(e, p.bucket)
	switch {
	case e.soft || !e.current || left <= 0:
		r.state = stale
		return r
	case w.on.Early && early(e, left):
		r.early = true
	}
	r.state = fresh
	if r.err == nil {
		w.near.put(p.key, e, r.value, time.Duration(left)*time.Microsecond, since)
	}
	return r
}

// timed tells whether it matters how old a value is.
func (r *Region) timed() bool { return r.Soft > 0 || r.Early || r.Near.Entries > 0 }

// left is for how many microseconds an entry is fresh.
func (w *work[K, V]) left(e entry, bucket int) int64 {
	if !w.on.timed() {
		return 1
	}
	lasts := w.on.TTL
	switch {
	case e.kind == kindMissing:
		lasts = w.on.Missing
	case e.kind == kindError:
		lasts = w.on.Errors
	}
	if w.on.Soft > 0 {
		lasts = min(lasts, w.on.Soft)
	}
	now, _ := w.on.clocks[bucket].now()
	return e.stored + lasts.Microseconds() - now
}

// early draws whether an entry that is fresh for a while is loaded anew now: see
// Options.Early.
func early(e entry, left int64) bool {
	return -float64(e.spent)*math.Log(1-rand.Float64()) >= float64(left)
}
