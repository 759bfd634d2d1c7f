package model

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/redmoon-go/redmoon/pipectx"
)

// Each loads records, in the order of ids, in pipelines of 256 and so without ever
// having more of them in memory. Ids without a record are skipped. A record that
// cannot be loaded is an error; the others follow, if the caller goes on. When ctx
// ends, that is the last error.
//
//	for account, err := range accounts.Each(ctx, slices.Values(ids)) {
//
// Inside a Run, which sends nothing before it ends, it is refused: the only thing
// seen is an error. Use GetMany there.
//
// Cost: HMGET; 1 command for each id; 1 round trip for each 256 ids, on a Cluster to
// each node, while the caller iterates.
func (r Repo[T, K]) Each(ctx context.Context, ids iter.Seq[K]) iter.Seq2[T, error] {
	return r.each(ctx, "Each", func(yield func(K, error) bool) {
		for id := range ids {
			if !yield(id, nil) {
				return
			}
		}
	})
}

// eachChunk is how many records one pipeline of Each loads: enough that its round
// trip does not matter, and few enough to be nothing in memory.
const eachChunk = 256

func (r Repo[T, K]) each(ctx context.Context, verb string, ids iter.Seq2[K, error]) iter.Seq2[T, error] {
	r.bound()
	return func(yield func(T, error) bool) { r.walk(ctx, verb, ids, yield) }
}

// walk yields the records of ids.
func (r Repo[T, K]) walk(ctx context.Context, verb string, ids iter.Seq2[K, error], yield func(T, error) bool) {
	var none T
	err := r.err
	if err == nil {
		err = pipectx.Outside(ctx, r.db, "model: "+verb)
	}
	if err != nil {
		yield(none, err)
		return
	}
	chunk := make([]K, 0, eachChunk)
	for id, err := range ids {
		if err == nil {
			chunk = append(chunk, r.model.own(id))
		}
		if err == nil && len(chunk) < eachChunk {
			continue
		}
		if !r.eachOf(ctx, chunk, yield) || err != nil && !yield(none, err) { // what was asked for before an error comes before it
			return
		}
		chunk = chunk[:0]
	}
	r.eachOf(ctx, chunk, yield)
}

// eachOf yields the records of a chunk, and tells whether to go on.
func (r Repo[T, K]) eachOf(ctx context.Context, ids []K, yield func(T, error) bool) bool {
	if len(ids) == 0 {
		return true
	}
	var none T
	refs, wrong := make([]*pipectx.Ref[T], len(ids)), make([]error, len(ids))
	err := pipectx.Run(ctx, r.db, func(ctx context.Context) error {
		var key []byte
		for i, id := range ids {
			if key, wrong[i] = r.model.keys.Append(key[:0], id); wrong[i] == nil { // else it would poison the Run
				refs[i] = pipectx.Handled(r.Get(ctx, id))
			}
		}
		return nil
	})
	if ended := context.Cause(ctx); ended != nil {
		yield(none, fmt.Errorf("model: %w: %w", pipectx.ErrNotSent, ended))
		return false
	}
	if err != nil {
		return yield(none, err)
	}
	for i, ref := range refs {
		record, err := none, wrong[i]
		if err == nil {
			record, err = ref.Result()
		}
		if errors.Is(err, pipectx.ErrNotFound) {
			continue
		}
		if !yield(record, err) {
			return false
		}
	}
	return true
}
