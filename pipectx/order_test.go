package pipectx_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/pipectx"
)

// A reply that was cut is no answer, wherever the cut is: neither zeros for what
// is missing, nor a shorter value. The read is done again.
func TestTornReply(t *testing.T) {
	const reply = len("$50\r\n") + 50 + len("\r\n")
	value := strings.Repeat("x", 50)
	for _, protocol := range []int{2, 3} {
		proxy := redistest.NewProxy(t)
		client := redistest.Shared(t).Client(t, func(o *redis.Options) { o.Dialer, o.Protocol = proxy.Dial, protocol })
		db := newDB(t, client)
		do(t.Context(), db, "SET", "k", value)
		for at := range reply {
			var torn atomic.Bool
			proxy.On(func(redistest.Request) redistest.Fate {
				if torn.Swap(true) {
					return redistest.Pass()
				}
				return redistest.Tear(at)
			})
			want(t, "GET", pipectx.Do[string](t.Context(), db, "GET", "k"), value)
			if !torn.Load() {
				t.Fatal("no reply was torn")
			}
		}
	}
}

// A server that is ready in the middle of a pipeline has refused its head and run
// its tail. The head is not sent again behind the tail: it answers that it has not
// run. When nothing behind it has run, it is sent again.
func TestRefusedHeadKeepsItsOrder(t *testing.T) {
	tests := []struct {
		reason  string
		refused int // how many of three
		stored  []string
	}{
		{"b and c have run", 1, []string{"b", "c"}},
		{"c has run", 2, []string{"c"}},
		{"none has run", 3, []string{"a", "b", "c"}},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			proxy := redistest.NewProxy(t)
			client := redistest.Shared(t).Client(t, func(o *redis.Options) { o.Dialer = proxy.Dial })
			db := newDB(t, client)
			left := int32(test.refused)
			proxy.On(func(redistest.Request) redistest.Fate {
				if atomic.AddInt32(&left, -1) >= 0 {
					return redistest.Answer("-LOADING Redis is loading the dataset in memory\r\n")
				}
				return redistest.Pass()
			})
			err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
				for _, v := range []string{"a", "b", "c"} {
					do(ctx, db, "RPUSH", "list", v)
				}
				return nil
			})
			var fault *pipectx.ServerError
			if refused := len(test.stored) < 3; refused != (errors.As(err, &fault) && fault.Code == "LOADING") {
				t.Errorf("Run answers %v", err)
			}
			got := client.LRange(t.Context(), "list", 0, -1).Val()
			if strings.Join(got, "") != strings.Join(test.stored, "") {
				t.Errorf("the list is %v, want %v", got, test.stored)
			}
		})
	}
}

// An Atomic goes to one node, also when the client learns in the middle of it that
// its slot has moved.
func TestAtomicHasOneNode(t *testing.T) {
	nodes := []*redistest.Node{redistest.Server(t), redistest.Server(t)}
	var turn atomic.Int64
	client := redis.NewClusterClient(&redis.ClusterOptions{ClusterSlots: func(context.Context) ([]redis.ClusterSlot, error) {
		n := nodes[turn.Add(1)%2]
		return []redis.ClusterSlot{{Start: 0, End: pipectx.Slots - 1, Nodes: []redis.ClusterNode{{Addr: n.Addr}}}}, nil
	}})
	t.Cleanup(func() { _ = client.Close() })
	db := newDB(t, client)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			// Not ReloadState, which has a pause of 200 ms: it would hardly ever fall between two commands.
			_ = client.ForEachMaster(ctx, func(context.Context, *redis.Client) error { return nil })
		}
	}()
	const pairs = 1000
	for range 200 {
		err := pipectx.Atomic(t.Context(), db, func(ctx context.Context) error {
			for range pairs {
				do(ctx, db, "INCR", "{t}x")
				do(ctx, db, "INCR", "{t}y")
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	stop()
	<-done
	for _, n := range nodes {
		x, _ := n.Client(t).Get(t.Context(), "{t}x").Int64()
		y, _ := n.Client(t).Get(t.Context(), "{t}y").Int64()
		if x%pairs != 0 || x != y {
			t.Errorf("%s has x %d and y %d: an Atomic was split", n.Addr, x, y)
		}
	}
}

// When Gather returns, every Ref of its members has its answer, also of those that
// a context's end has sent away while their commands were under way.
func TestGatherLeavesNothingPending(t *testing.T) {
	db := newDB(t, redistest.Shared(t).Client(t))
	for i := range 500 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(50+i%200)*time.Microsecond)
		var ref *pipectx.Ref[int64]
		_ = pipectx.Gather(ctx, db, func(g *pipectx.Group) error { // it ends as it may
			g.Go(func(ctx context.Context) error {
				ref = pipectx.Do[int64](ctx, db, "INCR", "n")
				_, err := pipectx.Await(ctx, ref)
				return err
			})
			return nil
		})
		cancel()
		if ref != nil && !ref.Ready() {
			t.Fatalf("in round %d it is pending", i)
		}
	}
}
