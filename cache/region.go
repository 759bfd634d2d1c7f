package cache

import (
	"context"
	"errors"
	"fmt"
	"path"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redmoon-go/redmoon/pipectx"
)

// Options say how the functions of a region are cached. The zero Options keep
// values for an hour.
type Options struct {
	// TTL is how long a value is stored, from when its load has ended: at least a
	// millisecond, the server's resolution, as all times here. Default: an hour.
	TTL time.Duration

	// Soft is how long a value is fresh. An older one is still served, while one
	// caller of all processes loads it anew in the background. Default: as long as it
	// is stored; then nothing is served in the meantime.
	Soft time.Duration

	// Early loads a value anew in the background before it stops being fresh, the
	// more likely the nearer that is and the longer its load takes, so that callers
	// of a value in demand never wait. Source: Vattani, Chierichetti, Lowenstein,
	// "Optimal Probabilistic Cache Stampede Prevention", VLDB 2015 (XFetch, β = 1).
	Early bool

	// Jitter is by what share of it the TTL of a value is shorter at most, at random,
	// so that values stored together do not end together: 0.1 for up to a tenth.
	// Default: none.
	Jitter float64

	// Lease is how long a load may take. Its context ends then, and another caller may
	// load, whether the loader returns or not. Default: 10 s.
	Lease time.Duration

	// Missing is how long it is kept that there is no value: that the loader
	// answered pipectx.ErrNotFound. Default: not at all.
	Missing time.Duration

	// Errors is how long other errors of loaders are kept, as text. Default: not at
	// all.
	Errors time.Duration

	// Buckets spreads the region over that many slots of a Cluster. To invalidate a
	// function or the region then costs a command for each. Changing it empties the
	// cache. Default: 1.
	Buckets int

	// Connection is the named connection of the DB that the region lives on. Default:
	// the DB's own.
	Connection string

	// Keys has the region list the arguments of which values are stored, for
	// [Bound.Keys]: three commands more within the script that stores one.
	Keys bool

	// Near keeps decoded values in this process too.
	Near Near
}

// Near is a cache within the process, in front of the shared one.
type Near struct {
	// Entries is how many values of a function are kept. Default: none.
	Entries int

	// TTL is how long a value is kept here at most, and never longer than it is
	// fresh. Default: 1 minute.
	TTL time.Duration

	// Copy gives each caller a value of its own, decoded from the text, which costs
	// what decoding costs. Without it callers share one value and must not change it.
	Copy bool
}

// A Region is a group of cached functions that have their options in common and
// can be invalidated together. Its name is its place in Redis: two regions of one name
// share what is stored, and functions of theirs that do must have the same types. It
// holds no connection. Safe for concurrent use.
type Region struct {
	name string
	Options

	mu        sync.Mutex
	functions map[string]bool // their names
	bound     sync.Map        // *pipectx.DB: *regionOn
}

// NewRegion declares a region. It panics, at start-up, where something is wrong with
// the name or the options; [TryNewRegion] returns the error.
func NewRegion(name string, o Options) *Region {
	r, err := TryNewRegion(name, o)
	if err != nil {
		panic(atCaller(err))
	}
	return r
}

// TryNewRegion is [NewRegion] with the error returned.
func TryNewRegion(name string, o Options) (*Region, error) {
	r := &Region{name: name, Options: o, functions: map[string]bool{}}
	if err := checkName(name); err != nil {
		return nil, fmt.Errorf("cache: region: %w", err)
	}
	if err := r.complete(); err != nil {
		return nil, fmt.Errorf("cache: region %s: %w", name, err)
	}
	return r, nil
}

func checkName(name string) error {
	if name == "" || strings.ContainsAny(name, "{}:. ") || strings.ContainsFunc(name, func(c rune) bool { return c < ' ' }) {
		return fmt.Errorf("the name %q must not be empty nor contain braces, colons, dots, spaces or control characters: it is part of keys", name)
	}
	return nil
}

// complete checks the options and puts the defaults where there is none.
func (r *Region) complete() error {
	if r.TTL == 0 {
		r.TTL = time.Hour
	}
	if r.Lease == 0 {
		r.Lease = 10 * time.Second
	}
	if r.Near.TTL == 0 {
		r.Near.TTL = time.Minute
	}
	if r.Buckets == 0 {
		r.Buckets = 1
	}
	for _, d := range []struct {
		name string
		d    time.Duration
		none bool // 0 stands for none
	}{{"TTL", r.TTL, false}, {"Soft", r.Soft, true}, {"Lease", r.Lease, false}, {"Missing", r.Missing, true}, {"Errors", r.Errors, true}, {"Near.TTL", r.Near.TTL, false}} {
		if d.d < time.Millisecond && !(d.none && d.d == 0) {
			return fmt.Errorf("option %s is %v: Redis counts milliseconds; give at least one", d.name, d.d)
		}
	}
	switch {
	case r.Soft > r.TTL:
		return fmt.Errorf("option Soft is %v and TTL %v: a value cannot be fresh for longer than it is stored", r.Soft, r.TTL)
	case r.Jitter < 0 || r.Jitter >= 1:
		return fmt.Errorf("option Jitter is %v; give a share from 0 to less than 1", r.Jitter)
	case r.Buckets < 1 || r.Buckets > pipectx.Slots:
		return fmt.Errorf("option Buckets is %d; give 1 to %d", r.Buckets, pipectx.Slots)
	case r.Near.Entries < 0:
		return fmt.Errorf("option Near.Entries is %d; give 0 for none", r.Near.Entries)
	}
	return nil
}

// atCaller puts the place of a declaration in front of an error: a panic at
// start-up shows only the runtime's init otherwise.
func atCaller(err error) error {
	if _, file, line, ok := runtime.Caller(2); ok {
		return fmt.Errorf("%s:%d: %w", path.Base(file), line, err)
	}
	return err
}

// String is the region's name.
func (r *Region) String() string { return r.name }

// claim takes a name for a function of the region.
func (r *Region) claim(name string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.functions[name] {
		return errors.New("there is a function of this name in the region; give each its own")
	}
	r.functions[name] = true
	return nil
}

// tag is what stands between the braces of the keys of a bucket.
func (r *Region) tag(bucket int) string {
	if r.Buckets == 1 {
		return r.name
	}
	return r.name + "." + strconv.Itoa(bucket)
}

// keep is how long generations are kept: longer than what is stored under them,
// and than loads take.
func (r *Region) keep() int64 { return (2*(r.longest()+r.Lease) + time.Hour).Milliseconds() }

func (r *Region) longest() time.Duration { return max(r.TTL, r.Missing, r.Errors) }

// On binds the region to a DB.
func (r *Region) On(db *pipectx.DB) BoundRegion { return BoundRegion{r.on(db)} }

// regionOn is a region on a DB, what this process knows of it.
type regionOn struct {
	*Region
	db  *pipectx.DB
	err error // why there is no connection

	stats  ledger
	clocks []clock // of each bucket
	hub    *hub    // of near caches; nil without

	mu        sync.Mutex
	functions []member
}

// A member is a function of any type on a DB.
type member interface {
	named() string
	counted() *counters
	forget()
	drop(key string)
}

func (r *Region) on(db *pipectx.DB) *regionOn {
	if on, ok := r.bound.Load(db); ok {
		return on.(*regionOn)
	}
	on := &regionOn{Region: r, db: db, clocks: make([]clock, r.Buckets)}
	if r.Connection != "" {
		named, err := db.Conn(r.Connection)
		if err != nil {
			on.err = fmt.Errorf("cache: region %s: %w", r.name, err)
		} else {
			on.db = named
		}
	}
	if r.Near.Entries > 0 && on.err == nil {
		on.hub = &hub{on: on}
	}
	if had, loaded := r.bound.LoadOrStore(db, on); loaded {
		return had.(*regionOn)
	}
	if on.hub != nil {
		go on.hub.run()
	}
	db.AtClose(func() { r.bound.Delete(db); on.close() })
	return on
}

func (on *regionOn) join(m member) {
	on.mu.Lock()
	defer on.mu.Unlock()
	on.functions = append(on.functions, m)
}

func (on *regionOn) members() []member {
	on.mu.Lock()
	defer on.mu.Unlock()
	return slices.Clone(on.functions)
}

func (on *regionOn) close() {
	if on.hub != nil {
		on.hub.close()
	}
	on.flushUnasked()
	on.stats.ended.Store(true)
}

// BoundRegion is a [Region] on a DB. Safe for concurrent use.
type BoundRegion struct{ on *regionOn }

// Invalidate makes all values of the region's functions stale: the next caller
// of each has it loaded anew, and is served the old one meanwhile. What is
// being loaded is stale when it is stored.
//
// Cost: EVALSHA; 1 command for each bucket; 1 round trip to each node outside Run,
// none of its own inside.
func (b BoundRegion) Invalidate(ctx context.Context) *pipectx.Ref[struct{}] {
	return b.on.advance(ctx, b.on.generation, false)
}

// Remove does away with all values of the region's functions, also with those
// that are being loaded.
//
// Cost: EVALSHA; 1 command for each bucket; 1 round trip to each node outside Run,
// none of its own inside.
func (b BoundRegion) Remove(ctx context.Context) *pipectx.Ref[struct{}] {
	return b.on.advance(ctx, b.on.generation, true)
}

// generation is the key of the region's generation in a bucket.
func (r *Region) generation(bucket int) string { return "cache.generation{" + r.tag(bucket) + "}" }

// advance advances the generations of all buckets.
func (on *regionOn) advance(ctx context.Context, key func(bucket int) string, remove bool) *pipectx.Ref[struct{}] {
	if on.err != nil {
		return pipectx.Failed[struct{}](ctx, on.db, on.err)
	}
	var refs []*pipectx.Ref[struct{}]
	err := pipectx.Run(ctx, on.db, func(ctx context.Context) error {
		for bucket := range on.Buckets {
			refs = append(refs, advance.On(on.db).Call(ctx, advanceIn{key(bucket), remove, on.channel()}))
		}
		return pipectx.After(ctx, func(context.Context) error { // a load that began before is outdated
			for _, m := range on.members() {
				m.forget()
			}
			return nil
		})
	})
	if err != nil {
		return pipectx.Failed[struct{}](ctx, on.db, err)
	}
	return pipectx.Map(pipectx.All(refs), func([]struct{}) (struct{}, error) { return struct{}{}, nil })
}
