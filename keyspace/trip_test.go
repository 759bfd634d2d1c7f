package keyspace_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/pipectx"
)

// A trip is one call of a verb, on a key that begins as fill has made it.
type trip[B any] struct {
	verb   string
	keeps  string // the sentence it proves
	call   func(ctx context.Context, on B, id int64) outcome
	want   any    // what it answers, or the error; or a function of the id
	after  any    // what the key holds then; nil: what it held before
	needs  string // of servers that are older the answer is ErrUnsupported
	absent bool   // the embedded server lacks the command
	other  string // what the embedded server does otherwise
}

// An outcome is what a Ref answered.
type outcome struct {
	value any
	err   error
}

func of[T any](ref *pipectx.Ref[T]) outcome {
	value, err := ref.Result()
	return outcome{value, err}
}

// anyOrder is of for elements that come in no order.
func anyOrder(ref *pipectx.Ref[[]string]) outcome { return of(sorted(ref)) }

// trips makes each trip on every server, with an id that nobody has used. The
// neighbour of an id, which verbs of several take, is id+1000.
func trips[B any](t *testing.T, on func(*pipectx.DB) B, fill func(ctx context.Context, on B, id int64) error,
	holds func(ctx context.Context, on B, id int64) outcome, rows []trip[B]) {
	t.Helper()
	everywhere(t, func(t *testing.T, db *pipectx.DB, _ *redistest.Recorder) {
		embedded := strings.Contains(t.Name(), "/embedded/")
		var notes string
		if embedded {
			notes = embeddedNotes(t)
		}
		for i, row := range rows {
			t.Run(row.verb, func(t *testing.T) {
				if embedded && (row.absent || row.other != "") && !strings.Contains(notes, "`"+row.verb+"`") {
					t.Errorf("%s does not say that the embedded server lacks it", commandsPage)
				}
				if embedded && row.other != "" {
					t.Skip("the embedded server " + row.other)
				}
				ctx, on, id := t.Context(), on(db), int64(100+i)
				if err := fill(ctx, on, id); err != nil {
					t.Fatal(err)
				}
				if about, ok := row.want.(func(id int64) any); ok {
					row.want = about(id)
				}
				before := holds(ctx, on, id)
				got := row.call(ctx, on, id)
				switch wanted, isErr := row.want.(error); {
				case embedded && row.absent:
					if got.err == nil {
						t.Errorf("the embedded server has it: %v; take it off the list", got.value)
					}
					return
				case row.needs != "" && errors.Is(got.err, pipectx.ErrUnsupported):
					var e *pipectx.UnsupportedError
					if !errors.As(got.err, &e) || e.Needs != row.needs {
						t.Errorf("%v, want that it needs %s", got.err, row.needs)
					}
					return
				case isErr && !errors.Is(got.err, wanted), !isErr && got.err != nil:
					t.Errorf("answers %v, %v, want %v: %s", got.value, got.err, row.want, row.keeps)
				case !isErr && !reflect.DeepEqual(got.value, row.want):
					t.Errorf("answers %#v, want %#v: %s", got.value, row.want, row.keeps)
				}
				after := holds(ctx, on, id)
				if want := row.after; want == nil && !reflect.DeepEqual(after, before) || want != nil && !reflect.DeepEqual(after.value, want) {
					t.Errorf("holds %v then, %v before, want %v: %s", after, before, want, row.keeps)
				}
			})
		}
	})
}

const ms = time.Millisecond

var together = keyspace.OneSlot("t") // for verbs of several ids, on a Cluster too
