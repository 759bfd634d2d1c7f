package cache

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/pipectx"
)

// A Function is a cached function of one argument: what calls load, and where its
// results are kept. It holds no connection; [Function.On] binds it. Safe for
// concurrent use.
type Function[K, V any] struct {
	region *Region
	name   string
	load   func(context.Context, K) (V, error)
	args   *arguments[K]
	codec  *field.Erased
	off    atomic.Bool
	bound  sync.Map // *pipectx.DB: *work[K, V]
}

// Func declares a cached function: load, whose results are kept in the region.
//
//	var Products = cache.NewRegion("products", cache.Options{TTL: time.Hour, Soft: time.Minute})
//
//	var ProductByID = cache.Func(Products, "byID", func(ctx context.Context, id int64) (Product, error) {
//		return fetch(ctx, id)
//	})
//
//	product, err := ProductByID.On(db).Get(ctx, 42).Result()
//
// The argument is a scalar, a type with MarshalText, or a struct of those for
// several; struct{} for none. Two arguments that differ never share a value.
// Values are stored as package field stores V, by the codec that form names:
// "json", "zstd" and so on. A nil pointer is a value.
//
// load is called with a context that ends with the lease, that carries the values of the
// caller's context and not its end, and no open Run: what it does with a DB happens at
// once. One of several callers, in all processes, calls it; the others wait for its
// result or are served the old value. [pipectx.ErrNotFound] from it says that there
// is no value. It must not wait for a value of its own argument.
//
// Func panics, at start-up, where a type has no text, or where the name is taken: in the
// region, or by a function of other types in another region of the same name. [TryFunc]
// returns the error.
func Func[K, V any](r *Region, name string, load func(ctx context.Context, arg K) (V, error), form ...string) *Function[K, V] {
	f, err := TryFunc(r, name, load, form...)
	if err != nil {
		panic(atCaller(err))
	}
	return f
}

// TryFunc is [Func] with the error returned.
func TryFunc[K, V any](r *Region, name string, load func(ctx context.Context, arg K) (V, error), form ...string) (*Function[K, V], error) {
	if r == nil {
		return nil, errors.New("cache: Func: the region is nil; declare one with NewRegion")
	}
	f := &Function[K, V]{region: r, name: name, load: load}
	if err := f.complete(form); err != nil {
		return nil, fmt.Errorf("cache: function %s of region %s: %w", name, r.name, err)
	}
	return f, nil
}

func (f *Function[K, V]) complete(form []string) (err error) {
	if f.load == nil {
		return errors.New("the function that loads is nil")
	}
	if err := checkName(f.name); err != nil {
		return err
	}
	if f.args, err = newArguments[K](); err != nil {
		return err
	}
	if f.codec, err = field.Of(reflect.TypeFor[V](), form...); err != nil {
		return fmt.Errorf("the value: %w", err)
	}
	if err = f.region.claim(f.name); err != nil {
		return err
	}
	return f.region.share(f.name, types{reflect.TypeFor[K](), reflect.TypeFor[V](), strings.Join(form, ",")})
}

// String is the function's name, behind that of its region.
func (f *Function[K, V]) String() string { return f.region.name + "." + f.name }

// Disable has calls of the function call what loads, by themselves and without a
// command, until [Function.Enable]. What is stored stays.
func (f *Function[K, V]) Disable() { f.off.Store(true) }

// Enable undoes [Function.Disable].
func (f *Function[K, V]) Enable() { f.off.Store(false) }

var allOff atomic.Bool

// Disable does for all functions of the process what [Function.Disable] does for one.
func Disable() { allOff.Store(true) }

// Enable undoes [Disable]; functions disabled by themselves stay so.
func Enable() { allOff.Store(false) }

type withoutKey struct{}

// Without returns a context in which calls of cached functions call what loads, by
// themselves and without a command.
func Without(ctx context.Context) context.Context { return context.WithValue(ctx, withoutKey{}, true) }

func (f *Function[K, V]) disabled(ctx context.Context) bool {
	return f.off.Load() || allOff.Load() || ctx.Value(withoutKey{}) != nil
}

// parse sets v to a value's text.
func (f *Function[K, V]) parse(text []byte, v *V) error {
	return f.codec.Parse(text, unsafe.Pointer(v))
}

// text is what is stored of a value: its kind, and its text.
func (f *Function[K, V]) text(v V) (kind string, body []byte, err error) {
	if f.codec.Absent(unsafe.Pointer(&v)) {
		return string(kindNil), nil, nil
	}
	body, err = f.codec.Append(nil, unsafe.Pointer(&v))
	return string(kindValue), body, err
}

// missing is the answer where the loader said that there is no value.
func (f *Function[K, V]) missing(key string) error { return pipectx.NotFound(key) }

// generation is the key of the function's generation in a bucket.
func (f *Function[K, V]) generation(bucket int) string {
	return "cache.generation:" + f.name + "{" + f.region.tag(bucket) + "}"
}

// A LoadError is a load that failed.
type LoadError struct {
	Function  string // region.function
	Key       string // of the value
	Err       error  // the loader's; only its text if Elsewhere
	Elsewhere bool   // another process loaded, or an earlier load's error was kept
}

// Error says what failed and where.
func (e *LoadError) Error() string {
	where := ""
	if e.Elsewhere {
		where = ", in another process or before"
	}
	return fmt.Sprintf("cache: %s: the load%s: %v", e.Key, where, e.Err)
}

// Unwrap returns the loader's error.
func (e *LoadError) Unwrap() error { return e.Err }

// A PanicError is what a [LoadError] wraps when the loader panicked.
type PanicError struct {
	Value any    // what was raised
	Stack []byte // of the loader's goroutine
}

// Error says what was raised.
func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }
