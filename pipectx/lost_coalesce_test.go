package pipectx_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Verbs of many goroutines that share a pipeline share the loss of its
// connection: each write has its answer or says that nobody knows, and has run
// once or not at all.
func TestCoalescedAnswersLost(t *testing.T) { checkCoalescedLosses(t, false) }

// Their reads are sent again: what stands behind one is others', and nobody waits
// for its order.
func TestCoalescedReadsAskedAgain(t *testing.T) {
	checkCoalescedLosses(t, true)
}

func checkCoalescedLosses(t *testing.T, reads bool) {
	eachDeployment(t, func(t *testing.T, p *redistest.Proxy, client redis.UniversalClient, direct redis.Cmdable) {
		w := newWitness()
		db := newDB(t, client, pipectx.Coalesce(), pipectx.Observe(w))
		for _, loss := range losses {
			for victim := range named {
				playSharedLoss(t, p, db, direct, loss, victim, reads)
			}
		}
		for _, f := range w.seen() {
			if f.Commands > 1 && f.Failed > 0 {
				return
			}
		}
		t.Error("no loss had company")
	})
}

// playSharedLoss loses the answer of one of sixty verbs. reads tells that those
// that read are to be right.
func playSharedLoss(t *testing.T, p *redistest.Proxy, db *pipectx.DB, direct redis.Cmdable, loss loss, victim string, reads bool) {
	key := func(verb string, i int) string {
		return fmt.Sprintf("{%s-%s-%s}%s%d", t.Name(), loss.name, victim, verb, i)
	}
	for i := range 20 {
		direct.Set(t.Context(), key("GET", i), "1", 0)
	}
	lost := false
	p.On(once(loss.fate, &lost, func(r redistest.Request) bool { return slices.Contains(r.Args, key(victim, 10)) }))
	var all sync.WaitGroup
	refs := map[string]*[20]*pipectx.Ref[any]{}
	for verb := range named {
		of := new([20]*pipectx.Ref[any])
		refs[verb] = of
		for i := range of {
			all.Go(func() { of[i] = plain(t.Context(), db, verb, key(verb, i)) })
		}
	}
	all.Wait()
	p.On(nil)
	p.Settle(t)
	for verb := range refs {
		for i, ref := range refs[verb] {
			what, count := fmt.Sprintf("%s %s: %s %d", victim, loss.name, verb, i), stored(t, direct, key(verb, i))
			switch err := ref.Err(); {
			case err == nil:
				if ref.String() != "1" || count != "1" || verb == victim && i == 10 && verb != "GET" {
					t.Errorf("%s answers %v and ran %q times", what, ref, count)
				}
			case verb == "GET":
				if reads || errors.Is(err, pipectx.ErrOutcomeUnknown) {
					t.Errorf("%s answers %v", what, err)
				}
			default:
				checkUnknown(t, what, err, named[verb], key(verb, i))
				if count != loss.ran {
					t.Errorf("%s ran %q times, want %q", what, count, loss.ran)
				}
			}
		}
	}
}
