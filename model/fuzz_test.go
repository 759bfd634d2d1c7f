package model_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Whatever somebody stored, a load answers a record, or a DecodeError that names key
// and field; and what was loaded is saved, and loaded as it was.
func FuzzRecord(f *testing.F) {
	for _, s := range []string{"", "0", "-0", "12", "9223372036854775808", "open", "closed ", "1e3", "\xff", "a\x00b"} {
		f.Add("owner", s, "balance", "1")
		f.Add("balance", s, "holder", "o")
		f.Add("score", s, "sum", s)
		f.Add("state", s, "mail", s)
		f.Add("version", s, s, "x")
	}
	f.Add("version", "+007", "", "") // loaded as 7, and so to be saved as 7
	p := at(f, redistest.Embedded(f).Client(f))
	repo := members.On(p.db)
	f.Fuzz(func(t *testing.T, name, text, name2, text2 string) {
		p.store(t, "member{1}", "owner", "o", name, text, name2, text2)
		m, err := repo.Get(t.Context(), 1).Result()
		if err != nil {
			var wrong *field.DecodeError
			if !errors.As(err, &wrong) || wrong.Key != "member{1}" || wrong.Text != text && wrong.Text != text2 {
				t.Fatalf("Get answers %v", err)
			}
			return
		}
		stored, err := repo.Save(t.Context(), m).Result()
		if err != nil { // read all the same: it may have been stored before there was the rule
			if errors.Is(err, pipectx.ErrConflict) || !strings.Contains(err.Error(), "is not valid") && !strings.Contains(err.Error(), "is no version") {
				t.Fatalf("what was loaded is not saved: %v", err)
			}
			return
		}
		again := value(t, "Get", repo.Get(t.Context(), 1))
		if showMember(again) != showMember(stored) {
			t.Errorf("saved %s, loaded %s", showMember(stored), showMember(again))
		}
	})
}
