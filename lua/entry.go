package lua

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"unsafe"

	"github.com/redmoon-go/redmoon/pipectx"
)

// Entry is a function of a module that Go may call, with the types of its
// argument and result. It holds no connection; [Entry.On] binds it. Make it with
// [Bind].
type Entry[In, Out any] struct {
	script   *Script
	values   *Script // for calls in which two records are one; nil where none can be
	receiver bool    // its first key comes apart from In
	dynamic  bool    // In is Args
	keys     []value
	lists    []recordList
	args     []value
	plan     resultPlan
	decode   func(pipectx.Reply) (Out, error)
}

// Bind types a function of a module:
//
//	type Transfer struct {
//		From   string `lua:"from,key"`
//		To     string `lua:"to,key"`
//		Amount int64  `lua:"amount"`
//	}
//
//	var transfer = lua.Bind[Transfer, int64](Accounts, "transfer")
//	left, err := transfer.On(db).Call(ctx, Transfer{"A{1}", "A{1}:savings", 50}).Result()
//
// In is a struct whose fields are tagged with the names of the function's
// parameters, or, for one parameter, a value; struct{} for none. Each exported
// field needs a tag, `lua:"-"` for one that does not go along. Parameters that
// are keys are tagged so, or annotated @key where In is one value: they decide
// the slot and go by KEYS. A parameter annotated as optional needs no field, and
// is nil then.
//
// In is [Args] for names that are known at run time only.
//
// Out is a scalar, a pointer to one where nil is a result, a list of scalars, a
// struct tagged like In for a table with those fields, or struct{} for a result
// nobody wants. Maps and lists of other things are free-form, as is a struct where
// the function is annotated so. any is what the annotation says, and without one
// the reply as it is: nil, int64, string or []any. Annotations of the function, if
// there are any, must agree. The package comment tells how values cross.
//
// The one function of a script file is called main.
//
// Bind panics, at start-up, if something does not fit; [TryBind] returns the
// error.
func Bind[In, Out any](mod *Mod, function string) *Entry[In, Out] {
	e, err := TryBind[In, Out](mod, function)
	if err != nil {
		panic(atCaller(err))
	}
	return e
}

// TryBind is [Bind] with the error returned.
func TryBind[In, Out any](mod *Mod, function string) (*Entry[In, Out], error) {
	return BindReceiver[In, Out](mod, function, nil)
}

// BindReceiver is [TryBind] for functions whose first parameter is self, which
// receiver makes from the call's first key. Call them by [BoundEntry.CallOn].
func BindReceiver[In, Out any](mod *Mod, function string, receiver *Opener) (*Entry[In, Out], error) {
	f, err := mod.function(function)
	if err != nil {
		return nil, err
	}
	return bindTo[In, Out](f, receiver)
}

// BindPrivate is [TryBind] that takes private functions too, those whose names
// begin with _: for tests. Package lua/luatest calls it.
func BindPrivate[In, Out any](mod *Mod, function string) (*Entry[In, Out], error) {
	if mod != nil {
		if f := mod.tree().export(function); f != nil && f.private() {
			return bindTo[In, Out](f, nil)
		}
	}
	return TryBind[In, Out](mod, function)
}

func bindTo[In, Out any](f *function, receiver *Opener) (*Entry[In, Out], error) {
	b := binding{f: f, params: f.sign.Params}
	if receiver != nil {
		if err := b.receive(receiver); err != nil {
			return nil, err
		}
	}
	if err := b.arguments(reflect.TypeFor[In]()); err != nil {
		return nil, err
	}
	if err := b.results(reflect.TypeFor[Out]()); err != nil {
		return nil, err
	}
	script, values, err := b.compile()
	if err != nil {
		return nil, err
	}
	e := &Entry[In, Out]{script: script, values: values, receiver: receiver != nil, dynamic: reflect.TypeFor[In]() == argsType, keys: b.keys, lists: b.lists, args: b.args, plan: b.plan}
	e.decode = func(r pipectx.Reply) (Out, error) {
		var out Out
		if err := e.plan.decode(r, unsafe.Pointer(&out)); err != nil {
			var zero Out
			return zero, e.script.resultError(err)
		}
		return out, nil
	}
	return e, nil
}

// Script is the compiled script, to read or to load by hand.
func (e *Entry[In, Out]) Script() *Script { return e.script }

// On binds the entry to a DB.
func (e *Entry[In, Out]) On(db *pipectx.DB) BoundEntry[In, Out] {
	return BoundEntry[In, Out]{entry: e, db: db}
}

// BoundEntry is an [Entry] on a DB. Safe for concurrent use.
type BoundEntry[In, Out any] struct {
	entry *Entry[In, Out]
	db    *pipectx.DB
	guard *Guard // of an entry that has one
}

// Call calls the function, atomically: no other command runs while it does. A
// function that fails answers [*Error]; what it wrote by redis.call before that
// stays.
//
// An argument that has no exact form in Lua, as an integer beyond 2^53, is an
// error and nothing is sent.
//
// The first call on a node takes the script's text along, as EVAL. A node that
// has forgotten the script gets it again, for 1 round trip more.
//
// Cost: EVALSHA, at first EVAL; 1 command; 1 round trip outside Run, none of its
// own inside.
func (b BoundEntry[In, Out]) Call(ctx context.Context, in In) *pipectx.Ref[Out] {
	s := b.entry.scriptOf("", unsafe.Pointer(&in))
	c := s.forContext(ctx).Command(len(b.entry.keys) + listed(b.entry.lists, unsafe.Pointer(&in)))
	if b.entry.receiver {
		c.Fail(fmt.Errorf("lua: %s needs the key of its record; call it by CallOn", b.entry.script.name))
	}
	return b.send(ctx, s, c, nil, in)
}

// CallOn calls a function that [BindReceiver] bound on the record of a key, with the
// keys beside it that its Opener asked for, in their order.
//
// Cost: EVALSHA, at first EVAL; 1 command; 1 round trip outside Run, none of its
// own inside.
func (b BoundEntry[In, Out]) CallOn(ctx context.Context, key string, in In, beside ...string) *pipectx.Ref[Out] {
	s := b.entry.scriptOf(key, unsafe.Pointer(&in))
	keys := 1 + len(b.entry.keys) + listed(b.entry.lists, unsafe.Pointer(&in))
	if b.guard != nil {
		keys++
	}
	c := s.forContext(ctx).Command(keys)
	if !b.entry.receiver {
		c.Fail(fmt.Errorf("lua: %s has no record; call it by Call", b.entry.script.name))
	}
	if n := b.entry.besides(); n != len(beside) {
		c.Fail(fmt.Errorf("lua: %s takes %s beside its record's, here are %d", b.entry.script.name, count(n, "key"), len(beside)))
	}
	c.Key(key)
	if b.guard != nil {
		c.Key(b.guard.Key)
	}
	return b.send(ctx, s, c, beside, in)
}

// besides is how many keys go along with the receiver's: they are the first.
func (e *Entry[In, Out]) besides() (n int) {
	for n < len(e.keys) && e.keys[n].record != nil && e.keys[n].record.typ == nil {
		n++
	}
	return n
}

// Raw calls the function with plain KEYS and ARGV, as a script is called without
// this package: for those that read KEYS and ARGV themselves. Declared parameters
// get theirs in their order, keys first; an argument is a string, []byte, integer,
// float or bool, or nil where it is optional or has a default. The result is Out's.
//
//	moved, err := entry.On(db).Raw(ctx, []string{"a{1}", "b{1}"}, 5, "why").Result()
//
// Cost: EVALSHA, at first EVAL; 1 command; 1 round trip outside Run, none of its
// own inside.
func (b BoundEntry[In, Out]) Raw(ctx context.Context, keys []string, argv ...any) *pipectx.Ref[Out] {
	e := b.entry
	s := e.script
	if e.values != nil { // whether two of the keys are one is not looked at
		s = e.values
	}
	c := s.forContext(ctx).Command(len(keys))
	switch n, m := e.script.keys, len(e.args); {
	case n >= 0 && len(keys) != n:
		c.Fail(fmt.Errorf("lua: %s takes %s, here are %d", e.script.name, count(n, "key"), len(keys)))
	case m > 0 && len(argv) != m:
		c.Fail(fmt.Errorf("lua: %s takes %s, here are %d", e.script.name, count(m, "argument"), len(argv)))
	}
	for _, key := range keys {
		c.Key(key)
	}
	for i, arg := range argv {
		if i < len(e.args) && e.args[i].codec.Optional() {
			addOptional(c, arg)
		} else {
			c.Arg(arg)
		}
	}
	return b.finish(ctx, s, c)
}

// addOptional adds a plain argument that may be absent, in the form that
// value.append gives it.
func addOptional(c *pipectx.Command, arg any) {
	switch v := reflect.ValueOf(arg); {
	case arg == nil:
		c.Word("")
	case v.CanInt():
		c.Word("1" + strconv.FormatInt(v.Int(), 10))
	case v.CanUint():
		c.Word("1" + strconv.FormatUint(v.Uint(), 10))
	case v.CanFloat():
		c.Word("1" + strconv.FormatFloat(v.Float(), 'g', -1, v.Type().Bits()))
	case v.Kind() == reflect.Bool && v.Bool():
		c.Word("11")
	case v.Kind() == reflect.Bool:
		c.Word("10")
	case v.Kind() == reflect.String:
		c.Word("1" + v.String())
	default:
		if text, ok := arg.([]byte); ok {
			c.Word("1" + string(text))
			return
		}
		c.Arg(arg) // says that it cannot be sent
	}
}

// scriptOf is the script for the records of a call: as locals, two that are one
// would not know of each other.
func (e *Entry[In, Out]) scriptOf(key string, in unsafe.Pointer) *Script {
	if e.values == nil {
		return e.script
	}
	seen := []string{key}
	for i := range e.keys {
		if r := e.keys[i].record; r == nil || r.beside != "" {
			continue
		}
		text, err := e.keys[i].append(nil, unsafe.Add(in, e.keys[i].offset))
		if err == nil && slices.Contains(seen, string(text)) { // an error is found again
			return e.values
		}
		seen = append(seen, string(text))
	}
	return e.script
}

func (b BoundEntry[In, Out]) send(ctx context.Context, s *Script, c *pipectx.Command, beside []string, in In) *pipectx.Ref[Out] {
	e, p := b.entry, unsafe.Pointer(&in)
	for _, key := range beside {
		c.Key(key)
	}
	keys := e.keys[min(len(beside), len(e.keys)):]
	if e.dynamic {
		e.script.sendArgs(c, keys, e.args, *(*Args)(p))
	} else {
		for i := range keys {
			c.AppendKey(e.script.argument(&keys[i], c.Tail(), p))
		}
		e.script.addRecords(c, e.lists, p)
		for i := range e.args {
			c.Append(e.script.argument(&e.args[i], c.Tail(), p))
		}
	}
	return b.finish(ctx, s, c)
}

func (b BoundEntry[In, Out]) finish(ctx context.Context, s *Script, c *pipectx.Command) *pipectx.Ref[Out] {
	e := b.entry
	if e.script.undeclared && b.db.Cluster() {
		c.Fail(fmt.Errorf("lua: %s is annotated @undeclared: it makes keys itself, which a Cluster cannot route; pass them as keys", e.script.name))
	}
	c.OnError(s.onError)
	if b.guard != nil {
		b.guard.finish(s, c)
	}
	return pipectx.Send(ctx, b.db, c, e.decode)
}

// forContext is the script as the context wants it.
func (s *Script) forContext(ctx context.Context) *pipectx.Script {
	if isStrict(ctx) {
		return s.withShebang()
	}
	return s.Script
}
