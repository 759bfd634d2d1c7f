package model

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"unsafe"

	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Lua attaches a module to a model: [Method] types its functions as atomic
// operations on records.
func Lua(mod *lua.Mod) keyspace.Option { return luaOption{mod} }

type luaOption struct{ mod *lua.Mod }

// Apply refuses: Define takes the option out, so this is a keyspace.
func (o luaOption) Apply(*keyspace.Settings) error {
	return errors.New("model.Lua attaches a module to a model, not to a keyspace")
}

// Operation is a function of a model's Lua module, typed: an atomic operation
// on a record. It holds no connection; [Operation.On] binds it.
type Operation[K, In, Out any] struct {
	entry      *lua.Entry[In, Out]
	prefix     string // of the model
	keyOf      func(K) (string, error)
	connection string
	beside     func(K) ([]string, error) // keys of keyspaces that go along; nil for none
	records    []recordArg
	warnings   []string
	fenced     func() *lua.Entry[In, Out] // the entry with a fence around it, made once
}

// Method types a function of the model's Lua module. Its first parameter is the
// record, `self`; the others are In, as for lua.Bind:
//
//	var Withdraw = model.Method[int64, int64](Accounts, "withdraw")
//	left, err := Withdraw.On(db).Call(ctx, 42, 50).Result()
//
//	--- @arg amount int
//	--- @return int
//	function M.withdraw(self, amount)
//	  if self.balance < amount then
//	    fail("FUNDS", string.format("have %d, need %d", self.balance, amount))
//	  end
//	  self.balance = self.balance - amount
//	  return self.balance
//	end
//
// self.balance reads and assigns the field of that name in the `redis` tag; the
// package doc says how Go's types look in Lua. A field of In of type [Key] gives the
// function another record, and one of type []Key[T, K] a list of records, whose fields are
// fetched one by one. Beside its fields a record has
//
//	self.key                the Redis key
//	self:exists()           whether it is stored
//	self:incr("field", n)   adds to an integer, exactly to all 64 bits; the sum, or its
//	                        digits where a number would not be exact. So may be n
//	self:delete()           removes it; whether there was one
//	self:ttl()              the milliseconds it has left, or nil
//	self:expire(ms)         ends it in so many, time.hour / 1000; without an argument, never
//
// What the function changes is written when it returns: one that fails has
// changed nothing, but for what it wrote by redis.call itself. It fails when it
// assigns what the field's Go type cannot hold or its rules forbid (codes TYPE, RANGE
// and RULE; [Operation.Warnings] tells which rules Lua does not hold), and when the
// record does not exist and a field that is never absent is read, or any is assigned
// (NOTFOUND, for which errors.Is with [pipectx.ErrNotFound] holds).
//
// Method panics, at start-up, if the module has no such function, if its
// annotations and In or Out disagree, or if it uses a field that T has not.
func Method[In, Out, T, K any](m *Model[T, K], name string) *Operation[K, In, Out] {
	o, err := TryMethod[In, Out](m, name)
	if err != nil {
		panic(atCaller(err))
	}
	return o
}

// TryMethod is [Method] with the error returned.
func TryMethod[In, Out, T, K any](m *Model[T, K], name string) (*Operation[K, In, Out], error) {
	if m.lua == nil {
		return nil, fmt.Errorf("model: Method %q of %v: the model has no Lua module; give Define the option model.Lua(module)", name, m.schema.typ)
	}
	if m.luaHooks.has(name) {
		return nil, fmt.Errorf("model: Method %q of %v: that is a hook, which the verbs call; type another function", name, m.schema.typ)
	}
	opener := m.schema.opener(m.luaOwner())
	opener.Owner = m
	o := &Operation[K, In, Out]{prefix: m.prefix, keyOf: m.KeyOf, connection: m.connection, records: recordsIn(reflect.TypeFor[In]())}
	open := opener.Open
	opener.Open = func(keys lua.KeysOf, uses []lua.Use) (string, error) {
		if names := m.luaOwner().named(uses); names != nil {
			o.beside = func(id K) ([]string, error) { return m.keysBeside(id, names) }
		}
		o.warnings = m.schema.warnings(uses)
		o.warnings = append(o.warnings, early(m.lua, name)...)
		if m.luaHooks != nil {
			o.warnings = append(o.warnings, m.luaHooks.warnings...)
		}
		return open(keys, uses)
	}
	var err error
	o.entry, err = lua.BindReceiver[In, Out](m.lua, name, &opener)
	if err != nil {
		return nil, fmt.Errorf("model: Method %q of %v: %w", name, m.schema.typ, err)
	}
	o.fenced = sync.OnceValue(func() *lua.Entry[In, Out] { return o.entry.Guarded(beforeFenced, afterFenced) })
	return o, nil
}

// Warnings are what the function, and the model's Lua hooks, may do that Save would
// not. For each field of self that it assigns, the rules that only Go holds: of the
// rules of validator Lua holds required, min, max, len, gt, gte, lt, lte, eq, ne and
// oneof, of texts, numbers and booleans. And each write by redis.call that stands
// before its last fail, with its line: it stays when the function fails. They are for a test, or for the log when a program starts:
//
//	for _, w := range Withdraw.Warnings() {
//		slog.Warn(w)
//	}
func (o *Operation[K, In, Out]) Warnings() []string { return slices.Clone(o.warnings) }

// Script is the compiled script, to read or to load by hand.
func (o *Operation[K, In, Out]) Script() *lua.Script { return o.entry.Script() }

// On binds the operation to a DB. It panics if db is nil.
func (o *Operation[K, In, Out]) On(db *pipectx.DB) BoundOperation[K, In, Out] {
	db, err := connect(o.prefix, db, o.connection)
	return BoundOperation[K, In, Out]{operation: o, db: db, err: err}
}

// BoundOperation is an [Operation] on a DB. Safe for concurrent use. Make it with
// [Operation.On]: a zero one panics.
type BoundOperation[K, In, Out any] struct {
	operation *Operation[K, In, Out]
	db        *pipectx.DB
	err       error
	fence     *Fencer
}

// Call runs the operation on the record of an id, atomically. A function that
// fails answers *lua.Error with its code.
//
// Cost: EVALSHA, at first EVAL; 1 command; 1 round trip outside Run, none of its
// own inside.
func (b BoundOperation[K, In, Out]) Call(ctx context.Context, id K, in In) *pipectx.Ref[Out] {
	if b.operation == nil {
		panic(errors.New("model: a zero BoundOperation has no function to call; bind the operation to a DB: Operation.On(db)"))
	}
	key, err := b.operation.keyOf(id)
	if b.err != nil {
		err = b.err
	}
	if err == nil && b.operation.records != nil {
		err = b.operation.together(unsafe.Pointer(&in))
	}
	var beside []string
	if err == nil && b.operation.beside != nil {
		beside, err = b.operation.beside(id)
	}
	if err != nil {
		return pipectx.Failed[Out](ctx, b.db, err)
	}
	entry := b.operation.entry.On(b.db)
	if b.fence != nil {
		if entry, err = b.guarded(key); err != nil {
			return pipectx.Failed[Out](ctx, b.db, err)
		}
	}
	return entry.CallOn(ctx, key, in, beside...)
}

// A located is a record of which we know where it lives: a Key of any type.
type located interface {
	lives() (connection string, known bool)
}

func (k Key[T, K]) lives() (string, bool) {
	if k.model == nil {
		return "", false // AppendKey says so
	}
	return k.model.connection, true
}

// assumed is what a script takes for granted of the model of a record.
type assumed struct {
	ttl   string
	hooks *luaHooks
}

// Fits refuses a record of a model that is not as the script takes it to be: Key is a
// [lua.Fitting].
func (k Key[T, K]) Fits(known any) error {
	as, _ := known.(assumed)
	const cure = "define the model before the method, and only one model of these types with"
	switch {
	case k.model == nil: // AppendKey says so
	case k.model.luaHooks != as.hooks:
		return fmt.Errorf("model: a %T cannot be an argument here: its model has other Lua hooks than the method knows; %s hooks", k, cure)
	case k.model.ttl != as.ttl:
		return fmt.Errorf("model: a %T cannot be an argument here: its model has another time to live than the method knows; %s one", k, cure)
	}
	return nil
}

// A recordArg is a field of In that is a record.
type recordArg struct {
	reflect.StructField
	list bool // of records
}

// recordsIn finds the records among arguments of a method.
func recordsIn(t reflect.Type) (fields []recordArg) {
	add := func(f reflect.StructField) bool {
		one, list := f.Type, f.Type.Kind() == reflect.Slice
		if list {
			one = one.Elem()
		}
		is := one.Kind() != reflect.Pointer && one.Implements(reflect.TypeFor[located]())
		if is {
			fields = append(fields, recordArg{f, list})
		}
		return is
	}
	if !add(reflect.StructField{Type: t}) && t.Kind() == reflect.Struct {
		for f := range t.Fields() {
			add(f)
		}
	}
	return fields
}

// together refuses records that live on another connection than self: the
// script would find others of the same key there, or none.
func (o *Operation[K, In, Out]) together(in unsafe.Pointer) error {
	for _, f := range o.records {
		v := reflect.NewAt(f.Type, unsafe.Add(in, f.Offset)).Elem()
		if !f.list {
			if err := o.meets(v); err != nil {
				return err
			}
			continue
		}
		for i := range v.Len() {
			if err := o.meets(v.Index(i)); err != nil {
				return err
			}
		}
	}
	return nil
}

// meets is together for one record.
func (o *Operation[K, In, Out]) meets(record reflect.Value) error {
	if other, known := record.Interface().(located).lives(); known && other != o.connection {
		return fmt.Errorf("model: a record on the connection %q cannot be an argument of a method on %q; one script runs on one server", other, o.connection)
	}
	return nil
}

// Key is a record as an argument of a Lua function: a field of In of this type
// is, in Lua, a record like self. On a Cluster it must share self's slot, which
// the models' placements decide. Make it with [Model.Key].
type Key[T, K any] struct {
	model *Model[T, K]
	id    K
}

// Key names a record to hand to a Lua function. What the function writes to it begins
// its model's time to live again, as it does self's.
func (m *Model[T, K]) Key(id K) Key[T, K] { return Key[T, K]{m, id} }

// AppendKey appends the record's Redis key: Key is a [lua.Record].
func (k Key[T, K]) AppendKey(dst []byte) ([]byte, error) {
	if k.model == nil {
		return dst, fmt.Errorf("model: an argument of type %T is empty; make it with the model's Key(id)", k)
	}
	return k.model.keys.Append(dst, k.id)
}

// LuaOpener is how Lua gets the record: Key is a [lua.Record].
func (k Key[T, K]) LuaOpener(receiver *lua.Opener) lua.Opener {
	s, err := schemaOf(reflect.TypeFor[T]())
	if err != nil {
		return lua.Opener{Support: selfModule, Open: func(lua.KeysOf, []lua.Use) (string, error) { return "", err }}
	}
	var owner any
	if receiver != nil {
		owner = receiver.Owner
	}
	var of luaOwner
	if m := modelOfKey[T, K](owner); m != nil {
		if of = m.luaOwner(); any(m) != owner {
			of.id = "" // that of another model of these types may be placed otherwise
		}
	}
	return s.opener(of)
}

// AppendBeside appends the key of a keyspace given by [With]: Key is a
// [lua.KeysBeside].
func (k Key[T, K]) AppendBeside(dst []byte, name string) ([]byte, error) {
	if k.model == nil {
		return dst, nil // AppendKey says so
	}
	keys, err := k.model.keysBeside(k.id, []string{name})
	if err != nil {
		return dst, err
	}
	return append(dst, keys[0]...), nil
}
