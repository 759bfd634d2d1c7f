package pipectx_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/pipectx"
)

// newer sends a command that no server has, as a verb of a newer server would.
func newer(ctx context.Context, db *pipectx.DB, words ...string) *pipectx.Ref[int64] {
	c := pipectx.NewCommand(words[0]).Needs("Redis 99")
	for _, word := range words[1:] {
		c.Word(word)
	}
	return pipectx.Send(ctx, db, c, pipectx.Reply.Int)
}

// A command that the server lacks is told from one that failed, with what answered
// and what it takes; its neighbours have their own answers.
func TestNeeds(t *testing.T) {
	redistest.Each(t, func(t *testing.T, s *redistest.Node) {
		db := newDB(t, s.Client(t))
		for _, words := range [][]string{
			{"HNOSUCH", "{a}", "1"},
			{"OBJECT", "NOSUCH", "{a}"},
			{"SET", "{a}", "1", "IFNOSUCH", "2"},
		} {
			err := newer(t.Context(), db, words...).Err()
			var unsupported *pipectx.UnsupportedError
			if !errors.Is(err, pipectx.ErrUnsupported) || !errors.As(err, &unsupported) {
				t.Fatalf("%v answers %v", words, err)
			}
			if unsupported.Needs != "Redis 99" || !strings.Contains(unsupported.Server, "s ") && !strings.Contains(unsupported.Server, "Valkey ") {
				t.Errorf("it is %+v", unsupported)
			}
			if text := err.Error(); !strings.Contains(text, words[0]) || !strings.Contains(text, unsupported.Server) || !strings.Contains(text, "needs Redis 99") {
				t.Errorf("it says: %v", err)
			}
		}
		do(t.Context(), db, "SET", "n", "x")
		var before, between, after *pipectx.Ref[string]
		err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
			before = pipectx.Do[string](ctx, db, "GET", "n")
			pipectx.Handled(newer(ctx, db, "HNOSUCH", "{a}"))
			between = pipectx.Do[string](ctx, db, "GET", "n")
			pipectx.Handled(newer(ctx, db, "INCR", "n"))
			after = pipectx.Do[string](ctx, db, "GET", "n")
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		for _, ref := range []*pipectx.Ref[string]{before, between, after} {
			if got, err := ref.Result(); got != "x" || err != nil {
				t.Errorf("a neighbour answers %q, %v", got, err)
			}
		}
		err = newer(t.Context(), db, "INCR", "n").Err()
		if errors.Is(err, pipectx.ErrUnsupported) || err == nil || !strings.Contains(err.Error(), "INCR") {
			t.Errorf("a command that only failed answers %v", err)
		}
		err = pipectx.Atomic(t.Context(), db, func(ctx context.Context) error {
			do(ctx, db, "SET", "n", "y")
			newer(ctx, db, "HNOSUCH", "{a}")
			return nil
		})
		if got, _ := do(t.Context(), db, "GET", "n").Result(); !errors.Is(err, pipectx.ErrUnsupported) || got != "x" {
			t.Errorf("in an Atomic: %v, and n is %v", err, got)
		}
	})
}

// The embedded server does not tell its version, and lacks much.
func TestNeedsEmbedded(t *testing.T) {
	err := newer(t.Context(), embedded(t), "HNOSUCH", "{a}").Err()
	if !errors.Is(err, pipectx.ErrUnsupported) || !strings.Contains(err.Error(), "needs Redis 99") {
		t.Errorf("it answers %v", err)
	}
}
