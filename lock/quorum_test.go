package lock_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/lock"
	"github.com/redmoon-go/redmoon/pipectx"
)

// More than half of independent masters make a lock, which outlives the rest of them
// with all they stored. Fencing tokens grow over all of it.
func TestQuorum(t *testing.T) {
	nodes := []*redistest.Node{redistest.Server(t), redistest.Server(t), redistest.Server(t)}
	var dbs, others []*pipectx.DB
	for _, n := range nodes {
		dbs, others = append(dbs, newDB(t, n.Client(t))), append(others, newDB(t, n.Client(t)))
	}
	ctx := t.Context()
	ours, theirs := leaders.On(dbs...), leaders.On(others...)
	first, err := ours.Acquire(ctx, "q")
	if err != nil {
		t.Fatal(err)
	}
	last := fence(t, first)
	_, err = theirs.TryAcquire(ctx, "q")
	wantErr(t, "another one", err, lock.ErrHeld)
	_, err = theirs.Acquire(ctx, "q")
	wantErr(t, "one who waits", err, lock.ErrTimeout)
	done(t, "release", first.Release(ctx))
	done(t, "release again", first.Release(ctx))

	for i := range 5 {
		who := []lock.BoundQuorum{ours, theirs}[i%2]
		if i == 2 {
			nodes[0].Kill()
		}
		lease, err := who.Acquire(ctx, "q")
		if err != nil {
			t.Fatal(i, err)
		}
		now := fence(t, lease)
		if now <= last {
			t.Errorf("fencing token %d behind %d", now, last)
		}
		last = now
		done(t, "release", lease.Release(ctx))
	}

	lease, err := ours.Acquire(ctx, "q")
	if err != nil {
		t.Fatal(err)
	}
	nodes[1].Kill()
	<-lease.Context().Done()
	wantErr(t, "one master of three", context.Cause(lease.Context()), lock.ErrLost)
	_, err = theirs.TryAcquire(ctx, "q")
	wantErr(t, "a minority", err, lock.ErrHeld)
	_, err = leaders.On(dbs[2], dbs[2]).TryAcquire(ctx, "q")
	if err == nil || errors.Is(err, lock.ErrHeld) {
		t.Errorf("one master twice: %v", err)
	}
}

// Who asks for what its own context holds would wait for itself: it is told so at once.
func TestQuorumReentered(t *testing.T) {
	ours := leaders.On(newDB(t, redistest.Server(t).Client(t)), newDB(t, redistest.Server(t).Client(t)))
	err := ours.Do(t.Context(), "r", func(ctx context.Context, _ *lock.QuorumLease) error {
		_, err := ours.Acquire(ctx, "r")
		wantErr(t, "the same name", err, lock.ErrReentered)
		other, err := ours.Acquire(ctx, "r2")
		done(t, "another name", err)
		return other.Release(ctx)
	})
	done(t, "Do", err)
}

// A token that is greater on one master is so on all when the lease is held: whoever
// comes next has a greater one, though that master be gone.
func TestQuorumFence(t *testing.T) {
	nodes := []*redistest.Node{redistest.Server(t), redistest.Server(t), redistest.Server(t)}
	var dbs []*pipectx.DB
	for _, n := range nodes {
		dbs = append(dbs, newDB(t, n.Client(t)))
	}
	ctx := t.Context()
	ahead := time.Now().Add(time.Hour).UnixMicro()
	if err := nodes[0].Client(t).HSet(ctx, "leader{f}", "owner", "", "fence", ahead).Err(); err != nil {
		t.Fatal(err)
	}
	one := int64(0)
	redistest.Until(t, 10*time.Second, "the first master is one of them", func() error {
		first, err := leaders.On(dbs...).Acquire(ctx, "f")
		if err != nil {
			return err
		}
		if one = fence(t, first); one <= ahead {
			err = errors.New("it was late")
		}
		return errors.Join(err, first.Release(ctx))
	})
	nodes[0].Kill()
	second, err := leaders.On(dbs...).Acquire(ctx, "f")
	if err != nil {
		t.Fatal(err)
	}
	if two := fence(t, second); two <= one {
		t.Errorf("fencing token %d behind %d", two, one)
	}
	done(t, "release", second.Release(ctx))
}
