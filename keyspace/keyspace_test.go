package keyspace_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/pipectx"
)

// A wrong declaration fails with what was declared, what is wrong, and the
// cure.
func TestWrongDeclarations(t *testing.T) {
	type loose struct {
		Tenant string `redis:"tenant,slot"`
		note   string //nolint:unused // what makes the type no id
	}
	type slotless struct {
		Tenant string `redis:"tenant"`
		Number int    `redis:"number"`
	}
	type odd struct {
		Tenant string `redis:"tenant,slot"`
		Number int    `redis:"number,omitempty"`
	}
	type twice struct {
		Tenant string `redis:"tenant,slot"`
		Number int    `redis:"number,slot"`
	}
	type maybe struct {
		Tenant string `redis:"tenant,slot"`
		Number *int   `redis:"number"`
	}
	rows := []struct {
		reason string
		err    error
		want   string
	}{
		{"a keyspace has a name", try(keyspace.TryNewString[int64, string]("")),
			`keyspace: NewString[int64, string](""): the prefix is empty; name the keyspace`},
		{"braces are the placement's", try(keyspace.TryNewSet[int64, string]("a{b}")),
			`keyspace: NewSet[int64, string]("a{b}"): the prefix "a{b}" contains a brace; braces mark the hash tag, which the placement makes`},
		{"an id is not absent", try(keyspace.TryNewString[*int64, string]("n")),
			`keyspace: NewString[*int64, string]("n"): *int64 cannot be an id: it may be absent`},
		{"an id is no JSON", try(keyspace.TryNewString[[]int, string]("n")),
			"keyspace: NewString[[]int, string](\"n\"): []int cannot be an id: its text is JSON; use a scalar, a type with MarshalText, or a struct with one field tagged slot (`redis:\"tenant,slot\"`)"},
		{"an id has a text", try(keyspace.TryNewString[chan int, string]("n")),
			`keyspace: NewString[chan int, string]("n"): field: chan int has no text form; implement encoding.TextMarshaler and TextUnmarshaler, or Register a codec`},
		{"all of a composite id is in the key", try(keyspace.TryNewString[loose, string]("n")),
			`keyspace: NewString[keyspace_test.loose, string]("n"): keyspace_test.loose cannot be an id: field note has no part in it, so two ids could share a key`},
		{"a composite id has a slot", try(keyspace.TryNewString[slotless, string]("n")),
			"keyspace: NewString[keyspace_test.slotless, string](\"n\"): keyspace_test.slotless as a composite id needs one field tagged slot (`redis:\"tenant,slot\"`) and at least one other; it has 0 and 2"},
		{"it has one slot", try(keyspace.TryNewString[twice, string]("n")),
			"keyspace: NewString[keyspace_test.twice, string](\"n\"): keyspace_test.twice as a composite id needs one field tagged slot (`redis:\"tenant,slot\"`) and at least one other; it has 2 and 0"},
		{"its tags are few", try(keyspace.TryNewString[odd, string]("n")),
			`keyspace: NewString[keyspace_test.odd, string]("n"): keyspace_test.odd: field Number: unknown option "omitempty" of an id's field; the only one is slot`},
		{"its parts are not absent", try(keyspace.TryNewString[maybe, string]("n")),
			`keyspace: NewString[keyspace_test.maybe, string]("n"): field Number: *int cannot be an id: it may be absent`},
		{"a composite id is placed by itself", try(keyspace.TryNewString[Member, string]("n", keyspace.OneSlot("A"))),
			`keyspace: NewString[keyspace_test.Member, string]("n"): keyspace_test.Member is a composite id with a slot of its own, which OneSlot("A") would overrule; drop one of them`},
		{"a value has a text", try(keyspace.TryNewString[int64, func()]("n")),
			`keyspace: NewString[int64, func()]("n"): the value: field: func() has no text form; implement encoding.TextMarshaler and TextUnmarshaler, or Register a codec`},
		{"a value is not absent", try(keyspace.TryNewString[int64, *string]("n")),
			`keyspace: NewString[int64, *string]("n"): the value: *string may be absent, and what is stored is not; use the type without the pointer or Optional: verbs answer absence by themselves`},
		{"nor is a member", try(keyspace.TryNewSortedSet[int64, field.Optional[string]]("n")),
			`keyspace: NewSortedSet[int64, field.Optional[string]]("n"): the member: Optional[string] may be absent, and what is stored is not; use the type without the pointer or Optional: verbs answer absence by themselves`},
		{"a set's member has a text", try(keyspace.TryNewSet[int64, chan int]("n")),
			`keyspace: NewSet[int64, chan int]("n"): the member: field: chan int has no text form; implement encoding.TextMarshaler and TextUnmarshaler, or Register a codec`},
		{"a field has a text", try(keyspace.TryNewHash[int64, chan int, string]("n")),
			`keyspace: NewHash[int64, chan int, string]("n"): the field: field: chan int has no text form; implement encoding.TextMarshaler and TextUnmarshaler, or Register a codec`},
		{"and its value", try(keyspace.TryNewHash[int64, string, any]("n")),
			`keyspace: NewHash[int64, string, interface {}]("n"): the value: field: interface {} has no text form of its own; name a type, or add the option json to an any`},
		{"a TTL is in milliseconds", try(keyspace.TryNewString[int64, string]("n", keyspace.TTL(time.Microsecond))),
			`keyspace: NewString[int64, string]("n"): TTL(1µs): Redis counts milliseconds; give at least one`},
		{"a key has one place", try(keyspace.TryNewString[int64, string]("n", keyspace.OneSlot("A"), keyspace.Buckets("B", 4))),
			`keyspace: NewString[int64, string]("n"): two placements, OneSlot("A") and Buckets("B", 4); give one`},
		{"two TTLs", try(keyspace.TryNewString[int64, string]("n", keyspace.TTL(time.Second), keyspace.TTL(time.Minute))),
			`keyspace: NewString[int64, string]("n"): two TTLs, 1s and 1m0s; give one`},
		{"two connections", try(keyspace.TryNewString[int64, string]("n", keyspace.Connection("a"), keyspace.Connection("b"))),
			`keyspace: NewString[int64, string]("n"): two connections, "a" and "b"; give one`},
		{"a tag is not empty", try(keyspace.TryNewString[int64, string]("n", keyspace.OneSlot(""))),
			`keyspace: NewString[int64, string]("n"): OneSlot(""): the tag must not be empty or contain braces: it becomes the hash tag of the keys`},
		{"a tag has no braces", try(keyspace.TryNewString[int64, string]("n", keyspace.Buckets("}", 4))),
			`keyspace: NewString[int64, string]("n"): Buckets("}", 4): the tag must not be empty or contain braces: it becomes the hash tag of the keys`},
		{"buckets are many", try(keyspace.TryNewString[int64, string]("n", keyspace.Buckets("A", 1))),
			`keyspace: NewString[int64, string]("n"): Buckets("A", 1): the number of buckets must be from 2 to 16384; for one use OneSlot`},
		{"but not more than slots", try(keyspace.TryNewString[int64, string]("n", keyspace.Buckets("A", 16385))),
			`keyspace: NewString[int64, string]("n"): Buckets("A", 16385): the number of buckets must be from 2 to 16384; for one use OneSlot`},
		{"a template has a place for the id", try(keyspace.TryNewString[int64, string]("n", keyspace.Template("u:"))),
			`keyspace: NewString[int64, string]("n"): Template("u:"): the pattern must contain %s once, for the id, and no other %`},
		{"and only one", try(keyspace.TryNewString[int64, string]("n", keyspace.Template("%s:%s"))),
			`keyspace: NewString[int64, string]("n"): Template("%s:%s"): the pattern must contain %s once, for the id, and no other %`},
		{"an option is one", try(keyspace.TryNewString[int64, string]("n", nil)),
			`keyspace: NewString[int64, string]("n"): an option is nil`},
	}
	for _, row := range rows {
		wantText(t, row.reason, row.err, row.want)
	}
}

// try keeps the error of a declaration, and that nothing comes with it.
func try[T any](definition *T, err error) error {
	if err != nil && definition != nil {
		return errors.New("a definition came beside the error")
	}
	return err
}

// The panic of a wrong declaration names the line that made it.
func TestPanics(t *testing.T) {
	for name, declare := range map[string]func(){
		"NewString":    func() { keyspace.NewString[int64, string]("") },
		"NewSet":       func() { keyspace.NewSet[int64, string]("") },
		"NewSortedSet": func() { keyspace.NewSortedSet[int64, string]("") },
		"NewHash":      func() { keyspace.NewHash[int64, string, string]("") },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				said := fmt.Sprint(recover())
				if !strings.HasPrefix(said, "keyspace_test.go:") || !strings.Contains(said, ": keyspace: "+name+"[int64, string") {
					t.Errorf("panic: %s", said)
				}
			}()
			declare()
		})
	}
}

// KeyOf and the String of a handle are the full Redis key, or why there is
// none.
func TestKeyOf(t *testing.T) {
	db, _ := embedded(t)
	if key, err := Visits.KeyOf(42); key != "visits{42}" || err != nil {
		t.Errorf("KeyOf(42) = %q, %v", key, err)
	}
	if key := fmt.Sprint(Visits.On(db).Key(42)); key != "visits{42}" {
		t.Errorf("the handle is %s", key)
	}
	byName := keyspace.NewString[string, string]("n")
	_, err := byName.KeyOf("")
	wantErr(t, "KeyOf of nothing", err, keyspace.ErrEmptyID)
	if key := fmt.Sprint(byName.On(db).Key("")); key != "keyspace: n: the id is empty" {
		t.Errorf("the handle of no key is %s", key)
	}
}

// The verbs of keys do the same on all servers, whatever the type.
func TestKeyVerbs(t *testing.T) {
	conform(t, []conformance{
		{"Exists", "true once something is stored", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			want(t, "before", Tags.On(db).Exists(ctx, id), false)
			done(t, "Add", Tags.On(db).Add(ctx, id, "a"))
			want(t, "after", Tags.On(db).Exists(ctx, id), true)
		}},
		{"Del", "the key is gone, and whether it was there", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			done(t, "Set", Stock.On(db).Set(ctx, id, "a", 1))
			want(t, "first", Stock.On(db).Del(ctx, id), true)
			want(t, "second", Stock.On(db).Del(ctx, id), false)
			want(t, "Exists", Stock.On(db).Exists(ctx, id), false)
		}},
		{"Unlink", "the key is gone, and whether it was there", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			done(t, "Add", Visits.On(db).Add(ctx, id, "a", 1))
			want(t, "first", Visits.On(db).Unlink(ctx, id), true)
			want(t, "second", Visits.On(db).Unlink(ctx, id), false)
		}},
		{"Expire", "a time to live, to the millisecond", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			names := Names.On(db)
			want(t, "without a key", names.Expire(ctx, id, day), false)
			done(t, "Set", names.Set(ctx, id, "a"))
			want(t, "Expire", names.Expire(ctx, id, 90*time.Second+250*time.Millisecond), true)
			left(t, names.Key(id), 80*time.Second, 90*time.Second+250*time.Millisecond)
		}},
		{"ExpireAt", "an end in time, and a past one is now", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			names := Names.On(db)
			want(t, "without a key", names.ExpireAt(ctx, id, time.Now().Add(day)), false)
			done(t, "Set", names.Set(ctx, id, "a"))
			want(t, "ExpireAt", names.ExpireAt(ctx, id, time.Now().Add(day)), true)
			left(t, names.Key(id), day-time.Minute, day+time.Minute)
			want(t, "past", names.ExpireAt(ctx, id, time.Unix(1, 0)), true)
			want(t, "Exists", names.Exists(ctx, id), false)
		}},
		{"Persist", "no TTL any more, and whether there was one", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			names := DayNames.On(db)
			done(t, "Set", names.Set(ctx, id, "a"))
			want(t, "first", names.Persist(ctx, id), true)
			want(t, "second", names.Persist(ctx, id), false)
			want(t, "TTL", names.TTL(ctx, id), field.None[time.Duration]())
		}},
		{"TTL", "absent without a TTL, ErrNotFound without a key", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			absent(t, "without a key", Names.On(db).TTL(ctx, id), fmt.Sprintf("keyspace: name{%d}: not found", id))
			done(t, "Set", Names.On(db).Set(ctx, id, "a"))
			want(t, "without a TTL", Names.On(db).TTL(ctx, id), field.None[time.Duration]())
		}},
		{"Type", "Redis's name of each type, ErrNotFound without a key", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			absent(t, "without a key", Names.On(db).Type(ctx, id), fmt.Sprintf("keyspace: name{%d}: not found", id))
			done(t, "string", Names.On(db).Set(ctx, id, "a"))
			done(t, "set", Tags.On(db).Add(ctx, id, "a"))
			done(t, "zset", Visits.On(db).Add(ctx, id, "a", 1))
			done(t, "hash", Stock.On(db).Set(ctx, id, "a", 1))
			want(t, "string", Names.On(db).Type(ctx, id), "string")
			want(t, "set", Tags.On(db).Type(ctx, id), "set")
			want(t, "zset", Visits.On(db).Type(ctx, id), "zset")
			want(t, "hash", Stock.On(db).Type(ctx, id), "hash")
		}},
		{"Touch", "whether there is such a key", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			want(t, "before", Names.On(db).Touch(ctx, id), false)
			done(t, "Set", Names.On(db).Set(ctx, id, "a"))
			want(t, "after", Names.On(db).Touch(ctx, id), true)
		}},
	})
}

// left fails the test unless the key's TTL is in a range.
func left(t *testing.T, key interface {
	TTL(context.Context) *pipectx.Ref[field.Optional[time.Duration]]
	String() string
}, least, most time.Duration) {
	t.Helper()
	ttl, err := key.TTL(t.Context()).Result()
	if d, ok := ttl.Get(); err != nil || !ok || d < least || d > most {
		t.Errorf("the TTL of %v is %v (%v, %v), want %v to %v", key, d, ok, err, least, most)
	}
}

// What Redis cannot expire is refused before the wire.
func TestExpireRefuses(t *testing.T) {
	db, sent := embedded(t)
	names := Names.On(db)
	for _, d := range []time.Duration{time.Millisecond - 1, 0, -time.Second} {
		wantText(t, d.String(), names.Expire(t.Context(), 42, d).Err(),
			fmt.Sprintf("keyspace: name{42}: Expire after %v: Redis counts milliseconds; give at least one, or Del the key", d))
	}
	wantText(t, "zero", names.ExpireAt(t.Context(), 42, time.Time{}).Err(),
		"keyspace: name{42}: ExpireAt the zero Time; give a time, or Persist the key")
	if sent.Commands() != 0 {
		t.Errorf("sent: %v", sent)
	}
}

// Bound definitions and handles are shared by goroutines.
func TestConcurrent(t *testing.T) {
	db, _ := embedded(t)
	visits, hit := DayVisits.On(db), Hits.On(db).Key(42)
	var all sync.WaitGroup
	for g := range 8 {
		all.Go(func() {
			for range 20 {
				err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
					visits.IncrBy(ctx, int64(g), "/", 1)
					hit.Incr(ctx)
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	want(t, "hits", hit.Get(t.Context()), 160)
	want(t, "visits", visits.Score(t.Context(), 7, "/"), 20)
}
