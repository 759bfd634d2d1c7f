package pipectx_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Do sends strings, bytes, integers, floats and bools, exactly.
func TestDoWords(t *testing.T) {
	tests := []struct {
		word any
		text string
	}{
		{"text", "text"},
		{"", ""},
		{"\x00\r\n\xff", "\x00\r\n\xff"},
		{[]byte("bytes"), "bytes"},
		{[]byte(nil), ""},
		{int(-5), "-5"},
		{int8(-8), "-8"},
		{int16(-16), "-16"},
		{int32(-32), "-32"},
		{int64(math.MinInt64), "-9223372036854775808"},
		{uint(5), "5"},
		{uint8(8), "8"},
		{uint16(16), "16"},
		{uint32(32), "32"},
		{uint64(math.MaxUint64), "18446744073709551615"},
		{float32(0.1), "0.1"},
		{1.5, "1.5"},
		{0.1, "0.1"},
		{math.Inf(1), "+inf"},
		{math.Inf(-1), "-inf"},
		{math.MaxFloat64, "1.7976931348623157e+308"},
		{-math.MaxFloat64, "-1.7976931348623157e+308"},
		{true, "1"},
		{false, "0"},
	}
	client := redistest.Embedded(t).Client(t)
	db := newDB(t, client)
	for _, test := range tests {
		t.Run(fmt.Sprintf("%T %.20q", test.word, test.text), func(t *testing.T) {
			err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
				do(ctx, db, "SET", "k", test.word)
				return nil
			})
			if err != nil {
				t.Error(err)
			} else if got := stored(t, client, "k"); got != test.text {
				t.Errorf("stored %q, want %q", got, test.text)
			}
		})
	}
}

// What has no one plain text is refused at the call, by its type.
func TestDoRefusesWords(t *testing.T) {
	for _, word := range []any{nil, struct{}{}, []string{"a"}, map[string]string{}, new(int), make(chan int), errors.New("x")} {
		s := newStage(t, func([]string) string { return ok })
		db := newDB(t, s.client(t))
		err := do(t.Context(), db, "SET", "k", word).Err()
		if err == nil || !strings.Contains(err.Error(), "SET: ") || !strings.Contains(err.Error(), fmt.Sprintf("%T as word 2", word)) || len(s.said()) != 0 {
			t.Errorf("%T: %v; the server heard %q", word, err, s.said())
		}
	}
	db := embedded(t)
	if err := do(t.Context(), db).Err(); err == nil {
		t.Error("a command without words was sent")
	}
}

// Do decodes replies into the types it names, of the whole range.
func TestDoResults(t *testing.T) {
	db := newDB(t, redistest.Shared(t).Client(t))
	ctx := t.Context()
	for _, c := range [][]any{
		{"SET", "text", "abc"}, {"SET", "n", 42}, {"SET", "big", uint64(math.MaxUint64)}, {"SET", "f", 1.5},
		{"RPUSH", "list", "a", "b"}, {"HSET", "hash", "f", "v"},
	} {
		if err := do(ctx, db, c...).Err(); err != nil {
			t.Fatal(err)
		}
	}
	check := func(what string, got any, err error, want any) {
		t.Helper()
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %#v, %v, want %#v", what, got, err, want)
		}
	}
	s, err := pipectx.Do[string](ctx, db, "GET", "text").Result()
	check("string", s, err, "abc")
	b, err := pipectx.Do[[]byte](ctx, db, "GET", "text").Result()
	check("bytes", b, err, []byte("abc"))
	i, err := pipectx.Do[int](ctx, db, "GET", "n").Result()
	check("int", i, err, 42)
	i64, err := pipectx.Do[int64](ctx, db, "GET", "n").Result()
	check("int64", i64, err, int64(42))
	i8, err := pipectx.Do[int8](ctx, db, "GET", "n").Result()
	check("int8", i8, err, int8(42))
	i32, err := pipectx.Do[int32](ctx, db, "GET", "n").Result()
	check("int32", i32, err, int32(42))
	u64, err := pipectx.Do[uint64](ctx, db, "GET", "big").Result()
	check("uint64", u64, err, uint64(math.MaxUint64))
	f, err := pipectx.Do[float64](ctx, db, "GET", "f").Result()
	check("float64", f, err, 1.5)
	yes, err := pipectx.Do[bool](ctx, db, "EXISTS", "n").Result()
	check("bool", yes, err, true)
	no, err := pipectx.Do[bool](ctx, db, "EXISTS", "none").Result()
	check("bool", no, err, false)
	list, err := pipectx.Do[[]string](ctx, db, "LRANGE", "list", 0, -1).Result()
	check("[]string", list, err, []string{"a", "b"})
	list, err = pipectx.Do[[]string](ctx, db, "LRANGE", "none", 0, -1).Result()
	check("[]string of nothing", list, err, []string{})
	anys, err := pipectx.Do[[]any](ctx, db, "MGET", "text", "none").Result()
	check("[]any", anys, err, []any{"abc", nil})
	hash, err := pipectx.Do[map[string]string](ctx, db, "HGETALL", "hash").Result()
	check("map", hash, err, map[string]string{"f": "v"})
	_, err = pipectx.Do[struct{}](ctx, db, "SET", "k", "v").Result()
	check("struct{}", nil, err, nil)
	a, err := pipectx.Do[any](ctx, db, "INCR", "n").Result()
	check("any", a, err, int64(43))

	wantErr(t, "no string", pipectx.Do[string](ctx, db, "GET", "none").Err(), pipectx.ErrNotFound)
	wantErr(t, "no array", pipectx.Do[[]any](ctx, db, "LPOP", "none", 2).Err(), pipectx.ErrNotFound)
	for what, err := range map[string]error{
		"an integer of letters":    pipectx.Do[int64](ctx, db, "GET", "text").Err(),
		"an integer out of range":  pipectx.Do[int64](ctx, db, "GET", "big").Err(),
		"an array as a string":     pipectx.Do[string](ctx, db, "LRANGE", "list", 0, -1).Err(),
		"a string as an array":     pipectx.Do[[]string](ctx, db, "GET", "text").Err(),
		"an odd list as a map":     pipectx.Do[map[string]string](ctx, db, "LRANGE", "list", 0, 0).Err(),
		"an integer as OK":         pipectx.Do[struct{}](ctx, db, "INCR", "n").Err(),
		"a null in a list of text": pipectx.Do[[]string](ctx, db, "MGET", "text", "none").Err(),
	} {
		if err == nil {
			t.Errorf("%s: no error", what)
		}
	}
}

// A type that Do cannot decode into is refused before anything is sent.
func TestDoRefusesResults(t *testing.T) {
	s := newStage(t, func([]string) string { return ":1\r\n" })
	db := newDB(t, s.client(t))
	for what, err := range map[string]error{
		"a channel": pipectx.Do[chan int](t.Context(), db, "INCR", "n").Err(),
		"a struct":  pipectx.Do[struct{ N int }](t.Context(), db, "INCR", "n").Err(),
	} {
		if err == nil {
			t.Errorf("%s: no error", what)
		}
	}
	if heard := s.said(); len(heard) != 0 {
		t.Errorf("the server heard %q", heard)
	}
}

// Commands that block or change the state of a connection that others share
// are refused at the call, in any case and any form.
func TestDoRefuses(t *testing.T) {
	tests := []string{
		"BLPOP k 0", "blpop k 0", "BRPOP k 0", "BLMOVE a b LEFT LEFT 0", "BRPOPLPUSH a b 0", "BLMPOP 0 1 k LEFT", "BZPOPMIN k 0", "BZPOPMAX k 0", "BZMPOP 0 1 k MIN",
		"XREAD BLOCK 0 STREAMS s $", "xread count 1 block 0 streams s $", "XREADGROUP GROUP g c BLOCK 0 STREAMS s >", "XREADGROUP GROUP g c COUNT 1 BLOCK 5 NOACK STREAMS s >",
		"WAIT 1 0", "WAITAOF 1 0 0",
		"MULTI", "EXEC", "DISCARD", "WATCH k", "UNWATCH", "SELECT 1", "AUTH x", "HELLO 3", "RESET", "QUIT", "ASKING", "READONLY", "READWRITE",
		"SUBSCRIBE c", "PSUBSCRIBE c", "SSUBSCRIBE c", "UNSUBSCRIBE", "PUNSUBSCRIBE", "SUNSUBSCRIBE", "MONITOR", "SYNC", "PSYNC ? -1", "REPLCONF ACK 0",
		"CLIENT REPLY OFF", "CLIENT REPLY SKIP", "client reply off", "CLIENT TRACKING ON", "CLIENT CACHING YES", "CLIENT SETNAME x", "CLIENT SETINFO LIB-NAME x", "CLIENT NO-EVICT ON", "CLIENT NO-TOUCH ON",
		"SCRIPT DEBUG YES",
	}
	s := newStage(t, func([]string) string { return ok })
	db := newDB(t, s.client(t))
	for _, test := range tests {
		t.Run(test, func(t *testing.T) {
			var args []any
			for _, word := range strings.Fields(test) {
				args = append(args, word)
			}
			before := len(s.said())
			err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
				do(ctx, db, args...)
				return nil
			})
			name := strings.ToUpper(args[0].(string))
			if err == nil || !strings.Contains(strings.ToUpper(err.Error()), name) || !strings.Contains(err.Error(), "use the client") {
				t.Errorf("Run answers %v, want a refusal with the cure", err)
			}
			if heard := s.said()[before:]; len(heard) != 0 {
				t.Errorf("the server heard %q", heard)
			}
		})
	}
}

// Their neighbours that neither block nor change anything are not refused.
func TestDoDoesNotRefuse(t *testing.T) {
	s := newStage(t, func([]string) string { return ok })
	db := newDB(t, s.client(t))
	for _, test := range []string{
		"XREAD COUNT 1 STREAMS block 0", "XREAD STREAMS BLOCK 0", "XREADGROUP GROUP BLOCK block STREAMS s >", "CLIENT LIST", "CLIENT ID", "CLIENT KILL ID 9",
		"SCRIPT EXISTS x", "PUBLISH c m", "SPUBLISH c m", "LMPOP 1 k LEFT", "PING", "MEMORY USAGE k", "get BLPOP",
	} {
		var args []any
		for _, word := range strings.Fields(test) {
			args = append(args, word)
		}
		if err := do(t.Context(), db, args...).Err(); err != nil {
			t.Errorf("%s: %v", test, err)
		}
	}
}

// On a Cluster keys of two slots are refused before the wire with both keys and
// slots: Do knows where each command keeps its keys, as the server does.
func TestDoFindsKeys(t *testing.T) {
	// Out of reach: whatever is not refused fails to be sent.
	client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{unreachable(t).Options().Addr}, DialerRetries: 1, MaxRedirects: -1})
	t.Cleanup(func() { client.Close() })
	db := newDB(t, client)
	server := redistest.Shared(t).Client(t)
	// foo and bar live in two slots; the words between are no keys.
	tests := []string{
		"DEL foo bar", "UNLINK foo bar", "EXISTS foo bar", "TOUCH foo bar", "MGET foo bar", "MSET foo 1 bar 2", "MSETNX foo 1 bar 2",
		"RENAME foo bar", "RENAMENX foo bar", "COPY foo bar", "RPOPLPUSH foo bar", "LMOVE foo bar LEFT RIGHT", "SMOVE foo bar m",
		"SDIFF foo bar", "SDIFFSTORE foo bar", "SINTER foo bar", "SINTERSTORE foo bar", "SUNION foo bar", "SUNIONSTORE foo bar", "SINTERCARD 2 foo bar",
		"ZUNION 2 foo bar", "ZINTER 2 foo bar WEIGHTS 1 2", "ZDIFF 2 foo bar", "ZINTERCARD 2 foo bar", "ZUNIONSTORE foo 1 bar", "ZINTERSTORE foo 1 bar WEIGHTS 1", "ZDIFFSTORE foo 1 bar",
		"ZRANGESTORE foo bar 0 -1", "LMPOP 2 foo bar LEFT", "ZMPOP 2 foo bar MIN", "PFCOUNT foo bar", "PFMERGE foo bar", "BITOP AND foo bar", "LCS foo bar",
		"GEOSEARCHSTORE foo bar FROMMEMBER m BYRADIUS 1 m ASC", "EVAL x 2 foo bar a", "EVALSHA x 2 foo bar", "EVAL_RO x 2 foo bar", "FCALL f 2 foo bar", "FCALL_RO f 2 foo bar",
		"XREAD COUNT 1 STREAMS foo bar 0 0", "XREADGROUP GROUP g c COUNT 1 STREAMS foo bar > >", "SORT foo STORE bar", "SORT foo BY x LIMIT 0 1 STORE bar",
		"GEORADIUS foo 1 1 1 m STORE bar", "GEORADIUSBYMEMBER foo m 1 m STOREDIST bar",
		`MIGRATE localhost 1 "" 0 9 COPY KEYS foo bar`,
	}
	for _, test := range tests {
		t.Run(test, func(t *testing.T) {
			var args, ask []any
			ask = append(ask, "COMMAND", "GETKEYS")
			for _, word := range strings.Fields(test) {
				word = strings.Trim(word, `"`)
				args, ask = append(args, word), append(ask, word)
			}
			keys, err := server.Do(t.Context(), ask...).StringSlice()
			if err != nil || len(keys) < 2 {
				t.Fatalf("the server finds the keys %q, %v", keys, err)
			}
			var cross *pipectx.CrossSlotError
			if err := do(t.Context(), db, args...).Err(); !errors.As(err, &cross) {
				t.Fatalf("it answers %v, want a refusal of %q", err, keys)
			}
			want := pipectx.CrossSlotError{Command: cross.Command, Key1: cross.Key1, Key2: cross.Key2, Slot1: pipectx.Slot(cross.Key1), Slot2: pipectx.Slot(cross.Key2)}
			if got := []string{cross.Key1, cross.Key2}; !slices.Contains(keys, got[0]) || !slices.Contains(keys, got[1]) || got[0] == got[1] || *cross != want {
				t.Errorf("it refuses %+v, the server finds %q", cross, keys)
			}
			if !strings.HasPrefix(cross.Command, strings.Fields(test)[0]) {
				t.Errorf("the error names %q", cross.Command)
			}
			for _, part := range []string{`"foo" (slot 12182)`, `"bar" (slot 5061)`, "hash tag"} {
				if !strings.Contains(cross.Error(), part) {
					t.Errorf("%q does not say %s", cross, part)
				}
			}
		})
	}
}

// What Do takes for a read is one to the server: a command marked as a write is
// never sent twice.
func TestDoResendsNoWrite(t *testing.T) {
	client := redistest.Shared(t).Client(t)
	infos, err := client.Command(t.Context()).Result()
	if err != nil {
		t.Fatal(err)
	}
	for name, info := range infos {
		if !slices.Contains(info.Flags, "write") || slices.Contains(info.Flags, "blocking") || strings.ContainsAny(name, "|") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			s := newStage(t, func([]string) string { return cut })
			db := newDB(t, s.client(t))
			err := do(t.Context(), db, name, "k", "1", "k", "1").Err()
			if n := len(s.said()); n != 1 || !errors.Is(err, pipectx.ErrOutcomeUnknown) {
				t.Errorf("sent %d times, answers %v", n, err)
			}
		})
	}
}
