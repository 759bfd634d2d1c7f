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
	"time"

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
	names, hits, rates := Names.On(db), Hits.On(db), Rates.On(db)
	tags, visits, stock, prices := Tags.On(db), Visits.On(db), Stock.On(db), Prices.On(db)
	dayNames, dayHits, dayRates := DayNames.On(db), DayHits.On(db), DayRates.On(db)
	dayTags, dayVisits, dayStock, dayPrices := DayTags.On(db), DayVisits.On(db), DayStock.On(db), DayPrices.On(db)

	rows := map[string][]wire{
		"string": {
			{names, dayNames, "Get", nil},
			{names, dayNames, "Set", []any{"Ada Lovelace"}},
			{names, dayNames, "SetNX", []any{"Ada"}},
			{names, dayNames, "SetXX", []any{"Ada"}},
			{names, dayNames, "GetDel", nil},
			{hits, dayHits, "Incr", nil},
			{hits, dayHits, "IncrBy", []any{int64(-3)}},
			{rates, dayRates, "IncrByFloat", []any{0.5}},
			{names, dayNames, "Append", []any{"Ada"}},
			{names, dayNames, "StrLen", nil},
		},
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
		"hash": {
			{stock, dayStock, "Get", []any{"nut"}},
			{stock, dayStock, "MGet", []any{"nut", "bolt"}},
			{stock, dayStock, "GetAll", nil},
			{stock, dayStock, "Set", []any{"nut", int64(7)}},
			{stock, dayStock, "SetMany", []any{map[string]int64{"nut": 7}}},
			{stock, dayStock, "SetNX", []any{"nut", int64(7)}},
			{stock, dayStock, "IncrBy", []any{"nut", int64(-3)}},
			{prices, dayPrices, "IncrByFloat", []any{"nut", 0.5}},
			{stock, dayStock, "HDel", []any{"nut", "bolt"}},
			{stock, dayStock, "HExists", []any{"nut"}},
			{stock, dayStock, "Len", nil},
			{stock, dayStock, "Keys", nil},
			{stock, dayStock, "Vals", nil},
		},
	}
	for name, more := range sequenceWires(db) {
		rows[name] = append(rows[name], more...)
	}
	for name, row := range rows {
		on, day := row[0].on, row[0].day
		rows[name] = append(row,
			wire{on, day, "Exists", nil},
			wire{on, day, "Del", nil},
			wire{on, day, "Unlink", nil},
			wire{on, day, "Expire", []any{90 * time.Second}},
			wire{on, day, "ExpireAt", []any{time.UnixMilli(4102444800123)}},
			wire{on, day, "Persist", nil},
			wire{on, day, "TTL", nil},
			wire{on, day, "Type", nil},
			wire{on, day, "Touch", nil},
		)
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
	db, sent := embedded(t)
	for name, rows := range wires(db) {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			for _, row := range rows {
				lacks := func(err error) bool {
					return embeddedLacks[name+" "+row.verb] || errors.Is(err, pipectx.ErrUnsupported)
				}
				line := func(on any, args ...any) string {
					sent.Reset()
					if err := call(t, on, row.verb, t.Context(), args...).Err(); err != nil && !errors.Is(err, pipectx.ErrNotFound) && !lacks(err) {
						t.Errorf("%s: %v", row.verb, err)
					}
					return strings.TrimSuffix(sent.String(), "\n")
				}
				withID := append([]any{int64(42)}, row.args...)
				plain, renewing := line(row.on, withID...), line(row.day, withID...)
				if got := line(key(row.on, 42), row.args...); got != plain {
					t.Errorf("%s of the handle sends %s, of the Bound type %s", row.verb, got, plain)
				}
				if got := line(key(row.day, 42), row.args...); got != renewing {
					t.Errorf("%s of the handle with a TTL sends %s, of the Bound type %s", row.verb, got, renewing)
				}
				fmt.Fprintf(&out, "%-26s%s\n", row.verb, plain)
				if renewing != plain {
					fmt.Fprintf(&out, "%-25s %s\n", row.verb+" with a TTL", renewing)
				}
			}
			if name == "string" {
				sent.Reset()
				done(t, "MGet", Names.On(db).MGet(t.Context(), 42, 7, 42))
				fmt.Fprintf(&out, "%-26s%s", "MGet", sent)
			}
			golden.Equal(t, "testdata/wire/"+name+".txt", out.String())
		})
	}
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

// ScanIDs asks for pages of 1,000 keys.
func TestWireScan(t *testing.T) {
	db, sent := embedded(t)
	all, err := keyspace.NewKeys[int64]("visits", keyspace.Placement{})
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for _, row := range []struct {
		about string
		ids   iter.Seq2[int64, error]
	}{
		{"ScanIDs", Visits.On(db).ScanIDs(t.Context())},
		{"Keys.Scan, of all types", all.Scan(t.Context(), db, "")},
	} {
		sent.Reset()
		for _, err := range row.ids {
			t.Error(err)
		}
		fmt.Fprintf(&out, "%-26s%s", row.about, sent)
	}
	golden.Equal(t, "testdata/wire/scan.txt", out.String())
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
	db, sent := embedded(t)
	for name, rows := range wires(db) {
		sent.Reset()
		var refs []ref
		err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
			for _, row := range rows {
				if embeddedLacks[name+" "+row.verb] {
					continue
				}
				for _, on := range []any{row.on, row.day} {
					r := call(t, on, row.verb, ctx, append([]any{int64(42)}, row.args...)...)
					if r.Ready() {
						t.Errorf("%s %s is ready before the flush: %v", name, row.verb, r.Err())
					}
					refs = append(refs, r)
				}
			}
			return nil
		})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if sent.RoundTrips() != 1 {
			t.Errorf("%s: %d round trips, want 1", name, sent.RoundTrips())
		}
		for _, r := range refs {
			if err := r.Err(); err != nil && !errors.Is(err, pipectx.ErrNotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// Every verb has a row in the wire table, and is there in both forms.
func TestEveryVerbHasItsWire(t *testing.T) {
	db, _ := embedded(t)
	for name, rows := range wires(db) {
		have := map[string]bool{}
		bound, handle := verbs(rows[0].on), verbs(key(rows[0].on, 42))
		for _, row := range rows {
			have[row.verb] = true
		}
		if name == "string" {
			have["MGet"] = true // TestWire adds it: it takes several ids
		}
		delete(bound, "ScanIDs") // no verb of an id, see TestWireScan
		delete(bound, "Each")    // an iterator, that sends what Scan does
		delete(handle, "Each")
		several := map[string]bool{"MGet": true}
		for _, row := range meetings[name] {
			have[row.verb], several[row.verb] = true, true
		}
		for verb := range bound {
			if !have[verb] {
				t.Errorf("%T: %s has no row in the wire table", rows[0].on, verb)
			}
			if !handle[verb] && !several[verb] {
				t.Errorf("%T has no verb %s", key(rows[0].on, 42), verb)
			}
		}
		if more := slices.DeleteFunc(slices.Collect(maps.Keys(handle)), func(v string) bool { return bound[v] }); len(more) > 0 {
			t.Errorf("%T has no verbs %v", rows[0].on, more)
		}
	}
}

// verbs are the methods that take a context first.
func verbs(on any) map[string]bool {
	all := map[string]bool{}
	for m := range reflect.TypeOf(on).Methods() {
		if m.Type.NumIn() > 1 && m.Type.In(1) == reflect.TypeFor[context.Context]() {
			all[m.Name] = true
		}
	}
	return all
}
