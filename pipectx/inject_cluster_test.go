package pipectx_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/pipectx"
)

// A redirection is no error: while the slot of one key of a hundred moves, all of
// them are right, and each runs once.
func TestOneMovedOfAHundred(t *testing.T) {
	eachWay(t, func(t *testing.T, protocol, way int) {
		shards, p := redistest.Cluster(t), redistest.NewProxy(t)
		client := shards.Client(t, func(o *redis.ClusterOptions) { o.Dialer, o.Protocol = p.Dial, protocol })
		db := newDB(t, client, ways[way].options...)
		tag := fmt.Sprintf("{migrant%d-%d}", protocol, way)
		var told []string // by whom the target was seen
		spoilt := func(name string, aim target, key string) {
			t.Helper()
			told = nil
			t.Run(name, func(t *testing.T) {
				prefix := fmt.Sprint(name, tag[1:len(tag)-1], ":")
				seed(t, db, prefix)
				spoil(t, db, way, prefix, key, aim, true)
			})
			p.On(nil) // whoever is asked has answered
		}
		watched := func(request string, m *redistest.Migration) {
			p.On(func(r redistest.Request) redistest.Fate {
				if r.String() == request {
					told = append(told, map[string]string{m.From.Addr: "from", m.To.Addr: "to"}[r.Addr])
				}
				return redistest.Pass()
			})
		}
		if err := do(t.Context(), db, "MSET", tag+"a", "1", tag+"b", "2").Err(); err != nil {
			t.Fatal(err)
		}
		m := shards.Migrate(t, tag)

		watched("INCR "+tag+"new", m)
		spoilt("ASK", incr(""), tag+"new")
		if got := fmt.Sprint(told); got != "[from to]" {
			t.Errorf("the key that has gone was asked for at %s", got)
		}

		m.Move(t, tag+"a")
		p.On(func(r redistest.Request) redistest.Fate {
			if r.Name() == "MGET" {
				if told = append(told, "asked"); len(told) == 3 {
					m.Move(t, tag+"b")
				}
			}
			return redistest.Pass()
		})
		both := target{answer: "[1 2]", ask: func(ctx context.Context, db *pipectx.DB, _ string) answer {
			return shown(pipectx.Do[[]string](ctx, db, "MGET", tag+"a", tag+"b"))
		}}
		spoilt("TRYAGAIN", both, "")
		if len(told) < 3 {
			t.Errorf("two keys in two places were asked for %d times", len(told))
		}

		m.Finish(t)
		watched("INCR "+tag+"other", m)
		spoilt("MOVED", incr(""), tag+"other")
		if got := fmt.Sprint(told); got != "[from to]" {
			t.Errorf("the slot that has moved was asked for at %s", got)
		}
	})
}

// A slot that moves for ever is given up, with the last redirection.
func TestOneMovedForEverOfAHundred(t *testing.T) {
	t.Parallel()
	shards, p := redistest.Cluster(t), redistest.NewProxy(t)
	db := newDB(t, shards.Client(t, func(o *redis.ClusterOptions) { o.Dialer = p.Dial }))
	const prefix, key = "forever:", "forever:target"
	seed(t, db, prefix)
	others := []string{shards.Master(t, "a").Addr, shards.Master(t, "b").Addr}
	sent := 0
	p.On(func(r redistest.Request) redistest.Fate {
		if r.String() != "INCR "+key {
			return redistest.Pass()
		}
		sent++
		return redistest.Answer(fmt.Sprintf("-MOVED %d %s\r\n", pipectx.Slot(key), others[sent%2]))
	})
	spoil(t, db, 0, prefix, key, incr("MOVED"), true)
	p.On(nil)
	if sent != 17 {
		t.Errorf("it was sent %d times, want 17", sent)
	}
}

// Inside an Atomic a command that fails while the block runs fails alone.
func TestOneErrorOfAnAtomic(t *testing.T) {
	for _, protocol := range []int{2, 3} {
		client := redistest.Shared(t).Client(t, func(o *redis.Options) { o.Protocol = protocol })
		db := newDB(t, client)
		seed(t, db, "atomic:")
		client.RPush(t.Context(), "atomic:target", 1)
		answers, err := atomically(t, db, "atomic:", "atomic:target")
		for i, answer := range answers {
			if got, err := answer(); i != middle && (err != nil || got != asked(i)) {
				t.Errorf("command %d answers %s, %v; want %s", i, got, err, asked(i))
			}
		}
		_, refused := answers[middle]()
		checkSpoilt(t, "the Ref", refused, incr("WRONGTYPE"), "atomic:target")
		if joined := (*pipectx.RunError)(nil); !errors.As(err, &joined) || joined.Failed != 1 {
			t.Errorf("Atomic answers %v, want one failure", err)
		}
	}
}

// atomically plays a hundred commands whose middle one is INCR key.
func atomically(t *testing.T, db *pipectx.DB, prefix, key string) (answers [hundred]answer, err error) {
	err = pipectx.Atomic(t.Context(), db, func(ctx context.Context) error {
		for i := range answers {
			if i == middle {
				answers[i] = incr("").ask(ctx, db, key)
			} else {
				answers[i] = ask(ctx, db, prefix, i, true)
			}
		}
		return nil
	})
	return answers, err
}

// A block whose slot moves while it is being queued follows it whole, and has run
// once. One server has nowhere to follow to: nothing has run, and each command
// says so.
func TestOneMovedOfAnAtomic(t *testing.T) {
	// A block that is queued at From gets this for its middle command.
	moving := func(from, to, key string) func(redistest.Request) redistest.Fate {
		return func(r redistest.Request) redistest.Fate {
			switch {
			case r.Addr != from || r.Name() == "CLUSTER":
				return redistest.Pass()
			case r.Name() == "MULTI":
				return redistest.Answer("+OK\r\n")
			case r.Name() == "EXEC":
				return redistest.Answer("-EXECABORT Transaction discarded because of previous errors.\r\n")
			case r.String() == "INCR "+key:
				return redistest.Answer(fmt.Sprintf("-MOVED %d %s\r\n", pipectx.Slot(key), to))
			default:
				return redistest.Answer("+QUEUED\r\n")
			}
		}
	}
	for _, protocol := range []int{2, 3} {
		t.Run(fmt.Sprint("cluster, RESP", protocol), func(t *testing.T) {
			shards, p := redistest.Cluster(t), redistest.NewProxy(t)
			db := newDB(t, shards.Client(t, func(o *redis.ClusterOptions) { o.Dialer, o.Protocol = p.Dial, protocol }))
			prefix := fmt.Sprintf("{moving block%d}", protocol)
			seed(t, db, prefix)
			m := shards.Migrate(t, prefix)
			m.Finish(t)
			p.On(moving(m.From.Addr, m.To.Addr, prefix+"target"))
			answers, err := atomically(t, db, prefix, prefix+"target")
			if err != nil {
				t.Fatal(err)
			}
			for i, answer := range answers {
				want := asked(i)
				if i == middle {
					want = "1"
				}
				if got, err := answer(); err != nil || got != want {
					t.Errorf("command %d answers %s, %v; want %s", i, got, err, want)
				}
			}
		})
		t.Run(fmt.Sprint("server, RESP", protocol), func(t *testing.T) {
			s, p := redistest.Shared(t), redistest.NewProxy(t)
			db := newDB(t, s.Client(t, func(o *redis.Options) { o.Dialer, o.Protocol = p.Dial, protocol }))
			p.On(moving(s.Addr, "127.0.0.1:1", "target"))
			answers, err := atomically(t, db, "", "target")
			if joined := (*pipectx.RunError)(nil); !errors.As(err, &joined) || joined.Failed != hundred {
				t.Errorf("Atomic answers %v, want a hundred failures", err)
			}
			for i, answer := range answers {
				_, err := answer()
				var fault *pipectx.ServerError
				if !errors.As(err, &fault) || fault.Code != "MOVED" || !strings.Contains(err.Error(), "redis+cluster://") || errors.Is(err, pipectx.ErrOutcomeUnknown) {
					t.Errorf("command %d answers %v, want MOVED and the cure", i, err)
				}
			}
		})
	}
}
