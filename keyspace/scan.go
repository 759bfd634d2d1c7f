package keyspace

import (
	"context"
	"iter"

	"github.com/redmoon-go/redmoon/pipectx"
)

// Scan iterates over the ids of all stored keys of this prefix and placement that
// are of a Redis type (string, hash, set, zset, …; "" for any), as [pipectx.Scan]
// does over keys: an id that is there all the while is seen at least once, and
// perhaps more often. A key of the pattern that no id makes is an error that names
// it; the scan goes on if the caller does.
//
// Cost: SCAN; 1 command and 1 round trip for each 1,000 keys of the whole database,
// while the caller iterates.
func (k *Keys[K]) Scan(ctx context.Context, db *pipectx.DB, typ string) iter.Seq2[K, error] {
	return func(yield func(K, error) bool) {
		for key, err := range pipectx.Scan(ctx, db, k.Pattern(), typ) {
			var id K
			if err == nil {
				id, err = k.Parse(key)
			}
			if !yield(id, err) {
				return
			}
		}
	}
}

// ScanIDs iterates over the ids of all stored keys of the keyspace. An id that is
// there all the while is seen at least once, and perhaps more often; one that comes
// or goes meanwhile may be seen or not. A key of the same prefix that no id makes is
// an error that names it; the scan goes on if the caller does. Inside a Run it is
// refused: the only thing seen is an error.
//
// Cost: SCAN; 1 command and 1 round trip for each 1,000 keys of the whole database,
// on a Cluster of all masters, while the caller iterates.
func (b bound[K]) ScanIDs(ctx context.Context) iter.Seq2[K, error] {
	if b.err != nil {
		return func(yield func(K, error) bool) {
			var none K
			yield(none, b.err)
		}
	}
	return b.def.keys.Scan(ctx, b.db, b.def.typ)
}
