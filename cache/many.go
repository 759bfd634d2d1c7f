package cache

import (
	"context"
	"errors"
	"fmt"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/pipectx"
)

const (
	most    = 1000 // entries that one MGET reads
	atATime = 32   // loads of one GetMany
)

// GetMany answers the values of arguments, in their order; absent where the loader
// says that there is none. Each is what [Bound.Get] answers; those that must be
// loaded are loaded side by side, 32 at a time. If some fail, the answer is their
// errors, joined; the others are stored all the same.
//
// Cost: MGET, or EVALSHA once a minute where Soft, Early or Near is set; 1 command for
// each bucket of the region, and for each 1,000 values; 1 round trip to each node
// outside Run, none of its own inside; nothing for values that are near. For each load
// 2 EVALSHA more.
func (b Bound[K, V]) GetMany(ctx context.Context, args ...K) *pipectx.Ref[[]field.Optional[V]] {
	w := b.work
	if w.disabled(ctx) {
		return w.directMany(ctx, args)
	}
	m := &many[K, V]{work: w, args: args, places: make([]place, len(args)), readings: make([]*reading[V], len(args))}
	if err := m.place(); err != nil {
		return pipectx.Failed[[]field.Optional[V]](ctx, w.on.db, err)
	}
	err := pipectx.Run(ctx, w.on.db, func(ctx context.Context) error {
		m.send(ctx)
		return nil
	})
	if err != nil {
		return pipectx.Failed[[]field.Optional[V]](ctx, w.on.db, err)
	}
	return later(ctx, w, m.finish)
}

// many is a GetMany under way.
type many[K, V any] struct {
	*work[K, V]
	args     []K
	places   []place
	readings []*reading[V] // as args; nil where it is not known
	sent     []batch[V]
	flying   int // how many loads were launched ahead of those that are waited for
}

// A batch is what one command reads.
type batch[V any] struct {
	at  []int // of args
	ref *pipectx.Ref[[]*reading[V]]
}

// place finds the keys, and what is near.
func (m *many[K, V]) place() error {
	for i, arg := range m.args {
		p, err := m.work.place(arg)
		if err != nil {
			return err
		}
		m.places[i] = p
		if v, ok := m.near.get([]byte(p.key)); ok {
			m.on.count(&m.counts.near, 1)
			m.readings[i] = &reading[V]{state: found, value: v}
		}
	}
	return m.on.err
}

// send reads what is not near, by bucket.
func (m *many[K, V]) send(ctx context.Context) {
	since := m.near.since()
	byBucket := make([][]int, len(m.tags))
	for i, p := range m.places {
		if m.readings[i] == nil {
			byBucket[p.bucket] = append(byBucket[p.bucket], i)
		}
	}
	for bucket, at := range byBucket {
		for len(at) > 0 {
			if _, known := m.on.clocks[bucket].now(); !known && m.on.timed() {
				first := at[0]
				launch := func(r *reading[V]) { m.ahead(ctx, r, first) }
				one := pipectx.Map(m.work.send(ctx, m.places[first], launch), func(r *reading[V]) ([]*reading[V], error) { return []*reading[V]{r}, nil })
				m.sent = append(m.sent, batch[V]{at[:1], one})
				at = at[1:]
				if len(at) == 0 {
					break
				}
			}
			n := min(len(at), most)
			m.sent = append(m.sent, m.mget(ctx, bucket, at[:n], since))
			at = at[n:]
		}
	}
}

func (m *many[K, V]) mget(ctx context.Context, bucket int, at []int, since uint64) batch[V] {
	c := pipectx.NewCommand("MGET").Read()
	c.Key(m.tags[bucket].region)
	c.Key(m.tags[bucket].function)
	for _, i := range at {
		c.Key(m.places[i].key)
	}
	return batch[V]{at, pipectx.Send(ctx, m.on.db, c, func(r pipectx.Reply) ([]*reading[V], error) {
		texts, err := m.texts(r, make([][]byte, 0, 2+len(at)))
		if err != nil || len(texts) != 2+len(at) {
			return nil, errors.Join(err, fmt.Errorf("MGET of %d keys answers %d", 2+len(at), len(texts)))
		}
		found := make([]*reading[V], len(at))
		for n, i := range at {
			found[n] = m.judge(m.places[i], texts[2+n], texts[0], texts[1], since)
			m.ahead(ctx, found[n], i)
		}
		return found, nil
	})}
}

// ahead launches a load before it is waited for, if not too many are.
func (m *many[K, V]) ahead(ctx context.Context, r *reading[V], i int) {
	if r != nil && r.state == absent && r.flight == nil && m.flying < atATime {
		m.flying++
		m.launch(ctx, r, m.args[i])
	}
}

// finish waits for the loads.
func (m *many[K, V]) finish(ctx context.Context) ([]field.Optional[V], error) {
	all := make(answers[V], len(m.args))
	var errs []error
	for _, b := range m.sent {
		found, err := b.ref.Result()
		if err != nil {
			errs = append(errs, err)
			continue
		}
		for n, i := range b.at {
			m.readings[i] = found[n]
		}
	}
	next := 0
	for i, r := range m.readings {
		if r == nil { // its command failed
			continue
		}
		for ; next < len(m.readings) && (next <= i || m.flying < atATime); next++ {
			m.ahead(ctx, m.readings[next], next)
		}
		if r.flight != nil {
			m.flying--
		}
		v, err := m.work.finish(ctx, r, m.args[i])
		errs = all.set(i, v, err, errs)
	}
	if errs != nil {
		return nil, errors.Join(errs...)
	}
	return all, nil
}

// answers are those of arguments, in their order.
type answers[V any] []field.Optional[V]

// set sets one, or adds its error to errs; that there is no value is none.
func (a answers[V]) set(i int, v V, err error, errs []error) []error {
	switch {
	case err == nil:
		a[i] = field.Some(v)
	case !errors.Is(err, pipectx.ErrNotFound):
		errs = append(errs, err)
	}
	return errs
}

// directMany is GetMany where caching is off.
func (w *work[K, V]) directMany(ctx context.Context, args []K) *pipectx.Ref[[]field.Optional[V]] {
	all := make(answers[V], len(args))
	var errs []error
	for i, arg := range args {
		v, err := w.load(pipectx.Detach(ctx), arg)
		errs = all.set(i, v, err, errs)
	}
	if errs != nil {
		return pipectx.Failed[[]field.Optional[V]](pipectx.Detach(ctx), w.on.db, errors.Join(errs...))
	}
	return pipectx.Resolved([]field.Optional[V](all))
}
