package cache

import (
	"context"
	"sync"

	"github.com/redmoon-go/redmoon/pipectx"
)

// Get answers the value of an argument: the stored one, or the one that is loaded.
//
// A fresh value is answered at once. One that is stale is answered at once too,
// and loaded anew in the background. Where there is none, one caller of all processes
// loads it and the others wait for that: for two leases at most, that of a load whose
// process died and that of the next, and for as long as ctx lasts; the load goes on
// without them. What was invalidated while it was loaded is loaded again.
//
// [pipectx.ErrNotFound] says that there is no value, a [*LoadError] that the load
// failed. A stored text that is no V, as after a change of the type, is loaded anew.
//
// Inside a Run the value is read with the Run's commands. What must be loaded is loaded
// when they are back, all at once, and Run waits for that. [pipectx.Await] does not:
// give Get a context of [pipectx.Detach] where the value is wanted before the Run ends.
//
// Cost: MGET, or EVALSHA once a minute where Soft, Early or Near is set; 1 command;
// 1 round trip outside Run, none of its own inside; none for a value that is near.
// Without a value 2 EVALSHA more around the load, 2 round trips.
func (b Bound[K, V]) Get(ctx context.Context, arg K) *pipectx.Ref[V] {
	w := b.work
	if w.disabled(ctx) {
		return w.direct(ctx, arg)
	}
	if w.near != nil {
		buf := buffers.Get().(*[]byte)
		key, _, err := w.append((*buf)[:0], arg)
		v, ok := w.near.get(key)
		if err == nil {
			*buf = key
		}
		buffers.Put(buf)
		if ok {
			w.on.count(&w.counts.near, 1)
			return pipectx.Resolved(v)
		}
	}
	p, err := w.place(arg)
	if err != nil {
		return pipectx.Failed[V](ctx, w.on.db, err)
	}
	return w.get(ctx, p, arg)
}

// buffers are for keys that only look something up.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// get is Get of a value that is not near.
func (w *work[K, V]) get(ctx context.Context, p place, arg K) *pipectx.Ref[V] {
	if pipectx.Outside(ctx, w.on.db, "cache") != nil {
		return w.getInside(ctx, p, arg)
	}
	r, err := w.send(ctx, p, nil).Result()
	if err == nil {
		var v V
		if v, err = w.finish(ctx, r, arg); err == nil {
			return pipectx.Resolved(v)
		}
	}
	return pipectx.Failed[V](ctx, w.on.db, err)
}

// getInside is get inside a Run. It is apart from get because what its functions share
// moves to the heap.
func (w *work[K, V]) getInside(ctx context.Context, p place, arg K) *pipectx.Ref[V] {
	sent := w.send(ctx, p, func(r *reading[V]) { w.launch(ctx, r, arg) })
	return later(ctx, w, func(ctx context.Context) (V, error) {
		r, err := sent.Result()
		if err != nil {
			var none V
			return none, err
		}
		return w.finish(ctx, r, arg)
	})
}

// later is the Ref of what must wait for replies: now, or when the Run of ctx has
// them.
func later[K, V, T any](ctx context.Context, w *work[K, V], finish func(context.Context) (T, error)) *pipectx.Ref[T] {
	if pipectx.Outside(ctx, w.on.db, "cache") == nil {
		v, err := finish(ctx)
		if err != nil {
			return pipectx.Failed[T](ctx, w.on.db, err)
		}
		return pipectx.Resolved(v)
	}
	ref, set := pipectx.NewRef[T](ctx)
	err := pipectx.After(ctx, func(ctx context.Context) error {
		set(finish(pipectx.Detach(ctx)))
		return nil
	})
	if err != nil {
		return pipectx.Failed[T](ctx, w.on.db, err)
	}
	return ref
}

// direct is Get where caching is off.
func (w *work[K, V]) direct(ctx context.Context, arg K) *pipectx.Ref[V] {
	v, err := w.load(pipectx.Detach(ctx), arg)
	if err != nil {
		return pipectx.Failed[V](pipectx.Detach(ctx), w.on.db, err)
	}
	return pipectx.Resolved(v)
}

// launch starts the load of what a read has not found.
func (w *work[K, V]) launch(ctx context.Context, r *reading[V], arg K) {
	if r.state == absent && r.flight == nil {
		w.on.count(&w.counts.misses, 1)
		if r.flight, r.joined = w.fly(ctx, r.place, arg, whatIsFresh); r.joined {
			w.on.count(&w.counts.waits, 1)
		}
	}
}

// finish makes an answer of what was read.
func (w *work[K, V]) finish(ctx context.Context, r *reading[V], arg K) (V, error) {
	w.launch(ctx, r, arg)
	switch {
	case r.state == absent:
		v, err := await(ctx, r.key, r.flight)
		if !r.joined && r.flight.waited() {
			w.on.count(&w.counts.waits, 1)
		}
		return v, err
	case r.state == found:
	case r.state == stale:
		w.on.count(&w.counts.stale, 1)
		w.fly(ctx, r.place, arg, whatIsFresh)
	default:
		w.on.count(&w.counts.hits, 1)
		if r.early {
			w.fly(ctx, r.place, arg, anEarlyOne)
		}
	}
	return r.value, r.err
}

// Peek answers what is stored, however old, and never loads: [pipectx.ErrNotFound]
// if nothing is, or if the loader said that there is no value. It is not counted.
//
// Cost: MGET, or EVALSHA once a minute where Soft, Early or Near is set; 1 command;
// 1 round trip outside Run, none of its own inside.
func (b Bound[K, V]) Peek(ctx context.Context, arg K) *pipectx.Ref[V] {
	w := b.work
	p, err := w.place(arg)
	if err != nil {
		return pipectx.Failed[V](ctx, w.on.db, err)
	}
	return pipectx.Map(w.send(ctx, p, nil), func(r *reading[V]) (V, error) {
		if r.state == absent {
			return r.value, w.missing(r.key)
		}
		return r.value, r.err
	})
}

// Refresh loads the value anew, whatever is stored, and stores it. A load that
// somebody else has begun is not waited for, and will not be stored.
//
// Inside a Run it happens when the Run's commands are back, one after another.
//
// Cost: EVALSHA before the load and after it; 2 commands; 2 round trips.
func (b Bound[K, V]) Refresh(ctx context.Context, arg K) *pipectx.Ref[V] {
	w := b.work
	if w.disabled(ctx) {
		return w.direct(ctx, arg)
	}
	p, err := w.place(arg)
	if err == nil {
		err = w.on.err
	}
	if err != nil {
		return pipectx.Failed[V](ctx, w.on.db, err)
	}
	return later(ctx, w, func(ctx context.Context) (V, error) {
		fl, _ := w.fly(ctx, p, arg, aNewOne)
		return await(ctx, p.key, fl)
	})
}

// Invalidate makes the value of an argument stale, and tells whether there was one:
// the next caller has it loaded anew, and is served the old one meanwhile. What is
// being loaded is not stored; who waits for it gets one that is loaded afterwards.
//
// Cost: EVALSHA; 1 command; 1 round trip outside Run, none of its own inside.
func (b Bound[K, V]) Invalidate(ctx context.Context, arg K) *pipectx.Ref[bool] {
	return b.work.outdate(ctx, arg, false)
}

// Remove does away with the value of an argument, and tells whether there was one:
// the next caller waits until it is loaded anew.
//
// Cost: EVALSHA; 1 command; 1 round trip outside Run, none of its own inside.
func (b Bound[K, V]) Remove(ctx context.Context, arg K) *pipectx.Ref[bool] {
	return b.work.outdate(ctx, arg, true)
}

func (w *work[K, V]) outdate(ctx context.Context, arg K, remove bool) *pipectx.Ref[bool] {
	p, err := w.place(arg)
	if err == nil {
		err = w.on.err
	}
	if err != nil {
		return pipectx.Failed[bool](ctx, w.on.db, err)
	}
	ref := invalidate.On(w.on.db).Call(ctx, invalidateIn{p.key, w.lease(p), remove, w.on.channel()})
	w.drop(p.key)
	if pipectx.Outside(ctx, w.on.db, "cache") != nil { // it is to come, and a load that begins before is outdated too
		if err := pipectx.After(ctx, func(context.Context) error { w.drop(p.key); return nil }); err != nil {
			return pipectx.Failed[bool](ctx, w.on.db, err)
		}
	}
	return ref
}

// InvalidateAll is [Bound.Invalidate] for all arguments; but what is being loaded is
// stale when it is stored.
//
// Cost: EVALSHA; 1 command for each bucket of the region; 1 round trip to each node
// outside Run, none of its own inside.
func (b Bound[K, V]) InvalidateAll(ctx context.Context) *pipectx.Ref[struct{}] {
	return b.work.on.advance(ctx, b.work.generation, false)
}

// RemoveAll is [Bound.Remove] for all arguments.
//
// Cost: EVALSHA; 1 command for each bucket of the region; 1 round trip to each node
// outside Run, none of its own inside.
func (b Bound[K, V]) RemoveAll(ctx context.Context) *pipectx.Ref[struct{}] {
	return b.work.on.advance(ctx, b.work.generation, true)
}
