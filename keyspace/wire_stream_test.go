package keyspace_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redmoon-go/redmoon/internal/golden"
	"github.com/redmoon-go/redmoon/internal/redistest"

	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/pipectx"
)

var (
	Sales    = keyspace.NewStream[int64, sale]("sales")
	DaySales = keyspace.NewStream[int64, sale]("sales", keyspace.TTL(day))
)

// streamWires are the rows of streams.
func streamWires(db *pipectx.DB) []wire {
	on, day := Sales.On(db), DaySales.On(db)
	one, two := at{1, 0}, at{2, 5}
	all := keyspace.GroupRead{Group: "g", Consumer: "ann", ReadOptions: keyspace.ReadOptions{Count: 5}}
	quick := keyspace.GroupRead{Group: "g", Consumer: "ann", NoAck: true}
	idle := keyspace.GroupRead{Group: "g", Consumer: "ann", Claim: time.Minute}
	return []wire{
		{on, day, "Add", []any{sale{"nut", 7}}},
		{on, day, "Add", []any{sale{"bolt", 0}}},
		{on, day, "AddWith", []any{sale{"nut", 7}, keyspace.AddOptions{ID: one, Trim: keyspace.MinID(two)}}},
		{on, day, "AddWith", []any{sale{"nut", 7}, keyspace.AddOptions{IfThere: true, Trim: keyspace.MaxLen(1000).About().AtATime(0)}}},
		{on, day, "AddWith", []any{sale{"nut", 7}, keyspace.AddOptions{OfMs: 9999999999999}}},
		{on, day, "AddWith", []any{sale{"nut", 7}, keyspace.AddOptions{Trim: keyspace.MaxLen(1000).Refs(keyspace.OnlyAcked), Producer: "p", Message: "m1"}}},
		{on, day, "AddWith", []any{sale{"nut", 7}, keyspace.AddOptions{Producer: "p"}}},
		{on, day, "CfgSet", []any{time.Minute, int64(50)}},
		{on, day, "GroupCreate", []any{"g", keyspace.OnlyNew()}},
		{on, day, "GroupCreateMkStream", []any{"g", keyspace.Start{}}},
		{on, day, "GroupSetID", []any{"g", keyspace.After(one)}},
		{on, day, "GroupCreateConsumer", []any{"g", "ann"}},
		{on, day, "Len", nil},
		{on, day, "Range", []any{keyspace.Above(one).Limit(0, 10)}},
		{on, day, "Range", []any{keyspace.Above(keyspace.MaxStreamID)}},
		{on, day, "RevRange", []any{keyspace.From(keyspace.StreamIDAt(time.UnixMilli(1700000000000))).Below(two)}},
		{on, day, "Read", []any{keyspace.After(two), int64(10)}},
		{on, day, "Read", []any{keyspace.WithLast(), int64(0)}},
		{on, day, "ReadGroup", []any{all}},
		{on, day, "ReadGroup", []any{quick}},
		{on, day, "ReadGroup", []any{idle}},
		{on, day, "ReadPending", []any{all, one}},
		{on, day, "Pending", []any{"g"}},
		{on, day, "PendingEntries", []any{"g", keyspace.PendingOptions{}}},
		{on, day, "PendingEntries", []any{"g", keyspace.PendingOptions{Span: keyspace.From(one).Limit(0, 9), Consumer: "ann", MinIdle: time.Minute}}},
		{on, day, "Claim", []any{"g", "ann", time.Minute, one, two}},
		{on, day, "ClaimIDs", []any{"g", "ann", time.Duration(0), one}},
		{on, day, "AutoClaim", []any{"g", "ann", time.Minute, at{}, int64(50)}},
		{on, day, "AutoClaimIDs", []any{"g", "ann", time.Minute, two, int64(0)}},
		{on, day, "Ack", []any{"g", one, two}},
		{on, day, "AckDel", []any{"g", keyspace.KeepRefs, one}},
		{on, day, "Nack", []any{"g", keyspace.NackFatal, one, two}},
		{on, day, "XDel", []any{one, two}},
		{on, day, "XDelEx", []any{keyspace.DropRefs, one, two}},
		{on, day, "SetID", []any{keyspace.MaxStreamID.Prev()}},
		{on, day, "Trim", []any{keyspace.MaxLen(1000)}},
		{on, day, "Trim", []any{keyspace.MinID(two).About().AtATime(500).Refs(keyspace.KeepRefs)}},
		{on, day, "Info", nil},
		{on, day, "InfoFull", []any{int64(3)}},
		{on, day, "InfoGroups", nil},
		{on, day, "InfoConsumers", []any{"g"}},
		{on, day, "GroupDelConsumer", []any{"g", "ann"}},
		{on, day, "GroupDestroy", []any{"g"}},
	}
}

// streamMeetings are the rows of the verbs of several streams, and of those that wait.
func streamMeetings() []meeting {
	group := keyspace.GroupRead{Group: "g", Consumer: "ann", ReadOptions: keyspace.ReadOptions{Count: 5}}
	from := []any{keyspace.Position[int64]{ID: 42, After: keyspace.After(at{1, 0})}, keyspace.Position[int64]{ID: 7}}
	return []meeting{
		{"BRead", []any{int64(42), time.Millisecond, keyspace.OnlyNew(), int64(1)}},
		{"BReadGroup", []any{int64(42), time.Millisecond, group}},
		{"MRead", append([]any{keyspace.ReadOptions{Count: 3, MaxCount: 5, MaxBytes: 1 << 20}}, from...)},
		{"MRead", append([]any{keyspace.ReadOptions{}}, from...)},
		{"BMRead", append([]any{time.Second, keyspace.ReadOptions{}}, from...)},
		{"MReadGroup", []any{group, int64(42), int64(7)}},
		{"BMReadGroup", []any{time.Second, group, int64(42), int64(7)}},
	}
}

// Consume asks for what is left over before it waits for what is new, and acknowledges
// each entry; a method is one command, and its TTL another in the same round trip.
func TestWireConsumeAndMethod(t *testing.T) {
	client := redistest.Shared(t).Client(t)
	sent := redistest.Record(client) // before New: see Command.Wait
	db := newDB(t, client)
	var out strings.Builder
	show := func(about string) {
		for _, line := range sent.Lines() {
			fmt.Fprintf(&out, "%-26s%s\n", about, strings.Join(names(line), " | "))
			about = ""
		}
		sent.Reset()
	}
	on := Sales.On(db).Key(43)
	done(t, "Del", on.Del(t.Context()))
	for range 3 {
		done(t, "Add", on.Add(t.Context(), nut.Value))
	}
	done(t, "GroupCreate", on.GroupCreate(t.Context(), "g", keyspace.Start{}))
	one := ann
	one.Count = 1
	done(t, "ReadGroup", on.ReadGroup(t.Context(), one))
	sent.Reset()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	n := 0
	err := on.Consume(ctx, keyspace.Consumer{Group: "g", Name: "ann"}, func(context.Context, entry) error {
		if n++; n == 3 {
			stop()
		}
		return nil
	})
	wantErr(t, "Consume", err, context.Canceled)
	show("Consume")
	done(t, "Call", TrimOf.On(db).Call(t.Context(), 42, 5)) // the script is known then
	sent.Reset()
	done(t, "Call", TrimOf.On(db).Call(t.Context(), 42, 5))
	show("Method")
	done(t, "Call", DayTrim.On(db).Call(t.Context(), 42, 5))
	show("Method with a TTL")
	done(t, "Call", DaySize.On(db).Call(t.Context(), 42, struct{}{}))
	sent.Reset()
	done(t, "Call", DaySize.On(db).Call(t.Context(), 42, struct{}{}))
	show("Method that only reads")
	golden.Equal(t, "testdata/wire/consume.txt", out.String())
}

// Streams of several slots are refused on a Cluster before anything is sent, both keys
// named.
func TestStreamsOfSeveralSlots(t *testing.T) {
	client := redistest.Cluster(t).Client(t)
	db, sent := newDB(t, client), redistest.Record(client)
	on := Sales.On(db)
	for verb, err := range map[string]error{
		"MRead":       on.MRead(t.Context(), keyspace.ReadOptions{}, keyspace.Position[int64]{ID: 1}, keyspace.Position[int64]{ID: 2}).Err(),
		"BMRead":      on.BMRead(t.Context(), time.Second, keyspace.ReadOptions{}, keyspace.Position[int64]{ID: 1}, keyspace.Position[int64]{ID: 2}).Err(),
		"MReadGroup":  on.MReadGroup(t.Context(), ann, 1, 2).Err(),
		"BMReadGroup": on.BMReadGroup(t.Context(), time.Second, ann, 1, 2).Err(),
	} {
		var cross *pipectx.CrossSlotError
		if !errors.As(err, &cross) || !strings.Contains(err.Error(), "sales{1}") || !strings.Contains(err.Error(), "sales{2}") {
			t.Errorf("%s: %v", verb, err)
		}
	}
	if sent.Commands() != 0 {
		t.Errorf("sent: %v", sent)
	}
}

// A read that waits returns when its context ends, and what is added then is the next
// one's.
func TestStreamWaits(t *testing.T) {
	everywhere(t, func(t *testing.T, db *pipectx.DB, _ *redistest.Recorder) {
		s := Sales.On(db).Key(1)
		done(t, "GroupCreateMkStream", s.GroupCreateMkStream(t.Context(), "g", keyspace.Start{}))
		for verb, read := range map[string]func(ctx context.Context) error{
			"BRead":      func(ctx context.Context) error { return s.BRead(ctx, 0, keyspace.OnlyNew(), 0).Err() },
			"BReadGroup": func(ctx context.Context) error { return s.BReadGroup(ctx, 0, ann).Err() },
		} {
			ctx, cancel := context.WithTimeout(t.Context(), 30*ms)
			wantErr(t, verb, read(ctx), context.DeadlineExceeded)
			cancel()
		}
		done(t, "Add", s.AddWith(t.Context(), nut.Value, keyspace.AddOptions{ID: nut.ID}))
		want(t, "BReadGroup", s.BReadGroup(t.Context(), 0, ann), entries{nut})
		want(t, "Pending", pipectx.Map(s.Pending(t.Context(), "g"), func(p keyspace.PendingSummary) (int64, error) { return p.Count, nil }), 1)
	})
}
