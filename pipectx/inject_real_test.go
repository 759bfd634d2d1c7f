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

// One error of a real server spoils no other Ref of a hundred. NOSCRIPT is none: the script is sent
// again with its body.
func TestOneRealErrorOfAHundred(t *testing.T) {
	script := func(text string) func(ctx context.Context, db *pipectx.DB, key string) answer {
		s := pipectx.NewScript("-- aim\n" + text)
		return func(ctx context.Context, db *pipectx.DB, key string) answer {
			c := s.Command(1)
			c.Key(key)
			return shown(pipectx.Send(ctx, db, c, pipectx.Reply.Text))
		}
	}
	raised := func(code string) string {
		return "redis.call('INCR', KEYS[1] .. 'ran'); return redis.error_reply('" + code + " said a script')"
	}
	tests := []struct {
		reason string
		hurt   func(ctx context.Context, c *redis.Client, key string) error
		aim    target
	}{
		{"a list is no number", func(ctx context.Context, c *redis.Client, key string) error { return c.RPush(ctx, key, 1).Err() }, incr("WRONGTYPE")},
		{"memory is full", func(ctx context.Context, c *redis.Client, _ string) error {
			return c.ConfigSet(ctx, "maxmemory", "1").Err()
		}, incr("OOM")},
		{"it has become a replica", func(ctx context.Context, c *redis.Client, _ string) error {
			return c.ReplicaOf(ctx, "127.0.0.1", "1").Err()
		}, incr("READONLY")},
		{"the command is forbidden", func(ctx context.Context, c *redis.Client, _ string) error {
			return c.Do(ctx, "ACL", "SETUSER", "default", "-incr").Err()
		}, incr("NOPERM")},
		{"scripts were forgotten", func(ctx context.Context, c *redis.Client, _ string) error { return c.ScriptFlush(ctx).Err() },
			target{ask: script("return redis.call('INCR', KEYS[1])"), answer: "1"}},
		{"a script's own MOVED", nil, target{ask: script(raised("MOVED")), command: "aim", error: "MOVED"}},
		{"a script's own ASK", nil, target{ask: script(raised("ASK")), command: "aim", error: "ASK"}},
		{"a script's own NOSCRIPT", nil, target{ask: script(raised("NOSCRIPT")), command: "aim", error: "NOSCRIPT"}},
		{"a script's own LOADING", nil, target{ask: script(raised("LOADING")), command: "aim", error: "LOADING"}},
	}
	eachWay(t, func(t *testing.T, protocol, way int) {
		t.Parallel()
		for n, test := range tests {
			t.Run(test.reason, func(t *testing.T) {
				client := redistest.Server(t).Client(t, func(o *redis.Options) { o.Protocol = protocol })
				db := newDB(t, client, ways[way].options...)
				prefix := fmt.Sprint("real", n, ":")
				key := prefix + "target"
				seed(t, db, prefix)
				if test.reason == "scripts were forgotten" {
					want(t, "the script, known", call(t.Context(), db, pipectx.NewScript("-- aim\nreturn redis.call('INCR', KEYS[1])"), key, ""), 1)
					client.Del(t.Context(), key)
				}
				if test.hurt != nil {
					if err := test.hurt(t.Context(), client, key); err != nil {
						t.Fatal(err)
					}
				}
				spoil(t, db, way, prefix, key, test.aim, false)
				if ran := client.Get(t.Context(), key+"ran").Val(); test.aim.command == "aim" && ran != "1" {
					t.Errorf("the script ran %q times, want once", ran)
				}
			})
		}
	})
}

// Errors nested in a script's reply are elements of it, of whatever kind; nothing
// behind them moves.
func TestNestedErrorOfAHundred(t *testing.T) {
	codes := []string{"ERR", "OOM", "READONLY", "NOSCRIPT", "MOVED", "ASK", "LOADING", "BUSY", "CLUSTERDOWN", "TRYAGAIN", "MASTERDOWN", "NOAUTH", "NOPERM", "EXECABORT", "WRONGTYPE"}
	shapes := []struct{ body, answer string }{
		{"return {'a', redis.error_reply('%s x'), 'LEFTOVER'}", "[a %s x LEFTOVER]"},
		{"return {{'a', {redis.error_reply('%s x')}, 'b'}, 'LEFTOVER'}", "[[a [%s x] b] LEFTOVER]"},
		{"redis.setresp(3); return {map={a={'b', redis.error_reply('%s x'), 'LEFTOVER'}}}", "[a [b %s x LEFTOVER]]"},
		{"redis.setresp(3); return {map={a=redis.error_reply('%s x')}}", "[a %s x]"},
	}
	eachWay(t, func(t *testing.T, protocol, way int) {
		db := newDB(t, redistest.Shared(t).Client(t, func(o *redis.Options) { o.Protocol = protocol }), ways[way].options...)
		seed(t, db, "nested:")
		for _, shape := range shapes {
			for _, code := range codes {
				aim := target{answer: fmt.Sprintf(shape.answer, code), ask: func(ctx context.Context, db *pipectx.DB, key string) answer {
					return shown(do(ctx, db, "EVAL", fmt.Sprintf(shape.body, code), 1, key))
				}}
				spoil(t, db, way, "nested:", "nested:target", aim, false)
			}
		}
	})
}

// A server that is not ready for any of a hundred commands is asked again for all
// of them, in their order, three times at most.
func TestServerNotReady(t *testing.T) {
	texts := []string{
		"LOADING Redis is loading the dataset in memory", "CLUSTERDOWN The cluster is down", "CLUSTERDOWN Hash slot not served",
		"TRYAGAIN Multiple keys request during rehashing of slot", "MASTERDOWN Link with MASTER is down",
	}
	eachWay(t, func(t *testing.T, protocol, way int) {
		t.Parallel()
		p := redistest.NewProxy(t)
		db := newDB(t, redistest.Shared(t).Client(t, func(o *redis.Options) { o.Dialer, o.Protocol = p.Dial, protocol }), ways[way].options...)
		for n, text := range texts {
			for _, times := range []int{1, 3, 4} {
				prefix := fmt.Sprintf("busy%d-%d:", n, times)
				seed(t, db, prefix)
				told := map[string]int{}
				p.On(func(r redistest.Request) redistest.Fate {
					for _, arg := range r.Args {
						if strings.HasPrefix(arg, prefix) {
							if told[arg]++; told[arg] <= times {
								return redistest.Answer("-" + text + "\r\n")
							}
						}
					}
					return redistest.Pass()
				})
				var answers [hundred]answer
				_ = ways[way].play(t, db, func(ctx context.Context, i int) { answers[i] = ask(ctx, db, prefix, i, true) })
				p.On(nil)
				for i, answer := range answers {
					got, err := answer()
					var fault *pipectx.ServerError
					if times < 4 && (err != nil || got != asked(i)) || times == 4 && (!errors.As(err, &fault) || fault.Error() != text) {
						t.Errorf("%s, %d times: command %d answers %s, %v", text, times, i, got, err)
					}
				}
				for key, n := range told {
					if n != min(times+1, 4) {
						t.Errorf("%s, %d times: %s was sent %d times", text, times, key, n)
					}
				}
			}
		}
	})
}
