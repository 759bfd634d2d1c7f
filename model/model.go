package model

import (
	"errors"
	"fmt"
	"path"
	"reflect"
	"runtime"
	"strconv"
	"unsafe"

	"github.com/google/uuid"
	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Model declares how records of a struct type T with ids of type K are stored:
// each as one Redis hash, under a key made from the model's prefix and the id.
// It holds no connection; [Model.On] binds it.
//
//	var Accounts = model.Define[Account, int64]("account")
//
//	accounts := Accounts.On(db)
//	account, err := accounts.Get(ctx, 42).Result()
type Model[T, K any] struct {
	prefix     string
	keys       *keyspace.Keys[K]
	connection string
	ttl        string // milliseconds, "" for none
	schema     *schema
	lua        *lua.Mod
	newID      func() K // nil where the caller gives ids
	changing   bool     // ids may be changed in place
	counter    string   // the key that ids are drawn from, "" for none
	begin      []string // what calls of scripts begin with
	hash       *keyspace.Hash[K, string, string]
	hooks      *hooks
	luaHooks   *luaHooks // nil for none
	with       []spaceOf[K]
	scripts    *scripts
	direct     bool // Save is an HSET of a record that may stay on the stack
	verbs      verbs[T]
}

// Define declares a model. T is a struct whose stored fields are tagged as for
// go-redis, `redis:"name,option"`; the package doc lists the options. Options of
// the model are a [keyspace.Placement], keyspace.TTL, keyspace.Connection, [Lua]
// and [Counter].
//
// A wrong declaration panics, at start-up, with the place, the type, the field
// and the cure; [TryDefine] returns the error.
func Define[T, K any](prefix string, options ...keyspace.Option) *Model[T, K] {
	m, err := TryDefine[T, K](prefix, options...)
	if err != nil {
		panic(atCaller(err))
	}
	return m
}

// TryDefine is [Define] with the error returned.
func TryDefine[T, K any](prefix string, options ...keyspace.Option) (*Model[T, K], error) {
	m := &Model[T, K]{prefix: prefix}
	if err := m.define(options); err != nil {
		return nil, fmt.Errorf("model: Define[%v, %v](%q): %w", reflect.TypeFor[T](), reflect.TypeFor[K](), prefix, err)
	}
	return m, nil
}

// atCaller puts the place of a declaration in front of an error: a panic at
// start-up shows only the runtime's init otherwise.
func atCaller(err error) error {
	if _, file, line, ok := runtime.Caller(2); ok {
		return fmt.Errorf("%s:%d: %w", path.Base(file), line, err)
	}
	return err
}

func (m *Model[T, K]) define(options []keyspace.Option) (err error) {
	if m.schema, err = schemaOf(reflect.TypeFor[T]()); err != nil {
		return err
	}
	k := reflect.TypeFor[K]()
	if have := m.schema.key.codec.Type(); have != k {
		return fmt.Errorf("the key field %s, tagged `redis:%q`, is of type %v, and the model's ids are %v; make them the same", m.schema.key.path, m.schema.key.tag, have, k)
	}
	var shared []keyspace.Option
	var with []withOption
	counted := false
	for _, o := range options {
		if _, ok := o.(counterOption); ok {
			counted = true
			continue
		}
		if space, ok := o.(withOption); ok {
			with = append(with, space)
			continue
		}
		attached, ok := o.(luaOption)
		switch {
		case !ok:
			shared = append(shared, o)
		case attached.mod == nil:
			return errors.New("the module given to model.Lua is nil; load it before the model is defined")
		case m.lua != nil:
			return fmt.Errorf("two Lua modules, %s and %s; let one require the other", m.lua.Name(), attached.mod.Name())
		default:
			m.lua = attached.mod
		}
	}
	settings, err := keyspace.NewSettings(shared...)
	if err != nil {
		return err
	}
	if settings.Lua != nil {
		return errors.New("keyspace.Lua attaches a module to a keyspace; attach it to the model by model.Lua")
	}
	if settings.TTL > 0 {
		m.ttl = strconv.FormatInt(settings.TTL.Milliseconds(), 10)
	}
	m.connection = settings.Connection
	if m.keys, err = keyspace.NewKeys[K](m.prefix, settings.Placement); err != nil {
		return err
	}
	m.changing = !k.Comparable()
	if counted {
		if err := m.countIDs(k); err != nil {
			return err
		}
	}
	if k == reflect.TypeFor[uuid.UUID]() {
		m.newID = func() K { return any(uuid.Must(uuid.NewV7())).(K) }
	}
	if m.hash, err = keyspace.TryNewHash[K, string, string](m.prefix, shared...); err != nil {
		return err
	}
	if m.hooks, err = hooksOf(m.schema); err != nil {
		return err
	}
	if err := m.share(with, settings); err != nil {
		return err
	}
	if m.luaHooks, err = m.schema.luaHooksOf(m.lua, m.luaOwner()); err != nil {
		return err
	}
	if m.scripts, err = m.luaHooks.scripts(); err != nil {
		return err
	}
	if m.luaHooks != nil || m.with != nil || m.ttl != "" {
		keyedModels.Store(reflect.TypeFor[Key[T, K]](), m)
	}
	s := m.schema
	m.direct = s.direct && !s.optional && !s.renamed && s.extra == nil && s.version == nil && s.rules == nil &&
		m.ttl == "" && !m.hooks.aroundSave() && !m.luaHooks.saves()
	m.begin = s.opening(m.ttl)
	m.verbs = newVerbs(m)
	return nil
}

// luaOwner is what the model says of its records to Lua.
func (m *Model[T, K]) luaOwner() luaOwner {
	pattern, escaped := m.keys.LuaPattern()
	if pattern != "" && escaped {
		pattern = "%" + pattern
	} else if pattern != "" {
		pattern = " " + pattern
	}
	of := luaOwner{ttl: m.ttl, id: pattern, hooks: m.luaHooks}
	for _, space := range m.with {
		of.with = append(of.with, space.name)
	}
	return of
}

// Prefix is what all keys of the model begin with.
func (m *Model[T, K]) Prefix() string { return m.prefix }

// KeyOf returns the Redis key of a record.
func (m *Model[T, K]) KeyOf(id K) (string, error) { return m.keys.Key(id) }

// On binds the model to a DB: what it returns has the verbs. If the model
// declares a connection that the DB does not have, they answer
// [pipectx.ErrUnknownConnection]. It panics if db is nil.
func (m *Model[T, K]) On(db *pipectx.DB) Repo[T, K] {
	db, err := connect(m.prefix, db, m.connection)
	return Repo[T, K]{model: m, db: db, err: err}
}

// connect returns the view of db on a connection; db itself, to answer errors
// by, where it has none of that name.
func connect(prefix string, db *pipectx.DB, name string) (*pipectx.DB, error) {
	if db == nil {
		panic(fmt.Errorf("model: On(nil): %s is bound to a DB that is nil; open the DB first", prefix))
	}
	if name == "" {
		return db, nil
	}
	view, err := db.Conn(name)
	if err != nil {
		return db, err
	}
	return view, nil
}

// Repo is a model on a DB. It is small and safe for concurrent use; copy it
// freely. Its verbs queue on the pipeline that their context carries, or run at
// once. Make it with [Model.On]: those of a zero Repo panic.
type Repo[T, K any] struct {
	model *Model[T, K]
	db    *pipectx.DB
	err   error // the DB lacks the model's connection
	fence *Fencer
}

var errZeroRepo = errors.New("model: a zero Repo has no records; bind the model to a DB: Model.On(db)")

// bound returns the Repo's model, for which there must be one.
func (r Repo[T, K]) bound() *Model[T, K] {
	if r.model == nil {
		panic(errZeroRepo)
	}
	return r.model
}

// id is where a record has its id.
func (m *Model[T, K]) id(p unsafe.Pointer) *K { return (*K)(m.schema.key.at(p)) }

// own returns an id that its caller cannot change any more: the verbs that answer it,
// or use it in a later wave, hold on to it. Only one with a slice in it can change,
// and is made anew from its key.
func (m *Model[T, K]) own(id K) K {
	if !m.changing {
		return id
	}
	key, err := m.KeyOf(id)
	if err != nil {
		return id // the verb finds that too
	}
	if own, err := m.keys.Parse(key); err == nil {
		return own
	}
	return id
}

// command starts a command on the record of an id.
func (r Repo[T, K]) command(name string, id K) *pipectx.Command {
	c := pipectx.NewCommand(name)
	r.addKey(c, id)
	return c
}

func (r Repo[T, K]) addKey(c *pipectx.Command, id K) {
	if r.err != nil {
		c.Fail(r.err)
		return
	}
	c.AppendKey(r.bound().keys.Append(c.Tail(), id))
}

// addDirect is addRecord for a schema that is direct and in which no field may
// be absent.
func (r Repo[T, K]) addDirect(c *pipectx.Command, p unsafe.Pointer) {
	for _, col := range r.model.schema.columns {
		c.Fixed(&col.name)
		tail, err := col.codec.AppendDirect(c.Tail(), col.at(p))
		if err != nil {
			err = r.unwritten(col, *r.model.id(p), err)
		}
		c.Append(tail, err)
	}
}

// unwritten names what could not be encoded.
func (r Repo[T, K]) unwritten(col *column, id K, err error) error {
	key, _ := r.model.KeyOf(id) // a key that cannot be made has failed already
	return fmt.Errorf("model: %w", col.failed(key, err))
}

// verbs are the functions that read replies, made once for each model so that
// a call does not allocate them.
type verbs[T any] struct {
	keyOf     func(unsafe.Pointer) string // of the record there, for messages
	load      func(pipectx.Reply, *T) error
	loadMaybe func(pipectx.Reply, **T) error
	created   func(pipectx.Reply, *T) error
	saved     func(pipectx.Reply, *T) error
	written   func(pipectx.Reply, *T) error
}

func newVerbs[T, K any](m *Model[T, K]) verbs[T] {
	s := m.schema
	hooks := m.hooks
	return verbs[T]{
		keyOf: func(p unsafe.Pointer) string {
			key, _ := m.KeyOf(*m.id(p)) // a key that cannot be made has failed already
			return key
		},
		load: func(r pipectx.Reply, record *T) error { return s.load(r, unsafe.Pointer(record), hooks) },
		loadMaybe: func(r pipectx.Reply, record **T) error {
			err := s.load(r, unsafe.Pointer(*record), hooks)
			if errors.Is(err, pipectx.ErrNotFound) {
				*record, err = nil, nil
			}
			return err
		},
		created: func(r pipectx.Reply, record *T) error { return s.created(r, unsafe.Pointer(record)) },
		saved:   func(r pipectx.Reply, record *T) error { return s.saved(r, unsafe.Pointer(record)) },
		written: func(r pipectx.Reply, _ *T) error {
			if r.IsInt() { // HSET's count of new fields says nothing to the caller
				return nil
			}
			_, err := r.Int()
			return err
		},
	}
}
