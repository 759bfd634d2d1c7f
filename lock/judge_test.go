package lock_test

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

// An event is what a worker did, from before the call until after the answer, by the
// machine's clock. The lease is known by its fencing token, which no other has.
type event struct {
	Did          string // acquired, checked, released, lost
	Name         string
	Fence        int64
	Call, Return int64 // ns
	Alone        bool  // acquired to write, of a read-write lock
}

// many is more than ever hold a lock at a time.
const many = 48

// permitsOf is how many may hold a lock of this name.
func permitsOf(name string) int {
	switch _, kind, _ := strings.Cut(name, "/"); kind {
	case "3":
		return 3
	case "rw":
		return many
	}
	return 1
}

// state is what the model knows of a lock: who holds it, in order behind the places
// that are free, whether that one is alone, and the last fence.
type state struct {
	holders [many]int64
	alone   bool
	fence   int64
}

// modelOf is a lock of so many permits: a holder enters when there is room, with a
// greater token than all before, and is there until it is released or lost. One that is
// to be alone enters when nobody is there, and nobody enters then.
func modelOf(permits int) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return state{} },
		Step: func(was, input, _ any) (bool, any) {
			s, e := was.(state), input.(event)
			holders := s.holders[many-permits:]
			at := slices.Index(holders, e.Fence)
			switch e.Did {
			case "acquired":
				if s.alone || holders[0] != 0 || e.Alone && holders[permits-1] != 0 || e.Fence <= s.fence {
					return false, s
				}
				holders[0], s.fence, s.alone = e.Fence, e.Fence, e.Alone
			case "checked":
				return at >= 0, s
			default:
				if at < 0 {
					return false, s
				}
				holders[at], s.alone = 0, false
			}
			slices.Sort(holders)
			return true, s
		},
		DescribeOperation: func(input, _ any) string { e := input.(event); return fmt.Sprint(e.Did, " ", e.Fence) },
	}
}

// lives tells in which life of the server a lease began: losses are when it had lost
// all it knew, µs. Tokens are never less than its time, and this machine's.
func lives(fence int64, losses []int64) int {
	return len(slices.DeleteFunc(slices.Clone(losses), func(loss int64) bool { return loss >= fence }))
}

// judge fails the test unless, in each life of the server, there is an order of the
// events of each lock in which it behaves, and no lease outlives the server's memory of
// it by more than its TTL.
func judge(t *testing.T, events []event, losses []int64, ttl time.Duration) {
	t.Helper()
	byLock, outlived := map[string][]event{}, 0
	for _, e := range events {
		life := lives(e.Fence, losses)
		if e.Did == "checked" && life < len(losses) {
			behind := time.Duration(e.Call - 1000*losses[life])
			if behind > ttl {
				t.Errorf("lock %s: a holder takes itself for one %v after the server forgot it", e.Name, behind)
			} else if behind > 0 {
				outlived++
			}
		}
		name := fmt.Sprintf("%s in life %d", e.Name, life)
		byLock[name] = append(byLock[name], e)
	}
	for _, name := range slices.Sorted(maps.Keys(byLock)) {
		ops, open := operations(byLock[name])
		got := porcupine.CheckOperationsTimeout(modelOf(permitsOf(byLock[name][0].Name)), ops, time.Minute)
		t.Logf("lock %s: %d events, %d leases never ended: %s", name, len(ops), open, got)
		if got != porcupine.Ok {
			t.Errorf("lock %s is none", name)
		}
	}
	if losses != nil {
		t.Logf("%d losses; %d times a holder did not know yet", len(losses), outlived)
	}
}

// operations are the events of a lock. Leases that nobody ended, as their process was
// killed, are lost at some time.
func operations(events []event) (ops []porcupine.Operation, open int) {
	leases, seen := map[int64]event{}, map[int64]int64{}
	for _, e := range events {
		switch e.Did {
		case "acquired":
			leases[e.Fence] = e
		case "checked":
			seen[e.Fence] = max(seen[e.Fence], e.Call)
		}
	}
	for _, e := range events {
		if e.Did == "released" || e.Did == "lost" {
			delete(leases, e.Fence)
		}
	}
	open = len(leases)
	for _, e := range slices.SortedFunc(maps.Values(leases), func(a, b event) int { return int(a.Fence - b.Fence) }) {
		events = append(events, event{Did: "lost", Name: e.Name, Fence: e.Fence, Call: e.Call, Return: math.MaxInt64})
	}
	for _, e := range events {
		if e.Did == "lost" { // behind the last time that it was not
			e.Call = max(e.Call, seen[e.Fence])
		}
		ops = append(ops, porcupine.Operation{Input: e, Call: e.Call, Return: e.Return})
	}
	return ops, open
}

// The judge is one: it knows a lock that two held, a writer among readers, a token that
// did not grow, and a lease that was checked when it was over.
func TestJudge(t *testing.T) {
	mutex := []event{
		{"acquired", "1", 5, 0, 2, false}, {"checked", "1", 5, 3, 4, false}, {"released", "1", 5, 5, 7, false},
		{"acquired", "1", 6, 4, 9, false}, {"lost", "1", 6, 9, 20, false},
	}
	plan := []event{
		{"acquired", "1/rw", 50, 0, 2, false}, {"acquired", "1/rw", 60, 3, 4, false}, {"released", "1/rw", 50, 7, 8, false}, {"released", "1/rw", 60, 7, 8, false},
		{"acquired", "1/rw", 70, 9, 10, true}, {"released", "1/rw", 70, 20, 21, false},
	}
	for _, row := range []struct {
		reason string
		events []event
		more   event
		want   porcupine.CheckResult
	}{
		{"nothing is wrong", mutex, event{"acquired", "1", 9, 30, 40, false}, porcupine.Ok},
		{"two hold it", mutex, event{"acquired", "1", 9, 2, 3, false}, porcupine.Illegal},
		{"a token did not grow", mutex, event{"acquired", "1", 4, 30, 40, false}, porcupine.Illegal},
		{"it was over", mutex, event{"checked", "1", 6, 30, 40, false}, porcupine.Illegal},
		{"readers are many, and behind them a writer", plan, event{"acquired", "1/rw", 80, 30, 40, false}, porcupine.Ok},
		{"a reader beside the writer", plan, event{"acquired", "1/rw", 80, 11, 12, false}, porcupine.Illegal},
		{"a writer beside the readers", plan, event{"acquired", "1/rw", 65, 5, 6, true}, porcupine.Illegal},
		{"a reader's token did not grow", plan, event{"acquired", "1/rw", 45, 30, 40, false}, porcupine.Illegal},
	} {
		ops, _ := operations(append(slices.Clone(row.events), row.more))
		if got := porcupine.CheckOperationsTimeout(modelOf(permitsOf(row.more.Name)), ops, 0); got != row.want {
			t.Errorf("%s: %v", row.reason, got)
		}
	}
}
