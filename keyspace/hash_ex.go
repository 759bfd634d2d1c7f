package keyspace

import (
	"context"
	"fmt"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/pipectx"
)

// fieldExServers have the commands that read or write fields and their TTLs at once.
const fieldExServers = "Redis 8.0 or Valkey 9"

// GetDel removes fields and answers the values they had, in their order, absent where
// there was none. The key goes with its last field. Large numbers are as in
// [HashKey.SetMany].
//
// Errors: [pipectx.ErrUnsupported] on servers before Redis 8.0 and Valkey 9.1.
//
// Cost: HGETDEL, 1 command for each 5,000 fields, and PEXPIRE with a default TTL; 1
// round trip outside Run, none of its own inside.
func (k HashKey[F, V]) GetDel(ctx context.Context, names ...F) *pipectx.Ref[[]field.Optional[V]] {
	if len(names) == 0 && k.err == nil {
		return resolved([]field.Optional[V]{})
	}
	return renewed(ctx, k.handle, func(ctx context.Context) *pipectx.Ref[[]field.Optional[V]] {
		return inParts(ctx, k.handle, names, func(ctx context.Context, from, to int) *pipectx.Ref[[]field.Optional[V]] {
			c := k.addFields(k.command("HGETDEL").Needs("Redis 8.0 or Valkey 9.1"), names, from, to)
			return pipectx.Send(ctx, k.db, c, k.entry.valuesOf(names[from:to]))
		})
	})
}

// GetEx answers the values of fields, in their order, absent where there is none, and
// gives the fields another end; [NoTTL] takes their TTLs away. Large numbers are as in
// [HashKey.SetMany].
//
// Errors: [pipectx.ErrUnsupported] on servers before Redis 8.0 and Valkey 9.
//
// Cost: HGETEX, 1 command for each 5,000 fields; 1 round trip outside Run, none of its
// own inside.
func (k HashKey[F, V]) GetEx(ctx context.Context, expiry Expiry, names ...F) *pipectx.Ref[[]field.Optional[V]] {
	return inParts(ctx, k.handle, names, func(ctx context.Context, from, to int) *pipectx.Ref[[]field.Optional[V]] {
		c := k.command("HGETEX").Needs(fieldExServers)
		if expiry.kind == keepTTL {
			c.Fail(fmt.Errorf("keyspace: %s: GetEx with KeepTTL() changes nothing; use MGet", k.key))
		}
		expiry.write(c, "", "PERSIST")
		return pipectx.Send(ctx, k.db, k.addFields(c, names, from, to), k.entry.valuesOf(names[from:to]))
	})
}

// SetEx stores the values of fields with an end of their own, all at one moment, and
// leaves other fields alone. The default TTL is that of the whole key, and begins anew.
//
// Errors: [pipectx.ErrUnsupported] on servers before Redis 8.0 and Valkey 9.
//
// Cost: HSETEX, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip outside
// Run, none of its own inside.
func (k HashKey[F, V]) SetEx(ctx context.Context, expiry Expiry, values map[F]V) *pipectx.Ref[bool] {
	return k.setEx(ctx, "", expiry, values)
}

// SetExFNX is SetEx if there is none of the fields, and tells whether it did.
//
// Errors: [pipectx.ErrUnsupported] on servers before Redis 8.0 and Valkey 9.
//
// Cost: HSETEX FNX, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip
// outside Run, none of its own inside.
func (k HashKey[F, V]) SetExFNX(ctx context.Context, expiry Expiry, values map[F]V) *pipectx.Ref[bool] {
	return k.setEx(ctx, "FNX", expiry, values)
}

// SetExFXX is SetEx if there are all of the fields, and tells whether it did.
//
// Errors: [pipectx.ErrUnsupported] on servers before Redis 8.0 and Valkey 9.
//
// Cost: HSETEX FXX, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip
// outside Run, none of its own inside.
func (k HashKey[F, V]) SetExFXX(ctx context.Context, expiry Expiry, values map[F]V) *pipectx.Ref[bool] {
	return k.setEx(ctx, "FXX", expiry, values)
}

func (k HashKey[F, V]) setEx(ctx context.Context, condition string, expiry Expiry, values map[F]V) *pipectx.Ref[bool] {
	if len(values) == 0 && k.err == nil {
		return resolved(true)
	}
	c := k.command("HSETEX").Needs(fieldExServers)
	if condition != "" {
		c.Word(condition)
	}
	expiry.write(c, "KEEPTTL", "")
	c.Word("FIELDS")
	c.Int(int64(len(values)))
	for name, value := range values {
		k.entry.write(c, k.key, keyValue[F, V]{name, value})
	}
	return write(ctx, k.handle, c, pipectx.Reply.Bool)
}
