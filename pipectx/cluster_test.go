package pipectx_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/pipectx"
)

// A Run over keys of all slots takes one round trip a node, in parallel, and
// every Ref has its own answer.
func TestClusterRun(t *testing.T) {
	for _, protocol := range []int{2, 3} {
		client := redistest.Cluster(t).Client(t, func(o *redis.ClusterOptions) { o.Protocol = protocol })
		w := newWitness()
		db := newDB(t, client, pipectx.Observe(w))
		if !db.Cluster() {
			t.Error("it is no Cluster")
		}
		const n = 300
		var refs [n]*pipectx.Ref[string]
		var miss *pipectx.Ref[string]
		err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
			for i := range n {
				key := fmt.Sprintf("run%d-%d", protocol, i)
				do(ctx, db, "SET", key, i)
				do(ctx, db, "APPEND", key, "!")
				refs[i] = pipectx.Do[string](ctx, db, "GET", key)
			}
			miss = pipectx.Do[string](ctx, db, "GET", "none")
			do(ctx, db, "PING")
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for i, ref := range refs {
			want(t, fmt.Sprint("key ", i), ref, fmt.Sprint(i, "!"))
		}
		wantErr(t, "a miss", miss.Err(), pipectx.ErrNotFound)
		if f := w.last(t); f.Commands != 3*n+2 || f.Connections != 3 || f.RoundTrips != 3 || f.Attempts != 1 {
			t.Errorf("%+v, want 3 round trips to 3 nodes", f)
		}
	}
}

// Keys of two slots are refused before the wire, with both keys and slots, and
// poison their Run; keys of one hash tag are not.
func TestClusterCrossSlot(t *testing.T) {
	w := newWitness()
	db := newDB(t, redistest.Cluster(t).Client(t), pipectx.Observe(w))
	var cross *pipectx.CrossSlotError
	err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		do(ctx, db, "SET", "fine", 1)
		c := pipectx.NewCommand("SUNION")
		c.Key("{a}1")
		c.Key("{a}2")
		c.Key("{b}3")
		pipectx.Send(ctx, db, c, pipectx.Reply.Texts)
		return nil
	})
	if !errors.As(err, &cross) || *cross != (pipectx.CrossSlotError{Command: "SUNION", Key1: "{a}1", Slot1: pipectx.Slot("a"), Key2: "{b}3", Slot2: pipectx.Slot("b")}) {
		t.Errorf("Run answers %v", err)
	}
	if len(w.seen()) != 0 {
		t.Error("something was sent")
	}
	if err := do(t.Context(), db, "MSET", "{a}1", 1, "{a}2", 2).Err(); err != nil {
		t.Errorf("keys of one hash tag: %v", err)
	}
}

// A single server has no slots: nothing is refused there.
func TestNoClusterNoSlots(t *testing.T) {
	db := embedded(t)
	if err := do(t.Context(), db, "MSET", "a", 1, "b", 2).Err(); err != nil || db.Cluster() {
		t.Errorf("%v; a Cluster %v", err, db.Cluster())
	}
}

// A slot that has moved is followed: every command runs once, those of one key
// in program order, and nobody else waits for it twice.
func TestClusterMoved(t *testing.T) {
	for _, commands := range []int{1, 50} {
		shards := redistest.Cluster(t)
		w := newWitness()
		client := shards.Client(t)
		db := newDB(t, client, pipectx.Observe(w))
		moved := fmt.Sprintf("{moved%d}list", commands)
		if err := do(t.Context(), db, "RPUSH", moved, -1).Err(); err != nil { // the client knows the slots
			t.Fatal(err)
		}
		m := shards.Migrate(t, moved)
		m.Move(t, moved)
		m.Finish(t)
		checkOrder(t, db, client, moved, commands)
		if f := w.last(t); f.Attempts != 2 {
			t.Errorf("%+v, want 2 attempts", f)
		}
		// By now the slots have been learnt anew.
		redistest.Until(t, 5*time.Second, "the client to know the slots", func() error {
			if err := do(t.Context(), db, "LLEN", moved).Err(); err != nil {
				return err
			}
			if f := w.last(t); f.Attempts != 1 {
				return fmt.Errorf("%d attempts", f.Attempts)
			}
			return nil
		})
	}
}

// checkOrder pushes to a list, between commands of other keys, in one Run.
func checkOrder(t *testing.T, db *pipectx.DB, client redis.Cmdable, list string, commands int) {
	t.Helper()
	refs := make([]*pipectx.Ref[int64], commands)
	others := make([]*pipectx.Ref[int64], commands)
	err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		for i := range refs {
			refs[i] = pipectx.Do[int64](ctx, db, "RPUSH", list, i)
			others[i] = pipectx.Do[int64](ctx, db, "INCR", fmt.Sprint(list[1:3], "other", i))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	base, err := refs[0].Result()
	if err != nil {
		t.Fatal(err)
	}
	for i := range refs {
		want(t, "push", refs[i], base+int64(i))
		if others[i].Err() != nil {
			t.Errorf("another key: %v", others[i].Err())
		}
	}
	got := client.LRange(t.Context(), list, base-1, -1).Val()
	var order []string
	for i := range commands {
		order = append(order, fmt.Sprint(i))
	}
	if !slices.Equal(got, order) {
		t.Errorf("the list is %q, want program order", got)
	}
}

// While a slot migrates, keys that have gone are asked for where they are,
// in program order.
func TestClusterAsk(t *testing.T) {
	for _, commands := range []int{1, 50} {
		shards := redistest.Cluster(t)
		w := newWitness()
		client := shards.Client(t)
		db := newDB(t, client, pipectx.Observe(w))
		list := fmt.Sprintf("{ask%d}list", commands)
		if err := do(t.Context(), db, "GET", "{ask}x").Err(); !errors.Is(err, pipectx.ErrNotFound) {
			t.Fatal(err)
		}
		m := shards.Migrate(t, list)
		checkOrder(t, db, client, list, commands)
		if f := w.last(t); f.Attempts != 2 {
			t.Errorf("%+v, want 2 attempts", f)
		}
		m.Finish(t)
		want(t, "after the migration", pipectx.Do[int64](t.Context(), db, "LLEN", list), int64(commands))
	}
}

// Several keys of which some have gone are tried again until they are together.
func TestClusterTryAgain(t *testing.T) {
	shards := redistest.Cluster(t)
	client := shards.Client(t)
	db := newDB(t, client)
	a, b := "{try}a", "{try}b"
	if err := do(t.Context(), db, "MSET", a, 1, b, 2).Err(); err != nil {
		t.Fatal(err)
	}
	m := shards.Migrate(t, a)
	m.Move(t, a)
	var once sync.Once
	after := hook(func() { once.Do(func() { m.Move(t, b) }) })
	err := client.ForEachShard(t.Context(), func(_ context.Context, node *redis.Client) error {
		node.AddHook(after)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := pipectx.Do[[]string](t.Context(), db, "MGET", a, b).Result()
	if err != nil || !slices.Equal(got, []string{"1", "2"}) {
		t.Errorf("MGET answers %q, %v", got, err)
	}
}

// hook is called after each command and pipeline of a client.
type hook func()

func (h hook) DialHook(next redis.DialHook) redis.DialHook { return next }

func (h hook) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		defer h()
		return next(ctx, cmd)
	}
}

func (h hook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		defer h()
		return next(ctx, cmds)
	}
}

// After a failover the new master is found, and it is told the scripts.
func TestClusterFailover(t *testing.T) {
	shards := redistest.Cluster(t)
	db := newDB(t, shards.Client(t))
	key := "{failover}n"
	want(t, "before", call(t.Context(), db, addScript, key, 1), 1)
	shards.Failover(t, key)
	err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		for range 3 {
			call(ctx, db, addScript, key, 1)
		}
		do(ctx, db, "INCR", "another")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want(t, "after", pipectx.Do[int64](t.Context(), db, "GET", key), 4)
}

// Each node is told a script by its first use there.
func TestClusterScripts(t *testing.T) {
	shards := redistest.Cluster(t)
	client := shards.Client(t)
	w := newWitness()
	db := newDB(t, client, pipectx.Observe(w))
	script := pipectx.NewScript("-- cluster_add\nreturn redis.call('INCRBY', KEYS[1], ARGV[1])")
	for round := range int64(2) {
		var refs [60]*pipectx.Ref[int64]
		err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
			for i := range refs {
				refs[i] = call(ctx, db, script, fmt.Sprint("script", i), i)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for i, ref := range refs {
			want(t, "the script", ref, int64(i)*(round+1))
		}
	}
	if all := w.seen(); all[0].ScriptLoads != 3 || all[1].ScriptLoads != 0 || all[0].Attempts != 1 {
		t.Errorf("%+v, want 3 loads in the first Run and none after it", all)
	}
}

// A client of one server that meets a Cluster says what to use instead.
func TestClusterThroughASingleClient(t *testing.T) {
	shards := redistest.Cluster(t)
	key := "{single}n"
	home := shards.Master(t, key)
	for _, n := range shards.Nodes {
		if n == home || n == shards.Replica(t, key) {
			continue
		}
		err := do(t.Context(), newDB(t, n.Client(t)), "INCR", key).Err()
		var refused *pipectx.ServerError
		if !errors.As(err, &refused) || refused.Code != "MOVED" || !strings.Contains(err.Error(), "redis+cluster://") {
			t.Errorf("it answers %v, want MOVED and the cure", err)
		}
		return
	}
}

// A Cluster out of reach is found out once, not for each command.
func TestClusterUnreachable(t *testing.T) {
	mute := newStage(t, func([]string) string { return silence })
	tests := []struct {
		reason, addr string
	}{
		{"nobody listens", unreachable(t).Options().Addr},
		{"nobody answers", mute.addr},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			client := redis.NewClusterClient(&redis.ClusterOptions{
				Addrs: []string{test.addr}, Protocol: 2, ReadTimeout: 20 * time.Millisecond,
				DialerRetries: 2, DialerRetryTimeout: 5 * time.Millisecond,
			})
			t.Cleanup(func() { client.Close() })
			db := newDB(t, client)
			run := func(n int) time.Duration {
				start := time.Now()
				err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
					for i := range n {
						do(ctx, db, "INCR", i)
					}
					return nil
				})
				var joined *pipectx.RunError
				if !errors.As(err, &joined) || joined.Failed != n || errors.Is(err, pipectx.ErrOutcomeUnknown) || !strings.Contains(err.Error(), "cannot reach the Cluster") {
					t.Errorf("Run answers %v", err)
				}
				return time.Since(start)
			}
			if one, many := run(1), run(20); many > 5*one+time.Second/2 {
				t.Errorf("one command took %v, 20 in one Run %v", one, many)
			}
		})
	}
}

// A context that ends while a Cluster does not say where its slots are lets the
// caller go at once; nothing was sent.
func TestClusterHangs(t *testing.T) {
	s := newStage(t, func([]string) string { return silence })
	client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{s.addr}, Protocol: 2, ReadTimeout: 2 * time.Second})
	t.Cleanup(func() { client.Close() })
	db := newDB(t, client)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	start := time.Now()
	err := do(ctx, db, "INCR", "n").Err()
	wantErr(t, "the verb", err, context.DeadlineExceeded)
	if errors.Is(err, pipectx.ErrOutcomeUnknown) {
		t.Errorf("the verb answers %v, though nothing was sent", err)
	}
	if took := time.Since(start); took > time.Second {
		t.Errorf("it took %v", took)
	}
}

// A Run over a Cluster and a server beside it is one flush.
func TestClusterBesideAServer(t *testing.T) {
	w := newWitness()
	db := newDB(t, redistest.Cluster(t).Client(t), pipectx.Connection("cache", redistest.Embedded(t).Client(t)), pipectx.Observe(w))
	cache, err := db.Conn("cache")
	if err != nil {
		t.Fatal(err)
	}
	var a, b *pipectx.Ref[any]
	err = pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		a = do(ctx, db, "INCR", "beside")
		b = do(ctx, cache, "MSET", "no", 1, "slots", 2)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want(t, "the Cluster", a, any(int64(1)))
	want(t, "the server", b, any("OK"))
	if f := w.last(t); f.Connections != 2 || f.RoundTrips != 2 {
		t.Errorf("%+v, want 2 connections", f)
	}
}
