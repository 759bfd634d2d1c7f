package model

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Scan loads all records of the model, in no order and in pipelines of 256. A record
// that is there all the while is seen at least once, and perhaps more often; one that
// is made or deleted meanwhile may be seen or not. A record that cannot be loaded is
// an error, and so is a key of the model's prefix that no id makes, which it names;
// the others follow, if the caller goes on. When ctx ends, that is the last error.
//
//	for account, err := range accounts.Scan(ctx) {
//
// Inside a Run, which sends nothing before it ends, it is refused: the only thing
// seen is an error.
//
// Cost: SCAN and HMGET; 1 command and 1 round trip for each 1,000 keys of the whole
// database, on a Cluster of all masters, and 1 command for each record with 1 round
// trip for each 256, while the caller iterates.
func (r Repo[T, K]) Scan(ctx context.Context) iter.Seq2[T, error] {
	return r.each(ctx, "Scan", r.ids(ctx))
}

// ScanIDs is [Repo.Scan] for the ids alone: the records are not loaded.
//
// Cost: SCAN; 1 command and 1 round trip for each 1,000 keys of the whole database,
// on a Cluster of all masters, while the caller iterates.
func (r Repo[T, K]) ScanIDs(ctx context.Context) iter.Seq2[K, error] {
	r.bound()
	if err := pipectx.Outside(ctx, r.db, "model: ScanIDs"); err != nil {
		return failing[K](err)
	}
	return r.ids(ctx)
}

func (r Repo[T, K]) ids(ctx context.Context) iter.Seq2[K, error] {
	m := r.bound()
	if r.err != nil {
		return failing[K](r.err)
	}
	return m.keys.Scan(ctx, r.db, "hash")
}

// failing yields one error.
func failing[V any](err error) iter.Seq2[V, error] {
	return func(yield func(V, error) bool) {
		var none V
		yield(none, err)
	}
}

// Count answers how many records there are, by a scan of all keys: for now and then,
// not for every request. A record counts that is there all the while; one that is
// made or deleted meanwhile may count or not; one may count twice when the server
// grows or shrinks its table meanwhile. Keys that no id makes do not count. Inside a
// Run it is refused.
//
// Cost: SCAN; 1 command and 1 round trip for each 1,000 keys of the whole database,
// on a Cluster of all masters.
func (r Repo[T, K]) Count(ctx context.Context) *pipectx.Ref[int] {
	r.bound()
	fail := func(err error) *pipectx.Ref[int] { return pipectx.Failed[int](ctx, r.db, err) }
	if err := pipectx.Outside(ctx, r.db, "model: Count"); err != nil {
		return fail(err)
	}
	n := 0
	for _, err := range r.ids(ctx) {
		switch {
		case err == nil:
			n++
		case !foreign(err):
			return fail(fmt.Errorf("model: count %s: %w", r.model.prefix, err))
		}
	}
	ref, set := pipectx.NewRef[int](ctx)
	set(n, nil)
	return ref
}

// foreign tells whether a key was none of ours.
func foreign(err error) bool {
	var undecodable *field.DecodeError
	return errors.Is(err, keyspace.ErrForeignKey) || errors.As(err, &undecodable)
}
