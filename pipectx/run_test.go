package pipectx_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/pipectx"
)

var errOurs = errors.New("we changed our mind")

// Run sends everything at once when the outermost function returns, however
// deep the Runs nest, and in program order across all levels.
func TestRunNests(t *testing.T) {
	redistest.EachWithEmbedded(t, func(t *testing.T, s *redistest.Node) {
		w := newWitness()
		client := s.Client(t)
		db := newDB(t, client, pipectx.Observe(w))
		push := func(ctx context.Context, text string) { do(ctx, db, "RPUSH", "order", text) }
		run := func(ctx context.Context, fn func(context.Context)) {
			if err := pipectx.Run(ctx, db, func(ctx context.Context) error { fn(ctx); return nil }); err != nil {
				t.Error(err)
			}
			if n := client.LLen(t.Context(), "order").Val(); ctx != t.Context() && n != 0 {
				t.Errorf("%d commands ran before the outermost Run ended", n)
			}
		}
		run(t.Context(), func(ctx context.Context) {
			push(ctx, "a")
			run(ctx, func(ctx context.Context) {
				push(ctx, "b")
				run(ctx, func(ctx context.Context) {
					push(ctx, "c")
					run(ctx, func(ctx context.Context) { push(ctx, "d") })
					push(ctx, "e")
				})
				push(ctx, "f")
			})
			push(ctx, "g")
			run(ctx, func(ctx context.Context) { push(ctx, "h") })
			push(ctx, "i")
		})
		got := client.LRange(t.Context(), "order", 0, -1).Val()
		if want := strings.Split("abcdefghi", ""); !slices.Equal(got, want) {
			t.Errorf("order %q, want %q", got, want)
		}
		if f := w.last(t); len(w.seen()) != 1 || f.Commands != 9 || f.RoundTrips != 1 || f.Connections != 1 || f.Attempts != 1 {
			t.Errorf("flushes %+v, want one of 9 commands in 1 round trip", w.seen())
		}
	})
}

// A write queued in one level is seen by a read queued after it in another.
func TestRunReadsWhatItWrote(t *testing.T) {
	db := embedded(t)
	var got *pipectx.Ref[string]
	err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		do(ctx, db, "SET", "k", "outer")
		return pipectx.Run(ctx, db, func(ctx context.Context) error {
			do(ctx, db, "SET", "k", "inner")
			return pipectx.Run(ctx, db, func(ctx context.Context) error {
				got = pipectx.Do[string](ctx, db, "GET", "k")
				return nil
			})
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	want(t, "k", got, "inner")
}

// A Run that fails drops its commands and callbacks and those of the Runs
// committed into it, and nothing else; the parent decides.
func TestRunDiscards(t *testing.T) {
	client := redistest.Embedded(t).Client(t)
	db := newDB(t, client)
	var kept, dropped, inner *pipectx.Ref[int64]
	var called []string
	call := func(ctx context.Context, name string) {
		if err := pipectx.After(ctx, func(context.Context) error { called = append(called, name); return nil }); err != nil {
			t.Error(err)
		}
	}
	err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		kept = pipectx.Do[int64](ctx, db, "INCR", "kept")
		call(ctx, "kept")
		err := pipectx.Run(ctx, db, func(ctx context.Context) error {
			dropped = pipectx.Do[int64](ctx, db, "INCR", "dropped")
			if err := pipectx.Run(ctx, db, func(ctx context.Context) error {
				inner = pipectx.Do[int64](ctx, db, "INCR", "inner")
				call(ctx, "inner")
				return nil
			}); err != nil {
				t.Error("the inner Run:", err)
			}
			call(ctx, "dropped")
			return errOurs
		})
		if err != errOurs {
			t.Errorf("the failed Run answers %v, want its function's own error", err)
		}
		for name, ref := range map[string]*pipectx.Ref[int64]{"dropped": dropped, "inner": inner} {
			wantErr(t, name, ref.Err(), pipectx.ErrDiscarded)
			wantErr(t, name, ref.Err(), errOurs)
		}
		wantErr(t, "kept", kept.Err(), pipectx.ErrPending)
		call(ctx, "last")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want(t, "kept", kept, 1)
	if n := client.Exists(t.Context(), "dropped", "inner").Val(); n != 0 {
		t.Errorf("%d discarded commands ran", n)
	}
	if got := strings.Join(called, " "); got != "kept last" {
		t.Errorf("callbacks %q, want kept last", got)
	}
}

// When the outermost function fails nothing is sent, and every Ref says so.
func TestRunThatFailsSendsNothing(t *testing.T) {
	w := newWitness()
	db := embedded(t, pipectx.Observe(w))
	var a, b *pipectx.Ref[int64]
	err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		a = pipectx.Do[int64](ctx, db, "INCR", "n")
		_ = pipectx.Run(ctx, db, func(ctx context.Context) error {
			b = pipectx.Do[int64](ctx, db, "INCR", "n")
			return nil
		})
		return errOurs
	})
	if err != errOurs {
		t.Errorf("Run answers %v, want the function's own error", err)
	}
	for _, ref := range []*pipectx.Ref[int64]{a, b} {
		wantErr(t, "a queued command", ref.Err(), pipectx.ErrDiscarded)
		wantErr(t, "a queued command", ref.Err(), errOurs)
	}
	if len(w.seen()) != 0 {
		t.Errorf("flushes %+v, want none", w.seen())
	}
}

// A panic in a Run discards it and goes on up; a parent that recovers goes on
// with what is left.
func TestRunPanics(t *testing.T) {
	client := redistest.Embedded(t).Client(t)
	db := newDB(t, client)
	var dropped *pipectx.Ref[int64]
	err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		do(ctx, db, "INCR", "kept")
		func() {
			defer func() {
				if got := recover(); got != "ours" {
					t.Errorf("recovered %v, want what was raised", got)
				}
			}()
			_ = pipectx.Run(ctx, db, func(ctx context.Context) error {
				dropped = pipectx.Do[int64](ctx, db, "INCR", "dropped")
				panic("ours")
			})
		}()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	wantErr(t, "the command of the Run that panicked", dropped.Err(), pipectx.ErrDiscarded)
	if kept, gone := stored(t, client, "kept"), stored(t, client, "dropped"); kept != "1" || gone != "" {
		t.Errorf("kept %q, dropped %q; want 1 and nothing", kept, gone)
	}
}

// runtime.Goexit in a Run (a t.FailNow in a test) discards it as a panic does.
func TestRunGoexit(t *testing.T) {
	client := redistest.Embedded(t).Client(t)
	db := newDB(t, client)
	for _, depth := range []string{"outermost", "inner"} {
		t.Run(depth, func(t *testing.T) {
			var ref *pipectx.Ref[int64]
			var all sync.WaitGroup
			all.Go(func() {
				_ = pipectx.Run(t.Context(), db, func(ctx context.Context) error {
					leave := func(ctx context.Context) error {
						ref = pipectx.Do[int64](ctx, db, "INCR", depth)
						runtime.Goexit()
						return nil
					}
					if depth == "inner" {
						return pipectx.Run(ctx, db, leave)
					}
					return leave(ctx)
				})
			})
			all.Wait()
			wantErr(t, "the queued command", ref.Err(), pipectx.ErrDiscarded)
			if got := stored(t, client, depth); got != "" {
				t.Errorf("the discarded command ran: %s", got)
			}
		})
	}
}

// A value that cannot be encoded poisons its innermost Run at the call: that
// Run returns the error and sends nothing, whatever its function returns.
func TestRunPoison(t *testing.T) {
	tests := []struct {
		reason string
		inner  func(ctx context.Context, db *pipectx.DB)
		outer  func(ctx context.Context, db *pipectx.DB)
		left   string // what is stored of the keys outer and inner
	}{
		{"the inner Run goes, the outer one stays",
			func(ctx context.Context, db *pipectx.DB) { do(ctx, db, "SET", "x", make(chan int)) }, nil, "1 "},
		{"the outer Run takes the inner one along",
			nil, func(ctx context.Context, db *pipectx.DB) { do(ctx, db, "SET", "x", make(chan int)) }, " "},
		{"nobody is poisoned", nil, nil, "1 1"},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			client := redistest.Embedded(t).Client(t)
			db := newDB(t, client)
			outer := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
				do(ctx, db, "INCR", "outer")
				inner := pipectx.Run(ctx, db, func(ctx context.Context) error {
					before := do(ctx, db, "INCR", "inner")
					if test.inner != nil {
						test.inner(ctx, db)
						wantErr(t, "before the end", before.Err(), pipectx.ErrPending)
					}
					return nil
				})
				if (inner != nil) != (test.inner != nil) {
					t.Errorf("the inner Run answers %v", inner)
				}
				if test.outer != nil {
					test.outer(ctx, db)
				}
				return nil
			})
			if (outer != nil) != (test.outer != nil) {
				t.Errorf("the outer Run answers %v", outer)
			}
			if got := stored(t, client, "outer") + " " + stored(t, client, "inner"); got != test.left {
				t.Errorf("stored %q, want %q", got, test.left)
			}
		})
	}
}

// The poisoned Ref answers its own error at once, and Run returns that error.
func TestRunPoisonAtTheCall(t *testing.T) {
	db := embedded(t)
	var ref *pipectx.Ref[string]
	err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		ref = pipectx.Failed[string](ctx, db, errOurs)
		if ref.Err() != errOurs {
			t.Errorf("at the call: %v, want our error", ref.Err())
		}
		pipectx.Failed[string](ctx, db, errors.New("the second"))
		return nil
	})
	if err != errOurs {
		t.Errorf("Run answers %v, want the first error of a verb", err)
	}
}

// A committed Run's context stands for its parent's: what is queued on it later
// is the parent's, and so is its poison.
func TestRunContextAfterCommit(t *testing.T) {
	client := redistest.Embedded(t).Client(t)
	db := newDB(t, client)
	var inner context.Context
	keep := func(ctx context.Context) error { inner = ctx; return nil }

	var ref *pipectx.Ref[int64]
	err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		if err := pipectx.Run(ctx, db, keep); err != nil {
			return err
		}
		ref = pipectx.Do[int64](inner, db, "INCR", "n")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want(t, "queued on a committed context", ref, 1)
	wantErr(t, "a verb after the end", do(inner, db, "INCR", "n").Err(), pipectx.ErrEnded)
	wantErr(t, "After after the end", pipectx.After(inner, func(context.Context) error { return nil }), pipectx.ErrEnded)
	wantErr(t, "Run after the end", pipectx.Run(inner, db, keep), pipectx.ErrEnded)

	err = pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		if err := pipectx.Run(ctx, db, keep); err != nil {
			return err
		}
		do(ctx, db, "INCR", "n")
		pipectx.Failed[int](inner, db, errOurs)
		return nil
	})
	if err != errOurs {
		t.Errorf("poison on a committed context: Run answers %v, want the poison", err)
	}
	if got := stored(t, client, "n"); got != "1" {
		t.Errorf("n is %s, want 1: the poisoned Run and the ended contexts sent nothing", got)
	}
}

// A discarded context answers ErrDiscarded with the cause, also after the
// outermost Run has ended; Runs and callbacks on it are refused likewise.
func TestRunContextAfterDiscard(t *testing.T) {
	db := embedded(t)
	var gone, within context.Context
	check := func(when string) {
		t.Helper()
		for _, ctx := range []context.Context{gone, within} {
			for what, err := range map[string]error{
				"a verb": do(ctx, db, "INCR", "n").Err(),
				"Run":    pipectx.Run(ctx, db, func(context.Context) error { t.Error("Run ran"); return nil }),
				"After":  pipectx.After(ctx, func(context.Context) error { t.Error("After ran"); return nil }),
			} {
				wantErr(t, when+" "+what, err, pipectx.ErrDiscarded)
				wantErr(t, when+" "+what, err, errOurs)
			}
		}
	}
	err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		_ = pipectx.Run(ctx, db, func(ctx context.Context) error {
			gone = ctx
			if err := pipectx.Run(ctx, db, func(ctx context.Context) error { within = ctx; return nil }); err != nil {
				t.Error(err)
			}
			return errOurs
		})
		check("before the end")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	check("after the end")
}

// Callbacks run first in, first out, across all levels, when every Ref of the
// wave is resolved.
func TestAfterIsFIFO(t *testing.T) {
	db := embedded(t)
	var order []string
	var last *pipectx.Ref[int64]
	call := func(ctx context.Context, name string) {
		_ = pipectx.After(ctx, func(context.Context) error {
			if !last.Ready() {
				t.Error(name, "ran before the last Ref was resolved")
			}
			order = append(order, name)
			return nil
		})
	}
	err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		call(ctx, "n1")
		for _, name := range []string{"n2", "n3"} {
			_ = pipectx.Run(ctx, db, func(ctx context.Context) error {
				call(ctx, name+"a")
				_ = pipectx.Run(ctx, db, func(ctx context.Context) error { call(ctx, name+"b"); return nil })
				call(ctx, name+"c")
				return nil
			})
		}
		call(ctx, "n4")
		last = pipectx.Do[int64](ctx, db, "INCR", "n")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(order, " "), "n1 n2a n2b n2c n3a n3b n3c n4"; got != want {
		t.Errorf("callbacks ran as %s, want %s", got, want)
	}
}

// What callbacks queue goes out as the next wave, and their callbacks run after
// it, until nothing is left.
func TestAfterWaves(t *testing.T) {
	w := newWitness()
	db := embedded(t, pipectx.Observe(w))
	var seen []int64
	var next func(ctx context.Context, n int)
	next = func(ctx context.Context, n int) {
		if n == 0 {
			return
		}
		ref := pipectx.Do[int64](ctx, db, "INCR", "n")
		_ = pipectx.After(ctx, func(ctx context.Context) error {
			v, err := ref.Result()
			seen = append(seen, v)
			next(ctx, n-1)
			return err
		})
	}
	err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		return pipectx.Run(ctx, db, func(ctx context.Context) error { next(ctx, 4); next(ctx, 4); return nil })
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := []int64{1, 2, 3, 4, 5, 6, 7, 8}; !slices.Equal(seen, want) {
		t.Errorf("callbacks saw %v, want %v", seen, want)
	}
	flushes := w.seen()
	if len(flushes) != 4 {
		t.Fatalf("%d flushes, want 4", len(flushes))
	}
	for i, f := range flushes {
		if f.Wave != i || f.Commands != 2 {
			t.Errorf("flush %d is wave %d of %d commands, want wave %d of 2", i, f.Wave, f.Commands, i)
		}
	}
}

// A callback's own Run is a child of the next wave: discarded alone, sent with
// the rest.
func TestAfterRuns(t *testing.T) {
	client := redistest.Embedded(t).Client(t)
	db := newDB(t, client)
	err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		return pipectx.After(ctx, func(ctx context.Context) error {
			err := pipectx.Run(ctx, db, func(ctx context.Context) error { do(ctx, db, "INCR", "dropped"); return errOurs })
			if err != errOurs {
				t.Errorf("the failed Run of a callback answers %v", err)
			}
			return pipectx.Run(ctx, db, func(ctx context.Context) error { do(ctx, db, "INCR", "kept"); return nil })
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	if kept, gone := stored(t, client, "kept"), stored(t, client, "dropped"); kept != "1" || gone != "" {
		t.Errorf("kept %q, dropped %q; want 1 and nothing", kept, gone)
	}
}

// An error or a poison in a callback stops the next wave only: the callbacks
// after it run, what was sent stays, and Run tells.
func TestAfterErrorStopsTheNextWave(t *testing.T) {
	tests := []struct {
		reason string
		fail   func(ctx context.Context, db *pipectx.DB) error
	}{
		{"an error", func(context.Context, *pipectx.DB) error { return errOurs }},
		{"a poison", func(ctx context.Context, db *pipectx.DB) error { pipectx.Failed[int](ctx, db, errOurs); return nil }},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			client := redistest.Embedded(t).Client(t)
			db := newDB(t, client)
			var first, before, after *pipectx.Ref[int64]
			ran := false
			err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
				first = pipectx.Do[int64](ctx, db, "INCR", "first")
				_ = pipectx.After(ctx, func(ctx context.Context) error {
					before = pipectx.Do[int64](ctx, db, "INCR", "next")
					return test.fail(ctx, db)
				})
				return pipectx.After(ctx, func(ctx context.Context) error {
					ran = true
					after = pipectx.Do[int64](ctx, db, "INCR", "next")
					return nil
				})
			})
			wantErr(t, "Run", err, errOurs)
			want(t, "the wave before", first, 1)
			if !ran {
				t.Error("the second callback did not run")
			}
			for _, ref := range []*pipectx.Ref[int64]{before, after} {
				wantErr(t, "the wave that was stopped", ref.Err(), pipectx.ErrDiscarded)
				wantErr(t, "the wave that was stopped", ref.Err(), errOurs)
			}
			if got := stored(t, client, "next"); got != "" {
				t.Errorf("the next wave was sent: %s", got)
			}
		})
	}
}

// Callbacks see the failures of their wave.
func TestAfterSeesFailures(t *testing.T) {
	db := embedded(t)
	seen := false
	err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		do(ctx, db, "SET", "text", "abc")
		bad := do(ctx, db, "INCR", "text")
		return pipectx.After(ctx, func(context.Context) error {
			var refused *pipectx.ServerError
			seen = errors.As(bad.Err(), &refused)
			return nil
		})
	})
	if err == nil || !seen {
		t.Errorf("Run answers %v, the callback saw the failure: %v", err, seen)
	}
}

// Without an open pipeline After runs its function now and returns its error.
func TestAfterOutsideRun(t *testing.T) {
	ran := false
	err := pipectx.After(t.Context(), func(context.Context) error { ran = true; return errOurs })
	if err != errOurs || !ran {
		t.Errorf("After answers %v, its function ran: %v", err, ran)
	}
}

// A panic in a callback goes up through Run; what the callback queued answers
// that it was discarded.
func TestAfterPanics(t *testing.T) {
	db := embedded(t)
	var sent, queued *pipectx.Ref[int64]
	func() {
		defer func() {
			if got := recover(); got != "ours" {
				t.Errorf("recovered %v, want what was raised", got)
			}
		}()
		_ = pipectx.Run(t.Context(), db, func(ctx context.Context) error {
			sent = pipectx.Do[int64](ctx, db, "INCR", "n")
			return pipectx.After(ctx, func(ctx context.Context) error {
				queued = pipectx.Do[int64](ctx, db, "INCR", "n")
				panic("ours")
			})
		})
	}()
	want(t, "what was sent", sent, 1)
	wantErr(t, "what the callback queued", queued.Err(), pipectx.ErrDiscarded)
}

// Run's error joins all commands that failed, each with its command and key;
// the others have their answers. A miss is no failure and hides none.
func TestRunJoinsErrors(t *testing.T) {
	redistest.EachWithEmbedded(t, func(t *testing.T, s *redistest.Node) {
		client := s.Client(t)
		db := newDB(t, client)
		client.Set(t.Context(), "text", "abc", 0)
		var miss *pipectx.Ref[string]
		var first, second, good *pipectx.Ref[int64]
		err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
			miss = pipectx.Do[string](ctx, db, "GET", "none")
			first = pipectx.Do[int64](ctx, db, "INCR", "text")
			good = pipectx.Do[int64](ctx, db, "INCR", "n")
			second = pipectx.Do[int64](ctx, db, "hincrby", "text", "field", 1)
			return nil
		})
		wantErr(t, "miss", miss.Err(), pipectx.ErrNotFound)
		want(t, "good", good, 1)

		var joined *pipectx.RunError
		if !errors.As(err, &joined) {
			t.Fatalf("Run answers %v, want a *RunError", err)
		}
		if joined.Failed != 2 || joined.Sent != 4 || len(joined.Errors) != 2 {
			t.Fatalf("%d of %d failed (%v), want 2 of 4", joined.Failed, joined.Sent, joined.Errors)
		}
		for i, want := range []struct {
			ref           *pipectx.Ref[int64]
			command, code string
		}{{first, "INCR", "ERR"}, {second, "HINCRBY", "WRONGTYPE"}} {
			var c *pipectx.CommandError
			var refused *pipectx.ServerError
			if !errors.As(joined.Errors[i], &c) || c.Command != want.command || c.Key != "text" {
				t.Errorf("error %d is %v, want one of %s text", i, joined.Errors[i], want.command)
			}
			if !errors.As(want.ref.Err(), &refused) || refused.Code != want.code {
				t.Errorf("the Ref answers %v, want a %s", want.ref.Err(), want.code)
			}
			wantErr(t, "Run", err, want.ref.Err())
		}
		if errors.Is(err, pipectx.ErrNotFound) {
			t.Error("the miss is part of Run's error")
		}
		for _, part := range []string{"2 of 4 commands failed", "INCR text: ERR", "HINCRBY text: WRONGTYPE"} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%q does not say %q", err, part)
			}
		}
	})
}

// Run's error names each failure's command and key once, whatever its text
// says.
func TestRunNamesFailures(t *testing.T) {
	s := newStage(t, func(words []string) string { return "-ERR no\r\n" })
	server := newDB(t, s.client(t))
	decoder := embedded(t)
	get := func(ctx context.Context, key string) {
		c := pipectx.NewCommand("GET").Read()
		c.Key(key)
		pipectx.Send(ctx, decoder, c, func(pipectx.Reply) (int, error) { return 0, errOurs })
	}
	tests := []struct {
		reason string
		db     *pipectx.DB
		call   func(ctx context.Context)
		text   string
	}{
		{"the server refuses a command with a key", server, func(ctx context.Context) { do(ctx, server, "INCR", "k") }, "pipectx: INCR k: ERR no"},
		{"the server refuses a command without", server, func(ctx context.Context) { do(ctx, server, "PING") }, "pipectx: PING: ERR no"},
		{"a decoder refuses", decoder, func(ctx context.Context) { get(ctx, "k") }, "pipectx: GET k: we changed our mind"},
		{"a decoder refuses, in words that have the key in them by chance", decoder, func(ctx context.Context) { get(ctx, "mind") }, "pipectx: GET mind: we changed our mind"},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			err := pipectx.Run(t.Context(), test.db, func(ctx context.Context) error { test.call(ctx); return nil })
			if err == nil || err.Error() != test.text {
				t.Errorf("Run answers %v, want %s", err, test.text)
			}
		})
	}
}

// Of many failures the first 16 are kept, and the rest are counted.
func TestRunErrorIsBounded(t *testing.T) {
	db := embedded(t)
	err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		do(ctx, db, "SET", "text", "abc")
		for range 1000 {
			do(ctx, db, "INCR", "text")
		}
		return nil
	})
	var joined *pipectx.RunError
	if !errors.As(err, &joined) || joined.Failed != 1000 || joined.Sent != 1001 || len(joined.Errors) != 16 {
		t.Fatalf("Run answers %v, want 1000 of 1001 failed, 16 kept", err)
	}
	if text := err.Error(); strings.Count(text, "\n") != 17 || !strings.HasSuffix(text, "and 984 more") {
		t.Errorf("the text is %q", text)
	}
}

// A failure of a callback is none of the commands': the text counts them apart.
func TestRunErrorOfCallbacks(t *testing.T) {
	db := embedded(t)
	err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		do(ctx, db, "INCR", "n")
		for range 3 {
			_ = pipectx.After(ctx, func(context.Context) error { return errOurs })
		}
		return nil
	})
	wantErr(t, "Run", err, errOurs)
	if err != nil && strings.Contains(err.Error(), "3 of 1 commands") {
		t.Errorf("the text is %q", err)
	}
}

// A failure in the middle of a pipeline is its own command's alone, whatever
// the server says: 99 right answers and one error.
func TestRunOneFailureSpoilsNoOther(t *testing.T) {
	tests := []struct {
		reply  string // instead of the 50th
		reason string
		code   string // of the error, "" when it heals
		heard  int    // commands that reach the server
	}{
		{"-WRONGTYPE Operation against a key holding the wrong kind of value\r\n", "a type error", "WRONGTYPE", 100},
		{"-OOM command not allowed when used memory > 'maxmemory'.\r\n", "go-redis has a type for it", "OOM", 100},
		{"-READONLY You can't write against a read only replica.\r\n", "go-redis would retry", "READONLY", 100},
		{"-MOVED 1 127.0.0.1:1\r\n", "no Cluster was declared", "MOVED", 100},
		{"-NOAUTH Authentication required.\r\n", "", "NOAUTH", 100},
		{"-EXECABORT Transaction discarded\r\n", "go-redis has a type for it", "EXECABORT", 100},
		{"-NOSCRIPT No matching script.\r\n", "but no script was called", "NOSCRIPT", 100},
		{"-LOADING Redis is loading the dataset in memory\r\n", "those behind it have run: it would come after them", "LOADING", 100},
		{"-TRYAGAIN Multiple keys request during rehashing of slot\r\n", "it is sent again: the server says so of one command", "", 101},
		{"-\r\n", "no text at all", "", 100},
		{"$-1\r\n", "a null", "", 100},
		{"*2\r\n$1\r\na\r\n-OOM nested\r\n", "an error inside an array", "", 100},
		{"*2\r\n-MOVED 1 nested\r\n*1\r\n-LOADING nested\r\n", "errors deep inside an array", "", 100},
	}
	for _, test := range tests {
		t.Run(strings.TrimSpace(strings.Fields(test.reply + " x")[0]+" "+test.reason), func(t *testing.T) {
			fail := true
			s := newStage(t, func(words []string) string {
				if words[1] == "50" && fail {
					fail = false
					return test.reply
				}
				return fmt.Sprintf("$%d\r\n%s\r\n", len(words[1])+1, "v"+words[1])
			})
			db := newDB(t, s.client(t))
			var refs [100]*pipectx.Ref[any]
			err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
				for i := range refs {
					refs[i] = do(ctx, db, "GET", i)
				}
				return nil
			})
			for i, ref := range refs {
				if i != 50 {
					want(t, fmt.Sprint("answer ", i), ref, any(fmt.Sprint("v", i)))
				}
			}
			var refused *pipectx.ServerError
			if test.code == "" {
				if errors.As(err, &refused) && refused.Code != "" {
					t.Errorf("Run answers %v", err)
				}
			} else if !errors.As(refs[50].Err(), &refused) || refused.Code != test.code {
				t.Errorf("the Ref answers %v, want a %s", refs[50].Err(), test.code)
			} else {
				wantErr(t, "Run", err, refs[50].Err())
			}
			if got := len(s.said()); got != test.heard {
				t.Errorf("the server heard %d commands, want %d", got, test.heard)
			}
		})
	}
}

// Errors that a script leaves inside an array never shift the next replies.
func TestRunNestedErrorsShiftNothing(t *testing.T) {
	redistest.Each(t, func(t *testing.T, s *redistest.Node) {
		for _, protocol := range []int{2, 3} {
			client := s.Client(t, func(o *redis.Options) { o.Protocol = protocol })
			db := newDB(t, client)
			client.Set(t.Context(), "one", "1", 0)
			client.Set(t.Context(), "two", "2", 0)
			var array *pipectx.Ref[[]any]
			var one, two *pipectx.Ref[string]
			err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
				array = pipectx.Do[[]any](ctx, db, "EVAL", "return {'a', redis.error_reply('OOM x'), {redis.error_reply('MOVED 1 h:1')}, 'LEFTOVER'}", 0)
				one = pipectx.Do[string](ctx, db, "GET", "one")
				two = pipectx.Do[string](ctx, db, "GET", "two")
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			want(t, "one", one, "1")
			want(t, "two", two, "2")
			got, err := array.Result()
			if err != nil || len(got) != 4 || got[3] != "LEFTOVER" {
				t.Fatalf("the array is %v, %v", got, err)
			}
			var refused *pipectx.ServerError
			if e, is := got[1].(error); !is || !errors.As(e, &refused) || refused.Code != "OOM" {
				t.Errorf("the nested error is %v", got[1])
			}
		}
	})
}

// Goroutines may share an open context: every command is sent once, each
// goroutine's in its own order, and their Runs commit or go by themselves.
func TestRunConcurrently(t *testing.T) {
	client := redistest.Embedded(t).Client(t)
	db := newDB(t, client)
	const workers, each = 16, 50
	var refs [workers][each]*pipectx.Ref[int64]
	var calls sync.Map
	err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		var all sync.WaitGroup
		for w := range workers {
			all.Go(func() {
				for i := range each {
					_ = pipectx.Run(ctx, db, func(ctx context.Context) error {
						refs[w][i] = pipectx.Do[int64](ctx, db, "RPUSH", fmt.Sprint("list", w), i)
						_ = pipectx.After(ctx, func(context.Context) error { calls.Store([2]int{w, i}, true); return nil })
						if i%5 == 4 {
							return errOurs
						}
						return nil
					})
					if refs[w][i].Ready() != (i%5 == 4) {
						t.Error("a queued Ref is ready, or a discarded one is not")
					}
				}
			})
		}
		all.Wait()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for w := range workers {
		n := int64(0)
		for i, ref := range refs[w] {
			_, called := calls.Load([2]int{w, i})
			if i%5 == 4 {
				wantErr(t, "discarded", ref.Err(), pipectx.ErrDiscarded)
			} else {
				n++
				want(t, "pushed", ref, n)
			}
			if called == (i%5 == 4) {
				t.Errorf("callback %d of %d ran: %v", i, w, called)
			}
		}
	}
}

// A Run left open on another goroutine when the outermost ends is not sent: it
// learns so, and so do its Refs.
func TestRunLeftOpen(t *testing.T) {
	client := redistest.Embedded(t).Client(t)
	db := newDB(t, client)
	queued, ended := make(chan *pipectx.Ref[int64]), make(chan struct{})
	late := make(chan error)
	err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		go func() {
			late <- pipectx.Run(ctx, db, func(ctx context.Context) error {
				queued <- pipectx.Do[int64](ctx, db, "INCR", "late")
				<-ended
				return nil
			})
		}()
		do(ctx, db, "INCR", "n")
		ref := <-queued
		t.Cleanup(func() { wantErr(t, "the Ref of the Run left open", ref.Err(), pipectx.ErrDiscarded) })
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	close(ended)
	wantErr(t, "the Run left open", <-late, pipectx.ErrEnded)
	if n, late := stored(t, client, "n"), stored(t, client, "late"); n != "1" || late != "" {
		t.Errorf("n %q, late %q; want 1 and nothing", n, late)
	}
}

// A Run of another DB inside a Run is its own pipeline: contexts carry which DB
// they belong to.
func TestRunOfTwoDBs(t *testing.T) {
	one, two := redistest.Embedded(t).Client(t), redistest.Embedded(t).Client(t)
	a, b := newDB(t, one), newDB(t, two)
	var order []string
	call := func(name string) func(context.Context) error {
		return func(context.Context) error { order = append(order, name); return nil }
	}
	err := pipectx.Run(t.Context(), a, func(ctx context.Context) error {
		do(ctx, a, "INCR", "a")
		err := pipectx.Run(ctx, b, func(ctx context.Context) error {
			do(ctx, b, "INCR", "b")
			do(ctx, a, "INCR", "a")
			return pipectx.After(ctx, call("b"))
		})
		if got := stored(t, two, "b"); err != nil || got != "1" {
			t.Errorf("the inner DB's Run has ended with %v, b is %q", err, got)
		}
		if got := stored(t, one, "a"); got != "" {
			t.Errorf("the outer DB's commands ran early: %q", got)
		}
		if got := do(ctx, b, "GET", "b"); !got.Ready() {
			t.Error("the other DB's verb was queued though it has no open pipeline")
		}
		return pipectx.After(ctx, call("a"))
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := stored(t, one, "a"); got != "2" {
		t.Errorf("a is %q, want 2", got)
	}
	if got := strings.Join(order, " "); got != "b a" {
		t.Errorf("callbacks ran as %q, want b a", got)
	}
}

// A Run that queues nothing sends nothing, and its callbacks run.
func TestRunEmpty(t *testing.T) {
	w := newWitness()
	db := embedded(t, pipectx.Observe(w))
	ran := false
	err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		return pipectx.After(ctx, func(context.Context) error { ran = true; return nil })
	})
	if err != nil || !ran || len(w.seen()) != 0 {
		t.Errorf("Run answers %v, callback ran %v, %d flushes", err, ran, len(w.seen()))
	}
}

// With a context that has ended Run does not begin, and a Run whose context
// ends before the flush sends nothing: its Refs answer ErrNotSent.
func TestRunContextEnds(t *testing.T) {
	client := redistest.Embedded(t).Client(t)
	db := newDB(t, client)
	ctx, cancel := context.WithCancel(t.Context())
	var ref *pipectx.Ref[int64]
	err := pipectx.Run(ctx, db, func(ctx context.Context) error {
		ref = pipectx.Do[int64](ctx, db, "INCR", "n")
		cancel()
		return nil
	})
	for what, err := range map[string]error{"Run": err, "its Ref": ref.Err()} {
		wantErr(t, what, err, context.Canceled)
		wantErr(t, what, err, pipectx.ErrNotSent)
	}
	err = pipectx.Run(ctx, db, func(context.Context) error { t.Error("it began"); return nil })
	wantErr(t, "Run on an ended context", err, context.Canceled)
	wantErr(t, "a verb on an ended context", do(ctx, db, "INCR", "n").Err(), pipectx.ErrNotSent)
	if got := stored(t, client, "n"); got != "" {
		t.Errorf("n is %s, want nothing", got)
	}
}

// A Run in which thousands of inner Runs are discarded costs time in proportion
// to them, not to their square.
func TestRunDiscardsMany(t *testing.T) {
	db := embedded(t)
	cost := func(n int) time.Duration {
		best := time.Hour
		for range 3 {
			start := time.Now()
			_ = pipectx.Run(t.Context(), db, func(ctx context.Context) error {
				for range n {
					do(ctx, db, "INCR", "n")
					_ = pipectx.Run(ctx, db, func(ctx context.Context) error { do(ctx, db, "INCR", "n"); return errOurs })
				}
				return errOurs
			})
			best = min(best, time.Since(start))
		}
		return best
	}
	few, many := cost(200), cost(64*200)
	if many > 16*64*few { // the square of 64 is four times that, so that a busy machine is no failure
		t.Errorf("200 discarded Runs take %v, 64 times as many %v", few, many)
	}
}

// An immediate verb that failed and whose Ref nobody read is reported.
func TestUnreadFailures(t *testing.T) {
	tests := []struct {
		reason string
		call   func(ctx context.Context, db *pipectx.DB)
		report bool
	}{
		{"an error reply, unread", func(ctx context.Context, db *pipectx.DB) { do(ctx, db, "INCR", "text") }, true},
		{"a value that cannot be encoded, unread", func(ctx context.Context, db *pipectx.DB) { do(ctx, db, "SET", "k", ctx) }, true},
		{"a derived Ref, unread", func(ctx context.Context, db *pipectx.DB) {
			pipectx.Map(do(ctx, db, "INCR", "text"), func(any) (int, error) { return 0, nil })
		}, true},
		{"read by Err", func(ctx context.Context, db *pipectx.DB) { _ = do(ctx, db, "INCR", "text").Err() }, false},
		{"read through a derived Ref", func(ctx context.Context, db *pipectx.DB) {
			_ = pipectx.All([]*pipectx.Ref[any]{do(ctx, db, "INCR", "text")}).Err()
		}, false},
		{"a success", func(ctx context.Context, db *pipectx.DB) { do(ctx, db, "INCR", "n") }, false},
		{"an absence", func(ctx context.Context, db *pipectx.DB) { do(ctx, db, "GET", "none") }, false},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			w, log := newWitness(), captureLog(t)
			db := embedded(t, pipectx.Observe(w))
			if err := do(t.Context(), db, "SET", "text", "abc").Err(); err != nil {
				t.Fatal(err)
			}
			test.call(t.Context(), db)
			// A second failure tells when the first would have been reported.
			marker, seen := errors.New("the marker"), false
			redistest.Until(t, 10*time.Second, "the report of a failure nobody read", func() error {
				pipectx.Failed[int](t.Context(), db, marker)
				runtime.GC()
				for {
					select {
					case err := <-w.unread:
						switch {
						case !errors.Is(err, marker):
							seen = true
						case seen || !test.report:
							return nil
						}
					default:
						return errors.New("nothing yet")
					}
				}
			})
			if seen != test.report {
				t.Errorf("reported: %v, want %v", seen, test.report)
			}
			if !strings.Contains(log.String(), "nobody read its Ref") {
				t.Errorf("slog has %q", log)
			}
		})
	}
}

// A verb that was refused because its context's Run has ended ran neither now
// nor later: unread, it is reported too.
func TestUnreadRefusal(t *testing.T) {
	w := newWitness()
	captureLog(t)
	db := embedded(t, pipectx.Observe(w))
	var kept context.Context
	if err := pipectx.Run(t.Context(), db, func(ctx context.Context) error { kept = ctx; return nil }); err != nil {
		t.Fatal(err)
	}
	do(kept, db, "INCR", "n")
	redistest.Until(t, time.Second, "the report of a refusal nobody read", func() error {
		runtime.GC()
		select {
		case err := <-w.unread:
			wantErr(t, "the report", err, pipectx.ErrEnded)
			return nil
		default:
			return errors.New("nothing yet")
		}
	})
}

// Handled keeps a failure out of Run's error, not out of its Ref.
func TestHandled(t *testing.T) {
	db := embedded(t)
	if err := do(t.Context(), db, "SET", "text", "abc").Err(); err != nil {
		t.Fatal(err)
	}
	var ref, other *pipectx.Ref[any]
	err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		ref = pipectx.Handled(do(ctx, db, "INCR", "text"))
		return nil
	})
	if err != nil || ref.Err() == nil {
		t.Errorf("Run answers %v, the Ref %v; want nil and its failure", err, ref.Err())
	}
	err = pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		pipectx.Handled(do(ctx, db, "INCR", "text"))
		other = do(ctx, db, "INCR", "text")
		return nil
	})
	var joined *pipectx.RunError
	if !errors.As(err, &joined) || joined.Failed != 1 || !errors.Is(err, other.Err()) {
		t.Errorf("Run answers %v, want the failure that nobody handles", err)
	}
}

// A Ref derived from another is handled with it: verbs return derived Refs.
func TestHandledDerived(t *testing.T) {
	db := embedded(t)
	if err := do(t.Context(), db, "SET", "text", "abc").Err(); err != nil {
		t.Fatal(err)
	}
	same := func(v any) (any, error) { return v, nil }
	err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		incr := func() *pipectx.Ref[any] { return do(ctx, db, "INCR", "text") }
		pipectx.Handled(pipectx.Map(pipectx.Map(incr(), same), same))
		pipectx.Handled(pipectx.All([]*pipectx.Ref[any]{incr(), incr()}))
		pipectx.Handled(pipectx.Join(incr(), incr(), func(a, b any) (any, error) { return a, nil }))
		return nil
	})
	if err != nil {
		t.Errorf("Run answers %v, want nil: all failures are handled", err)
	}
}
