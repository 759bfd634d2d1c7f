package model_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/redmoon-go/redmoon/model"
	"github.com/redmoon-go/redmoon/pipectx"
)

// A twin does in memory what the verbs do on a server.
type twin map[int64]Account

func (w twin) create(a Account) (Account, error) {
	if _, there := w[a.ID]; there {
		return Account{}, model.ErrExists
	}
	a.Version = 1
	w[a.ID] = a
	return a, nil
}

func (w twin) save(a Account) (Account, error) {
	if w[a.ID].Version != a.Version {
		return Account{}, &model.ConflictError{}
	}
	a.Version++
	w[a.ID] = a
	return a, nil
}

func (w twin) update(id int64, name *string, mail **string, add int64) (n int, err error) {
	a, there := w[id]
	if !there {
		return 0, pipectx.ErrNotFound
	}
	if a.Balance+add < 0 {
		return 0, &model.SumError{}
	}
	old := show(a)
	if name != nil && *name != a.Owner {
		a.Owner = *name
		n++
	}
	if mail != nil && fmt.Sprint(text(*mail)) != fmt.Sprint(text(a.Email)) {
		a.Email = *mail
		n++
	}
	if add != 0 {
		a.Balance += add
		n++
	}
	if show(a) != old {
		a.Version++
	}
	w[id] = a
	return n, nil
}

func (w twin) upsert(id int64, name string, add int64) (made bool, err error) {
	_, there := w[id]
	switch {
	case !there && add < 0:
		return false, &model.ValidationError{}
	case !there:
		w[id] = Account{ID: id, Owner: name, Balance: add, Version: 1}
		return true, nil
	}
	_, err = w.update(id, &name, nil, add)
	return false, err
}

func (w twin) edit(id int64, name string, mail *string) (Account, error) {
	a, there := w[id]
	if !there {
		return Account{}, pipectx.ErrNotFound
	}
	old := show(a)
	if a.Owner, a.Email = name, mail; show(a) != old {
		a.Version++
	}
	w[id] = a
	return a, nil
}

func (w twin) pop(id int64) (*string, error) {
	a, there := w[id]
	if !there {
		return nil, pipectx.ErrNotFound
	}
	mail := a.Email
	if mail != nil {
		a.Email = nil
		a.Version++
		w[id] = a
	}
	return mail, nil
}

func text(s *string) string {
	if s == nil {
		return "absent"
	}
	return "=" + *s
}

// Random verbs on a few records leave server and twin alike, in answers and in
// what is stored, one at a time and in pipelines.
func TestSimulation(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		for range 3 {
			seed := rand.Uint64()
			t.Logf("seed %d", seed)
			ctx := t.Context()
			for id := range int64(5) {
				accounts.On(p.db).Delete(ctx, id).Err()
			}
			simulate(t, p, rand.New(rand.NewPCG(seed, 0)), 2000)
			if t.Failed() {
				return
			}
		}
	})
}

func simulate(t *testing.T, p place, random *rand.Rand, steps int) {
	w := twin{}
	accounts := accounts.On(p.db)
	var checks []func() error // of the pipeline that is open
	record := func() Account {
		a := ada()
		a.ID, a.Owner, a.Balance = random.Int64N(5), fmt.Sprint("o", random.IntN(3)), random.Int64N(50)
		if random.IntN(2) == 0 {
			a.Email = nil
		}
		if a.Version = w[a.ID].Version; random.IntN(4) == 0 {
			a.Version = random.Int64N(4)
		}
		return a
	}
	step := func(ctx context.Context, alone bool) {
		switch random.IntN(9) {
		case 0:
			a := record()
			ref := pipectx.Handled(accounts.Create(ctx, a))
			want, err := w.create(a)
			checks = append(checks, func() error { return differs("create", ref, show, want, err) })
		case 1:
			a := record()
			ref := pipectx.Handled(accounts.Save(ctx, a))
			want, err := w.save(a)
			checks = append(checks, func() error { return differs("save", ref, show, want, err) })
		case 2, 3:
			id, add := random.Int64N(5), random.Int64N(41)-20
			changes := []model.Change[Account]{model.Incr(balance, add)}
			var name *string
			var mail **string
			if random.IntN(2) == 0 {
				name = new(fmt.Sprint("o", random.IntN(3)))
				changes = append(changes, owner.Set(*name))
			}
			if random.IntN(2) == 0 {
				mail = new((*string)(nil))
				if random.IntN(2) == 0 {
					*mail = new("b@example.org")
				}
				changes = append(changes, email.Set(*mail))
			}
			random.Shuffle(len(changes), func(i, j int) { changes[i], changes[j] = changes[j], changes[i] })
			ref := pipectx.Handled(accounts.Update(ctx, id, changes...))
			want, err := w.update(id, name, mail, add)
			checks = append(checks, func() error { return differs("update", ref, func(n int) string { return fmt.Sprint(n) }, want, err) })
		case 4:
			id := random.Int64N(5)
			ref := accounts.Get(ctx, id)
			want, there := w[id]
			var err error
			if !there {
				err = pipectx.ErrNotFound
			}
			checks = append(checks, func() error { return differs("get", ref, show, want, err) })
		case 5:
			if random.IntN(3) > 0 {
				return
			}
			id := random.Int64N(5)
			ref := accounts.Delete(ctx, id)
			_, there := w[id]
			delete(w, id)
			checks = append(checks, func() error { return differs("delete", ref, func(b bool) string { return fmt.Sprint(b) }, there, nil) })
		case 6:
			id, name, add := random.Int64N(5), fmt.Sprint("o", random.IntN(3)), random.Int64N(41)-20
			ref := pipectx.Handled(accounts.Upsert(ctx, id, owner.Set(name), model.Incr(balance, add)))
			want, err := w.upsert(id, name, add)
			checks = append(checks, func() error { return differs("upsert", ref, func(b bool) string { return fmt.Sprint(b) }, want, err) })
		case 7:
			id := random.Int64N(5)
			ref := pipectx.Handled(model.Pop(ctx, accounts, id, email))
			want, err := w.pop(id)
			checks = append(checks, func() error { return differs("pop", ref, text, want, err) })
		case 8:
			if !alone { // it would read in this wave and write in the next
				return
			}
			id, name, mail := random.Int64N(5), fmt.Sprint("o", random.IntN(3)), (*string)(nil)
			if random.IntN(2) == 0 {
				mail = new("c@example.org")
			}
			ref := accounts.Edit(ctx, id, func(a *Account) error { a.Owner, a.Email = name, mail; return nil })
			want, err := w.edit(id, name, mail)
			checks = append(checks, func() error { return differs("edit", ref, show, want, err) })
		}
	}

	for done := 0; done < steps; {
		if n := random.IntN(20); n < 4 {
			step(t.Context(), true)
			done++
		} else {
			err := pipectx.Run(t.Context(), p.db, func(ctx context.Context) error {
				for range n {
					step(ctx, false)
				}
				return nil
			})
			ok(t, "Run", err)
			done += n
		}
		for _, check := range checks {
			ok(t, fmt.Sprintf("after %d steps", done), check())
		}
		checks = checks[:0]
	}
	ids := []int64{0, 1, 2, 3, 4}
	all := value(t, "GetMany", accounts.GetMany(t.Context(), ids...))
	for _, id := range ids {
		a, there := w[id]
		if (all[id] != nil) != there || there && show(*all[id]) != show(a) {
			t.Errorf("at the end %d is %v, want %v", id, all[id], a)
		}
	}
}

// differs compares what a Ref answers with the twin's answer, errors by their
// kind.
func differs[T any](verb string, ref *pipectx.Ref[T], show func(T) string, want T, wantErr error) error {
	got, err := ref.Result()
	kind := func(err error) int {
		var conflict *model.ConflictError
		var sum *model.SumError
		var invalid *model.ValidationError
		return slices.Index([]bool{err == nil, errors.Is(err, model.ErrExists), errors.Is(err, pipectx.ErrNotFound), errors.As(err, &conflict), errors.As(err, &sum), errors.As(err, &invalid)}, true)
	}
	if kind(err) != kind(wantErr) || kind(err) < 0 || err == nil && show(got) != show(want) {
		return fmt.Errorf("%s answers %s, %v; want %s, %v", verb, show(got), err, show(want), wantErr)
	}
	return nil
}
