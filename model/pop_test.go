package model_test

import (
	"context"
	"errors"
	"maps"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/model"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Pop answers what a field held and clears it, the second time its absence.
func TestPop(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		people := people.On(p.db)
		p.store(t, "person{a}", "name", "Ada", "nick", "", "age", 36)
		nicks := value(t, "Pop", model.Pop(t.Context(), people, "a", nick))
		if nicks == nil || *nicks != "" {
			t.Errorf("Pop of an empty text answers %v", nicks)
		}
		p.wantHash(t, "person{a}", "age=36 name=Ada")
		want(t, "Pop", model.Pop(t.Context(), people, "a", age), field.Some(36))
		p.wantHash(t, "person{a}", "name=Ada")
		if again := value(t, "Pop", model.Pop(t.Context(), people, "a", nick)); again != nil {
			t.Errorf("a second Pop answers %q", *again)
		}
		want(t, "Pop", model.Pop(t.Context(), people, "a", age), field.None[int]())
		for _, err := range []error{model.Pop(t.Context(), people, "b", nick).Err(), model.Pop(t.Context(), people, "b", age).Err()} {
			if !errors.Is(err, pipectx.ErrNotFound) {
				t.Errorf("a missing record answers %v", err)
			}
		}
		for _, pop := range []func(ctx context.Context) error{
			func(ctx context.Context) error { return model.Pop(ctx, people, "b", nick).Err() },
			func(ctx context.Context) error { return model.Pop(ctx, people, "b", age).Err() },
		} {
			err := pipectx.Run(t.Context(), p.db, func(ctx context.Context) error {
				_ = pop(ctx)
				return nil
			})
			if !errors.Is(err, pipectx.ErrNotFound) {
				t.Errorf("its Run answers %v", err)
			}
		}
	})
}

// A text that the field's type cannot hold is the answer, and stays.
func TestPopUndecodable(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		p.store(t, "person{a}", "name", "Ada", "age", "old")
		for range 2 {
			d := as[*field.DecodeError](t, "Pop", model.Pop(t.Context(), people.On(p.db), "a", age).Err())
			if d != nil && (d.Key != "person{a}" || d.Field != "age" || d.Text != "old") {
				t.Errorf("%+v", *d)
			}
			p.wantHash(t, "person{a}", "age=old name=Ada")
		}
	})
}

// What cannot be absent, or must not, is not popped.
func TestPopRefuses(t *testing.T) {
	type must struct {
		ID   string  `redis:"id,key"`
		Name string  `redis:"name"`
		Tag  *string `redis:"tag" validate:"required"`
	}
	musts := model.Define[must, string]("must")
	tag := model.FieldOf(musts, func(m *must) **string { return &m.Tag })
	each(t, func(t *testing.T, p place) {
		p.store(t, "must{a}", "name", "Ada", "tag", "t")
		as[*model.ValidationError](t, "a required field", model.Pop(t.Context(), musts.On(p.db), "a", tag).Err())
		p.wantHash(t, "must{a}", "name=Ada tag=t")
		says(t, "a plain field", model.Pop(t.Context(), people.On(p.db), "a", name).Err(), "name", "string is never absent", "pointer or field.Optional")
		err := pipectx.Atomic(t.Context(), p.db, func(ctx context.Context) error {
			model.Pop(ctx, people.On(p.db), "a", age)
			return nil
		})
		says(t, "inside Atomic", err, "model: Pop of a Optional[int] inside Atomic")
		if err := model.Pop(t.Context(), people.On(p.db), "", age).Err(); !errors.Is(err, keyspace.ErrEmptyID) {
			t.Errorf("an empty id answers %v", err)
		}
	})
}

// A Pop that found something counts the version up, and begins the model's time
// to live again.
func TestPopIsAWrite(t *testing.T) {
	type session struct {
		ID      string              `redis:"id,key"`
		Token   *string             `redis:"token"`
		Code    field.Optional[int] `redis:"code"`
		Version int64               `redis:"version,version"`
		Made    time.Time           `redis:"made"`
	}
	sessions := model.Define[session, string]("session", keyspace.TTL(time.Hour))
	token := model.FieldOf(sessions, func(s *session) **string { return &s.Token })
	code := model.FieldOf(sessions, func(s *session) *field.Optional[int] { return &s.Code })
	each(t, func(t *testing.T, p place) {
		on := sessions.On(p.db)
		value(t, "Create", on.Create(t.Context(), session{ID: "a", Token: new("t"), Code: field.Some(7)}))
		for _, c := range []struct {
			pop     func() error
			version int64
			again   bool
		}{
			{func() error { return model.Pop(t.Context(), on, "a", token).Err() }, 2, true},
			{func() error { return model.Pop(t.Context(), on, "a", token).Err() }, 2, false},
			{func() error { return model.Pop(t.Context(), on, "a", code).Err() }, 3, true},
			{func() error { return model.Pop(t.Context(), on, "a", code).Err() }, 3, false},
		} {
			p.client.PExpire(t.Context(), "session{a}", time.Minute)
			ok(t, "Pop", c.pop())
			got := value(t, "Get", on.Get(t.Context(), "a"))
			if ttl := p.client.PTTL(t.Context(), "session{a}").Val(); got.Version != c.version || (ttl > time.Minute) != c.again {
				t.Errorf("version %d, time to live %v; want %d, %v", got.Version, ttl, c.version, c.again)
			}
		}
	})
}

// A version that cannot be counted up refuses the verbs that change fields, and
// nothing is changed.
func TestVersionNotCounted(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		on := accounts.On(p.db)
		for _, version := range []string{"9223372036854775807", "two"} {
			p.store(t, "account{7}", "owner", "Ada", "email", "a@b.org", "balance", 1, "version", version)
			stored := p.client.HGetAll(t.Context(), "account{7}").Val()
			for verb, err := range map[string]error{
				"Pop":    model.Pop(t.Context(), on, 7, email).Err(),
				"Update": on.Update(t.Context(), 7, model.Incr(balance, 1)).Err(),
				"Upsert": on.Upsert(t.Context(), 7, model.Incr(balance, 1)).Err(),
			} {
				if sum := as[*model.SumError](t, verb, err); sum.Field != "version" || sum.Stored != version {
					t.Errorf("%s: %v", verb, err)
				}
			}
			if got := p.client.HGetAll(t.Context(), "account{7}").Val(); !maps.Equal(got, stored) {
				t.Errorf("version %s: %v is stored, before %v", version, got, stored)
			}
		}
	})
}

// Of many who pop a value one gets it, and what is set meanwhile is not lost.
func TestPopContended(t *testing.T) {
	redistest.Each(t, func(t *testing.T, s *redistest.Node) {
		p := at(t, s.Client(t))
		people := people.On(p.db)
		p.store(t, "person{a}", "name", "Ada")
		const values, takers = 100, 8
		var got [values + 1]atomic.Int64
		var taken atomic.Int64
		var wg sync.WaitGroup
		for range takers {
			wg.Go(func() {
				for taken.Load() < values && !t.Failed() {
					v, err := model.Pop(t.Context(), people, "a", age).Result()
					if err != nil {
						t.Error(err)
					}
					if n, there := v.Get(); there {
						got[n].Add(1)
						taken.Add(1)
					}
				}
			})
		}
		for n := 1; n <= values; n++ {
			for set := 0; set == 0 && !t.Failed(); {
				var err error
				if set, err = people.Update(t.Context(), "a", age.SetIfAbsent(field.Some(n))).Result(); err != nil {
					t.Error(err)
				}
			}
		}
		wg.Wait()
		for n := 1; n <= values; n++ {
			if c := got[n].Load(); c != 1 {
				t.Errorf("%d was popped %d times", n, c)
			}
		}
	})
}
