package model_test

import (
	"testing"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/model"
)

// Ticket has enums of all sorts.
type Ticket struct {
	ID    int64               `redis:"id,key"`
	State string              `redis:"state,oneof=open closed a.b%"`
	Grade int8                `redis:"grade,oneof=-1 0 7"`
	Who   *string             `redis:"who,oneof=ann bob"`
	Room  field.Optional[int] `redis:"room,oneof=1 2,was=rm"`
}

var (
	tickets = model.Define[Ticket, int64]("ticket")
	state   = model.FieldOf(tickets, func(k *Ticket) *string { return &k.State })
	grade   = model.FieldOf(tickets, func(k *Ticket) *int8 { return &k.Grade })
)

// An enum is one of its words and nothing else: for Save, for changes, and for
// what others stored.
func TestEnums(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		repo := tickets.On(p.db)
		good := Ticket{ID: 1, State: "open", Grade: -1, Who: new("bob"), Room: field.Some(2)}
		value(t, "Save", repo.Save(t.Context(), good))
		p.wantHash(t, "ticket{1}", "grade=-1 room=2 state=open who=bob")
		bad := good
		bad.State = ""
		says(t, "Save", repo.Save(t.Context(), bad).Err(), `ticket{1} state: "" is not storable`, "want open, closed or a.b%")
		says(t, "Update", repo.Update(t.Context(), 1, state.Set("opened")).Err(), "state", "want open, closed or a.b%")
		says(t, "Update", repo.Update(t.Context(), 1, grade.Set(1)).Err(), "grade", "want -1, 0 or 7")
		says(t, "Update", repo.Update(t.Context(), 1, model.Incr(grade, 1)).Err(), "grade", "nothing can be added to it")
		want(t, "Update", repo.Update(t.Context(), 1, state.Set("a.b%"), grade.Set(7)), 2)
		p.store(t, "ticket{1}", "state", "shut", "grade", "7")
		as[*field.DecodeError](t, "Get", repo.Get(t.Context(), 1).Err())
	})
}

// So it is for Lua: self reads a listed word, and may assign no other.
func TestEnumsInLua(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		run := func(body string) (string, error) {
			m := model.Define[Ticket, int64]("ticket", model.Lua(methods("ticket", "--- @return string\nfunction M.f(self)\n"+body+"\nend")))
			return model.Method[struct{}, string](m, "f").On(p.db).Call(t.Context(), 1, struct{}{}).Result()
		}
		for _, c := range []struct{ reason, body, result, stored, fault string }{
			{"a word", "self.state = 'closed' return self.state", "closed", "grade=7 state=closed", ""},
			{"one with signs of patterns", "self.state = 'a.b%' return self.state", "a.b%", "grade=7 state=a.b%", ""},
			{"a number", "self.grade = -1 return tostring(self.grade)", "-1", "grade=-1 state=open", ""},
			{"minus zero is zero", "self.grade = -0 return ''", "", "grade=0 state=open", ""},
			{"what may be absent", "self.who = 'ann' self.room = 2 return ''", "", "grade=7 room=2 state=open who=ann", ""},
			{"and is", "self.who = nil return tostring(self.who)..tostring(self.room)", "nilnil", "grade=7 state=open", ""},
			{"a part of a word", "self.state = 'ope'", "", "", "RANGE ticket{1} state: ope is not one of open closed a.b%"},
			{"two words", "self.state = 'open closed'", "", "", "RANGE ticket{1} state: open closed is not one of"},
			{"no word", "self.state = ''", "", "", "RANGE ticket{1} state:  is not one of"},
			{"a pattern", "self.state = '.*'", "", "", "RANGE"},
			{"another number", "self.grade = 1", "", "", "RANGE ticket{1} grade: 1 is not one of -1 0 7"},
			{"a part of a number", "self.grade = 7.5", "", "", "TYPE ticket{1} grade is an integer"},
			{"a number for a word", "self.state = 7", "", "", "TYPE ticket{1} state is a string"},
			{"a word for a number", "self.grade = '7'", "", "", "TYPE ticket{1} grade is an integer"},
			{"absence where there is none", "self.state = nil", "", "", "TYPE ticket{1} state is never absent"},
		} {
			p.store(t, "ticket{1}", "state", "open", "grade", "7")
			got, err := run(c.body)
			if c.fault != "" {
				says(t, c.reason, err, c.fault)
				p.wantHash(t, "ticket{1}", "grade=7 state=open")
				continue
			}
			ok(t, c.reason, err)
			if got != c.result {
				t.Errorf("%s: result %q, want %q", c.reason, got, c.result)
			}
			p.wantHash(t, "ticket{1}", c.stored)
		}

		p.store(t, "ticket{1}", "state", "shut", "grade", "07")
		_, err := run("return self.state")
		says(t, "a stored word", err, "DECODE ticket{1} state: shut is not one of open closed a.b%")
		_, err = run("return tostring(self.grade)")
		says(t, "a stored number", err, "DECODE ticket{1} grade: 07 is not one of -1 0 7")
		p.store(t, "ticket{1}", "rm", "2") // as Go's zeros
		if got, err := run("return self.state..'|'..self.grade..'|'..self.room"); got != "|0|2" || err != nil {
			t.Errorf("a record without enums: %q, %v", got, err)
		}
	})
}
