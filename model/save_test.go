package model_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/model"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Create makes a record that does not exist, answers it with its version, and
// changes nothing when there is one.
func TestCreate(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		accounts := accounts.On(p.db)
		given := ada()
		given.Version = 9
		made := value(t, "Create", accounts.Create(t.Context(), given))
		if made.Version != 1 || given.Version != 9 {
			t.Errorf("version %d made, %d given; want 1, and 9 as it was", made.Version, given.Version)
		}
		stored := `address={"Street":"Main St","City":"London"} balance=100 email=ada@example.org opened=2026-01-02T03:04:05.006Z owner=Ada version=1`
		p.wantHash(t, "account{7}", stored)

		other := ada()
		other.Owner = "Eve"
		err := accounts.Create(t.Context(), other).Err()
		if !errors.Is(err, model.ErrExists) {
			t.Errorf("a second Create answers %v", err)
		}
		says(t, "Create", err, "model: create account{7}: ", "Save overwrites it")
		p.wantHash(t, "account{7}", stored)
	})
}

// Create gives a record without an id a new one, which is later than those
// before it, and keeps the id of one that has it.
func TestCreateMakesIDs(t *testing.T) {
	type note struct {
		ID   uuid.UUID `redis:"id,key"`
		Text string    `redis:"text"`
	}
	notes := model.Define[note, uuid.UUID]("note")
	each(t, func(t *testing.T, p place) {
		notes := notes.On(p.db)
		given := note{Text: "a"}
		a := value(t, "Create", notes.Create(t.Context(), given))
		b := value(t, "Create", notes.Create(t.Context(), note{Text: "b"}))
		if given.ID != uuid.Nil {
			t.Error("Create changed what it was given")
		}
		if a.ID.Version() != 7 || b.ID.String() <= a.ID.String() {
			t.Errorf("ids %v and %v, want UUIDs of version 7 in their order", a.ID, b.ID)
		}
		if got := value(t, "Get", notes.Get(t.Context(), a.ID)); got != a {
			t.Errorf("loaded %v, want %v", got, a)
		}
		want(t, "Create", notes.Create(t.Context(), note{ID: uuid.Max}), note{ID: uuid.Max})
	})
}

// Save writes a whole record over another: absent fields go, and what the
// struct does not declare stays, the time to live too.
func TestSave(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		people := people.On(p.db)
		p.store(t, "person{a}", "name", "Old", "nick", "o", "age", 1, "score", 1, "unknown", "kept")
		ok(t, "PEXPIRE", p.client.PExpire(t.Context(), "person{a}", time.Hour).Err())

		value(t, "Save", people.Save(t.Context(), Person{ID: "a", Name: "Ada", Nick: new("al"), Age: field.Some(36)}))
		p.wantHash(t, "person{a}", "age=36 name=Ada nick=al score=0 unknown=kept")
		value(t, "Save", people.Save(t.Context(), Person{ID: "a", Name: "Ada", Age: field.Some(0)}))
		p.wantHash(t, "person{a}", "age=0 name=Ada score=0 unknown=kept")
		value(t, "Save", people.Save(t.Context(), Person{ID: "a"}))
		p.wantHash(t, "person{a}", "name= score=0 unknown=kept")
		if ttl := p.client.PTTL(t.Context(), "person{a}").Val(); ttl <= 59*time.Minute || ttl > time.Hour {
			t.Errorf("time to live %v, want what is left of an hour", ttl)
		}

		value(t, "Save", people.Save(t.Context(), Person{ID: "new", Name: "Bob"}))
		p.wantHash(t, "person{new}", "name=Bob score=0")
	})
}

// The time to live also stays when all that was stored goes: the new fields are
// written before the old ones are removed.
func TestSaveKeepsTTLOfReplacedFields(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		p.store(t, "person{a}", "nick", "o", "age", 1)
		ok(t, "PEXPIRE", p.client.PExpire(t.Context(), "person{a}", time.Hour).Err())
		value(t, "Save", people.On(p.db).Save(t.Context(), Person{ID: "a", Name: "Ada"}))
		p.wantHash(t, "person{a}", "name=Ada score=0")
		if ttl := p.client.PTTL(t.Context(), "person{a}").Val(); ttl <= 0 {
			t.Errorf("time to live %v, want what is left of an hour", ttl)
		}
	})
}

// Save of a record with a version counts it up, and refuses to overwrite what
// somebody else changed, deleted or created meanwhile.
func TestSaveVersions(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		accounts := accounts.On(p.db)
		a := value(t, "Save", accounts.Save(t.Context(), ada()))
		if a.Version != 1 {
			t.Errorf("version %d, want 1", a.Version)
		}
		b := value(t, "Save", accounts.Save(t.Context(), a))
		if b.Version != 2 || a.Version != 1 {
			t.Errorf("version %d saved, %d given; want 2, and 1 as it was", b.Version, a.Version)
		}

		for _, c := range []struct {
			reason  string
			prepare func()
			version int64
			want    model.ConflictError
		}{
			{"an older copy", func() {}, 1, model.ConflictError{Stored: "2"}},
			{"a copy from the future", func() {}, 3, model.ConflictError{Stored: "2"}},
			{"a new record, and there is one", func() {}, 0, model.ConflictError{Stored: "2"}},
			{"the version was removed", func() { p.client.HDel(t.Context(), "account{7}", "version") }, 2, model.ConflictError{Stored: "0"}},
			{"the version is none", func() { p.client.HSet(t.Context(), "account{7}", "version", "two") }, 2, model.ConflictError{Stored: "two"}},
			{"the record was deleted", func() { p.client.Del(t.Context(), "account{7}") }, 2, model.ConflictError{Missing: true}},
		} {
			c.prepare()
			before := p.hash(t, "account{7}")
			stale := b
			stale.Owner, stale.Email, stale.Version = "Eve", nil, c.version
			err := accounts.Save(t.Context(), stale).Err()
			if e := as[*model.ConflictError](t, c.reason, err); e != nil {
				if e.Key != "account{7}" || e.Fields[0] != "version" || e.Stored != c.want.Stored || e.Missing != c.want.Missing {
					t.Errorf("%s: %+v, want %+v", c.reason, *e, c.want)
				}
			}
			says(t, c.reason, err, "model: save account{7}: conflict: ")
			p.wantHash(t, "account{7}", before)
		}
	})
}

// A record that was stored before its struct had a version gets one with the
// first Save.
func TestSaveAdoptsVersions(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		p.store(t, "account{7}", "owner", "Old", "balance", 1, "opened", opened, "address", "{}")
		a := value(t, "Get", accounts.On(p.db).Get(t.Context(), 7))
		a = value(t, "Save", accounts.On(p.db).Save(t.Context(), a))
		if a.Version != 1 {
			t.Errorf("version %d, want 1", a.Version)
		}
		p.wantHash(t, "account{7}", `address={"Street":"","City":""} balance=1 opened=2026-01-02T03:04:05.006Z owner=Old version=1`)
	})
}

// Of many who save the same version one wins, and the others are told.
func TestSaveContended(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		accounts := accounts.On(p.db)
		a := value(t, "Create", accounts.Create(t.Context(), ada()))
		const n = 32
		errs := make([]error, n)
		var wg sync.WaitGroup
		for i := range n {
			wg.Go(func() {
				mine := a
				mine.Balance = int64(i)
				errs[i] = accounts.Save(t.Context(), mine).Err()
			})
		}
		wg.Wait()
		won := -1
		for i, err := range errs {
			switch {
			case err == nil && won >= 0:
				t.Errorf("both %d and %d won", won, i)
			case err == nil:
				won = i
			default:
				as[*model.ConflictError](t, "the loser", err)
			}
		}
		got := value(t, "Get", accounts.Get(t.Context(), 7))
		if got.Version != 2 || got.Balance != int64(won) {
			t.Errorf("stored %s, want the balance of %d, v2", show(got), won)
		}
	})
}

// What cannot be a record is refused before anything is sent: the error names
// key and field, and poisons the Run it happens in.
func TestSaveRefuses(t *testing.T) {
	type odd struct {
		ID    string    `redis:"id,key"`
		Rate  float64   `redis:"rate"`
		At    time.Time `redis:"at"`
		Count int64     `redis:"count,version"`
	}
	odds := model.Define[odd, string]("odd")
	each(t, func(t *testing.T, p place) {
		odds := odds.On(p.db)
		for _, c := range []struct {
			reason string
			record odd
			says   []string
		}{
			{"NaN has no text", odd{ID: "a", Rate: math.NaN()}, []string{"odd{a} rate", "NaN"}},
			{"RFC 3339 has four digits for the year", odd{ID: "a", At: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}, []string{"odd{a} at"}},
			{"an empty id is no hash tag", odd{}, []string{"odd", "id is empty"}},
			{"no record has such a version", odd{ID: "a", Count: -1}, []string{"-1 is no version"}},
			{"nor one after this", odd{ID: "a", Count: math.MaxInt64}, []string{"is no version"}},
		} {
			err := odds.Save(t.Context(), c.record).Err()
			says(t, c.reason, err, c.says...)
			var other *pipectx.Ref[odd]
			err = pipectx.Run(t.Context(), p.db, func(ctx context.Context) error {
				other = odds.Save(ctx, odd{ID: "b"})
				odds.Save(ctx, c.record)
				return nil
			})
			says(t, c.reason+", in a Run", err, c.says...)
			if !errors.Is(other.Err(), pipectx.ErrDiscarded) {
				t.Errorf("%s: the other record of the Run answers %v", c.reason, other.Err())
			}
		}
		as[*field.EncodeError](t, "NaN", odds.Create(t.Context(), odd{ID: "a", Rate: math.NaN()}).Err())
		if err := odds.Create(t.Context(), odd{}).Err(); !errors.Is(err, keyspace.ErrEmptyID) {
			t.Errorf("an empty id answers %v", err)
		}
		want(t, "EXISTS a", odds.Exists(t.Context(), "a"), false)
		want(t, "EXISTS b", odds.Exists(t.Context(), "b"), false)
	})
}

// What is stored is what the arguments were at the call, whatever becomes of
// them until the pipeline is sent.
func TestArgumentsAreSnapshots(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		people := people.On(p.db)
		value(t, "Save", people.Save(t.Context(), Person{ID: "b", Name: "Bob"}))
		err := pipectx.Run(t.Context(), p.db, func(ctx context.Context) error {
			record := Person{ID: "a", Name: "Ada", Nick: new("al")}
			people.Save(ctx, record)
			other := new("bobby")
			change := nick.Set(other)
			people.Update(ctx, "b", change)
			*record.Nick, *other, record.Name = "changed", "changed", "changed"
			return nil
		})
		ok(t, "Run", err)
		p.wantHash(t, "person{a}", "name=Ada nick=al score=0")
		p.wantHash(t, "person{b}", "name=Bob nick=bobby score=0")
	})
}

// Ids are snapshots too, those of bytes that the caller uses again: what a verb
// answers, and writes in a later wave, is the record it was called for.
func TestIDsAreSnapshots(t *testing.T) {
	type row struct {
		ID   []byte `redis:"id,key"`
		Name string `redis:"name"`
		N    *int64 `redis:"n"`
	}
	rows := model.Define[row, []byte]("row")
	n, name := model.FieldOf(rows, func(r *row) **int64 { return &r.N }), model.FieldOf(rows, func(r *row) *string { return &r.Name })
	each(t, func(t *testing.T, p place) {
		repo := rows.On(p.db)
		p.store(t, "row{a}", "name", "A", "n", "1")
		p.store(t, "row{b}", "name", "B", "n", "2")
		for verb, ask := range map[string]func(ctx context.Context, id []byte) *pipectx.Ref[row]{
			"Get":  repo.Get,
			"Pick": func(ctx context.Context, id []byte) *pipectx.Ref[row] { return repo.Pick(ctx, id, name) },
			"GetMany": func(ctx context.Context, id []byte) *pipectx.Ref[row] {
				return pipectx.Map(repo.GetMany(ctx, id), func(all []*row) (row, error) { return *all[0], nil })
			},
			"Edit": func(ctx context.Context, id []byte) *pipectx.Ref[row] {
				return repo.Edit(ctx, id, func(r *row) error { r.N = new(*r.N); *r.N += 10; return nil })
			},
		} {
			id := []byte("a")
			var ref *pipectx.Ref[row]
			ok(t, verb, pipectx.Run(t.Context(), p.db, func(ctx context.Context) error {
				ref = ask(ctx, id)
				id[0] = 'b'
				return nil
			}))
			if got := value(t, verb, ref); string(got.ID) != "a" || got.Name != "A" {
				t.Errorf("%s answers %s, named %s; want a, named A", verb, got.ID, got.Name)
			}
		}
		id := []byte("a")
		ok(t, "Pop", pipectx.Run(t.Context(), p.db, func(ctx context.Context) error {
			model.Pop(ctx, repo, id, n)
			id[0] = 'b'
			return nil
		}))
		p.wantHash(t, "row{a}", "name=A")
		p.wantHash(t, "row{b}", "n=2 name=B")

		var got []string
		for r, err := range repo.Each(t.Context(), func(yield func([]byte) bool) {
			for _, c := range "ab" {
				if id[0] = byte(c); !yield(id) {
					return
				}
			}
		}) {
			ok(t, "Each", err)
			got = append(got, string(r.ID)+r.Name)
		}
		if !slices.Equal(got, []string{"aA", "bB"}) {
			t.Errorf("Each yields %v, want aA and bB", got)
		}
	})
}

// A model's time to live begins again with every write, in the same round
// trip, and a read leaves it alone.
func TestTTL(t *testing.T) {
	type session struct {
		ID   string  `redis:"id,key"`
		User string  `redis:"user"`
		Hits int64   `redis:"hits"`
		Note *string `redis:"note"`
	}
	sessions := model.Define[session, string]("session", keyspace.TTL(time.Hour), model.Lua(methods("session", `
function M.hit(self) self.hits = self.hits + 1 end
function M.touch(self) self.hits = self.hits end
--- @return int
function M.read(self) return self.hits end`)))
	hits := model.FieldOf(sessions, func(s *session) *int64 { return &s.Hits })
	hit := model.Method[struct{}, struct{}](sessions, "hit")
	touch := model.Method[struct{}, struct{}](sessions, "touch")
	read := model.Method[struct{}, int64](sessions, "read")
	each(t, func(t *testing.T, p place) {
		on := sessions.On(p.db)
		for _, c := range []struct {
			verb  string
			do    func() error
			again bool
		}{
			{"Create", func() error { return on.Create(t.Context(), session{ID: "a"}).Err() }, true},
			{"Get", func() error { return on.Get(t.Context(), "a").Err() }, false},
			{"Save", func() error { return on.Save(t.Context(), session{ID: "a", Note: new("n")}).Err() }, true},
			{"Save without a field", func() error { return on.Save(t.Context(), session{ID: "a"}).Err() }, true},
			{"Update", func() error { return on.Update(t.Context(), "a", model.Incr(hits, 1)).Err() }, true},
			{"Update that changes nothing", func() error { return on.Update(t.Context(), "a", hits.Set(1)).Err() }, true},
			{"a method that writes", func() error { return hit.On(p.db).Call(t.Context(), "a", struct{}{}).Err() }, true},
			{"a method that assigns the same", func() error { return touch.On(p.db).Call(t.Context(), "a", struct{}{}).Err() }, true},
			{"a method that reads", func() error { return read.On(p.db).Call(t.Context(), "a", struct{}{}).Err() }, false},
		} {
			p.client.PExpire(t.Context(), "session{a}", time.Minute)
			ok(t, c.verb, c.do())
			ttl := p.client.PTTL(t.Context(), "session{a}").Val()
			if again := ttl > time.Minute; again != c.again || ttl <= 0 || ttl > time.Hour {
				t.Errorf("after %s the time to live is %v", c.verb, ttl)
			}
		}
	})
}
