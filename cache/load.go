package cache

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	mrand "math/rand/v2"
	"runtime/debug"
	"time"

	"github.com/redmoon-go/redmoon/pipectx"
)

// A flight is one load, or one wait for another process's, that callers of this
// process share.
type flight[V any] struct {
	done  chan struct{} // closed behind value and err
	value V
	err   error
}

// want is what a flight is for.
type want int

const (
	whatIsFresh want = iota // a value, loaded if there is no fresh one
	anEarlyOne              // a new one before the old one ends, unless somebody else loads
	aNewOne                 // one whose load has not begun yet
)

// fly joins the flight for an entry, or starts one.
func (w *work[K, V]) fly(ctx context.Context, p place, arg K, for_ want) (fl *flight[V], joined bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if fl = w.flights[p.key]; fl != nil && for_ != aNewOne {
		return fl, true
	}
	fl = &flight[V]{done: make(chan struct{})}
	w.flights[p.key] = fl
	j := &job[K, V]{work: w, place: p, arg: arg, want: for_, token: rand.Text()}
	go func() {
		fl.value, fl.err = j.run(pipectx.Detach(context.WithoutCancel(ctx)))
		w.mu.Lock()
		if w.flights[p.key] == fl {
			delete(w.flights, p.key)
		}
		w.mu.Unlock()
		close(fl.done)
	}()
	return fl, false
}

// A job is what the goroutine of a flight does.
type job[K, V any] struct {
	*work[K, V]
	place
	arg   K
	want  want
	token string
	since uint64 // see near.put
	tries int    // loads whose value was outdated before it could be stored
}

// outdated is how often a value is loaded anew that was invalidated while it was
// being loaded. After that the caller gets it all the same, and nobody else does.
const outdated = 3

// run gets a value: a fresh one that somebody else has stored meanwhile, one of
// somebody else's load, or one of its own.
func (j *job[K, V]) run(ctx context.Context) (v V, err error) {
	in := j.request()
	patience := time.Now().Add(j.on.Lease + 500*time.Millisecond)
	for pause := time.Duration(0); ; {
		in.Asked, j.since = elapsed()-j.asked, j.near.since()
		b, err := begin.On(j.on.db).Call(pipectx.Resend(ctx), in).Result()
		if err != nil {
			return v, err
		}
		j.on.clocks[j.bucket].set(b.Now)
		switch b.State {
		case "load":
			v, stored, err := j.loaded(ctx, b)
			if err != nil || stored || j.tries >= outdated {
				return v, err
			}
			in = j.request() // under another token: it may be somebody else's turn
			j.want, in.Early, in.Urgent = whatIsFresh, false, false
		case "fresh":
			v, readable, err := j.stored(b)
			if readable {
				return v, err
			}
			in.Early = true // what is stored is of another type
		case "failed":
			if *b.Why == string(kindMissing) {
				return v, j.missing(j.key)
			}
			return v, &LoadError{Function: j.String(), Key: j.key, Err: errors.New((*b.Why)[1:]), Elsewhere: true}
		default:
			if v, readable, err := j.stored(b); readable { // an old value, while another process loads
				return v, err
			}
			if time.Now().After(patience) {
				return v, &LoadError{Function: j.String(), Key: j.key, Err: fmt.Errorf("none has ended well within %v", j.on.Lease), Elsewhere: true}
			}
			pause = min(max(pause+pause/2, 2*time.Millisecond), 50*time.Millisecond)
			time.Sleep(min(pause, max(time.Duration(b.Left)*time.Millisecond, time.Millisecond)))
		}
	}
}

func (j *job[K, V]) request() beginIn {
	entry, lease := j.key, j.lease(j.place)
	t := &j.tags[j.bucket]
	return beginIn{
		Entry: entry, Lease: lease, Region: t.region, Func: t.function, Token: j.token + string('a'+rune(j.tries)),
		Hold: j.on.Lease.Milliseconds(), Keep: j.on.keep(), Soft: j.on.Soft.Microseconds(),
		Early: j.want == anEarlyOne, Urgent: j.want == aNewOne,
	}
}

// stored reads the entry that begin found. It is not readable if there is none, or one
// of another type.
func (j *job[K, V]) stored(b begun) (v V, readable bool, err error) {
	r := j.judge(j.place, bytesOf(b.Entry), []byte(b.Region), []byte(b.Func), j.since)
	return r.value, r.state != absent, r.err
}

// loaded calls the loader under the lease and stores what it answers.
func (j *job[K, V]) loaded(ctx context.Context, b begun) (v V, stored bool, err error) {
	start := time.Now()
	v, err = j.call(ctx)
	spent := time.Since(start)
	j.tries++
	j.on.count(&j.counts.loadTime, int64(spent))
	kind, body, ttl := "", []byte(nil), j.on.TTL
	switch {
	case err == nil:
		if kind, body, err = j.text(v); err != nil {
			err = &LoadError{Function: j.String(), Key: j.key, Err: err}
		}
	case errors.Is(err, pipectx.ErrNotFound):
		kind, ttl, err = string(kindMissing), j.on.Missing, nil
		defer func() {
			if err == nil {
				err = j.missing(j.key)
			}
		}()
	default:
		err = &LoadError{Function: j.String(), Key: j.key, Err: err}
		if j.on.Errors > 0 {
			kind, body, ttl = string(kindError), []byte(errors.Unwrap(err).Error()), j.on.Errors
		}
	}
	if err != nil {
		j.on.count(&j.counts.errors, 1)
	} else {
		j.on.count(&j.counts.loads, 1)
	}
	entry, lease := j.key, j.lease(j.place)
	token := j.token + string('a'+rune(j.tries-1))
	if kind == "" || err != nil && kind != string(kindError) {
		failed := fail.On(j.on.db).Call(pipectx.Resend(ctx), failIn{lease, token, errors.Unwrap(err).Error()}).Err()
		if failed != nil {
			slog.Warn("cache: a lease stays until it ends", "key", j.key, "err", failed)
		}
		return v, true, err
	}
	t := &j.tags[j.bucket]
	ref := store.On(j.on.db).Call(ctx, storeIn{
		Entry: entry, Lease: lease, Region: t.region, Func: t.function, Keys: t.list, Token: token, Kind: kind,
		InRegion: b.Region, InFunc: b.Func, Spent: spent.Microseconds(), TTL: jittered(ttl, j.on.Jitter), Keep: j.on.keep(),
		Body: body, Member: j.member(), Listed: j.on.Keys, Channel: j.on.channel(),
	})
	j.near.drop(j.key)
	stored, failed := ref.Result()
	if failed != nil { // the value is good whether it is stored or not
		slog.Warn("cache: a loaded value could not be stored", "key", j.key, "err", failed)
		stored = true
	}
	return v, stored, err
}

// member is what the region lists the argument as.
func (j *job[K, V]) member() string {
	if !j.on.Keys {
		return ""
	}
	text, _ := j.args.append(nil, j.arg) // it has had a text
	return string(text)
}

// jittered is a TTL in milliseconds, shorter by a share at most.
func jittered(ttl time.Duration, share float64) int64 {
	if share > 0 {
		ttl -= time.Duration(mrand.Float64() * share * float64(ttl))
	}
	if ttl == 0 {
		return 0
	}
	return max(ttl.Milliseconds(), 1)
}

// call calls the loader on a goroutine of its own: one that does not return is
// left behind when its lease ends.
func (j *job[K, V]) call(ctx context.Context) (V, error) {
	ctx, cancel := context.WithTimeout(ctx, j.on.Lease)
	defer cancel()
	type answer struct {
		v   V
		err error
	}
	answers := make(chan answer, 1)
	go func() {
		a := answer{err: errors.New("the loader called runtime.Goexit")}
		defer func() {
			if raised := recover(); raised != nil {
				a.err = &PanicError{raised, debug.Stack()}
			}
			answers <- a
		}()
		a.v, a.err = j.load(ctx, j.arg)
	}()
	select {
	case a := <-answers:
		return a.v, a.err
	case <-ctx.Done():
	}
	select {
	case a := <-answers:
		return a.v, a.err
	default:
		var none V
		return none, fmt.Errorf("it took longer than its lease of %v: %w", j.on.Lease, context.Cause(ctx))
	}
}
