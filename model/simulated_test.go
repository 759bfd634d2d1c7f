package model_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/model"
	"github.com/redmoon-go/redmoon/pipectx"
)

var (
	members       = model.Define[Member, int64]("member")
	memberOwner   = model.FieldOf(members, func(m *Member) *string { return &m.Owner })
	memberEmail   = model.FieldOf(members, func(m *Member) **string { return &m.Email })
	memberBalance = model.FieldOf(members, func(m *Member) *int64 { return &m.Balance })
	memberState   = model.FieldOf(members, func(m *Member) *string { return &m.State })
	memberScore   = model.FieldOf(members, func(m *Member) *int64 { return &m.Score })
	memberCity    = model.FieldOf(members, func(m *Member) *string { return &m.Home.City })
	memberToken   = model.FieldOf(members, func(m *Member) **string { return &m.Token })

	memberLua = methods("member", `
--- @arg n int
--- @return int
function M.deposit(self, n)
  self.balance = self.balance + n
  return self.balance
end`)
)

// record is one to be stored, of the version that is, mostly.
func (c *simulation) record() Member {
	id, w := c.one()
	m := Member{
		ID: id, Owner: fmt.Sprint("o", c.random.IntN(3)), Email: c.maybe("a@example.org", "b@example.org"), Balance: c.random.Int64N(50),
		State: []string{"open", "closed"}[c.random.IntN(2)], Score: c.random.Int64N(3), Token: c.maybe("t", "u"),
		Home: Dwelling{[]string{"", "Rome"}[c.random.IntN(2)], c.maybe("", "1")},
	}
	if c.random.IntN(3) == 0 {
		m.More = map[string]string{fmt.Sprint("x", c.random.IntN(3)): fmt.Sprint(c.random.IntN(3))}
	}
	if stored, err := w.get(id); err == nil {
		m.Version = stored.Version
	}
	if c.random.IntN(5) == 0 {
		m.Version = c.random.Int64N(4)
	}
	return m
}

// changes are some, as the model and as the twin makes them.
func (c *simulation) changes() (changes []model.Change[Member], motions []motion) {
	add := func(change model.Change[Member], m motion) {
		changes, motions = append(changes, change), append(motions, m)
	}
	if c.coin() {
		n := c.random.Int64N(41) - 20
		add(model.Incr(memberBalance, n), motion{"balance", "add", "", n})
	}
	if c.coin() {
		name := fmt.Sprint("o", c.random.IntN(3))
		add(memberOwner.Set(name), motion{"owner", "set", name, 0})
	}
	switch c.random.IntN(4) {
	case 0:
		add(memberEmail.Clear(), motion{"email", "clear", "", 0})
	case 1:
		add(memberEmail.SetIfAbsent(new("c@example.org")), motion{"email", "absent", "c@example.org", 0})
	}
	switch c.random.IntN(5) {
	case 0:
		n := c.random.Int64N(3) - 1
		add(model.Incr(memberScore, n), motion{"score", "add", "", n})
	case 1:
		add(memberScore.Set(0), motion{"score", "clear", "", 0})
	case 2:
		add(memberScore.SetIfAbsent(2), motion{"score", "absent", "2", 0})
	}
	switch c.random.IntN(6) {
	case 0:
		add(memberState.Set("closed"), motion{"state", "set", "closed", 0})
	case 1:
		add(memberCity.Set("Oslo"), motion{"home.city", "set", "Oslo", 0})
	case 2:
		add(memberCity.Set(""), motion{"home.city", "clear", "", 0})
	case 3:
		add(memberToken.Set(new("v")), motion{"token", "set", "v", 0})
	}
	c.random.Shuffle(len(changes), func(i, j int) {
		changes[i], changes[j], motions[i], motions[j] = changes[j], changes[i], motions[j], motions[i]
	})
	return changes, motions
}

// step does something to one record, alone or in a pipeline.
func (c *simulation) step(ctx context.Context, alone bool) {
	id, w := c.one()
	switch c.random.IntN(20) {
	case 0, 1:
		m := c.record()
		ref := c.repo.Create(ctx, m)
		want, err := c.twins[m.ID-c.first].create(m)
		check(c, "Create", ref, showMember, want, err)
	case 2, 3:
		m := c.record()
		if alone && c.random.IntN(3) == 0 {
			m.Balance = -1 // in a pipeline that would stop all of it
		}
		ref := c.repo.Save(ctx, m)
		want, err := c.twins[m.ID-c.first].save(m)
		check(c, "Save", ref, showMember, want, err)
	case 4, 5, 6:
		changes, motions := c.changes()
		ref := c.repo.Update(ctx, id, changes...)
		want, err := w.update(motions)
		check(c, "Update", ref, plainly, want, err)
	case 7:
		changes, motions := c.changes()
		ref := c.repo.Upsert(ctx, id, changes...)
		want, err := w.upsert(motions)
		check(c, "Upsert", ref, plainly, want, err)
	case 8:
		ref := model.Pop(ctx, c.repo, id, memberToken)
		text, stored := w.read("token")
		_, err := w.pop("token")
		var want *string
		if stored {
			want = &text
		}
		check(c, "Pop", ref, pointed, want, err)
	case 9:
		n := c.random.Int64N(41) - 20
		ref := c.deposit.Call(ctx, id, n)
		want, err := w.deposit(n)
		check(c, "Call", ref, plainly, want, err)
	case 10:
		if c.random.IntN(3) == 0 {
			c.remove(ctx)
		}
	case 11, 12:
		c.foreign(ctx)
	case 13, 14:
		c.live(ctx)
	default:
		c.read(ctx)
	}
}

func (c *simulation) read(ctx context.Context) {
	id, w := c.one()
	switch c.random.IntN(4) {
	case 0:
		want, err := w.get(id)
		check(c, "Get", c.repo.Get(ctx, id), showMember, want, err)
	case 1:
		other, w2 := c.one()
		want := make([]*Member, 2)
		for i, of := range []*twin{w, w2} {
			if m, err := of.get([]int64{id, other}[i]); err == nil {
				want[i] = &m
			}
		}
		check(c, "GetMany", c.repo.GetMany(ctx, id, other), showMembers, want, nil)
	case 2:
		check(c, "Exists", c.repo.Exists(ctx, id), plainly, w.exists(), nil)
	case 3:
		all, err := w.get(id)
		want := Member{ID: id, Owner: all.Owner, Balance: all.Balance, Score: all.Score, Token: all.Token}
		if err != nil && w.exists() { // with nothing but what the struct does not declare
			want.Balance, err = 10, nil
		}
		check(c, "Pick", c.repo.Pick(ctx, id, memberOwner, memberBalance, memberScore, memberToken), showMember, want, err)
	}
}

func showMembers(all []*Member) string {
	var text strings.Builder
	for _, m := range all {
		if m != nil {
			text.WriteString(showMember(*m))
		}
		text.WriteByte(';')
	}
	return text.String()
}

func (c *simulation) remove(ctx context.Context) {
	id, w := c.one()
	if c.coin() {
		there := w.exists()
		*w = twin{}
		check(c, "Delete", c.repo.Delete(ctx, id), plainly, there, nil)
		return
	}
	other, w2 := c.one()
	n := 0
	for _, of := range []*twin{w, w2} {
		if of.exists() {
			n++
		}
		*of = twin{}
	}
	check(c, "DeleteMany", c.repo.DeleteMany(ctx, id, other), plainly, n, nil)
}

// foreign writes as another program would, or an older version of this one.
func (c *simulation) foreign(ctx context.Context) {
	id, w := c.one()
	hash := c.repo.Hash(id)
	f := twinnedFields[c.random.IntN(len(twinnedFields))]
	text, stored := w.hash[f.name]
	switch {
	case c.random.IntN(4) == 0 && w.exists():
		name := fmt.Sprint("x", c.random.IntN(3))
		hash.Set(ctx, name, "theirs")
		w.hash[name] = "theirs"
	case stored && f.name != "token" && c.random.IntN(3) == 0:
		hash.HDel(ctx, f.name)
		delete(w.hash, f.name)
		if !w.exists() {
			*w = twin{}
		}
	case stored && len(f.was) > 0:
		old := f.was[c.random.IntN(len(f.was))]
		hash.Set(ctx, old, text)
		hash.HDel(ctx, f.name)
		delete(w.hash, f.name)
		w.hash[old] = text
		w.tokenEnds = w.tokenEnds && f.name != "token"
	}
}

// live is about times to live, so long that none ends meanwhile.
func (c *simulation) live(ctx context.Context) {
	id, w := c.one()
	_, stored := w.read("token")
	n := c.random.IntN(6)
	if n > 2 && !c.lives {
		return
	}
	present := func(d field.Optional[time.Duration]) string { return fmt.Sprint(d != field.None[time.Duration]()) }
	left := func(there, ends bool) (d field.Optional[time.Duration], err error) {
		if !there {
			err = pipectx.ErrNotFound
		} else if ends {
			d = field.Some(time.Hour)
		}
		return d, err
	}
	switch n {
	case 0:
		w.expires = w.exists()
		check(c, "Expire", c.repo.Expire(ctx, id, time.Hour), plainly, w.exists(), nil)
	case 1:
		check(c, "Persist", c.repo.Persist(ctx, id), plainly, w.expires, nil)
		w.expires = false
	case 2:
		want, err := left(w.exists(), w.expires)
		check(c, "TTL", c.repo.TTL(ctx, id), present, want, err)
	case 3:
		w.tokenEnds = stored
		check(c, "ExpireField", c.repo.ExpireField(ctx, id, memberToken, time.Hour), plainly, stored, nil)
	case 4:
		check(c, "PersistField", c.repo.PersistField(ctx, id, memberToken), plainly, w.tokenEnds, nil)
		w.tokenEnds = false
	case 5:
		want, err := left(stored, w.tokenEnds)
		check(c, "FieldTTL", c.repo.FieldTTL(ctx, id, memberToken), present, want, err)
	}
}

// alone does what takes several round trips, or is for no pipeline.
func (c *simulation) alone(ctx context.Context) error {
	id, w := c.one()
	switch n := c.random.IntN(40); {
	case n < 12:
		m, fn := c.record(), c.edit()
		id, w = m.ID, &c.twins[m.ID-c.first]
		ref := c.repo.Edit(ctx, id, func(stored *Member) error { fn(stored, m); return nil })
		want, err := w.edit(id, func(stored *Member) { fn(stored, m) })
		check(c, "Edit", ref, showMember, want, err)
	case n < 16:
		ref := model.Pop(ctx, c.repo, id, memberScore)
		text, err := w.pop("score")
		var want int64
		_, _ = fmt.Sscan(text, &want)
		check(c, "Pop", ref, plainly, want, err)
	case n < 18:
		return c.each(ctx)
	case n < 19:
		return c.scan(ctx)
	case n < 28:
		return c.share(ctx)
	default:
		c.step(ctx, true)
	}
	return nil
}

// edit is a way to change a record to be like another.
func (c *simulation) edit() func(stored *Member, like Member) {
	switch c.random.IntN(4) {
	case 0:
		return func(stored *Member, like Member) {
			stored.Owner, stored.Email, stored.Score = like.Owner, like.Email, like.Score
		}
	case 1:
		return func(stored *Member, like Member) { stored.More, stored.Home = like.More, like.Home }
	case 2:
		return func(stored *Member, like Member) { stored.Token, stored.Balance = like.Token, like.Balance-5 }
	}
	return func(stored *Member, like Member) { like.ID, like.Version = stored.ID, stored.Version; *stored = like }
}

func (c *simulation) each(ctx context.Context) error {
	var ids []int64
	var got, want []*Member
	for range 7 {
		id, w := c.one()
		ids = append(ids, id)
		if m, err := w.get(id); err == nil {
			want = append(want, &m)
		}
	}
	for m, err := range c.repo.Each(ctx, slices.Values(ids)) {
		if err != nil {
			return err
		}
		got = append(got, &m)
	}
	if showMembers(got) != showMembers(want) {
		return fmt.Errorf("Each yields %s, want %s", showMembers(got), showMembers(want))
	}
	return nil
}

// scan looks for all of its records, which nobody else changes meanwhile.
func (c *simulation) scan(ctx context.Context) error {
	got := map[int64]string{}
	for m, err := range c.repo.Scan(ctx) {
		if err != nil {
			return err
		}
		got[m.ID] = showMember(m)
	}
	for i := range c.twins {
		id, want := c.first+int64(i), ""
		if m, err := c.twins[i].get(id); err == nil {
			want = showMember(m)
		}
		if got[id] != want {
			return fmt.Errorf("Scan sees %q of %d, want %q", got[id], id, want)
		}
	}
	return nil
}

// share adds to the shared record by one of the policies of concurrency.
func (c *simulation) share(ctx context.Context) error {
	n, err := 1+c.random.Int64N(5), error(nil)
	switch c.random.IntN(5) {
	case 0:
		err = c.repo.Update(ctx, sharedID, model.Incr(memberBalance, n)).Err()
	case 1:
		err = c.repo.Upsert(ctx, sharedID, model.Incr(memberBalance, n)).Err()
	case 2:
		err = c.deposit.Call(ctx, sharedID, n).Err()
	case 3:
		err = pipectx.Handled(c.repo.Edit(ctx, sharedID, func(m *Member) error { m.Balance += n; return nil })).Err()
	case 4:
		var m Member
		if m, err = c.repo.Get(ctx, sharedID).Result(); err == nil {
			m.Balance += n
			err = pipectx.Handled(c.repo.Save(ctx, m)).Err()
		}
	}
	switch {
	case err == nil:
		c.added, c.times = c.added+n, c.times+1
	case !errors.Is(err, pipectx.ErrConflict): // somebody was faster, and nothing is written
		return err
	}
	return nil
}
