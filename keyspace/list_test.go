package keyspace_test

import (
	"context"
	"testing"

	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/pipectx"
)

type (
	list      = keyspace.BoundList[int64, string]
	popped    = keyspace.Popped[int64, string]
	poppedAll = keyspace.Popped[int64, []string]
	words     = []string
)

// The verbs of List do the same on all servers.
func TestList(t *testing.T) {
	lists := keyspace.NewList[int64, string]("list", together)
	fill := func(ctx context.Context, l list, id int64) error { return l.RPush(ctx, id, "a", "b", "c", "b").Err() }
	holds := func(ctx context.Context, l list, id int64) outcome { return of(l.Range(ctx, id, 0, -1)) }
	const none = 1_000_000 // an id without a list
	trips(t, lists.On, fill, holds, []trip[list]{
		{verb: "RPush", keeps: "values go to the right, in order", want: int64(6), after: words{"a", "b", "c", "b", "x", ""},
			call: func(ctx context.Context, l list, id int64) outcome { return of(l.RPush(ctx, id, "x", "")) }},
		{verb: "RPush", keeps: "none are no command", want: int64(0),
			call: func(ctx context.Context, l list, id int64) outcome { return of(l.RPush(ctx, id)) }},
		{verb: "LPush", keeps: "values go to the left, one after another", want: int64(6), after: words{"y", "x", "a", "b", "c", "b"},
			call: func(ctx context.Context, l list, id int64) outcome { return of(l.LPush(ctx, id, "x", "y")) }},
		{verb: "RPushX", keeps: "onto a list that is there", want: int64(5), after: words{"a", "b", "c", "b", "x"},
			call: func(ctx context.Context, l list, id int64) outcome { return of(l.RPushX(ctx, id, "x")) }},
		{verb: "RPushX", keeps: "and not onto one that is not", want: int64(0),
			call: func(ctx context.Context, l list, _ int64) outcome { return of(l.RPushX(ctx, none, "x")) }},
		{verb: "LPushX", keeps: "onto a list that is there", want: int64(5), after: words{"x", "a", "b", "c", "b"},
			call: func(ctx context.Context, l list, id int64) outcome { return of(l.LPushX(ctx, id, "x")) }},
		{verb: "LPop", keeps: "the leftmost", want: "a", after: words{"b", "c", "b"},
			call: func(ctx context.Context, l list, id int64) outcome { return of(l.LPop(ctx, id)) }},
		{verb: "LPop", keeps: "absent of nothing", want: pipectx.ErrNotFound,
			call: func(ctx context.Context, l list, _ int64) outcome { return of(l.LPop(ctx, none)) }},
		{verb: "RPop", keeps: "the rightmost", want: "b", after: words{"a", "b", "c"},
			call: func(ctx context.Context, l list, id int64) outcome { return of(l.RPop(ctx, id)) }},
		{verb: "LPopN", keeps: "leftmost first", want: words{"a", "b"}, after: words{"c", "b"},
			call: func(ctx context.Context, l list, id int64) outcome { return of(l.LPopN(ctx, id, 2)) }},
		{verb: "LPopN", keeps: "none of 0", want: words{},
			call: func(ctx context.Context, l list, id int64) outcome { return of(l.LPopN(ctx, id, 0)) }},
		{verb: "LPopN", keeps: "none of nothing", want: words{},
			call: func(ctx context.Context, l list, _ int64) outcome { return of(l.LPopN(ctx, none, 2)) }},
		{verb: "RPopN", keeps: "rightmost first, all if there are fewer", want: words{"b", "c", "b", "a"}, after: words{},
			call: func(ctx context.Context, l list, id int64) outcome { return of(l.RPopN(ctx, id, 9)) }},
		{verb: "Len", keeps: "how many", want: int64(4),
			call: func(ctx context.Context, l list, id int64) outcome { return of(l.Len(ctx, id)) }},
		{verb: "Range", keeps: "both ends included, from the right if negative", want: words{"b", "c"},
			call: func(ctx context.Context, l list, id int64) outcome { return of(l.Range(ctx, id, 1, -2)) }},
		{verb: "Index", keeps: "from the right if negative", want: "c",
			call: func(ctx context.Context, l list, id int64) outcome { return of(l.Index(ctx, id, -2)) }},
		{verb: "Index", keeps: "absent beyond", want: pipectx.ErrNotFound,
			call: func(ctx context.Context, l list, id int64) outcome { return of(l.Index(ctx, id, 9)) }},
		{verb: "Set", keeps: "in the place of one", want: struct{}{}, after: words{"a", "b", "c", "x"},
			call: func(ctx context.Context, l list, id int64) outcome { return of(l.Set(ctx, id, -1, "x")) }},
		{verb: "Set", keeps: "absent beyond", want: pipectx.ErrNotFound,
			call: func(ctx context.Context, l list, id int64) outcome { return of(l.Set(ctx, id, 9, "x")) }},
		{verb: "Set", keeps: "absent without a list", want: pipectx.ErrNotFound,
			call: func(ctx context.Context, l list, _ int64) outcome { return of(l.Set(ctx, none, 0, "x")) }},
		{verb: "InsertBefore", keeps: "the leftmost pivot", want: int64(5), after: words{"a", "x", "b", "c", "b"},
			call: func(ctx context.Context, l list, id int64) outcome { return of(l.InsertBefore(ctx, id, "b", "x")) }},
		{verb: "InsertAfter", keeps: "the leftmost pivot", want: int64(5), after: words{"a", "b", "x", "c", "b"},
			call: func(ctx context.Context, l list, id int64) outcome { return of(l.InsertAfter(ctx, id, "b", "x")) }},
		{verb: "InsertAfter", keeps: "-1 without a pivot", want: int64(-1),
			call: func(ctx context.Context, l list, id int64) outcome { return of(l.InsertAfter(ctx, id, "?", "x")) }},
		{verb: "Rem", keeps: "the leftmost n", want: int64(1), after: words{"a", "c", "b"},
			call: func(ctx context.Context, l list, id int64) outcome { return of(l.Rem(ctx, id, 1, "b")) }},
		{verb: "Rem", keeps: "the rightmost n", want: int64(1), after: words{"a", "b", "c"},
			call: func(ctx context.Context, l list, id int64) outcome { return of(l.Rem(ctx, id, -1, "b")) }},
		{verb: "Rem", keeps: "all", want: int64(2), after: words{"a", "c"},
			call: func(ctx context.Context, l list, id int64) outcome { return of(l.Rem(ctx, id, 0, "b")) }},
		{verb: "Trim", keeps: "what is kept", want: struct{}{}, after: words{"b", "c"},
			call: func(ctx context.Context, l list, id int64) outcome { return of(l.Trim(ctx, id, 1, 2)) }},
		{verb: "Pos", keeps: "the leftmost", want: int64(1),
			call: func(ctx context.Context, l list, id int64) outcome { return of(l.Pos(ctx, id, "b")) }},
		{verb: "Pos", keeps: "absent of none", want: pipectx.ErrNotFound,
			call: func(ctx context.Context, l list, id int64) outcome { return of(l.Pos(ctx, id, "?")) }},
		{verb: "PosRank", keeps: "the rightmost", want: int64(3),
			call: func(ctx context.Context, l list, id int64) outcome { return of(l.PosRank(ctx, id, "b", -1, 0)) }},
		{verb: "PosRank", keeps: "absent among those compared", want: pipectx.ErrNotFound,
			call: func(ctx context.Context, l list, id int64) outcome { return of(l.PosRank(ctx, id, "c", 1, 2)) }},
		{verb: "PosN", keeps: "all", want: []int64{1, 3},
			call: func(ctx context.Context, l list, id int64) outcome { return of(l.PosN(ctx, id, "b", 0, 1, 0)) }},
		{verb: "PosN", keeps: "none", want: []int64{},
			call: func(ctx context.Context, l list, id int64) outcome { return of(l.PosN(ctx, id, "?", 0, 1, 0)) }},
		{verb: "Move", keeps: "rotates one list", want: "b", after: words{"b", "a", "b", "c"},
			call: func(ctx context.Context, l list, id int64) outcome {
				return of(l.Move(ctx, id, id, keyspace.Right, keyspace.Left))
			}},
		{verb: "Move", keeps: "from one list to another", want: words{"a"}, after: words{"b", "c", "b"},
			call: func(ctx context.Context, l list, id int64) outcome {
				l.Move(ctx, id, id+1000, keyspace.Left, keyspace.Right)
				return of(l.Range(ctx, id+1000, 0, -1))
			}},
		{verb: "Move", keeps: "absent of nothing", want: pipectx.ErrNotFound,
			call: func(ctx context.Context, l list, id int64) outcome {
				return of(l.Move(ctx, none, id, keyspace.Left, keyspace.Right))
			}},
		{verb: "MoveN", keeps: "several at once", want: words{"a", "b"}, after: words{"c", "b"}, needs: "Redis 8.10",
			call: func(ctx context.Context, l list, id int64) outcome {
				return of(l.MoveN(ctx, id, id+1000, keyspace.Left, keyspace.Right, keyspace.AtMost(2)))
			}},
		{verb: "BMoveN", keeps: "several at once", want: words{}, needs: "Redis 8.10",
			call: func(ctx context.Context, l list, id int64) outcome {
				return of(l.BMoveN(ctx, 10*ms, id, id+1000, keyspace.Left, keyspace.Right, keyspace.Exactly(9).OneByOne()))
			}},
		{verb: "MPop", keeps: "of the first that has any", want: func(id int64) any { return poppedAll{id, words{"b", "c"}} }, after: words{"a", "b"},
			needs: "Redis 7", call: func(ctx context.Context, l list, id int64) outcome {
				return of(l.MPop(ctx, keyspace.Right, 2, none, id))
			}},
		{verb: "MPop", keeps: "absent if all are empty", want: pipectx.ErrNotFound, needs: "Redis 7",
			call: func(ctx context.Context, l list, _ int64) outcome {
				return of(l.MPop(ctx, keyspace.Left, 2, none, none+1))
			}},
		{verb: "BLPop", keeps: "the leftmost of the first that has any", want: func(id int64) any { return popped{id, "a"} }, after: words{"b", "c", "b"},
			call: func(ctx context.Context, l list, id int64) outcome { return of(l.BLPop(ctx, 0, none, id)) }},
		{verb: "BLPop", keeps: "absent when nothing came in time", want: pipectx.ErrNotFound,
			call: func(ctx context.Context, l list, _ int64) outcome { return of(l.BLPop(ctx, 10*ms, none)) }},
		{verb: "BRPop", keeps: "the rightmost", want: func(id int64) any { return popped{id, "b"} }, after: words{"a", "b", "c"},
			call: func(ctx context.Context, l list, id int64) outcome { return of(l.BRPop(ctx, 0, id)) }},
		{verb: "BMove", keeps: "from one list to another", want: "a", after: words{"b", "c", "b"},
			call: func(ctx context.Context, l list, id int64) outcome {
				return of(l.BMove(ctx, 0, id, id+1000, keyspace.Left, keyspace.Left))
			}},
		{verb: "BMPop", keeps: "several of the first that has any", want: func(id int64) any { return poppedAll{id, words{"a", "b"}} }, after: words{"c", "b"},
			needs: "Redis 7", call: func(ctx context.Context, l list, id int64) outcome {
				return of(l.BMPop(ctx, 0, keyspace.Left, 2, none, id))
			}},
	})
}
