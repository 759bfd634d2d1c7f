package pipectx_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/pipectx"
)

// deployments are what a client may talk to through a proxy. direct sees the same
// data without it.
var deployments = []struct {
	name string
	open func(t *testing.T, p *redistest.Proxy, protocol int) (client redis.UniversalClient, direct redis.Cmdable)
}{
	{"server", func(t *testing.T, p *redistest.Proxy, protocol int) (redis.UniversalClient, redis.Cmdable) {
		s := redistest.Shared(t)
		return s.Client(t, func(o *redis.Options) { o.Dialer, o.Protocol = p.Dial, protocol }), s.Client(t)
	}},
	{"cluster", func(t *testing.T, p *redistest.Proxy, protocol int) (redis.UniversalClient, redis.Cmdable) {
		s := redistest.Cluster(t)
		return s.Client(t, func(o *redis.ClusterOptions) { o.Dialer, o.Protocol = p.Dial, protocol }), s.Client(t)
	}},
	{"sentinel", func(t *testing.T, p *redistest.Proxy, protocol int) (redis.UniversalClient, redis.Cmdable) {
		g := redistest.Sentinel(t)
		return g.Client(t, func(o *redis.FailoverOptions) { o.Dialer, o.Protocol = p.Dial, protocol }), g.Master(t).Client(t)
	}},
}

func eachDeployment(t *testing.T, test func(t *testing.T, p *redistest.Proxy, client redis.UniversalClient, direct redis.Cmdable)) {
	redistest.Cluster(t) // it is emptied by a use alone: not by the first of these
	for _, d := range deployments {
		for _, protocol := range []int{2, 3} {
			t.Run(fmt.Sprint(d.name, " RESP", protocol), func(t *testing.T) {
				t.Parallel()
				p := redistest.NewProxy(t)
				client, direct := d.open(t, p, protocol)
				test(t, p, client, direct)
			})
		}
	}
}

// plain runs a command of two words; ADD is a script. All of them answer 1.
func plain(ctx context.Context, db *pipectx.DB, verb, key string) *pipectx.Ref[any] {
	if verb != "ADD" {
		return do(ctx, db, verb, key)
	}
	c := addScript.Command(1)
	c.Key(key)
	c.Int(1)
	return pipectx.Send(ctx, db, c, func(r pipectx.Reply) (any, error) { return r.Int() })
}

// named is how errors name a verb.
var named = map[string]string{"INCR": "INCR", "ADD": "add", "GET": "GET"}

// A form is how commands are sent.
type form struct {
	name     string
	play     func(ctx context.Context, db *pipectx.DB, fn func(ctx context.Context) error) error
	pipeline bool // what stands behind a lost answer is lost too
	block    bool // and what stands before it
}

var forms = []form{
	{name: "immediate", play: func(ctx context.Context, _ *pipectx.DB, fn func(ctx context.Context) error) error { return fn(ctx) }},
	{name: "Run", play: pipectx.Run, pipeline: true},
	{name: "Stream", play: pipectx.Stream, pipeline: true},
	{name: "Atomic", play: pipectx.Atomic, pipeline: true, block: true},
}

// A loss is how an answer is lost, and how often what it was to tell of has run.
type loss struct {
	name string
	fate redistest.Fate
	ran  string
}

var losses = []loss{
	{"lost", redistest.Lose(), "1"},
	{"torn", redistest.Tear(2), "1"},
	{"refused", redistest.Refuse(), ""},
}

// once gives a fate to the first request that is meant, and tells by lost that it
// came.
func once(fate redistest.Fate, lost *bool, meant func(redistest.Request) bool) func(redistest.Request) redistest.Fate {
	return func(r redistest.Request) redistest.Fate {
		if *lost || !meant(r) {
			return redistest.Pass()
		}
		*lost = true
		return fate
	}
}

// No write is executed twice and no lost answer is silent, whichever command's
// answer is lost: reads are sent again and answer right; a write has run once or
// not at all and says that nobody knows, with its name and key; a read that a lost
// write follows is not sent again, and says so.
func TestEachAnswerLost(t *testing.T) {
	workloads := []string{"INCR", "ADD", "GET", "GET GET", "INCR GET INCR", "GET ADD GET", "ADD INCR ADD"}
	eachDeployment(t, func(t *testing.T, p *redistest.Proxy, client redis.UniversalClient, direct redis.Cmdable) {
		db := newDB(t, client)
		for _, loss := range losses {
			for _, form := range forms {
				for _, workload := range workloads {
					verbs := strings.Fields(workload)
					for at := range verbs {
						t.Run(fmt.Sprintf("%s, %s, %d of %s", form.name, loss.name, at, workload), func(t *testing.T) {
							playLoss(t, p, db, direct, form, loss, verbs, at)
						})
					}
				}
			}
		}
	})
}

func playLoss(t *testing.T, p *redistest.Proxy, db *pipectx.DB, direct redis.Cmdable, form form, loss loss, verbs []string, at int) {
	key := func(i int) string { return fmt.Sprintf("{%s}%d", t.Name(), i) }
	writes := func(verb string) bool { return verb != "GET" }
	for i, verb := range verbs {
		if !writes(verb) {
			direct.Set(t.Context(), key(i), "1", 0)
		}
	}
	lost := false
	p.On(once(loss.fate, &lost, func(r redistest.Request) bool { return slices.Contains(r.Args, key(at)) }))
	refs := make([]*pipectx.Ref[any], len(verbs))
	whole := form.play(t.Context(), db, func(ctx context.Context) error {
		for i, verb := range verbs {
			refs[i] = plain(ctx, db, verb, key(i))
		}
		return nil
	})
	p.On(nil)
	if !lost {
		t.Fatal("nothing was lost")
	}
	p.Settle(t)

	unknown := false
	for i, verb := range verbs {
		gone := i == at || form.pipeline && i > at || form.block
		mixed := form.pipeline && slices.ContainsFunc(verbs[i:], writes) || form.block && slices.ContainsFunc(verbs, writes)
		switch count, err := stored(t, direct, key(i)), refs[i].Err(); {
		case gone && writes(verb):
			unknown = true
			checkUnknown(t, verb, err, named[verb], key(i))
			if count != loss.ran {
				t.Errorf("%s %d ran %q times, want %q", verb, i, count, loss.ran)
			}
		case gone && mixed:
			if err == nil || errors.Is(err, pipectx.ErrPending) || errors.Is(err, pipectx.ErrOutcomeUnknown) {
				t.Errorf("%s %d, which may not be asked again, answers %v", verb, i, refs[i])
			}
		case err != nil || refs[i].String() != "1" || count != "1":
			t.Errorf("%s %d answers %v and ran %q times, want 1 and once", verb, i, refs[i], count)
		}
	}
	if form.pipeline && unknown != errors.Is(whole, pipectx.ErrOutcomeUnknown) {
		t.Errorf("the whole answers %v", whole)
	}
}

func checkUnknown(t *testing.T, what string, err error, command, key string) {
	t.Helper()
	wantErr(t, what, err, pipectx.ErrOutcomeUnknown)
	var e *pipectx.CommandError
	if !errors.As(err, &e) || e.Command != command || e.Key != key {
		t.Errorf("%s answers %v, want %s and %s named", what, err, command, key)
	}
}

// A block is one: wherever in it the connection is lost, all of it has run or
// nothing, once, and all of it is unknown.
func TestAtomicLostAnywhere(t *testing.T) {
	eachDeployment(t, func(t *testing.T, p *redistest.Proxy, client redis.UniversalClient, direct redis.Cmdable) {
		db := newDB(t, client)
		for _, loss := range losses {
			for _, word := range []string{"MULTI", "GET", "EXEC"} {
				prefix := fmt.Sprintf("{%s-%s-%s}", t.Name(), loss.name, word)
				direct.Set(t.Context(), prefix+"GET", "1", 0)
				lost := false
				p.On(once(loss.fate, &lost, func(r redistest.Request) bool { return r.Name() == word }))
				refs := map[string]*pipectx.Ref[any]{}
				err := pipectx.Atomic(t.Context(), db, func(ctx context.Context) error {
					for _, verb := range []string{"INCR", "GET", "ADD"} {
						refs[verb] = plain(ctx, db, verb, prefix+verb)
					}
					return nil
				})
				p.On(nil)
				p.Settle(t)
				what := fmt.Sprint(word, " ", loss.name)
				wantErr(t, what, err, pipectx.ErrOutcomeUnknown)
				if refs["GET"].Err() == nil {
					t.Errorf("%s: the read answers %v, though the block is not asked again", what, refs["GET"])
				}
				for _, verb := range []string{"INCR", "ADD"} {
					checkUnknown(t, what+": "+verb, refs[verb].Err(), named[verb], prefix+verb)
					if got := stored(t, direct, prefix+verb); got != loss.ran {
						t.Errorf("%s: %s ran %q times, want %q", what, verb, got, loss.ran)
					}
				}
			}
		}
	})
}

// Of a connection that is lost in its handshake nothing has been sent: a write is
// tried again and runs once.
func TestHandshakeLost(t *testing.T) {
	eachDeployment(t, func(t *testing.T, p *redistest.Proxy, client redis.UniversalClient, direct redis.Cmdable) {
		db := newDB(t, client)
		key := "{" + t.Name() + "}n"
		if err := do(t.Context(), db, "SET", key, 0).Err(); err != nil {
			t.Fatal(err)
		}
		n := int64(0)
		for _, loss := range losses {
			for at := range 4 {
				left := at
				p.OnHandshake(func(r redistest.Request) redistest.Fate {
					if left--; left == -1 && r.Name() != "CLUSTER" {
						return loss.fate
					}
					return redistest.Pass()
				})
				p.Cut()
				n++
				want(t, fmt.Sprintf("INCR, with handshake %d %s", at, loss.name), pipectx.Do[int64](t.Context(), db, "INCR", key), n)
				p.OnHandshake(nil)
			}
		}
		if got := stored(t, direct, key); got != fmt.Sprint(n) {
			t.Errorf("it ran %s times, want %d", got, n)
		}
	})
}
