package keyspace

import (
	"context"
	"fmt"
	"iter"

	"github.com/redmoon-go/redmoon/pipectx"
)

// FieldValue is a field of a hash with its value.
type FieldValue[F, V any] struct {
	Field F
	Value V
}

// StrLen answers the length, in bytes, of a field's text; 0 if there is none.
//
// Cost: HSTRLEN; 1 command; 1 round trip outside Run, none of its own inside.
func (k HashKey[F, V]) StrLen(ctx context.Context, name F) *pipectx.Ref[int64] {
	return pipectx.Send(ctx, k.db, k.about("HSTRLEN", name).Read(), pipectx.Reply.Int)
}

// RandField answers some field. If there is no such key the answer is
// [pipectx.ErrNotFound].
//
// Cost: HRANDFIELD; 1 command; 1 round trip outside Run, none of its own inside.
func (k HashKey[F, V]) RandField(ctx context.Context) *pipectx.Ref[F] {
	return pipectx.Send(ctx, k.db, k.command("HRANDFIELD").Read(), k.entry.name.one)
}

// RandFieldN answers some n fields, all different, or all there are if those are
// fewer. For a negative n it draws -n times, and fields may repeat. If there is no
// such key it answers none.
//
// Cost: HRANDFIELD; 1 command; 1 round trip outside Run, none of its own inside.
func (k HashKey[F, V]) RandFieldN(ctx context.Context, n int64) *pipectx.Ref[[]F] {
	c := k.command("HRANDFIELD").Read()
	c.Int(n)
	return pipectx.Send(ctx, k.db, c, k.entry.name.all)
}

// RandFieldNWithValues is RandFieldN with the fields' values.
//
// Cost: HRANDFIELD WITHVALUES; 1 command; 1 round trip outside Run, none of its own
// inside.
func (k HashKey[F, V]) RandFieldNWithValues(ctx context.Context, n int64) *pipectx.Ref[[]FieldValue[F, V]] {
	c := k.command("HRANDFIELD").Read()
	c.Int(n)
	c.Word("WITHVALUES")
	return pipectx.Send(ctx, k.db, c, func(r pipectx.Reply) ([]FieldValue[F, V], error) { return k.entry.pairs(r, r.Key()) })
}

// Each iterates over the fields and their values, those of which the field's text
// matches a pattern of Redis's, "" for all. A field that is there all the while is
// seen at least once, and perhaps more often; one that comes or goes meanwhile may be
// seen or not. An error ends it. Inside a Run, which sends nothing before it ends, the
// only thing seen is an error: use Scan there, or GetAll.
//
// Cost: HSCAN; 1 command and 1 round trip for each 1,000 fields, while the caller
// iterates.
func (k HashKey[F, V]) Each(ctx context.Context, match string) iter.Seq2[FieldValue[F, V], error] {
	return k.entry.scan().all(ctx, k.handle, "Each", match)
}

// Scan answers what one step of a scan finds, about count fields (0 for the
// server's own number): begin with cursor 0, go on with the Next of each page, until
// that is 0.
//
// Cost: HSCAN; 1 command; 1 round trip outside Run, none of its own inside.
func (k HashKey[F, V]) Scan(ctx context.Context, cursor uint64, match string, count int64) *pipectx.Ref[Page[FieldValue[F, V]]] {
	return k.entry.scan().step(ctx, k.handle, cursor, match, count)
}

// EachField is Each without the values.
//
// Errors: [pipectx.ErrUnsupported] on servers before Redis 7.4 and Valkey 8.
//
// Cost: HSCAN NOVALUES; 1 command and 1 round trip for each 1,000 fields, while the
// caller iterates.
func (k HashKey[F, V]) EachField(ctx context.Context, match string) iter.Seq2[F, error] {
	return k.entry.scanNames().all(ctx, k.handle, "EachField", match)
}

// ScanFields is Scan without the values.
//
// Errors: [pipectx.ErrUnsupported] on servers before Redis 7.4 and Valkey 8.
//
// Cost: HSCAN NOVALUES; 1 command; 1 round trip outside Run, none of its own inside.
func (k HashKey[F, V]) ScanFields(ctx context.Context, cursor uint64, match string, count int64) *pipectx.Ref[Page[F]] {
	return k.entry.scanNames().step(ctx, k.handle, cursor, match, count)
}

func (e *entry[F, V]) scan() scan[FieldValue[F, V]] {
	return scan[FieldValue[F, V]]{command: "HSCAN", items: e.pairs}
}

func (e *entry[F, V]) scanNames() scan[F] {
	return scan[F]{command: "HSCAN", option: "NOVALUES", needs: "Redis 7.4 or Valkey 8", items: e.name.decodeFrom}
}

// pairs reads fields and values: each pair an array of its own, as RESP3 has them in
// places, or all in one row.
func (e *entry[F, V]) pairs(r pipectx.Reply, key string) ([]FieldValue[F, V], error) {
	items, err := elements(r)
	if err != nil {
		return nil, err
	}
	all := make([]FieldValue[F, V], 0, items.Len())
	for row := false; items.Next(); {
		pair := &items
		if !row {
			own, err := items.Reply().Items()
			if row = err != nil; !row && own.Next() {
				pair = &own
			}
		}
		text, err := pair.Bytes()
		if err != nil {
			return nil, err
		}
		var p FieldValue[F, V]
		if p.Field, err = e.name.parse(text, key); err != nil {
			return nil, err
		}
		if !pair.Next() {
			return nil, fmt.Errorf("keyspace: %s: the reply %v has a field without its value", key, r)
		}
		if text, err = pair.Bytes(); err != nil {
			return nil, err
		}
		if p.Value, err = e.value.Parse(text); err != nil {
			return nil, located(err, key, e.name.text(p.Field))
		}
		all = append(all, p)
	}
	return all, nil
}
