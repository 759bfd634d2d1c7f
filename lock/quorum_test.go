package lock_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
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

// A lease lasts while more than half of the masters know it, and is released if so many
// of them did until then.
func TestQuorumOfTheRest(t *testing.T) {
	var nodes []*redistest.Node
	var dbs []*pipectx.DB
	for range 3 {
		s := redistest.Server(t)
		nodes, dbs = append(nodes, s), append(dbs, newDB(t, s.Client(t)))
	}
	ctx := t.Context()
	var lease *lock.QuorumLease
	redistest.Until(t, 10*time.Second, "all masters are of it", func() (err error) {
		if lease, err = leaders.On(dbs...).Acquire(ctx, "rest"); err != nil {
			return err
		}
		for _, n := range nodes {
			if n.Client(t).HGet(ctx, "leader{rest}", "owner").Val() == "" {
				return errors.Join(errors.New("one was late"), lease.Release(ctx))
			}
		}
		return nil
	})
	forget := func(i int) {
		if err := nodes[i].Client(t).Del(ctx, "leader{rest}").Err(); err != nil {
			t.Fatal(err)
		}
	}
	forget(0)
	<-time.After(2100 * time.Millisecond) // the TTL: no luck is waited for, it must be renewed
	if left := lease.TTL(); left <= 0 || left > 2*time.Second || lease.Err() != nil {
		t.Errorf("two of three know it, and it lasts for %v: %v", left, lease.Err())
	}
	forget(1)
	wantErr(t, "release by one of three", lease.Release(ctx), lock.ErrLost)
}

// Who does not get more than half of the masters keeps none of the others.
func TestQuorumGivesBack(t *testing.T) {
	var dbs []*pipectx.DB
	for range 3 {
		dbs = append(dbs, newDB(t, redistest.Server(t).Client(t)))
	}
	ctx, single := t.Context(), lock.New("leader", lock.Options{})
	for _, db := range dbs[:2] {
		lease, err := single.On(db).Acquire(ctx, "back")
		held(t, lease, err)
	}
	_, err := leaders.On(dbs...).TryAcquire(ctx, "back")
	wantErr(t, "two of three are held", err, lock.ErrHeld)
	redistest.Until(t, time.Second, "the third is free, before its TTL has passed", func() error {
		lease, err := single.On(dbs[2]).TryAcquire(ctx, "back")
		if err == nil {
			err = lease.Release(ctx)
		}
		return err
	})
}

// A master that answers when the others have decided gives the lock back.
func TestQuorumLateAnswer(t *testing.T) {
	late, p := redistest.Server(t), redistest.NewProxy(t)
	dbs := []*pipectx.DB{newDB(t, late.Client(t, func(o *redis.Options) { o.Dialer = p.Dial }))}
	for range 2 {
		dbs = append(dbs, newDB(t, redistest.Server(t).Client(t)))
	}
	ctx, answer := t.Context(), make(chan struct{})
	scripts(p, func(n int) redistest.Fate {
		if n == 1 {
			return redistest.Hold(answer)
		}
		return redistest.Pass()
	})
	lease, err := leaders.On(dbs...).TryAcquire(ctx, "late")
	if err != nil {
		t.Fatal(err)
	}
	close(answer)
	redistest.Until(t, time.Second, "it is free there, before its TTL has passed", func() error {
		if owner := late.Client(t).HGet(ctx, "leader{late}", "owner").Val(); owner != "" {
			return errors.New("not yet")
		}
		return nil
	})
	done(t, "release", lease.Release(ctx))
}
