package keyspace

import (
	"context"
	"time"

	"github.com/redmoon-go/redmoon/pipectx"
)

// ObjectEncoding answers how the server holds the value: listpack, hashtable,
// embstr and so on. If there is no such key the answer is [pipectx.ErrNotFound].
//
// Cost: OBJECT ENCODING; 1 command; 1 round trip outside Run, none of its own
// inside.
func (h handle) ObjectEncoding(ctx context.Context) *pipectx.Ref[string] {
	return pipectx.Send(ctx, h.db, h.object("ENCODING"), func(r pipectx.Reply) (string, error) {
		name, err := r.Text()
		return name, missing(err, r.Key())
	})
}

// ObjectIdleTime answers how long nobody has used the key, in whole seconds. The
// question is no use of it. If there is no such key the answer is
// [pipectx.ErrNotFound].
//
// Cost: OBJECT IDLETIME; 1 command; 1 round trip outside Run, none of its own
// inside.
func (h handle) ObjectIdleTime(ctx context.Context) *pipectx.Ref[time.Duration] {
	return pipectx.Send(ctx, h.db, h.object("IDLETIME"), func(r pipectx.Reply) (time.Duration, error) {
		seconds, err := r.Int()
		return time.Duration(seconds) * time.Second, missing(err, r.Key())
	})
}

// ObjectFreq answers how often the key has been used lately, on the logarithmic
// scale of a server that evicts what is used least (maxmemory-policy …-lfu); others
// answer an error. If there is no such key the answer is [pipectx.ErrNotFound].
//
// Cost: OBJECT FREQ; 1 command; 1 round trip outside Run, none of its own inside.
func (h handle) ObjectFreq(ctx context.Context) *pipectx.Ref[int64] {
	return pipectx.Send(ctx, h.db, h.object("FREQ"), countOf)
}

// ObjectRefCount answers how many places of the server hold the value: more than one
// only where it shares small integers. If there is no such key the answer is
// [pipectx.ErrNotFound].
//
// Cost: OBJECT REFCOUNT; 1 command; 1 round trip outside Run, none of its own
// inside.
func (h handle) ObjectRefCount(ctx context.Context) *pipectx.Ref[int64] {
	return pipectx.Send(ctx, h.db, h.object("REFCOUNT"), countOf)
}

func countOf(r pipectx.Reply) (int64, error) {
	n, err := r.Int()
	return n, missing(err, r.Key())
}

// object starts OBJECT, whose key stands behind its second word.
func (h handle) object(what string) *pipectx.Command {
	c := pipectx.NewCommand("OBJECT", what).Read()
	c.Key(h.key)
	if h.err != nil {
		c.Fail(h.err)
	}
	return c
}
