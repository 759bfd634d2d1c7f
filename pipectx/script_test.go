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

var (
	addScript  = pipectx.NewScript("-- add\nreturn redis.call('INCRBY', KEYS[1], ARGV[1])")
	pushScript = pipectx.NewScript("-- push what ARGV[1] says\nreturn redis.call('RPUSH', KEYS[1], ARGV[1])")
)

// call calls a script of one key and one argument that answers an integer.
func call(ctx context.Context, db *pipectx.DB, s *pipectx.Script, key string, arg any) *pipectx.Ref[int64] {
	c := s.Command(1)
	c.Key(key)
	c.Word(fmt.Sprint(arg))
	return pipectx.Send(ctx, db, c, pipectx.Reply.Int)
}

// A script's first use in a pipeline carries its body, later ones its SHA1; a
// node that knows it is sent the SHA1 alone.
func TestScriptTravelsOnce(t *testing.T) {
	redistest.EachWithEmbedded(t, func(t *testing.T, s *redistest.Node) {
		if s.Embedded() == nil {
			s = redistest.Server(t) // scripts are the whole server's
		}
		w := newWitness()
		client := s.Client(t)
		db := newDB(t, client, pipectx.Observe(w))
		rec := redistest.Record(client)
		for round := range int64(2) {
			var add, push [3]*pipectx.Ref[int64]
			err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
				for i := range add {
					add[i] = call(ctx, db, addScript, "n", 2)
					push[i] = call(ctx, db, pushScript, "l", i)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			for i := range add {
				want(t, "add", add[i], 2*(3*round+int64(i)+1))
				want(t, "push", push[i], 3*round+int64(i)+1)
			}
		}
		first := "EVAL <add> 1 n 2 | EVAL <push> 1 l 0 | EVALSHA <add> 1 n 2 | EVALSHA <push> 1 l 1 | EVALSHA <add> 1 n 2 | EVALSHA <push> 1 l 2"
		if got, want := rec.Lines(), []string{first, strings.ReplaceAll(first, "EVAL ", "EVALSHA ")}; !slices.Equal(got, want) {
			t.Errorf("sent\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		if all := w.seen(); all[0].ScriptLoads != 2 || all[1].ScriptLoads != 0 {
			t.Errorf("script loads %d and %d, want 2 and 0", all[0].ScriptLoads, all[1].ScriptLoads)
		}
	})
}

// An immediate script is sent with its body the first time only.
func TestScriptAtOnce(t *testing.T) {
	client := redistest.Server(t).Client(t)
	db := newDB(t, client)
	rec := redistest.Record(client)
	for i := range int64(3) {
		want(t, "add", call(t.Context(), db, addScript, "n", 1), i+1)
	}
	if got := strings.Join(rec.Lines(), "\n"); got != "EVAL <add> 1 n 1\nEVALSHA <add> 1 n 1\nEVALSHA <add> 1 n 1" {
		t.Errorf("sent %s", got)
	}
}

// A SCRIPT FLUSH at any moment is healed: each call runs once, and no answer is
// another's.
func TestScriptFlush(t *testing.T) {
	tests := []struct {
		reason string
		when   int // before which of 20 calls; -1 before the pipeline
	}{{"before the pipeline", -1}, {"at its head", 0}, {"midway", 10}, {"at its end", 19}}
	client := redistest.Server(t).Client(t)
	db := newDB(t, client)
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			client.FlushAll(t.Context())
			call(t.Context(), db, addScript, "warm", 1)
			call(t.Context(), db, pushScript, "warm2", 1)
			if test.when < 0 {
				client.ScriptFlush(t.Context())
			}
			var add, push [20]*pipectx.Ref[int64]
			err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
				for i := range add {
					if i == test.when {
						do(ctx, db, "SCRIPT", "FLUSH")
					}
					add[i] = call(ctx, db, addScript, fmt.Sprint("n", i), i)
					push[i] = call(ctx, db, pushScript, "l", i)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			for i := range add {
				want(t, "add", add[i], int64(i))
				want(t, "push", push[i], int64(i+1))
			}
			if n := client.LLen(t.Context(), "l").Val(); n != 20 {
				t.Errorf("%d calls ran, want 20", n)
			}
		})
	}
}

// A script that many calls of a pipeline wait for is not sent with each of
// them.
func TestScriptFlushSendsFewBodies(t *testing.T) {
	client := redistest.Server(t).Client(t)
	w := newWitness()
	db := newDB(t, client, pipectx.Observe(w))
	large := pipectx.NewScript("-- large\nreturn redis.call('INCR', KEYS[1]) --" + strings.Repeat("x", 20_000))
	want(t, "the first call", call(t.Context(), db, large, "n", 1), 1)
	client.ScriptFlush(t.Context())
	err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		for range 1000 {
			call(ctx, db, large, "n", 1)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if f := w.last(t); f.ScriptLoads > 10 {
		t.Errorf("its body of %d bytes went along %d times: %d bytes in %d round trips", len(large.Body), f.ScriptLoads, f.BytesOut, f.RoundTrips)
	}
}

// A server that was replaced by an empty one is told the scripts again.
func TestScriptAfterRestart(t *testing.T) {
	s := redistest.Server(t)
	db := newDB(t, s.Client(t))
	want(t, "add", call(t.Context(), db, addScript, "n", 5), 5)
	s.Kill()
	s.Restart(t)
	want(t, "add on the new server", call(t.Context(), db, addScript, "n", 5), 5)
}

// A script that fails fails its own Ref, named by its first line; the others
// have their answers.
func TestScriptFails(t *testing.T) {
	redistest.EachWithEmbedded(t, func(t *testing.T, s *redistest.Node) {
		db := newDB(t, s.Client(t))
		fails := pipectx.NewScript("-- withdraw money\nredis.call('INCR', KEYS[1]); return redis.error_reply('FUNDS have 1')")
		broken := pipectx.NewScript("-- broken\nthis is no Lua")
		raises := pipectx.NewScript("-- raises\nreturn redis.call('INCR', KEYS[1], 'too', 'many')")
		unnamed := pipectx.NewScript("return redis.error_reply('OURS x')")
		var good [4]*pipectx.Ref[int64]
		var bad []*pipectx.Ref[int64]
		err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
			for i, script := range []*pipectx.Script{fails, broken, raises, unnamed} {
				bad = append(bad, call(ctx, db, script, "k", 1), call(ctx, db, script, "k", 1))
				good[i] = call(ctx, db, addScript, "n", 1)
			}
			return nil
		})
		var joined *pipectx.RunError
		if !errors.As(err, &joined) || joined.Failed != 8 {
			t.Errorf("Run answers %v, want 8 failures", err)
		}
		for i := range good {
			want(t, "the good script", good[i], int64(i+1))
		}
		for i, name := range []string{"withdraw", "withdraw", "broken", "broken", "raises", "raises", "EVALSHA", "EVALSHA"} {
			var c *pipectx.CommandError
			var refused *pipectx.ServerError
			if err := bad[i].Err(); !errors.As(err, &c) || c.Command != name || c.Key != "k" || !errors.As(err, &refused) {
				t.Errorf("call %d answers %v, want one of %s k", i, err, name)
			}
		}
		var refused *pipectx.ServerError
		if errors.As(bad[0].Err(), &refused); refused.Code != "FUNDS" || refused.Message != "have 1" {
			t.Errorf("code %q, message %q, want FUNDS and have 1", refused.Code, refused.Message)
		}
		want(t, "the script that wrote before it failed", pipectx.Do[int64](t.Context(), db, "GET", "k"), 2)
	})
}

// What a script itself answers is its answer, whatever its words: it has run
// and is not run again.
func TestScriptRunsOnceWhateverItSays(t *testing.T) {
	redistest.Each(t, func(t *testing.T, s *redistest.Node) {
		for _, code := range []string{"TRYAGAIN", "LOADING", "CLUSTERDOWN", "MASTERDOWN", "NOSCRIPT", "MOVED 1 127.0.0.1:1", "ASK 1 127.0.0.1:1", "FUNDS"} {
			t.Run(code, func(t *testing.T) {
				client := s.Client(t)
				db := newDB(t, client)
				body := fmt.Sprintf("-- script\nredis.call('INCR', KEYS[1])\nreturn redis.error_reply('%s in our own words')", code)
				key := "n" + code
				script := pipectx.NewScript(body)
				ref := call(t.Context(), db, script, key, 1)
				if ref.Err() == nil {
					t.Error("it succeeded")
				}
				if got := stored(t, client, key); got != "1" {
					t.Errorf("the script ran %s times, want once", got)
				}
				client.Del(t.Context(), key)
				err := do(t.Context(), db, "EVAL", body, 1, key).Err()
				if got := stored(t, client, key); got != "1" || err == nil {
					t.Errorf("by Do the script ran %s times, want once; %v", got, err)
				}
			})
		}
	})
}

// A read-only script goes as EVAL_RO and EVALSHA_RO, and again when its answer
// was lost; another is not sent again.
func TestScriptReadOnly(t *testing.T) {
	s := redistest.Server(t)
	direct := s.Client(t)
	p := redistest.NewProxy(t)
	client := s.Client(t, func(o *redis.Options) { o.Dialer = p.Dial })
	db := newDB(t, client)
	rec := redistest.Record(client)
	reads := pipectx.NewScript("-- reads\nreturn redis.call('GET', KEYS[1])")
	reads.ReadOnly = true
	direct.Set(t.Context(), "n", 7, 0)
	for range 2 {
		want(t, "the script", call(t.Context(), db, reads, "n", ""), 7)
	}
	if got := strings.Join(rec.Lines(), "\n"); got != `EVAL_RO <reads> 1 n ""`+"\n"+`EVALSHA_RO <reads> 1 n ""` {
		t.Errorf("sent %s", got)
	}
	loseNext(p)
	want(t, "the script whose answer was lost", call(t.Context(), db, reads, "n", ""), 7)
	loseNext(p)
	wantErr(t, "a script that writes", call(t.Context(), db, addScript, "n", 1).Err(), pipectx.ErrOutcomeUnknown)
	p.Settle(t)
	if got := stored(t, direct, "n"); got != "8" {
		t.Errorf("n is %s, want 8: once", got)
	}
}

// Errors name a script by the first word of its first line, if that is a
// comment.
func TestScriptNames(t *testing.T) {
	tests := []struct{ body, name, reason string }{
		{"-- account.withdraw\nreturn", "account.withdraw", ""},
		{"-- add adds ARGV[1]\nreturn", "add", "the first word"},
		{"-- add\r\nreturn", "add", "lines of another system"},
		{"-- add", "add", "nothing but a comment"},
		{"return 1", "EVALSHA", "no comment"},
		{"-- \nreturn 1", "EVALSHA", "an empty comment"},
		{"--\nreturn 1", "EVALSHA", "an empty comment"},
		{"", "EVALSHA", "an empty script"},
	}
	s := newStage(t, func([]string) string { return "-ERR x\r\n" })
	db := newDB(t, s.client(t))
	for _, test := range tests {
		err := call(t.Context(), db, pipectx.NewScript(test.body), "k", 1).Err()
		if want := "pipectx: " + test.name + " k: ERR x"; err == nil || err.Error() != want {
			t.Errorf("%q (%s): the error is %q, want %q", test.body, test.reason, err, want)
		}
	}
}

// NOSCRIPT is healed in the words of Redis and of Valkey.
func TestScriptNotThere(t *testing.T) {
	for _, text := range []string{"-NOSCRIPT No matching script. Please use EVAL.\r\n", "-NOSCRIPT No matching script.\r\n"} {
		s := newStage(t, func(words []string) string {
			if words[0] == "EVALSHA" {
				return text
			}
			return ":7\r\n"
		})
		db := newDB(t, s.client(t))
		script := pipectx.NewScript("return 7")
		for range 2 { // the second time the body is taken to be known
			if err := call(t.Context(), db, script, "k", 1).Err(); err != nil {
				t.Errorf("%q: %v", text, err)
			}
		}
	}
}

// A script's SHA is the one the server has for it.
func TestScriptSHA(t *testing.T) {
	client := redistest.Shared(t).Client(t)
	got, err := client.ScriptLoad(t.Context(), addScript.Body).Result()
	if err != nil || got != addScript.SHA {
		t.Errorf("SHA is %s, the server says %s, %v", addScript.SHA, got, err)
	}
}
