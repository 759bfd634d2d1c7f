package pipectx_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/pipectx"
)

// One server error never spoils another Ref: these tests give the middle one of a
// hundred commands an error, and look at all of them.
const (
	hundred = 100
	middle  = 50
)

// An answer is the result of a typed command as text.
type answer func() (string, error)

func shown[T any](ref *pipectx.Ref[T]) answer {
	return func() (string, error) {
		v, err := ref.Result()
		return fmt.Sprint(v), err
	}
}

// seed stores what ask reads.
func seed(t *testing.T, db *pipectx.DB, prefix string) {
	t.Helper()
	err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		for i := range hundred {
			key := fmt.Sprint(prefix, i)
			switch i % 5 {
			case 0:
				do(ctx, db, "SET", key, fmt.Sprint("text", i))
			case 1:
				do(ctx, db, "HSET", key, "f", i)
			case 2:
				do(ctx, db, "RPUSH", key, i, "b")
			case 3:
				do(ctx, db, "ZADD", key, float64(i)+.5, "m")
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// ask asks for something of a type of its own, whose answer tells i. What writes
// counts how often it ran.
func ask(ctx context.Context, db *pipectx.DB, prefix string, i int, writes bool) answer {
	key := fmt.Sprint(prefix, i)
	switch i % 5 {
	case 0:
		return shown(pipectx.Do[string](ctx, db, "GET", key))
	case 1:
		return shown(pipectx.Do[map[string]string](ctx, db, "HGETALL", key))
	case 2:
		return shown(pipectx.Do[[]string](ctx, db, "LRANGE", key, 0, -1))
	case 3:
		return shown(pipectx.Do[float64](ctx, db, "ZSCORE", key, "m"))
	}
	if !writes {
		return shown(pipectx.Do[string](ctx, db, "ECHO", i))
	}
	if i%2 == 0 {
		return shown(call(ctx, db, addScript, key, i))
	}
	return shown(pipectx.Do[int64](ctx, db, "INCRBY", key, i))
}

func asked(i int) string {
	return fmt.Sprintf([]string{"text%d", "map[f:%d]", "[%d b]", "%d.5", "%d"}[i%5], i)
}

// ways are those in which a hundred commands share a pipeline.
var ways = []struct {
	name    string
	options []pipectx.Option
	play    func(t *testing.T, db *pipectx.DB, one func(ctx context.Context, i int)) error
}{
	{"Run", nil, func(t *testing.T, db *pipectx.DB, one func(ctx context.Context, i int)) error {
		return pipectx.Run(t.Context(), db, func(ctx context.Context) error {
			for i := range hundred {
				one(ctx, i)
			}
			return nil
		})
	}},
	{"Coalesce", []pipectx.Option{pipectx.Coalesce()}, func(t *testing.T, db *pipectx.DB, one func(ctx context.Context, i int)) error {
		var all sync.WaitGroup
		start := make(chan struct{})
		for i := range hundred {
			all.Go(func() {
				<-start
				one(t.Context(), i)
			})
		}
		close(start)
		all.Wait()
		return nil
	}},
}

// eachWay runs test with RESP2 and RESP3, each way.
func eachWay(t *testing.T, test func(t *testing.T, protocol, way int)) {
	for _, protocol := range []int{2, 3} {
		for way := range ways {
			t.Run(fmt.Sprint("RESP", protocol, " ", ways[way].name), func(t *testing.T) { test(t, protocol, way) })
		}
	}
}

// A target is the command in the middle.
type target struct {
	ask           func(ctx context.Context, db *pipectx.DB, key string) answer
	command       string // as its error names it
	answer, error string // what it is to answer: a text, or an error's first word
}

// incr is the target that most errors are given to; it answers fault.
func incr(fault string) target {
	return target{command: "INCR", error: fault, answer: "1", ask: func(ctx context.Context, db *pipectx.DB, key string) answer {
		return shown(pipectx.Do[int64](ctx, db, "INCR", key))
	}}
}

// spoil plays a hundred commands whose middle one is aimed at key, and checks
// each answer.
func spoil(t *testing.T, db *pipectx.DB, way int, prefix, key string, aim target, writes bool) {
	t.Helper()
	var answers [hundred]answer
	run := ways[way].play(t, db, func(ctx context.Context, i int) {
		if i == middle {
			answers[i] = aim.ask(ctx, db, key)
		} else {
			answers[i] = ask(ctx, db, prefix, i, writes)
		}
	})
	for i, answer := range answers {
		if i == middle {
			continue
		}
		if got, err := answer(); err != nil || got != asked(i) {
			t.Errorf("command %d answers %s, %v; want %s", i, got, err, asked(i))
		}
	}
	got, err := answers[middle]()
	if aim.error == "" {
		if err != nil || run != nil || got != aim.answer {
			t.Errorf("the command in the middle answers %s, %v, Run %v; want %s", got, err, run, aim.answer)
		}
		return
	}
	checkSpoilt(t, "the Ref", err, aim, key)
	if ways[way].options == nil {
		checkSpoilt(t, "Run", run, aim, key)
		if joined := (*pipectx.RunError)(nil); !errors.As(run, &joined) || joined.Failed != 1 || joined.Sent != hundred {
			t.Errorf("Run answers %v, want one failure of a hundred", run)
		}
	}
}

func checkSpoilt(t *testing.T, what string, err error, aim target, key string) {
	t.Helper()
	var fault *pipectx.ServerError
	if !errors.As(err, &fault) || fault.Code != aim.error {
		t.Errorf("%s answers %v, want a ServerError %s", what, err, aim.error)
	}
	var located *pipectx.CommandError
	if !errors.As(err, &located) || located.Command != aim.command || located.Key != key {
		t.Errorf("%s answers %v, want %s %s named", what, err, aim.command, key)
	}
	if errors.Is(err, pipectx.ErrOutcomeUnknown) {
		t.Errorf("%s answers %v, though the server has answered", what, err)
	}
}

// Whatever a server answers to one command: that one fails with the server's own
// words, and is sent once. What proves that it has not run is asked again, three
// times at most.
func TestOneErrorOfAHundred(t *testing.T) {
	const (
		always  = 1_000_000
		inPlace = -1 // once in a Run; until it is answered if it has no place in an order
	)
	forged := []struct {
		reply string // or its text, after a -
		times int    // how often the server says so
		sent  int    // how often it is asked
		error string // that the Ref answers, if any
	}{
		{"WRONGTYPE Operation against a key holding the wrong kind of value", always, 1, "WRONGTYPE"},
		{"OOM command not allowed when used memory > 'maxmemory'.", always, 1, "OOM"},
		{"READONLY You can't write against a read only replica.", always, 1, "READONLY"},
		{"NOSCRIPT No matching script. Please use EVAL.", always, 1, "NOSCRIPT"},
		{"MOVED 1 127.0.0.1:1", always, 1, "MOVED"},
		{"ASK 1 127.0.0.1:1", always, 1, "ASK"},
		{"BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.", always, 1, "BUSY"},
		{"NOAUTH Authentication required.", always, 1, "NOAUTH"},
		{"NOPERM this user has no permissions to run the 'incr' command", always, 1, "NOPERM"},
		{"EXECABORT Transaction discarded because of previous errors.", always, 1, "EXECABORT"},
		{"MISCONF Redis is configured to save RDB snapshots", always, 1, "MISCONF"},
		{"NOREPLICAS Not enough good replicas to write.", always, 1, "NOREPLICAS"},
		{"ERR max number of clients reached", always, 1, "ERR"},
		{"ALONE", always, 1, "ALONE"},
		{"!10\r\nBLOB error\r\n", always, 1, "BLOB"},
		{"|1\r\n+ttl\r\n:3\r\n-ATTR an error with an attribute\r\n", always, 1, "ATTR"},
		// Codes alone prove nothing: a script may answer them after it has written.
		{"LOADING of my own", always, 1, "LOADING"},
		{"TRYAGAIN later", always, 1, "TRYAGAIN"},
		{"CLUSTERDOWN said a script", always, 1, "CLUSTERDOWN"},
		{"MASTERDOWN said a script", always, 1, "MASTERDOWN"},
		// The server's own texts do. What is about the server, and not about one
		// command, is not asked again behind what has run: it would lose its place.
		{"TRYAGAIN Multiple keys request during rehashing of slot", 1, 2, ""},
		{"TRYAGAIN Multiple keys request during rehashing of slot", always, 4, "TRYAGAIN"},
		{"LOADING Redis is loading the dataset in memory", 1, inPlace, "LOADING"},
		{"LOADING Redis is loading the dataset in memory", always, inPlace, "LOADING"},
		{"CLUSTERDOWN The cluster is down", 1, inPlace, "CLUSTERDOWN"},
		{"CLUSTERDOWN Hash slot not served", always, inPlace, "CLUSTERDOWN"},
		{"MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", 1, inPlace, "MASTERDOWN"},
	}
	servers := map[string]func(t *testing.T, p *redistest.Proxy, protocol int) redis.UniversalClient{
		"server": func(t *testing.T, p *redistest.Proxy, protocol int) redis.UniversalClient {
			return redistest.Shared(t).Client(t, func(o *redis.Options) { o.Dialer, o.Protocol = p.Dial, protocol })
		},
		"cluster": func(t *testing.T, p *redistest.Proxy, protocol int) redis.UniversalClient {
			return redistest.Cluster(t).Client(t, func(o *redis.ClusterOptions) { o.Dialer, o.Protocol = p.Dial, protocol })
		},
	}
	redistest.Cluster(t) // it is emptied by a use alone: not by the first of these
	for name, server := range servers {
		t.Run(name, func(t *testing.T) {
			eachWay(t, func(t *testing.T, protocol, way int) {
				t.Parallel()
				p, w := redistest.NewProxy(t), newWitness()
				db := newDB(t, server(t, p, protocol), append(ways[way].options, pipectx.Observe(w))...)
				for n, test := range forged {
					prefix := fmt.Sprintf("forged%d-%d-%d:", protocol, way, n)
					key := prefix + "target"
					seed(t, db, prefix)
					if test.sent == inPlace && ways[way].options == nil {
						test.sent = 1
					} else if test.sent == inPlace {
						if test.sent = min(test.times, 3) + 1; test.times == 1 {
							test.error = ""
						}
					}
					frame := test.reply
					if frame[0] != '!' && frame[0] != '|' {
						frame = "-" + frame + "\r\n"
					}
					sent := 0
					p.On(func(r redistest.Request) redistest.Fate {
						if r.String() != "INCR "+key {
							return redistest.Pass()
						}
						if sent++; sent > test.times {
							return redistest.Pass()
						}
						return redistest.Answer(frame)
					})
					t.Run(strings.TrimSpace(test.reply), func(t *testing.T) {
						spoil(t, db, way, prefix, key, incr(test.error), true)
					})
					p.On(nil)
					if sent != test.sent {
						t.Errorf("%s: it was sent %d times, want %d", test.reply, sent, test.sent)
					}
				}
				for _, f := range w.seen() {
					if f.Failed == 1 && f.Commands > 1 {
						return // an error had company
					}
				}
				t.Error("no error had a pipeline to share")
			})
		})
	}
}
