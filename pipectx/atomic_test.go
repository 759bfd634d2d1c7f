package pipectx_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/internal/golden"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/pipectx"
)

// An Atomic is a MULTI … EXEC block, at its place in the pipeline around it;
// one in another joins it, and what callbacks queue stands outside.
func TestAtomicWire(t *testing.T) {
	client := redistest.Shared(t).Client(t)
	db := newDB(t, client)
	rec := redistest.Record(client)
	incr := func(ctx context.Context, key string) { do(ctx, db, "INCR", key) }
	cases := map[string]func(ctx context.Context) error{
		"alone": func(ctx context.Context) error {
			return pipectx.Atomic(ctx, db, func(ctx context.Context) error { incr(ctx, "a"); incr(ctx, "b"); return nil })
		},
		"inside Run": func(ctx context.Context) error {
			return pipectx.Run(ctx, db, func(ctx context.Context) error {
				incr(ctx, "a")
				err := pipectx.Atomic(ctx, db, func(ctx context.Context) error { incr(ctx, "b"); incr(ctx, "c"); return nil })
				incr(ctx, "d")
				return err
			})
		},
		"two blocks": func(ctx context.Context) error {
			return pipectx.Run(ctx, db, func(ctx context.Context) error {
				for _, key := range []string{"a", "b"} {
					if err := pipectx.Atomic(ctx, db, func(ctx context.Context) error { incr(ctx, key); return nil }); err != nil {
						return err
					}
				}
				return nil
			})
		},
		"Run and Atomic inside": func(ctx context.Context) error {
			return pipectx.Atomic(ctx, db, func(ctx context.Context) error {
				incr(ctx, "a")
				if err := pipectx.Run(ctx, db, func(ctx context.Context) error { incr(ctx, "b"); return nil }); err != nil {
					return err
				}
				return pipectx.Atomic(ctx, db, func(ctx context.Context) error { incr(ctx, "c"); return nil })
			})
		},
		"outer context used inside": func(ctx context.Context) error {
			return pipectx.Run(ctx, db, func(outer context.Context) error {
				return pipectx.Atomic(outer, db, func(ctx context.Context) error {
					incr(ctx, "a")
					incr(outer, "out")
					incr(ctx, "b")
					return nil
				})
			})
		},
		"callback": func(ctx context.Context) error {
			return pipectx.Atomic(ctx, db, func(ctx context.Context) error {
				incr(ctx, "a")
				return pipectx.After(ctx, func(ctx context.Context) error { incr(ctx, "b"); return nil })
			})
		},
		"script": func(ctx context.Context) error {
			return pipectx.Run(ctx, db, func(ctx context.Context) error {
				script(ctx, db, "k")
				return pipectx.Atomic(ctx, db, func(ctx context.Context) error {
					script(ctx, db, "k")
					script(ctx, db, "k")
					return nil
				})
			})
		},
		"empty": func(ctx context.Context) error {
			return pipectx.Atomic(ctx, db, func(context.Context) error { return nil })
		},
		"fails": func(ctx context.Context) error {
			err := pipectx.Atomic(ctx, db, func(ctx context.Context) error { incr(ctx, "a"); return errOurs })
			if err != errOurs {
				t.Errorf("Atomic answers %v", err)
			}
			return nil
		},
	}
	var out strings.Builder
	for _, name := range []string{"alone", "inside Run", "two blocks", "Run and Atomic inside", "outer context used inside", "callback", "script", "empty", "fails"} {
		rec.Reset()
		if err := cases[name](t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		fmt.Fprintf(&out, "# %s\n%s\n", name, strings.Join(rec.Lines(), "\n"))
	}
	golden.Equal(t, "testdata/wire/atomic.txt", out.String())
}

var adding = pipectx.NewScript("-- adding\nreturn redis.call('INCRBY', KEYS[1], 5)")

func script(ctx context.Context, db *pipectx.DB, key string) *pipectx.Ref[int64] {
	c := adding.Command(1)
	c.Key(key)
	return pipectx.Send(ctx, db, c, pipectx.Reply.Int)
}

// Every command of a block has its own result: values, absences, and the error
// of one that failed while the others ran.
func TestAtomicResults(t *testing.T) {
	redistest.EachWithEmbedded(t, func(t *testing.T, s *redistest.Node) {
		checkAtomicResults(t, newDB(t, s.Client(t)))
	})
	t.Run("cluster", func(t *testing.T) { checkAtomicResults(t, newDB(t, redistest.Cluster(t).Client(t))) })
}

func checkAtomicResults(t *testing.T, db *pipectx.DB) {
	t.Helper()
	var n, m *pipectx.Ref[int64]
	var text, none *pipectx.Ref[string]
	var list *pipectx.Ref[[]string]
	var bad *pipectx.Ref[any]
	err := pipectx.Atomic(t.Context(), db, func(ctx context.Context) error {
		pipectx.Do[struct{}](ctx, db, "SET", "{atomic}text", "abc")
		n = pipectx.Do[int64](ctx, db, "INCR", "{atomic}n")
		bad = do(ctx, db, "INCR", "{atomic}text")
		none = pipectx.Do[string](ctx, db, "GET", "{atomic}none")
		do(ctx, db, "RPUSH", "{atomic}list", "a", "b")
		list = pipectx.Do[[]string](ctx, db, "LRANGE", "{atomic}list", 0, -1)
		text = pipectx.Do[string](ctx, db, "GET", "{atomic}text")
		m = script(ctx, db, "{atomic}n")
		return nil
	})
	var joined *pipectx.RunError
	if !errors.As(err, &joined) || joined.Failed != 1 {
		t.Errorf("Atomic answers %v, want one failure", err)
	}
	want(t, "INCR", n, 1)
	want(t, "GET", text, "abc")
	want(t, "the script", m, 6)
	wantErr(t, "GET of nothing", none.Err(), pipectx.ErrNotFound)
	if bad.Err() == nil {
		t.Error("INCR of a text is no error")
	}
	if got, err := list.Result(); err != nil || fmt.Sprint(got) != "[a b]" {
		t.Errorf("the list is %v, %v", got, err)
	}
}

// A command that the server will not queue keeps its own error, and nothing of
// its block runs; the pipeline around it does.
func TestAtomicAborts(t *testing.T) {
	redistest.EachWithEmbedded(t, func(t *testing.T, s *redistest.Node) {
		db := newDB(t, s.Client(t))
		var in, wrong *pipectx.Ref[any]
		var around *pipectx.Ref[int64]
		err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
			err := pipectx.Atomic(ctx, db, func(ctx context.Context) error {
				in = do(ctx, db, "INCR", "in")
				wrong = do(ctx, db, "GET", "too", "many")
				return nil
			})
			around = pipectx.Do[int64](ctx, db, "INCR", "around")
			return err
		})
		if err == nil {
			t.Error("Run answers nil")
		}
		wantErr(t, "the other command", in.Err(), pipectx.ErrAborted)
		if errors.Is(in.Err(), pipectx.ErrOutcomeUnknown) {
			t.Errorf("the other command answers %v: its outcome is known", in.Err())
		}
		if err := wrong.Err(); err == nil || errors.Is(err, pipectx.ErrAborted) || !strings.Contains(err.Error(), "wrong number of arguments") {
			t.Errorf("the wrong command answers %v, want its own error", err)
		}
		want(t, "the command around", around, 1)
		if there, err := pipectx.Do[bool](t.Context(), db, "EXISTS", "in").Result(); there || err != nil {
			t.Errorf("the block has run: %v, %v", there, err)
		}
	})
}

// A command that the server does not know keeps its own error. On a real server nothing
// of its block runs; the embedded one runs the others, which have their own answers.
func TestAtomicUnknownCommand(t *testing.T) {
	redistest.EachWithEmbedded(t, func(t *testing.T, s *redistest.Node) {
		db := newDB(t, s.Client(t))
		var first, unknown, second *pipectx.Ref[any]
		_ = pipectx.Atomic(t.Context(), db, func(ctx context.Context) error {
			first = do(ctx, db, "INCRBY", "n", 5)
			unknown = do(ctx, db, "NOSUCHCOMMAND", "n")
			second = do(ctx, db, "INCRBY", "n", 2)
			return nil
		})
		if err := unknown.Err(); err == nil || !strings.Contains(err.Error(), "unknown command") {
			t.Errorf("the unknown command answers %v", err)
		}
		if s.Embedded() == nil {
			wantErr(t, "first", first.Err(), pipectx.ErrAborted)
			wantErr(t, "second", second.Err(), pipectx.ErrAborted)
			return
		}
		want(t, "first", first, any(int64(5)))
		want(t, "second", second, any(int64(7)))
	})
}

// Keys of two slots, commands of two connections and Await are refused before
// anything is sent.
func TestAtomicRefuses(t *testing.T) {
	cluster := redistest.Cluster(t).Client(t)
	db := newDB(t, cluster, pipectx.Connection("other", redistest.Embedded(t).Client(t)))
	other, err := db.Conn("other")
	if err != nil {
		t.Fatal(err)
	}
	rec := redistest.Record(cluster)
	err = pipectx.Atomic(t.Context(), db, func(ctx context.Context) error {
		do(ctx, db, "INCR", "atomic-foo")
		do(ctx, db, "INCR", "atomic-bar")
		return nil
	})
	var cross *pipectx.CrossSlotError
	if !errors.As(err, &cross) || cross.Key1 != "atomic-foo" || cross.Key2 != "atomic-bar" || cross.Slot1 != pipectx.Slot("atomic-foo") {
		t.Errorf("Atomic answers %v, want both keys and slots", err)
	}
	err = pipectx.Atomic(t.Context(), db, func(ctx context.Context) error {
		_ = pipectx.Run(ctx, db, func(ctx context.Context) error { do(ctx, db, "INCR", "atomic-foo"); return errOurs })
		do(ctx, db, "INCR", "atomic-bar")
		return nil
	})
	if err != nil || rec.Commands() != 3 {
		t.Errorf("what was discarded decides the slot: %v, %d commands", err, rec.Commands())
	}
	rec.Reset()
	err = pipectx.Atomic(t.Context(), db, func(ctx context.Context) error {
		do(ctx, db, "INCR", "atomic-foo")
		do(ctx, other, "INCR", "n")
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), "one connection") {
		t.Errorf("two connections: %v", err)
	}
	err = pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		return pipectx.Atomic(ctx, db, func(ctx context.Context) error {
			return pipectx.Run(ctx, db, func(ctx context.Context) error {
				_, err := pipectx.Await(ctx, do(ctx, db, "INCR", "atomic-foo"))
				return err
			})
		})
	})
	if err == nil || !strings.Contains(err.Error(), "Await inside Atomic") {
		t.Errorf("Await: %v", err)
	}
	for _, line := range rec.Lines() {
		if strings.Contains(line, "INCR") {
			t.Errorf("sent %q", line)
		}
	}
}

// OutsideAtomic tells whether what is queued is part of an Atomic.
func TestOutsideAtomic(t *testing.T) {
	db, other := embedded(t), embedded(t)
	in := func(ctx context.Context, db *pipectx.DB) bool { return pipectx.OutsideAtomic(ctx, db, "x") != nil }
	if in(t.Context(), db) {
		t.Error("there is no pipeline")
	}
	err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		if in(ctx, db) {
			t.Error("a Run is no Atomic")
		}
		return pipectx.Atomic(ctx, db, func(ctx context.Context) error {
			if !in(ctx, db) || in(ctx, other) || in(pipectx.Detach(ctx), db) {
				t.Error("an Atomic is its DB's, on its context")
			}
			return pipectx.Run(ctx, db, func(ctx context.Context) error {
				if !in(ctx, db) {
					t.Error("a Run in an Atomic is part of it")
				}
				return nil
			})
		})
	})
	if err != nil {
		t.Error(err)
	}
}

// Blocks of many goroutines are never mixed, on one shared context either, and
// no other client comes between.
func TestAtomicIsAtomic(t *testing.T) {
	s := redistest.Shared(t)
	db := newDB(t, s.Client(t))
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 50 {
				var a, b *pipectx.Ref[int64]
				err := pipectx.Atomic(t.Context(), db, func(ctx context.Context) error {
					a = pipectx.Do[int64](ctx, db, "INCR", "n")
					b = pipectx.Do[int64](ctx, db, "INCR", "n")
					return nil
				})
				x, _ := a.Result()
				if y, _ := b.Result(); err != nil || y != x+1 || x%2 != 1 {
					t.Errorf("%d and %d, %v: somebody came between", x, y, err)
				}
			}
		})
	}
	all.Wait()
	err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() {
				_ = pipectx.Atomic(ctx, db, func(ctx context.Context) error {
					do(ctx, db, "SET", "owner", i)
					for range 10 {
						c := same.Command(1)
						c.Key("owner")
						c.Int(int64(i))
						pipectx.Send(ctx, db, c, pipectx.Reply.OK)
					}
					return nil
				})
			})
		}
		all.Wait()
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

var same = pipectx.NewScript("-- same\nif redis.call('GET', KEYS[1]) ~= ARGV[1] then return redis.error_reply('MIXED') end return redis.status_reply('OK')")

// A block is never executed in part for lack of a script, however often the
// server forgets its scripts.
func TestAtomicUnderScriptFlush(t *testing.T) {
	s := redistest.Shared(t)
	flusher := s.Client(t)
	db := newDB(t, s.Client(t))
	ctx, stop := context.WithCancel(t.Context())
	var storm sync.WaitGroup
	storm.Go(func() {
		for ctx.Err() == nil {
			flusher.ScriptFlush(ctx)
		}
	})
	const rounds = 300
	for range rounds {
		script(t.Context(), db, "outside") // known by its SHA1 from here on, or already forgotten
		err := pipectx.Atomic(t.Context(), db, func(ctx context.Context) error {
			do(ctx, db, "INCR", "before")
			script(ctx, db, "within")
			script(ctx, db, "within")
			do(ctx, db, "INCR", "behind")
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	stop()
	storm.Wait()
	got, err := pipectx.Do[[]string](t.Context(), db, "MGET", "before", "within", "behind").Result()
	if expect := fmt.Sprintf("[%d %d %d]", rounds, 10*rounds, rounds); err != nil || fmt.Sprint(got) != expect {
		t.Errorf("counted %v, %v; want %s", got, err, expect)
	}
}

// What EXEC answers has run, whatever it says: also an error in the very words by
// which a server refuses a command.
func TestAtomicRunsOnceWhateverItSays(t *testing.T) {
	for _, says := range []string{
		"LOADING Redis is loading the dataset in memory",
		"TRYAGAIN Multiple keys request during rehashing of slot",
		"NOSCRIPT No matching script. Please use EVAL.",
	} {
		t.Run(says, func(t *testing.T) {
			client := redistest.Shared(t).Client(t)
			db := newDB(t, client)
			s := pipectx.NewScript(fmt.Sprintf("-- script\nredis.call('INCR', KEYS[1])\nreturn redis.error_reply('%s')", says))
			err := pipectx.Atomic(t.Context(), db, func(ctx context.Context) error {
				call(ctx, db, s, "n", 1)
				return nil
			})
			if err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("Atomic answers %v", err)
			}
			if got := stored(t, client, "n"); got != "1" {
				t.Errorf("the script ran %s times, want once", got)
			}
		})
	}
}

// A block whose answer is lost has an unknown outcome as a whole, its reads
// too, and is not sent again.
func TestAtomicLostAnswer(t *testing.T) {
	s := redistest.Shared(t)
	direct := s.Client(t)
	p := redistest.NewProxy(t)
	db := newDB(t, s.Client(t, func(o *redis.Options) { o.Dialer, o.PipelinePoolSize = p.Dial, -1 }))
	loseNext(p)
	var read *pipectx.Ref[string]
	err := pipectx.Atomic(t.Context(), db, func(ctx context.Context) error {
		do(ctx, db, "INCR", "n")
		read = pipectx.Do[string](ctx, db, "GET", "n")
		return nil
	})
	wantErr(t, "Atomic", err, pipectx.ErrOutcomeUnknown)
	if read.Err() == nil {
		t.Errorf("the read answers %v", read)
	}
	p.Settle(t)
	if got := stored(t, direct, "n"); got != "1" {
		t.Errorf("n is %q, want 1: once", got)
	}
}

// A block follows its slot to another node whole, also in the middle of a
// migration.
func TestAtomicFollowsItsSlot(t *testing.T) {
	cluster := redistest.NewCluster(t, "--cluster-node-timeout", "2000")
	db := newDB(t, cluster.Client(t))
	const key = "{moving}n"
	incr := func() error {
		return pipectx.Atomic(t.Context(), db, func(ctx context.Context) error {
			do(ctx, db, "INCR", key)
			script(ctx, db, key)
			return nil
		})
	}
	if err := incr(); err != nil {
		t.Fatal(err)
	}
	m := cluster.Migrate(t, key)
	if err := incr(); err != nil {
		t.Errorf("before the key moved: %v", err)
	}
	m.Move(t, key)
	if err := incr(); err != nil {
		t.Errorf("after the key moved (ASK): %v", err)
	}
	m.Finish(t)
	if err := incr(); err != nil {
		t.Errorf("after the slot moved (MOVED): %v", err)
	}
	if n, err := pipectx.Do[int64](t.Context(), db, "GET", key).Result(); n != 24 || err != nil {
		t.Errorf("n is %d, %v; want 24: four times 1 and 5", n, err)
	}
}
