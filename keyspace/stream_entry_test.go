package keyspace_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/pipectx"
)

// A struct's tagged fields are written by their codecs, and read back.
func TestStreamEntries(t *testing.T) {
	type stamp struct {
		By string    `redis:"by"`
		At time.Time `redis:"at,unixms"`
	}
	type place struct {
		City string `redis:"city"`
	}
	type event struct {
		stamp
		Kind  string              `redis:"kind"`
		Note  *string             `redis:"note"`
		Tags  []string            `redis:"tags,list"`
		Where place               `redis:"where,inline"`
		More  map[string]int      `redis:"more,json,omitempty"`
		Free  field.Optional[int] `redis:"free"`
		Local int
		Skip  string `redis:"-"`
	}
	note := ""
	full := event{stamp: stamp{"ann", time.UnixMilli(1700000000123)}, Kind: "sold", Note: &note, Tags: []string{"a,b", ""},
		Where: place{"Oslo"}, More: map[string]int{"x": 1}, Free: field.Some(0)}
	everywhere(t, func(t *testing.T, db *pipectx.DB, _ *redistest.Recorder) {
		ctx := t.Context()
		events, texts := keyspace.NewStream[int64, event]("event").On(db), keyspace.NewStream[int64, map[string]string]("event").On(db)
		given := full
		given.Local, given.Skip = 7, "not stored"
		done(t, "Add", events.Add(ctx, 1, given))
		done(t, "Add", events.Add(ctx, 1, event{stamp: stamp{At: time.UnixMilli(0)}}))
		read, err := events.Range(ctx, 1, allIDs).Result()
		if err != nil || len(read) != 2 {
			t.Fatalf("%v, %v", read, err)
		}
		if got := read[0].Value; !got.At.Equal(full.At) || *got.Note != "" || got.Where != full.Where || fmt.Sprint(got.Tags, got.More, got.Free, got.Local, got.Skip) != fmt.Sprint(full.Tags, full.More, full.Free, 0, "") {
			t.Errorf("read %+v", got)
		}
		if got := read[1].Value; got.Note != nil || got.More != nil || got.Free.Or(-1) != -1 {
			t.Errorf("what is absent is read as %+v", got)
		}
		plain, err := texts.Range(ctx, 1, allIDs).Result()
		if err != nil || fmt.Sprint(plain[0].Value) != `map[at:1700000000123 by:ann free:0 kind:sold more:{"x":1} note: tags:a\,b, where.city:Oslo]` {
			t.Errorf("stored %v, %v", plain, err)
		}
		want(t, "Add of a map", pipectx.Map(texts.Add(ctx, 2, map[string]string{"b": "2", "a": "", "kind": "x"}), func(id at) (bool, error) { return !id.IsZero(), nil }), true)
		if read, err := events.Range(ctx, 2, allIDs).Result(); err != nil || len(read) != 1 || read[0].Value.Kind != "x" || read[0].Err != nil {
			t.Errorf("fields that are not declared: %+v, %v", read, err)
		}
	})
}

// An entry that its type cannot hold has an error of its own, and one that was removed
// while it was pending has another: the others are read all the same.
func TestStreamEntriesThatCannotBeRead(t *testing.T) {
	everywhere(t, func(t *testing.T, db *pipectx.DB, _ *redistest.Recorder) {
		ctx := t.Context()
		s, texts := Sales.On(db).Key(1), keyspace.NewStream[int64, map[string]string]("sales").On(db).Key(1)
		done(t, "Add", s.AddWith(ctx, nut.Value, keyspace.AddOptions{ID: nut.ID}))
		done(t, "Add", texts.AddWith(ctx, map[string]string{"article": "bolt", "pieces": "two"}, keyspace.AddOptions{ID: bolt.ID}))
		done(t, "Add", s.AddWith(ctx, nail.Value, keyspace.AddOptions{ID: nail.ID}))
		done(t, "GroupCreate", s.GroupCreate(ctx, "g", keyspace.Start{}))
		check := func(verb string, ref *pipectx.Ref[[]entry], gone bool) {
			t.Helper()
			found, err := ref.Result()
			if err != nil || len(found) != 3 || found[1].ID != bolt.ID || found[2] != nail {
				t.Fatalf("%s: %v, %v", verb, found, err)
			}
			var decode *field.DecodeError
			if !errors.As(found[1].Err, &decode) || decode.Key != "sales{1}" || decode.Field != "pieces" || decode.Text != "two" || !strings.Contains(found[1].Err.Error(), "entry 2-0") {
				t.Errorf("%s: the error of an entry is %v", verb, found[1].Err)
			}
			if found[1].Value != (sale{}) {
				t.Errorf("%s: it has the value %v", verb, found[1].Value)
			}
			if gone != errors.Is(found[0].Err, pipectx.ErrNotFound) || !gone && found[0] != nut {
				t.Errorf("%s: the first is %v, removed: %v", verb, found[0], gone)
			}
		}
		check("Range", s.Range(ctx, allIDs), false)
		check("Read", s.Read(ctx, keyspace.Start{}, 0), false)
		check("ReadGroup", s.ReadGroup(ctx, ann), false)
		check("Claim", s.Claim(ctx, "g", "ann", 0, nut.ID, bolt.ID, nail.ID), false)
		if !strings.Contains(t.Name(), "embedded") { // which forgets what was pending
			done(t, "XDel", s.XDel(ctx, nut.ID))
			check("ReadPending", s.ReadPending(ctx, ann, at{}), true)
			found, err := s.AutoClaim(ctx, "g", "bob", 0, at{}, 0).Result()
			if err != nil || len(found.Entries) != 2 || found.Entries[0].Err == nil || found.Entries[1] != nail {
				t.Errorf("AutoClaim: %v, %v", found, err)
			}
		}
	})
}

// Each reads pages, and those that come meanwhile.
func TestStreamEach(t *testing.T) {
	const n = 2_500
	everywhere(t, func(t *testing.T, db *pipectx.DB, _ *redistest.Recorder) {
		s := Sales.On(db).Key(1)
		err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
			for i := range n {
				s.AddWith(ctx, nut.Value, keyspace.AddOptions{ID: at{uint64(i + 1), 0}})
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range []struct {
			span        keyspace.Span[at]
			first, last uint64
		}{{allIDs, 1, n}, {keyspace.Above(at{1, 0}).UpTo(at{2200, 0}), 2, 2200}, {keyspace.From(at{500, 0}).Limit(0, 1300), 500, 1799}} {
			next := row.first
			for e, err := range s.Each(t.Context(), row.span) {
				if err != nil || e.ID.Ms != next {
					t.Fatalf("%v, %v; want %d", e.ID, err, next)
				}
				next++
			}
			if next != row.last+1 {
				t.Errorf("it ended before %d, want %d", next, row.last+1)
			}
		}
		_ = pipectx.Run(t.Context(), db, func(ctx context.Context) error {
			for _, err := range s.Each(ctx, allIDs) {
				if err == nil || !strings.Contains(err.Error(), "keyspace: Each inside a Run") {
					t.Errorf("inside a Run: %v", err)
				}
			}
			return nil
		})
	})
}

// What is wrong is refused before it is sent, with the cure.
func TestStreamRefuses(t *testing.T) {
	db, sent := embedded(t)
	type floats struct {
		F float64 `redis:"f"`
	}
	s, texts, rates := Sales.On(db).Key(1), keyspace.NewStream[int64, map[string]string]("texts").On(db).Key(1), keyspace.NewStream[int64, floats]("rates").On(db).Key(1)
	type ref = interface{ Err() error }
	nobody := keyspace.GroupRead{Group: "g"}
	for _, row := range []struct {
		text string
		verb func(ctx context.Context) ref
	}{
		{"keyspace: texts{1}: an entry of a stream has a field at least, and this one none that is there", func(ctx context.Context) ref { return texts.Add(ctx, nil) }},
		{"field: rates{1} f: NaN is not storable as float64: NaN and infinities need the option nan", func(ctx context.Context) ref { return rates.Add(ctx, floats{math.NaN()}) }},
		{"keyspace: sales{1}: MaxLen(-1); give a number that is not negative", func(ctx context.Context) ref { return s.Trim(ctx, keyspace.MaxLen(-1)) }},
		{"keyspace: sales{1}: the Trim is empty; give MaxLen or MinID", func(ctx context.Context) ref { return s.Trim(ctx, keyspace.Trim{}) }},
		{"keyspace: sales{1}: AtATime is for About: an exact trim goes to its end", func(ctx context.Context) ref { return s.Trim(ctx, keyspace.MaxLen(1).AtATime(5)) }},
		{"keyspace: sales{1}: Refs(9) says nothing of references; give KeepRefs, DropRefs or OnlyAcked", func(ctx context.Context) ref { return s.XDelEx(ctx, 9, at{1, 1}) }},
		{"keyspace: sales{1}: XDELEX of 0 ids; give one at least, and 5000 at most", func(ctx context.Context) ref { return s.XDelEx(ctx, keyspace.KeepRefs) }},
		{"keyspace: sales{1}: both the ID 1-1 and OfMs 5; give one", func(ctx context.Context) ref {
			return s.AddWith(ctx, nut.Value, keyspace.AddOptions{ID: at{1, 1}, OfMs: 5})
		}},
		{`keyspace: sales{1}: the Message "m" has no Producer; messages are told apart for each of them`, func(ctx context.Context) ref { return s.AddWith(ctx, nut.Value, keyspace.AddOptions{Message: "m"}) }},
		{"keyspace: sales{1}: an entry of a Producer has no ID of the caller's; leave one out", func(ctx context.Context) ref {
			return s.AddWith(ctx, nut.Value, keyspace.AddOptions{Producer: "p", OfMs: 5})
		}},
		{"keyspace: sales{1}: CfgSet of nothing; give a time, a number of entries, or both", func(ctx context.Context) ref { return s.CfgSet(ctx, 0, 0) }},
		{"keyspace: sales{1}: CfgSet remembers for whole seconds, and not for 1.5s", func(ctx context.Context) ref { return s.CfgSet(ctx, 1500*ms, 0) }},
		{"keyspace: sales{1}: streams have no Limit that begins at 2; give Limit(0, n), and the id where the page begins: Above(last)", func(ctx context.Context) ref { return s.Range(ctx, allIDs.Limit(2, 1)) }},
		{"keyspace: sales{1}: a read of COUNT -1; give a number that is not negative, 0 for all", func(ctx context.Context) ref { return s.Read(ctx, keyspace.Start{}, -1) }},
		{"keyspace: sales{1}: a read by a group has a Group and a Consumer; give both names", func(ctx context.Context) ref { return s.ReadGroup(ctx, nobody) }},
		{"keyspace: sales{1}: a group cannot begin WithLast; give OnlyNew, or After of an id", func(ctx context.Context) ref { return s.GroupCreate(ctx, "g", keyspace.WithLast()) }},
		{"keyspace: sales{1}: the group has no name; give one", func(ctx context.Context) ref { return s.GroupDestroy(ctx, "") }},
		{"keyspace: sales{1}: 1µs is no time that an entry was idle; give a millisecond at least, or 0 for any", func(ctx context.Context) ref { return s.Claim(ctx, "g", "ann", time.Microsecond, at{1, 1}) }},
		{"keyspace: sales{1}: a step of -1 entries; give a number that is not negative, 0 for the server's own", func(ctx context.Context) ref { return s.AutoClaim(ctx, "g", "ann", 0, at{}, -1) }},
		{"keyspace: sales{1}: NackMode(0) says nothing; give NackSilent, NackFail or NackFatal", func(ctx context.Context) ref { return s.Nack(ctx, "g", 0, at{1, 1}) }},
		{"keyspace: sales: the verb needs an id at least", func(ctx context.Context) ref { return Sales.On(db).MRead(ctx, keyspace.ReadOptions{}) }},
	} {
		wantText(t, "outside a Run", row.verb(t.Context()).Err(), row.text)
		err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
			s.Add(ctx, sale{"goes with it", 1})
			row.verb(ctx)
			return nil
		})
		wantText(t, "inside a Run", err, row.text)
	}
	for name, verb := range map[string]func(ctx context.Context) ref{
		"XREAD":      func(ctx context.Context) ref { return s.BRead(ctx, time.Second, keyspace.OnlyNew(), 0) },
		"XREADGROUP": func(ctx context.Context) ref { return s.BReadGroup(ctx, time.Second, ann) },
	} {
		err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
			verb(ctx)
			return nil
		})
		wantText(t, name, err, "pipectx: "+name+" sales{1} inside a Run: a Run sends nothing before it ends; call it outside, or with a context of pipectx.Detach")
	}
	if sent.Commands() != 0 {
		t.Errorf("sent: %v", sent)
	}
}

// A type that cannot be an entry is refused where the stream is declared.
func TestStreamDeclarations(t *testing.T) {
	type untagged struct{ A string }
	type twice struct {
		A string `redis:"a"`
		B string `redis:"a"`
	}
	type unknown struct {
		A string `redis:"a,key"`
	}
	type hidden struct {
		a string `redis:"a"` //nolint:unused // by its tag
	}
	for _, row := range []struct {
		declare func() error
		text    string
	}{
		{func() error { _, err := keyspace.TryNewStream[int64, string]("s"); return err }, "the entry: string has no fields; use a struct with `redis` tags, or map[string]string"},
		{func() error { _, err := keyspace.TryNewStream[int64, untagged]("s"); return err }, "no field of keyspace_test.untagged has a `redis` tag; tag those that are to be stored"},
		{func() error { _, err := keyspace.TryNewStream[int64, twice]("s"); return err }, "field B, tagged `redis:\"a\"`: the name \"a\" is taken by A"},
		{func() error { _, err := keyspace.TryNewStream[int64, unknown]("s"); return err }, "field A, tagged `redis:\"a,key\"`: "},
		{func() error { _, err := keyspace.TryNewStream[int64, hidden]("s"); return err }, "field a, tagged `redis:\"a\"`: a stored field has a name in its tag and one in Go that begins with a capital"},
	} {
		if err := row.declare(); err == nil || !strings.HasPrefix(err.Error(), "keyspace: NewStream[int64, ") || !strings.Contains(err.Error(), row.text) {
			t.Errorf("%v\nwant …%s", err, row.text)
		}
	}
}
