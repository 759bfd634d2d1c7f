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
	counter    string   // the key that ids are drawn from, "" for none
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
		return fmt.Errorf("the key field %s is of type %v, and the model's ids are %v; make them the same", m.schema.key.path, have, k)
	}
	var shared []keyspace.Option
	counted := false
	for _, o := range options {
		if _, ok := o.(counterOption); ok {
			counted = true
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
	if settings.TTL > 0 {
		m.ttl = strconv.FormatInt(settings.TTL.Milliseconds(), 10)
	}
	m.connection = settings.Connection
	if m.keys, err = keyspace.NewKeys[K](m.prefix, settings.Placement); err != nil {
		return err
	}
	if counted {
		if err := m.countIDs(k); err != nil {
			return err
		}
	}
	if k == reflect.TypeFor[uuid.UUID]() {
		m.newID = func() K { return any(uuid.Must(uuid.NewV7())).(K) }
	}
	m.verbs = newVerbs[T](m.schema)
	return nil
}

// Prefix is what all keys of the model begin with.
func (m *Model[T, K]) Prefix() string { return m.prefix }

// KeyOf returns the Redis key of a record.
func (m *Model[T, K]) KeyOf(id K) (string, error) { return m.keys.Key(id) }

// On binds the model to a DB: what it returns has the verbs. If the model
// declares a connection that the DB does not have, they answer
// [pipectx.ErrUnknownConnection].
func (m *Model[T, K]) On(db *pipectx.DB) Repo[T, K] {
	db, err := connect(db, m.connection)
	return Repo[T, K]{model: m, db: db, err: err}
}

// connect returns the view of db on a connection; db itself, to answer errors
// by, where it has none of that name.
func connect(db *pipectx.DB, name string) (*pipectx.DB, error) {
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
// once.
type Repo[T, K any] struct {
	model *Model[T, K]
	db    *pipectx.DB
	err   error // the DB lacks the model's connection
}

// id is where a record has its id.
func (m *Model[T, K]) id(p unsafe.Pointer) *K { return (*K)(m.schema.key.at(p)) }

// command starts a command on the record of an id.
func (r Repo[T, K]) command(name string, id K) *pipectx.Command {
	c := pipectx.NewCommand(name)
	r.addKey(c, id)
	return c
}

// script starts a call of a script on the record of an id. The first argument
// of all is the time to live.
func (r Repo[T, K]) script(s *pipectx.Script, id K) *pipectx.Command {
	c := s.Command(1)
	r.addKey(c, id)
	c.Word(r.model.ttl)
	return c
}

func (r Repo[T, K]) addKey(c *pipectx.Command, id K) {
	if r.err != nil {
		c.Fail(r.err)
		return
	}
	c.AppendKey(r.model.keys.Append(c.Tail(), id))
}

// addFields adds name and text of each field of the record at p that is not
// absent, and of the extra ones.
func (r Repo[T, K]) addFields(c *pipectx.Command, p unsafe.Pointer, extras map[string]string) {
	for _, col := range r.model.schema.columns {
		at := col.at(p)
		if col.absent(at) {
			continue
		}
		c.Word(col.name)
		tail, err := col.codec.Append(c.Tail(), at)
		if err != nil {
			key, _ := r.model.KeyOf(*r.model.id(p)) // a key that cannot be made has failed already
			err = fmt.Errorf("model: %w", col.failed(key, err))
		}
		c.Append(tail, err)
	}
	for name, text := range extras {
		c.Word(name)
		c.Word(text)
	}
}

// verbs are the functions that read replies, made once for each model so that
// a call does not allocate them.
type verbs[T any] struct {
	load      func(pipectx.Reply, *T) error
	loadMaybe func(pipectx.Reply, **T) error
	created   func(pipectx.Reply, *T) error
	saved     func(pipectx.Reply, *T) error
	written   func(pipectx.Reply, *T) error
}

func newVerbs[T any](s *schema) verbs[T] {
	return verbs[T]{
		load: func(r pipectx.Reply, record *T) error { return s.load(r, unsafe.Pointer(record)) },
		loadMaybe: func(r pipectx.Reply, record **T) error {
			err := s.load(r, unsafe.Pointer(*record))
			if errors.Is(err, pipectx.ErrNotFound) {
				*record, err = nil, nil
			}
			return err
		},
		created: func(r pipectx.Reply, _ *T) error { return s.created(r) },
		saved:   func(r pipectx.Reply, _ *T) error { return s.saved(r) },
		written: func(r pipectx.Reply, _ *T) error {
			_, err := r.Int() // HSET's count of new fields says nothing to the caller
			return err
		},
	}
}
