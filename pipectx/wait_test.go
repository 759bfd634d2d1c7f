package pipectx_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/pipectx"
)

// blpop is a verb that blocks.
func blpop(ctx context.Context, db *pipectx.DB, wait time.Duration, key string) *pipectx.Ref[string] {
	c := pipectx.NewCommand("BLPOP")
	c.Key(key)
	c.Wait(wait, time.Second)
	return pipectx.Send(ctx, db, c, func(r pipectx.Reply) (string, error) {
		if r.IsNil() {
			return "", pipectx.NotFound(key)
		}
		pair, err := r.Texts()
		if err != nil {
			return "", err
		}
		return pair[1], nil
	})
}

// A command that blocks is answered when something comes, or when its time is up,
// whatever the client's ReadTimeout.
func TestWait(t *testing.T) {
	redistest.EachWithEmbedded(t, func(t *testing.T, s *redistest.Node) {
		client := s.Client(t, func(o *redis.Options) { o.ReadTimeout = 20 * time.Millisecond })
		db := newDB(t, client)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		for _, ctx := range []context.Context{ctx, context.Background()} {
			wantErr(t, "nothing", blpop(ctx, db, 100*time.Millisecond, "q").Err(), pipectx.ErrNotFound)
			answer := make(chan *pipectx.Ref[string])
			go func() { answer <- blpop(ctx, db, 0, "q") }()
			select {
			case ref := <-answer:
				t.Fatalf("answered %v before anything came", ref)
			case <-time.After(100 * time.Millisecond):
			}
			done(t, "RPUSH", do(t.Context(), db, "RPUSH", "q", "a"))
			want(t, "something", <-answer, "a")
		}
	})
}

func done(t testing.TB, what string, ref interface{ Err() error }) {
	t.Helper()
	if err := ref.Err(); err != nil {
		t.Errorf("%s: %v", what, err)
	}
}

// When its context ends, a command that blocks returns at once and says why; what
// comes later is not taken.
func TestWaitEnds(t *testing.T) {
	redistest.EachWithEmbedded(t, func(t *testing.T, s *redistest.Node) {
		db := newDB(t, s.Client(t))
		before := inside()
		for _, ends := range []struct {
			name string
			why  error
			by   func() (context.Context, context.CancelFunc)
		}{
			{"cancelled", context.Canceled, func() (context.Context, context.CancelFunc) {
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(30*time.Millisecond, cancel)
				return ctx, cancel
			}},
			{"out of time", context.DeadlineExceeded, func() (context.Context, context.CancelFunc) {
				return context.WithTimeout(t.Context(), 30*time.Millisecond)
			}},
		} {
			ctx, cancel := ends.by()
			var err error
			within(t, 300*time.Millisecond, ends.name, func() { err = blpop(ctx, db, 0, "q").Err() })
			cancel()
			wantErr(t, ends.name, err, ends.why)
			if errors.Is(err, pipectx.ErrOutcomeUnknown) { // a slow machine may not even have sent it
				t.Errorf("%s: %v, but it is known that nothing was taken", ends.name, err)
			}
			done(t, "RPUSH", do(t.Context(), db, "RPUSH", "q", "later"))
			want(t, "what came later", pipectx.Do[string](t.Context(), db, "LPOP", "q"), "later")
		}
		nobodyInside(t, before)
	})
}

// Whatever comes while contexts end is either the answer or still there: nothing that
// was popped is lost.
func TestWaitLosesNothing(t *testing.T) {
	redistest.EachWithEmbedded(t, func(t *testing.T, s *redistest.Node) {
		db := newDB(t, s.Client(t))
		const rounds = 200
		got := map[string]bool{}
		for i := range rounds {
			ctx, cancel := context.WithCancel(t.Context())
			answer := make(chan *pipectx.Ref[string])
			go func() { answer <- blpop(ctx, db, 0, "q") }()
			value := fmt.Sprint(i)
			at := time.After(time.Duration(i%20) * 100 * time.Microsecond)
			go func() { <-at; cancel() }() // at about the time when the value comes
			<-time.After(time.Duration(i/20) * 200 * time.Microsecond)
			done(t, "RPUSH", do(t.Context(), db, "RPUSH", "q", value))
			switch text, err := (<-answer).Result(); {
			case err == nil:
				if got[text] {
					t.Errorf("%s came twice", text)
				}
				got[text] = true
			case errors.Is(err, pipectx.ErrOutcomeUnknown), !errors.Is(err, context.Canceled):
				t.Errorf("%v", err)
			}
			cancel()
		}
		left, err := pipectx.Do[[]string](t.Context(), db, "LRANGE", "q", 0, -1).Result()
		if err != nil || len(left)+len(got) != rounds {
			t.Errorf("%d answers and %d left of %d (%v)", len(got), len(left), rounds, err)
		}
		t.Logf("%d answers, %d left", len(got), len(left))
	})
}

// A server that hangs does not hold up the caller for more than half a second; nobody
// knows what became of the command then.
func TestWaitForAServerThatHangs(t *testing.T) {
	s := redistest.Server(t)
	db := newDB(t, s.Client(t))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	answer := make(chan error)
	go func() { answer <- blpop(ctx, db, 0, "q").Err() }()
	redistest.Until(t, 5*time.Second, "the server to be waited for", func() error {
		if n := do(t.Context(), db, "CLIENT", "LIST").String(); !strings.Contains(n, "cmd=blpop") {
			return errors.New("nobody waits")
		}
		return nil
	})
	s.Pause(t)
	cancel()
	within(t, 2*time.Second, "BLPOP", func() {
		err := <-answer
		wantErr(t, "BLPOP", err, pipectx.ErrOutcomeUnknown)
		wantErr(t, "BLPOP", err, context.Canceled)
	})
	s.Resume(t)
}

// Inside a Run nothing waits: the verb is refused, and so is the Run.
func TestWaitRefused(t *testing.T) {
	db := embedded(t)
	err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		blpop(ctx, db, 0, "q")
		return nil
	})
	const text = "pipectx: BLPOP q inside a Run: a Run sends nothing before it ends; call it outside, or with a context of pipectx.Detach"
	if err == nil || err.Error() != text {
		t.Errorf("Run: %v\nwant %s", err, text)
	}
	for _, row := range []struct {
		wait time.Duration
		text string
	}{
		{-time.Second, "pipectx: BLPOP q: cannot wait for -1s; give a time, or 0 for ever"},
		{time.Microsecond, "pipectx: BLPOP q: cannot wait for 1µs: servers count milliseconds; give at least one, or 0 for ever"},
	} {
		if err := blpop(t.Context(), db, row.wait, "q").Err(); err == nil || err.Error() != row.text {
			t.Errorf("%v: %v\nwant %s", row.wait, err, row.text)
		}
	}
}

// On a Cluster a command that blocks goes where its slot lives, and follows it.
func TestWaitCluster(t *testing.T) {
	cluster := redistest.Cluster(t)
	db := newDB(t, cluster.Client(t))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for i := range 10 {
		key := fmt.Sprint("wait", i)
		done(t, "RPUSH", do(ctx, db, "RPUSH", key, "a"))
		want(t, key, blpop(ctx, db, 0, key), "a")
	}
}
