package model

import (
	"context"
	"fmt"

	"github.com/redmoon-go/redmoon/pipectx"
)

// together runs a verb of several commands or waves, as a pipeline of its own or
// as a part of that of ctx.
func together[T any](ctx context.Context, db *pipectx.DB, fn func(context.Context) (*pipectx.Ref[T], error)) *pipectx.Ref[T] {
	var ref *pipectx.Ref[T]
	err := pipectx.Run(ctx, db, func(ctx context.Context) (err error) {
		ref, err = fn(ctx)
		return err
	})
	switch {
	case err == nil:
		return ref
	case ref == nil && ctx.Err() != nil: // as Send has it
		err = fmt.Errorf("%w: %w", pipectx.ErrNotSent, err)
	case ref != nil && ref.Ready():
		if own := ref.Err(); own != nil { // what the Run says of it, in fewer words
			err = own
		}
	}
	// The error of an inner Run is not yet the outer one's, and that of an
	// outermost Run nobody has been told: Failed sees to both.
	return pipectx.Failed[T](ctx, db, err)
}
