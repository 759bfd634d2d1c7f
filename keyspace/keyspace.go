package keyspace

import (
	"context"
	"fmt"
	"path"
	"reflect"
	"runtime"
	"strings"
	"time"

	"github.com/redmoon-go/redmoon/pipectx"
)

// definition is what keyspaces of all types share: a declaration, which holds
// no connection.
type definition[K any] struct {
	name     string // NewSortedSet[int64, string]("visits")
	typ      string // what Redis calls the type of its keys
	keys     *Keys[K]
	settings Settings
}

// define checks what all declarations have; types are the type arguments.
func (d *definition[K]) define(constructor, prefix string, options []Option, types ...reflect.Type) (err error) {
	names := make([]string, len(types))
	for i, t := range types {
		names[i] = t.String()
	}
	d.typ = redisTypes[constructor]
	d.name = fmt.Sprintf("%s[%s](%q)", constructor, strings.Join(names, ", "), prefix)
	if d.settings, err = NewSettings(options...); err != nil {
		return err
	}
	d.keys, err = NewKeys[K](prefix, d.settings.Placement)
	return err
}

// redisTypes are what keyspaces hold, by their constructors.
var redisTypes = map[string]string{"NewString": "string", "NewBitmap": "string", "NewHyperLogLog": "string", "NewHash": "hash", "NewSharded": "hash",
	"NewList": "list", "NewSet": "set", "NewSortedSet": "zset", "NewGeo": "zset", "NewStream": "stream"}

// wrong is the error of a declaration.
func (d *definition[K]) wrong(err error) error { return fmt.Errorf("keyspace: %s: %w", d.name, err) }

// atCaller puts the place of a declaration in front of an error: a panic at
// start-up shows only the runtime's init otherwise.
func atCaller(err error) error {
	if _, file, line, ok := runtime.Caller(2); ok {
		return fmt.Errorf("%s:%d: %w", path.Base(file), line, err)
	}
	return err
}

// Prefix is what all keys begin with, but for those of a [Template].
func (d *definition[K]) Prefix() string { return d.keys.Prefix() }

// KeyOf returns the full Redis key of an id. It fails when the id, or a part of
// it, is empty ([ErrEmptyID]) or has no text.
func (d *definition[K]) KeyOf(id K) (string, error) { return d.keys.Key(id) }

// Settings are what the options said.
func (d *definition[K]) Settings() Settings { return d.settings }

// String is the declaration as it is written in Go.
func (d *definition[K]) String() string {
	if s := d.settings.String(); s != "" {
		return strings.TrimSuffix(d.name, ")") + ", " + s + ")"
	}
	return d.name
}

// on binds the definition to a DB. A connection that the DB does not have is
// the answer of every verb.
func (d *definition[K]) on(db *pipectx.DB) bound[K] {
	b := bound[K]{def: d, db: db}
	if name := d.settings.Connection; name != "" {
		named, err := db.Conn(name)
		if err != nil {
			b.err = fmt.Errorf("keyspace: %s: %w", d.keys.Prefix(), err)
			return b
		}
		b.db = named
	}
	return b
}

// bound is a definition on a DB: what the Bound types share.
type bound[K any] struct {
	def *definition[K]
	db  *pipectx.DB
	err error // why no verb can run
}

func (b bound[K]) handle(id K) handle {
	h := handle{db: b.db, ttl: b.def.settings.TTL, err: b.err}
	if h.err == nil {
		h.key, h.err = b.def.keys.Key(id)
	}
	return h
}

// command starts a command whose first argument is the key of an id, for the verbs
// that are called most: a handle would cost them its key's text.
func (b bound[K]) command(name string, id K) *pipectx.Command {
	c := pipectx.NewCommand(name)
	if b.err != nil {
		c.Fail(b.err)
		return c
	}
	c.AppendKey(b.def.keys.Append(c.Tail(), id))
	return c
}

// handle is one key on a DB: what the Key types share.
type handle struct {
	db  *pipectx.DB
	key string
	ttl time.Duration // renewed by each write, if not 0
	err error         // why there is no key: the answer of every verb
}

// String is the full Redis key, or why there is none.
func (h handle) String() string {
	if h.err != nil {
		return h.err.Error()
	}
	return h.key
}

// command starts a command whose first argument is the key.
func (h handle) command(name string) *pipectx.Command {
	c := pipectx.NewCommand(name)
	c.Key(h.key)
	if h.err != nil {
		c.Fail(h.err)
	}
	return c
}

// Exists tells whether there is such a key.
//
// Cost: EXISTS; 1 command; 1 round trip outside Run, none of its own inside.
func (h handle) Exists(ctx context.Context) *pipectx.Ref[bool] {
	return pipectx.Send(ctx, h.db, h.command("EXISTS").Read(), pipectx.Reply.Bool)
}

// Del removes the key and tells whether there was one.
//
// Cost: DEL; 1 command; 1 round trip outside Run, none of its own inside.
func (h handle) Del(ctx context.Context) *pipectx.Ref[bool] {
	return pipectx.Send(ctx, h.db, h.command("DEL"), pipectx.Reply.Bool)
}

// Unlink is Del for a large collection: the key is gone at once, and the server
// frees its memory later, in the background.
//
// Cost: UNLINK; 1 command; 1 round trip outside Run, none of its own inside.
func (h handle) Unlink(ctx context.Context) *pipectx.Ref[bool] {
	return pipectx.Send(ctx, h.db, h.command("UNLINK"), pipectx.Reply.Bool)
}

// Type answers what Redis calls the type of the stored value: string, list,
// set, zset, hash or stream. It is another than the keyspace's only where
// somebody else wrote the key. If there is no such key the answer is
// [pipectx.ErrNotFound].
//
// Cost: TYPE; 1 command; 1 round trip outside Run, none of its own inside.
func (h handle) Type(ctx context.Context) *pipectx.Ref[string] {
	return pipectx.Send(ctx, h.db, h.command("TYPE").Read(), typeName)
}

func typeName(r pipectx.Reply) (string, error) {
	name, err := r.Text()
	if name == "none" {
		return "", absent(r.Key())
	}
	return name, err
}

// Touch counts as a use of the key, for servers that evict what is used least,
// and tells whether there is such a key.
//
// Cost: TOUCH; 1 command; 1 round trip outside Run, none of its own inside.
func (h handle) Touch(ctx context.Context) *pipectx.Ref[bool] {
	return pipectx.Send(ctx, h.db, h.command("TOUCH").Read(), pipectx.Reply.Bool)
}
