package keyspace_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/redmoon-go/redmoon/internal/golden"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/pipectx"
)

// A wire row is one call of a verb for the id 42.
type wire struct {
	on   any // a Bound type
	day  any // the same with a default TTL
	verb string
	args []any // behind ctx and id
}

func wires(db *pipectx.DB) map[string][]wire {
	tags, visits, dayTags, dayVisits := Tags.On(db), Visits.On(db), DayTags.On(db), DayVisits.On(db)

	rows := map[string][]wire{
		"string":      stringWires(db),
		"bitmap":      bitmapWires(db),
		"hyperloglog": hyperloglogWires(db),
		"sharded":     shardedWires(db),
		"set": {
			{tags, dayTags, "Add", []any{"a", "b"}},
			{tags, dayTags, "Rem", []any{"a", "b"}},
			{tags, dayTags, "Members", nil},
			{tags, dayTags, "IsMember", []any{"a"}},
			{tags, dayTags, "MIsMember", []any{"a", "b"}},
			{tags, dayTags, "Card", nil},
			{tags, dayTags, "Pop", nil},
			{tags, dayTags, "PopN", []any{int64(2)}},
			{tags, dayTags, "RandMember", nil},
			{tags, dayTags, "RandMemberN", []any{int64(-2)}},
		},
		"sortedset": {
			{visits, dayVisits, "Add", []any{"/home", 1.5}},
			{visits, dayVisits, "AddMany", []any{z("/home", 1), z("/about", inf)}},
			{visits, dayVisits, "IncrBy", []any{"/home", 1.0}},
			{visits, dayVisits, "Rem", []any{"/home", "/about"}},
			{visits, dayVisits, "Score", []any{"/home"}},
			{visits, dayVisits, "MScore", []any{"/home", "/about"}},
			{visits, dayVisits, "Rank", []any{"/home"}},
			{visits, dayVisits, "RevRank", []any{"/home"}},
			{visits, dayVisits, "Card", nil},
			{visits, dayVisits, "Count", []any{keyspace.Below(2.5)}},
			{visits, dayVisits, "Range", []any{int64(0), int64(-1)}},
			{visits, dayVisits, "RevRange", []any{int64(0), int64(-1)}},
			{visits, dayVisits, "RangeWithScores", []any{int64(0), int64(-1)}},
			{visits, dayVisits, "RevRangeWithScores", []any{int64(0), int64(-1)}},
		},
		"hash":   hashWires(db),
		"stream": streamWires(db),
	}
	for name, more := range sequenceWires(db) {
		rows[name] = append(rows[name], more...)
	}
	to, dayTo := Queues.On(db).Key(8), DayQueues.On(db).Key(8)
	for name, on := range map[string][2]any{"list": {Queues.On(db), DayQueues.On(db)}, "set": {tags, dayTags}, "sortedset": {visits, dayVisits}} {
		rows[name] = append(rows[name], sortWires(on[0], on[1], to, dayTo)...)
	}
	for name, row := range rows {
		have := verbs(row[0].on)
		for _, common := range keyWires(row[0].on, row[0].day) {
			if have[common.verb] && !slices.ContainsFunc(row, func(w wire) bool { return w.verb == common.verb }) {
				row = append(row, common)
			}
		}
		rows[name] = row
	}
	return rows
}

type ref interface {
	Err() error
	Ready() bool
}

// call calls a verb with ctx, and args behind it.
func call(t *testing.T, on any, verb string, ctx context.Context, args ...any) ref {
	t.Helper()
	m := reflect.ValueOf(on).MethodByName(verb)
	if !m.IsValid() {
		t.Fatalf("%T has no verb %s", on, verb)
	}
	in := []reflect.Value{reflect.ValueOf(ctx)}
	for _, arg := range args {
		in = append(in, reflect.ValueOf(arg))
	}
	return m.Call(in)[0].Interface().(ref)
}

// key is the handle of an id.
func key(on any, id int64) any {
	return reflect.ValueOf(on).MethodByName("Key").Call([]reflect.Value{reflect.ValueOf(id)})[0].Interface()
}

// Each verb sends the commands that testdata/wire says, one round trip a line,
// by its Bound form and by its handle.
func TestWire(t *testing.T) {
	client := redistest.Shared(t).Client(t)
	db, sent := newDB(t, client), redistest.Record(client)
	_ = Names.On(db).Key(42).Digest(t.Context()).Err() // the server's version is asked once
	for name, rows := range wires(db) {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			for _, row := range rows {
				line := func(on any, args ...any) string {
					sent.Reset()
					if err := call(t, on, row.verb, t.Context(), args...).Err(); unexpected(row.verb, err) {
						t.Errorf("%s: %v", row.verb, err)
					}
					return strings.TrimSuffix(sent.String(), "\n")
				}
				plain, renewing := line(row.on, row.words()...), line(row.day, row.words()...)
				if verbs(key(row.on, 42))[row.verb] {
					if got := line(key(row.on, 42), row.args...); got != plain {
						t.Errorf("%s of the handle sends %s, of the Bound type %s", row.verb, got, plain)
					}
					if got := line(key(row.day, 42), row.args...); got != renewing {
						t.Errorf("%s of the handle with a TTL sends %s, of the Bound type %s", row.verb, got, renewing)
					}
				}
				fmt.Fprintf(&out, "%-26s%s\n", row.verb, plain)
				if renewing != plain {
					fmt.Fprintf(&out, "%-25s %s\n", row.verb+" with a TTL", renewing)
				}
			}
			golden.Equal(t, "testdata/wire/"+name+".txt", out.String())
		})
	}
}

// words are the arguments of a row behind ctx: the id first, where the verb takes one.
func (w wire) words() []any {
	t := reflect.ValueOf(w.on).MethodByName(w.verb).Type()
	if t.NumIn() < 2 || t.In(1) != reflect.TypeFor[int64]() && t.In(1) != reflect.TypeFor[[]int64]() {
		return w.args
	}
	return append([]any{int64(42)}, w.args...)
}

// severalIDs are the verbs that are about more than one key, and so no handle's.
var severalIDs = []string{"MGet", "DelMany", "UnlinkMany", "ExistsMany", "TouchMany", "Rename", "RenameNX", "Copy", "CopyReplace",
	"LCS", "LCSLen", "LCSMatches", "BitOpAnd", "BitOpOr", "BitOpXor", "BitOpNot", "BitOpDiff", "BitOpDiff1", "BitOpAndOr", "BitOpOne",
	"CountMany", "Merge", "MSet", "MSetNX", "MSetEX", "MSetEXNX", "MSetEXXX", "Len"}

// unexpected tells whether err is none of those that a row may have: nothing is there,
// the server is too old, and what refusals says.
func unexpected(verb string, err error) bool {
	for _, expected := range []error{nil, pipectx.ErrNotFound, pipectx.ErrUnsupported, keyspace.ErrKeyExists} {
		if errors.Is(err, expected) {
			return false
		}
	}
	return refusals[verb] == "" || !strings.Contains(err.Error(), refusals[verb])
}

// refusals are what a server says to the row of a verb.
var refusals = map[string]string{
	"ObjectFreq":     "An LFU maxmemory policy is not selected",
	"Restore":        "DUMP payload version or checksum are wrong",
	"RestoreReplace": "DUMP payload version or checksum are wrong",

	"AddWith":             "equal or smaller than the target stream top item",
	"GroupCreate":         "has the group already",
	"GroupCreateMkStream": "has the group already",
}

// MGet on a Cluster names the keys of one slot in one command.
func TestWireCluster(t *testing.T) {
	client := redistest.Cluster(t).Client(t)
	db := newDB(t, client)
	sent := redistest.Record(client)
	members := keyspace.NewString[Member, string]("name")
	done(t, "MGet", members.On(db).MGet(t.Context(),
		Member{"acme", 1}, Member{"zeta", 2}, Member{"acme", 3}, Member{"omega", 4}, Member{"zeta", 5}))
	golden.Equal(t, "testdata/wire/cluster.txt", strings.Join(sent.Sorted(), "\n")+"\n")
}

// Iterators ask for pages of 1,000.
func TestWireScan(t *testing.T) {
	db, sent := embedded(t)
	ctx := t.Context()
	all, err := keyspace.NewKeys[int64]("visits", keyspace.Placement{})
	if err != nil {
		t.Fatal(err)
	}
	done(t, "Set", Stock.On(db).Set(ctx, 42, "nut", 7))
	_ = Names.On(db).Digest(ctx, 42).Err() // the server's version is asked once
	var out strings.Builder
	for _, row := range []struct {
		about string
		walk  func() error
	}{
		{"ScanIDs", walk(Visits.On(db).ScanIDs(ctx))},
		{"Keys.Scan, of all types", walk(all.Scan(ctx, db, ""))},
		{"Hash.Each", walk(Stock.On(db).Each(ctx, 42, "n*"))},
		{"Hash.EachField", walk(Stock.On(db).EachField(ctx, 42, ""))},
		{"Sharded.Each", walk(Codes.On(db).Each(ctx, ""))},
		{"Stream.Each", walk(Sales.On(db).Each(ctx, 42, keyspace.Above(at{1, 0})))},
	} {
		sent.Reset()
		if err := row.walk(); unexpected(row.about, err) {
			t.Errorf("%s: %v", row.about, err)
		}
		for i, line := range sent.Lines() {
			title := ""
			if i == 0 {
				title = row.about
			}
			fmt.Fprintf(&out, "%-26s%s\n", title, line)
		}
	}
	golden.Equal(t, "testdata/wire/scan.txt", out.String())
}

// walk goes over all that an iterator yields, and returns its last error.
func walk[T any](items iter.Seq2[T, error]) func() error {
	return func() (last error) {
		for _, err := range items {
			last = err
		}
		return last
	}
}

// A verb of many words sends one command for each 5,000 of them, and renews the
// default TTL once; beyond 1 MiB, in more than one round trip.
func TestWireLarge(t *testing.T) {
	db, sent := embedded(t)
	const n = 5_001
	var short, long, scored []any
	squares := map[string]int64{}
	for i := range n {
		name := fmt.Sprint("m", i)
		short, long, scored = append(short, name), append(long, name+strings.Repeat("x", 300)), append(scored, z(name, 1))
		squares[name] = int64(i)
	}
	tags, visits, stock := DayTags.On(db), DayVisits.On(db), DayStock.On(db)
	rows := []struct {
		about string
		on    any
		verb  string
		args  []any
	}{
		{"set", tags, "Add", short},
		{"set of long members", tags, "Add", long},
		{"set", tags, "Rem", short},
		{"set", tags, "MIsMember", short},
		{"sorted set", visits, "AddMany", scored},
		{"sorted set", visits, "Rem", short},
		{"sorted set", visits, "MScore", short},
		{"hash", stock, "SetMany", []any{squares}},
		{"hash", stock, "HDel", short},
		{"hash", stock, "MGet", short},
	}
	var out strings.Builder
	for _, row := range rows {
		sent.Reset()
		if err := call(t, row.on, row.verb, t.Context(), append([]any{int64(42)}, row.args...)...).Err(); err != nil {
			t.Errorf("%s %s: %v", row.about, row.verb, err)
		}
		for i, line := range sent.Lines() {
			title := ""
			if i == 0 {
				title = row.about + " " + row.verb
			}
			fmt.Fprintf(&out, "%-26s%s\n", title, strings.Join(names(line), " | "))
		}
	}
	golden.Equal(t, "testdata/wire/large.txt", out.String())
}

// names are the names of the commands on a line of which no word has a bar.
func names(line string) (list []string) {
	for command := range strings.SplitSeq(line, " | ") {
		name, _, _ := strings.Cut(command, " ")
		list = append(list, name)
	}
	return list
}

// Inside a Run no verb costs a round trip: all of them together cost one.
func TestOneRoundTrip(t *testing.T) {
	client := redistest.Shared(t).Client(t)
	db, sent := newDB(t, client), redistest.Record(client)
	_ = Names.On(db).Key(42).Digest(t.Context()).Err() // the server's version is asked once
	for name, rows := range wires(db) {
		sent.Reset()
		refs := map[string][]ref{}
		_ = pipectx.Run(t.Context(), db, func(ctx context.Context) error {
			for _, row := range rows {
				for _, on := range []any{row.on, row.day} {
					r := call(t, on, row.verb, ctx, row.words()...)
					if r.Ready() {
						t.Errorf("%s %s is ready before the flush: %v", name, row.verb, r.Err())
					}
					refs[row.verb] = append(refs[row.verb], r)
				}
			}
			return nil
		}) // some of them are refused
		if sent.RoundTrips() != 1 {
			t.Errorf("%s: %d round trips, want 1", name, sent.RoundTrips())
		}
		for verb, refs := range refs {
			for _, r := range refs {
				if err := r.Err(); unexpected(verb, err) {
					t.Errorf("%s %s: %v", name, verb, err)
				}
			}
		}
	}
}

// Every verb has a row in the wire table, and is there in both forms.
func TestEveryVerbHasItsWire(t *testing.T) {
	db, _ := embedded(t)
	for name, rows := range wires(db) {
		have, several := map[string]bool{}, map[string]bool{}
		bound, handle := verbs(rows[0].on), verbs(key(rows[0].on, 42))
		for _, row := range rows {
			have[row.verb] = true
		}
		for _, row := range meetings[name] {
			have[row.verb], several[row.verb] = true, true
		}
		for verb := range bound {
			if !have[verb] {
				t.Errorf("%T: %s has no row in the wire table", rows[0].on, verb)
			}
			if !handle[verb] && !several[verb] && !slices.Contains(severalIDs, verb) {
				t.Errorf("%T has no verb %s", key(rows[0].on, 42), verb)
			}
		}
		if more := slices.DeleteFunc(slices.Collect(maps.Keys(handle)), func(v string) bool { return bound[v] }); len(more) > 0 {
			t.Errorf("%T has no verbs %v", rows[0].on, more)
		}
	}
}

// verbs are the methods that take a context first and answer a Ref; iterators are in
// TestWireScan.
func verbs(on any) map[string]bool {
	all := map[string]bool{}
	for m := range reflect.TypeOf(on).Methods() {
		if m.Type.NumIn() > 1 && m.Type.In(1) == reflect.TypeFor[context.Context]() && m.Type.Out(0).Implements(reflect.TypeFor[ref]()) {
			all[m.Name] = true
		}
	}
	return all
}
