package lock_test

import (
	"context"
	"testing"

	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/lock"
)

// A context belongs to its lease as long as that is held, on its server, for its names;
// and a second permit is another one.
func TestWhatIsNotReentered(t *testing.T) {
	db, elsewhere := newDB(t, redistest.Embedded(t).Client(t)), newDB(t, redistest.Embedded(t).Client(t))
	all := lock.New("all", lock.Options{Reentrant: true, Slot: "here"})
	err := jobs.On(db).Do(t.Context(), "r", func(ctx context.Context, lease *lock.Lease) error {
		done(t, "on another server", jobs.On(elsewhere).Do(ctx, "r", nothing))
		done(t, "release", lease.Release(ctx))
		done(t, "when it is released", jobs.On(db).Do(context.WithoutCancel(ctx), "r", nothing))
		return nil
	})
	done(t, "Do", err)
	err = permits.On(db).Do(t.Context(), "r", func(ctx context.Context, first *lock.Lease) error {
		return permits.On(db).Do(ctx, "r", func(_ context.Context, second *lock.Lease) error {
			if first == second {
				t.Error("two permits are one")
			}
			return nil
		})
	})
	done(t, "Do", err)
	err = all.On(db).DoAll(t.Context(), []string{"a", "b"}, func(ctx context.Context, both *lock.Lease) error {
		done(t, "a part of it", all.On(db).Do(ctx, "a", nothing))
		_, err := all.On(db).AcquireAll(ctx, "b", "c")
		wantErr(t, "more than it has", err, lock.ErrReentered)
		return both.Err()
	})
	done(t, "DoAll", err)
}
