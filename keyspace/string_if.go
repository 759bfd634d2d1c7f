package keyspace

import (
	"context"
	"fmt"
	"strconv"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/pipectx"
)

// The servers that compare in a SET or DELEX.
const (
	equalServers   = "Redis 8.4 or Valkey 8.1"
	compareServers = "Redis 8.4"
)

// A condition is what a conditional SET or DELEX asks of the key.
type condition struct {
	word  string
	write func(c *pipectx.Command) // its argument, if it has one
	needs string
}

func (c condition) add(to *pipectx.Command) {
	if c.needs != "" {
		to.Needs(c.needs)
	}
	to.Word(c.word)
	if c.write != nil {
		c.write(to)
	}
}

var (
	ifMissing = condition{word: "NX"}
	ifThere   = condition{word: "XX"}
)

// ifValue compares the stored text with that of a value.
func (k StringKey[V]) ifValue(word, needs string, match V) condition {
	return condition{word, func(c *pipectx.Command) { k.value.write(c, k.key, match) }, needs}
}

// ifDigest compares the digest of the stored text.
func ifDigest(word string, digest uint64) condition {
	return condition{word, func(c *pipectx.Command) { c.Word(fmt.Sprintf("%016x", digest)) }, compareServers}
}

// SetNX is Set if there is no such key. It tells whether it did; if not, all
// stays as it was, the TTL too.
//
// Cost: SET NX, with PX for a default TTL; 1 command; 1 round trip outside Run,
// none of its own inside.
func (k StringKey[V]) SetNX(ctx context.Context, value V, expiry ...Expiry) *pipectx.Ref[bool] {
	return k.setIf(ctx, value, ifMissing, expiry)
}

// SetXX is Set if there is such a key. It tells whether it did.
//
// Cost: SET XX, with PX for a default TTL; 1 command; 1 round trip outside Run,
// none of its own inside.
func (k StringKey[V]) SetXX(ctx context.Context, value V, expiry ...Expiry) *pipectx.Ref[bool] {
	return k.setIf(ctx, value, ifThere, expiry)
}

// SetIFEQ is Set if the key holds match, text for text, and tells whether it did: a
// change of what nobody else changed meanwhile, in one command. A key that is not
// there holds nothing.
//
// Errors: [pipectx.ErrUnsupported] on servers before Redis 8.4 and Valkey 8.1.
//
// Cost: SET IFEQ, with PX for a default TTL; 1 command; 1 round trip outside Run,
// none of its own inside.
func (k StringKey[V]) SetIFEQ(ctx context.Context, value, match V, expiry ...Expiry) *pipectx.Ref[bool] {
	return k.setIf(ctx, value, k.ifValue("IFEQ", equalServers, match), expiry)
}

// SetIFNE is Set if the key does not hold match, or is not there, and tells whether
// it did.
//
// Errors: [pipectx.ErrUnsupported] on servers before Redis 8.4.
//
// Cost: SET IFNE, with PX for a default TTL; 1 command; 1 round trip outside Run,
// none of its own inside.
func (k StringKey[V]) SetIFNE(ctx context.Context, value, match V, expiry ...Expiry) *pipectx.Ref[bool] {
	return k.setIf(ctx, value, k.ifValue("IFNE", compareServers, match), expiry)
}

// SetIFDEQ is SetIFEQ by the digest of the stored text, see [StringKey.Digest].
//
// Errors: [pipectx.ErrUnsupported] on servers before Redis 8.4.
//
// Cost: SET IFDEQ, with PX for a default TTL; 1 command; 1 round trip outside Run,
// none of its own inside.
func (k StringKey[V]) SetIFDEQ(ctx context.Context, value V, digest uint64, expiry ...Expiry) *pipectx.Ref[bool] {
	return k.setIf(ctx, value, ifDigest("IFDEQ", digest), expiry)
}

// SetIFDNE is SetIFNE by the digest of the stored text, see [StringKey.Digest].
//
// Errors: [pipectx.ErrUnsupported] on servers before Redis 8.4.
//
// Cost: SET IFDNE, with PX for a default TTL; 1 command; 1 round trip outside Run,
// none of its own inside.
func (k StringKey[V]) SetIFDNE(ctx context.Context, value V, digest uint64, expiry ...Expiry) *pipectx.Ref[bool] {
	return k.setIf(ctx, value, ifDigest("IFDNE", digest), expiry)
}

func (k StringKey[V]) setIf(ctx context.Context, value V, where condition, expiry []Expiry) *pipectx.Ref[bool] {
	c := k.command("SET")
	k.value.write(c, k.key, value)
	where.add(c)
	ends(c, k.ttl, expiry)
	return pipectx.Send(ctx, k.db, c, wasSet)
}

// wasSet reads the reply of a conditional SET: OK or null.
func wasSet(r pipectx.Reply) (bool, error) {
	if r.IsNil() {
		return false, nil
	}
	return r.Bool()
}

// GetSet is Set, and answers the value that was there before; absent if there was
// none.
//
// Cost: SET GET, with PX for a default TTL; 1 command; 1 round trip outside Run, none
// of its own inside.
func (k StringKey[V]) GetSet(ctx context.Context, value V, expiry ...Expiry) *pipectx.Ref[field.Optional[V]] {
	return k.getSet(ctx, value, condition{}, expiry)
}

// GetSetNX is SetNX, and answers the value that is there already; absent if there is
// none, and this one was set.
//
// Errors: a server before Redis 7.0 refuses it.
//
// Cost: SET NX GET, with PX for a default TTL; 1 command; 1 round trip outside Run,
// none of its own inside.
func (k StringKey[V]) GetSetNX(ctx context.Context, value V, expiry ...Expiry) *pipectx.Ref[field.Optional[V]] {
	where := ifMissing
	where.needs = "Redis 7.0"
	return k.getSet(ctx, value, where, expiry)
}

// GetSetXX is SetXX, and answers the value that was there before; absent if there was
// none, and nothing was set.
//
// Cost: SET XX GET, with PX for a default TTL; 1 command; 1 round trip outside Run,
// none of its own inside.
func (k StringKey[V]) GetSetXX(ctx context.Context, value V, expiry ...Expiry) *pipectx.Ref[field.Optional[V]] {
	return k.getSet(ctx, value, ifThere, expiry)
}

// GetSetIFEQ is SetIFEQ, and answers the value that was there before, whether that is
// match or not; absent if there was none.
//
// Errors: [pipectx.ErrUnsupported] on servers before Redis 8.4 and Valkey 8.1.
//
// Cost: SET IFEQ GET, with PX for a default TTL; 1 command; 1 round trip outside Run,
// none of its own inside.
func (k StringKey[V]) GetSetIFEQ(ctx context.Context, value, match V, expiry ...Expiry) *pipectx.Ref[field.Optional[V]] {
	return k.getSet(ctx, value, k.ifValue("IFEQ", equalServers, match), expiry)
}

// GetSetIFNE is SetIFNE, and answers the value that was there before, whether that is
// match or not; absent if there was none.
//
// Errors: [pipectx.ErrUnsupported] on servers before Redis 8.4.
//
// Cost: SET IFNE GET, with PX for a default TTL; 1 command; 1 round trip outside Run,
// none of its own inside.
func (k StringKey[V]) GetSetIFNE(ctx context.Context, value, match V, expiry ...Expiry) *pipectx.Ref[field.Optional[V]] {
	return k.getSet(ctx, value, k.ifValue("IFNE", compareServers, match), expiry)
}

// GetSetIFDEQ is SetIFDEQ, and answers the value that was there before; absent if
// there was none.
//
// Errors: [pipectx.ErrUnsupported] on servers before Redis 8.4.
//
// Cost: SET IFDEQ GET, with PX for a default TTL; 1 command; 1 round trip outside
// Run, none of its own inside.
func (k StringKey[V]) GetSetIFDEQ(ctx context.Context, value V, digest uint64, expiry ...Expiry) *pipectx.Ref[field.Optional[V]] {
	return k.getSet(ctx, value, ifDigest("IFDEQ", digest), expiry)
}

// GetSetIFDNE is SetIFDNE, and answers the value that was there before; absent if
// there was none.
//
// Errors: [pipectx.ErrUnsupported] on servers before Redis 8.4.
//
// Cost: SET IFDNE GET, with PX for a default TTL; 1 command; 1 round trip outside
// Run, none of its own inside.
func (k StringKey[V]) GetSetIFDNE(ctx context.Context, value V, digest uint64, expiry ...Expiry) *pipectx.Ref[field.Optional[V]] {
	return k.getSet(ctx, value, ifDigest("IFDNE", digest), expiry)
}

func (k StringKey[V]) getSet(ctx context.Context, value V, where condition, expiry []Expiry) *pipectx.Ref[field.Optional[V]] {
	c := k.command("SET")
	k.value.write(c, k.key, value)
	if where.word != "" {
		where.add(c)
	}
	c.Word("GET")
	ends(c, k.ttl, expiry)
	return pipectx.Send(ctx, k.db, c, k.value.before)
}

// before reads a value or null.
func (v *value[V]) before(r pipectx.Reply) (field.Optional[V], error) {
	if r.IsNil() {
		return field.None[V](), nil
	}
	value, err := v.decode(r)
	if err != nil {
		return field.None[V](), err
	}
	return field.Some(value), nil
}

// DelIFEQ removes the key if it holds match, text for text, and tells whether it did.
//
// Errors: [pipectx.ErrUnsupported] on servers before Redis 8.4.
//
// Cost: DELEX IFEQ; 1 command; 1 round trip outside Run, none of its own inside.
func (k StringKey[V]) DelIFEQ(ctx context.Context, match V) *pipectx.Ref[bool] {
	return k.delIf(ctx, k.ifValue("IFEQ", compareServers, match))
}

// DelIFNE removes the key if it does not hold match, and tells whether it did.
//
// Errors: [pipectx.ErrUnsupported] on servers before Redis 8.4.
//
// Cost: DELEX IFNE; 1 command; 1 round trip outside Run, none of its own inside.
func (k StringKey[V]) DelIFNE(ctx context.Context, match V) *pipectx.Ref[bool] {
	return k.delIf(ctx, k.ifValue("IFNE", compareServers, match))
}

// DelIFDEQ is DelIFEQ by the digest of the stored text, see [StringKey.Digest].
//
// Errors: [pipectx.ErrUnsupported] on servers before Redis 8.4.
//
// Cost: DELEX IFDEQ; 1 command; 1 round trip outside Run, none of its own inside.
func (k StringKey[V]) DelIFDEQ(ctx context.Context, digest uint64) *pipectx.Ref[bool] {
	return k.delIf(ctx, ifDigest("IFDEQ", digest))
}

// DelIFDNE is DelIFNE by the digest of the stored text, see [StringKey.Digest].
//
// Errors: [pipectx.ErrUnsupported] on servers before Redis 8.4.
//
// Cost: DELEX IFDNE; 1 command; 1 round trip outside Run, none of its own inside.
func (k StringKey[V]) DelIFDNE(ctx context.Context, digest uint64) *pipectx.Ref[bool] {
	return k.delIf(ctx, ifDigest("IFDNE", digest))
}

func (k StringKey[V]) delIf(ctx context.Context, where condition) *pipectx.Ref[bool] {
	c := k.command("DELEX")
	where.add(c)
	return pipectx.Send(ctx, k.db, c, pipectx.Reply.Bool)
}

// Digest answers the XXH3 hash, of 64 bits, of the stored text, for the verbs that
// compare with a digest: it is short where the value is long. If there is no such
// key the answer is [pipectx.ErrNotFound].
//
// Errors: [pipectx.ErrUnsupported] on servers before Redis 8.4.
//
// Cost: DIGEST; 1 command; 1 round trip outside Run, none of its own inside.
func (k StringKey[V]) Digest(ctx context.Context) *pipectx.Ref[uint64] {
	return pipectx.Send(ctx, k.db, k.command("DIGEST").Read().Needs(compareServers), func(r pipectx.Reply) (uint64, error) {
		text, err := r.Text()
		if err != nil {
			return 0, missing(err, r.Key())
		}
		digest, err := strconv.ParseUint(text, 16, 64)
		if err != nil {
			return 0, fmt.Errorf("keyspace: %s: the reply %v is not a digest", r.Key(), r)
		}
		return digest, nil
	})
}
