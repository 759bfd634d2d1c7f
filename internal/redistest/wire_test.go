package redistest_test

import (
	"fmt"
	"math/big"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/redmoon-go/redmoon/internal/redistest"
)

// wantLines compares what was recorded so far, and forgets it.
func wantLines(t *testing.T, rec *redistest.Recorder, want ...string) {
	t.Helper()
	if got := rec.Lines(); !slices.Equal(got, want) {
		t.Errorf("sent\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
	rec.Reset()
}

// One round trip is one line, whatever was sent in it.
func TestRecordLines(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	c := redistest.Shared(t).Client(t)
	rec := redistest.Record(c)

	c.Get(ctx, "user{7}")
	c.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.HSet(ctx, "user{7}", "name", "Ada Lovelace")
		p.Expire(ctx, "user{7}", time.Hour)
		return nil
	})
	c.TxPipelined(ctx, func(p redis.Pipeliner) error {
		p.Incr(ctx, "visits{7}")
		return nil
	})
	c.Watch(ctx, func(tx *redis.Tx) error { return tx.Get(ctx, "k").Err() }, "k")
	if got := rec.RoundTrips(); got != 6 {
		t.Errorf("%d round trips, want 6", got)
	}
	if got := rec.Commands(); got != 9 {
		t.Errorf("%d commands, want 9", got)
	}
	if got, want := rec.String(), strings.Join(rec.Lines(), "\n")+"\n"; got != want {
		t.Errorf("as text %q, want %q", got, want)
	}
	wantLines(t, rec,
		"GET user{7}",
		`HSET user{7} name "Ada Lovelace" | EXPIRE user{7} 3600`,
		"MULTI | INCR visits{7} | EXEC",
		"WATCH k",
		"GET k",
		"UNWATCH",
	)
	if rec.RoundTrips() != 0 || rec.Commands() != 0 || rec.String() != "" {
		t.Error("Reset does not forget")
	}
}

// What a client says of itself when it connects is not recorded.
func TestRecordWithoutHandshake(t *testing.T) {
	t.Parallel()
	s := redistest.Server(t, "--requirepass", "secret")
	for _, protocol := range []int{2, 3} {
		c := s.Client(t, func(o *redis.Options) {
			o.DB, o.ClientName, o.Protocol = 3, "ada", protocol
		})
		rec := redistest.Record(c)
		c.Ping(t.Context())
		c.Pipelined(t.Context(), func(p redis.Pipeliner) error { return p.Ping(t.Context()).Err() })
		c.Do(t.Context(), "client", "id")
		wantLines(t, rec, "PING", "PING", "CLIENT ID")
	}
}

// A line can be read one way only.
func TestRecordQuotes(t *testing.T) {
	t.Parallel()
	c := redistest.Embedded(t).Client(t)
	rec := redistest.Record(c)
	for arg, want := range map[string]string{
		"plain":         "plain",
		"Ünïcode→":      "Ünïcode→",
		"":              `""`,
		"two words":     `"two words"`,
		"a|b":           `"a|b"`,
		"line\nbreak":   `"line\nbreak"`,
		`{"a":1}`:       "`{\"a\":1}`",
		"`":             "\"`\"",
		"\"`":           "\"\\\"`\"",
		`back\slash`:    `"back\\slash"`,
		"\xff\x00":      `"\xff\x00"`,
		"nbsp\u00a0":    `"nbsp\u00a0"`,
		"P{a b}:c%20d":  `"P{a b}:c%20d"`,
		"2026-11-21T09": "2026-11-21T09",
	} {
		c.Echo(t.Context(), arg)
		wantLines(t, rec, "ECHO "+want)
	}
}

// An argument is recorded as the bytes that the server gets for it.
func TestRecordArguments(t *testing.T) {
	t.Parallel()
	c := redistest.Embedded(t).Client(t)
	rec := redistest.Record(c)
	var (
		text      = "text"
		number    = int64(-7)
		small     = uint8(7)
		fraction  = 1.5
		yes       = true
		moment    = time.Date(2026, 11, 21, 9, 0, 0, 5, time.UTC)
		span      = time.Minute
		noText    *string
		noNumber  *int
		noMoment  *time.Time
		noBoolean *bool
	)
	for _, arg := range []any{
		text, &text, noText, []byte("bytes"), number, &number, noNumber, small, &small, uint64(1 << 63),
		float32(0.1), fraction, &fraction, 1e21, yes, &yes, false, noBoolean,
		moment, &moment, noMoment, span, &span, net.IP("ip"), nil,
		marshaler("binary"), new(marshaler("pointer")),
	} {
		got, err := c.Do(t.Context(), "ECHO", arg).Text()
		if err != nil {
			t.Fatalf("%T: %v", arg, err)
		}
		if line := rec.Lines()[0]; line != "ECHO "+got && line != fmt.Sprintf("ECHO %q", got) {
			t.Errorf("%T: recorded as %s, the server got %q", arg, line, got)
		}
		rec.Reset()
	}
	// What go-redis refuses to send is shown all the same.
	if err := c.Do(t.Context(), "ECHO", big.NewRat(1, 2)).Err(); err == nil {
		t.Fatal("go-redis sends a big.Rat")
	}
	wantLines(t, rec, "ECHO 1/2")
}

type marshaler string

func (m marshaler) MarshalBinary() ([]byte, error) { return []byte(m), nil }

// Scripts are shown by name: their bodies and SHAs change with every comma.
func TestRecordScripts(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	c := redistest.Server(t).Client(t)
	rec := redistest.Record(c)

	named := redis.NewScript("-- incr_cap adds to a counter.\n-- KEYS[1] counter\nreturn redis.call('incrby', KEYS[1], ARGV[1])")
	nameless := redis.NewScript("return 1")
	library := "#!lua name=tools\nredis.register_function('one', function() return 1 end)"

	c.EvalSha(ctx, named.Hash(), []string{"k"}, 5)
	wantLines(t, rec, "EVALSHA <sha> 1 k 5")
	named.Eval(ctx, c, []string{"k"}, 5)
	named.EvalSha(ctx, c, []string{"k"}, 5)
	named.EvalShaRO(ctx, c, []string{"k"}, 5)
	wantLines(t, rec, "EVAL <incr_cap> 1 k 5", "EVALSHA <incr_cap> 1 k 5", "EVALSHA_RO <incr_cap> 1 k 5")
	nameless.Eval(ctx, c, nil)
	nameless.EvalSha(ctx, c, nil)
	wantLines(t, rec, "EVAL <script> 0", "EVALSHA <script> 0")
	c.ScriptLoad(ctx, "#!lua flags=no-writes\n--- shebang: reads\nreturn 1")
	c.ScriptExists(ctx, named.Hash(), strings.Repeat("0", 40))
	c.ScriptFlush(ctx)
	c.FunctionLoadReplace(ctx, library)
	c.FCall(ctx, "one", nil)
	wantLines(t, rec,
		"SCRIPT LOAD <shebang>",
		"SCRIPT EXISTS <incr_cap> <sha>",
		"SCRIPT FLUSH",
		"FUNCTION LOAD replace <tools>",
		"FCALL one 0",
	)

	fresh := redistest.Record(c)
	if sha := fresh.Script("-- taught\nreturn 2"); sha != redis.NewScript("-- taught\nreturn 2").Hash() {
		t.Errorf("SHA %s", sha)
	}
	c.EvalSha(ctx, redis.NewScript("-- taught\nreturn 2").Hash(), nil)
	wantLines(t, fresh, "EVALSHA <taught> 0")
}

// What differs between runs can be masked, wherever it stands.
func TestRecordMask(t *testing.T) {
	t.Parallel()
	c := redistest.Embedded(t).Client(t)
	rec := redistest.Record(c)
	rec.Mask("8f3a", "token")
	rec.Mask("a b", "words")
	c.Set(t.Context(), "lock:8f3a", "8f3a", 0)
	c.Echo(t.Context(), "a b")
	wantLines(t, rec, "SET lock:<token> <token>", "ECHO <words>")
}

// Of a cluster client the round trips to each node are recorded, whether it
// was used before or not, and whoever sent them: the client, which splits a
// pipeline, or code that talks to the node's own client.
func TestRecordCluster(t *testing.T) {
	s := redistest.Cluster(t)
	ctx := t.Context()
	for _, used := range []bool{false, true} {
		c := s.Client(t)
		if used {
			c.Get(ctx, "a")
		}
		rec := redistest.Record(c)
		// Slots 15495, 3300, 7365: one for each master.
		c.Pipelined(ctx, func(p redis.Pipeliner) error {
			for _, key := range []string{"a", "b", "c", "{a}2"} {
				p.Set(ctx, key, 1, 0)
			}
			return nil
		})
		want := []string{"SET a 1 | SET {a}2 1", "SET b 1", "SET c 1"}
		if got := rec.Sorted(); !slices.Equal(got, want) {
			t.Errorf("used %v: sent %q, want %q", used, got, want)
		}
		rec.Reset()

		node, err := c.MasterForKey(ctx, "a")
		if err != nil {
			t.Fatal(err)
		}
		node.Pipelined(ctx, func(p redis.Pipeliner) error {
			p.Get(ctx, "a")
			return p.Get(ctx, "{a}2").Err()
		})
		c.Get(ctx, "b")
		wantLines(t, rec, "GET a | GET {a}2", "GET b")
	}
}

// Several clients can be recorded in one list, a cluster's sentinels' or
// anybody's.
func TestRecordSeveral(t *testing.T) {
	t.Parallel()
	a, b := redistest.Embedded(t).Client(t), redistest.Embedded(t).Client(t)
	rec := redistest.Record(a, b)
	a.Get(t.Context(), "here")
	b.Get(t.Context(), "there")
	wantLines(t, rec, "GET here", "GET there")
}
