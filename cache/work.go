package cache

import (
	"context"
	"sync"

	"github.com/redmoon-go/redmoon/pipectx"
)

// work is a Function on a DB: what this process does for it.
type work[K, V any] struct {
	*Function[K, V]
	on     *regionOn
	tags   []keys // of each bucket
	counts counters
	near   *near[V] // nil without

	mu      sync.Mutex
	flights map[string]*flight[V] // loads under way here, by entry
}

// keys are those of a bucket, or what they begin with.
type keys struct{ entry, lease, region, function, list string }

// Bound is a [Function] on a DB. Safe for concurrent use.
type Bound[K, V any] struct{ work *work[K, V] }

// On binds the function to a DB.
func (f *Function[K, V]) On(db *pipectx.DB) Bound[K, V] {
	if w, ok := f.bound.Load(db); ok {
		return Bound[K, V]{w.(*work[K, V])}
	}
	r := f.region
	w := &work[K, V]{Function: f, on: r.on(db), flights: map[string]*flight[V]{}}
	for bucket := range r.Buckets {
		tag := "{" + r.tag(bucket) + "}"
		w.tags = append(w.tags, keys{
			entry: "cache:" + f.name + tag + ":", lease: "cache.lease:" + f.name + tag + ":",
			region: r.generation(bucket), function: f.generation(bucket), list: "cache.keys:" + f.name + tag,
		})
	}
	if w.on.hub != nil {
		w.near = newNear(r.Near, w.on.hub, w.decode)
	}
	if had, loaded := f.bound.LoadOrStore(db, w); loaded {
		return Bound[K, V]{had.(*work[K, V])}
	}
	w.on.join(w)
	db.AtClose(func() { f.bound.Delete(db) })
	return Bound[K, V]{w}
}

func (w *work[K, V]) named() string      { return w.name }
func (w *work[K, V]) counted() *counters { return &w.counts }

// forget lets go of all that this process has of the function: whoever calls from
// now on does not join a load that began before.
func (w *work[K, V]) forget() {
	w.mu.Lock()
	clear(w.flights)
	w.mu.Unlock()
	w.near.clear()
}

// drop is forget for one value.
func (w *work[K, V]) drop(key string) {
	w.mu.Lock()
	delete(w.flights, key)
	w.mu.Unlock()
	w.near.drop(key)
}

// A place is where one argument's value is stored, and since when it is asked for.
type place struct {
	key    string
	bucket int
	asked  int64 // see elapsed
}

// place finds the place of an argument.
func (w *work[K, V]) place(arg K) (place, error) {
	buf := buffers.Get().(*[]byte)
	key, bucket, err := w.append((*buf)[:0], arg)
	p := place{string(key), bucket, elapsed()}
	if err == nil {
		*buf = key
	}
	buffers.Put(buf)
	return p, err
}

// append appends the key of an argument's entry, and returns its bucket.
func (w *work[K, V]) append(dst []byte, arg K) (key []byte, bucket int, err error) {
	if len(w.tags) == 1 {
		dst = append(dst, w.tags[0].entry...)
		start := len(dst)
		if dst, err = w.args.append(dst, arg); err != nil {
			return nil, 0, w.unkeyable(err)
		}
		return shorten(dst, start), 0, nil
	}
	text, err := w.args.append(nil, arg)
	if err != nil {
		return nil, 0, w.unkeyable(err)
	}
	text = shorten(text, 0)
	bucket = pipectx.Slot(string(text)) % len(w.tags)
	return append(append(dst, w.tags[bucket].entry...), text...), bucket, nil
}

func (w *work[K, V]) unkeyable(err error) error {
	return &argumentError{w.String(), err}
}

type argumentError struct {
	function string
	err      error
}

func (e *argumentError) Error() string {
	return "cache: " + e.function + ": the argument: " + e.err.Error()
}
func (e *argumentError) Unwrap() error { return e.err }

// lease is the key of a place's lease.
func (w *work[K, V]) lease(p place) string {
	t := &w.tags[p.bucket]
	return t.lease + p.key[len(t.entry):]
}

// await waits for a flight, for as long as the caller's context lasts.
func await[V any](ctx context.Context, key string, fl *flight[V]) (V, error) {
	select {
	case <-fl.done:
		return fl.value, fl.err
	default:
	}
	select {
	case <-fl.done:
		return fl.value, fl.err
	case <-ctx.Done():
		var none V
		return none, &waitError{key, context.Cause(ctx)}
	}
}

// waited tells whether a flight that has ended waited for another process's load.
func (fl *flight[V]) waited() bool {
	select {
	case <-fl.done:
		return fl.other
	default: // its caller went away
		return false
	}
}

// waitError is a context that ended while its caller waited for a load, which goes on.
type waitError struct {
	key string
	err error
}

func (e *waitError) Error() string {
	return "cache: " + e.key + ": waiting for the load: " + e.err.Error()
}
func (e *waitError) Unwrap() error { return e.err }
