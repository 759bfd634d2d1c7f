package model_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/redmoon-go/redmoon/model"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Member is a record of tags of all sorts, for the simulation.
type Member struct {
	ID      int64             `redis:"id,key"`
	Owner   string            `redis:"owner,was=holder,was=name" validate:"max=9"`
	Email   *string           `redis:"email,was=mail,default=none@example.org" validate:"omitempty,email"`
	Balance int64             `redis:"balance,was=sum,default=10" validate:"gte=0"`
	State   string            `redis:"state,oneof=open closed,default=open"`
	Score   int64             `redis:"score,omitempty"`
	Home    Dwelling          `redis:"home,inline"`
	Token   *string           `redis:"token,was=key,ttl"`
	More    map[string]string `redis:",extra"`
	Version int64             `redis:"version,version"`
}

// Dwelling is inline in a Member.
type Dwelling struct {
	City string  `redis:"city,omitempty"`
	Zip  *string `redis:"zip"`
}

// A twinned field is what the twin knows of a field: its names, the text it has
// where nothing is stored, and whether it may be absent.
type twinned struct {
	name     string
	was      []string
	lacking  string
	optional bool
}

var twinnedFields = []twinned{
	{"owner", []string{"holder", "name"}, "", false},
	{"email", []string{"mail"}, "", true},
	{"balance", []string{"sum"}, "10", false},
	{"state", nil, "open", false},
	{"score", nil, "0", true},
	{"home.city", nil, "", true},
	{"home.zip", nil, "", true},
	{"token", []string{"key"}, "", true},
	{"version", nil, "0", false},
}

func twinnedField(name string) twinned {
	return twinnedFields[slices.IndexFunc(twinnedFields, func(f twinned) bool { return f.name == name })]
}

// A twin is one record as the verbs leave it on a server: the hash, and whether it
// and its token expire. It does by plain loops over texts what the verbs do by
// codecs, columns and scripts.
type twin struct {
	hash               map[string]string // empty where there is no record
	expires, tokenEnds bool
}

// read is the text of a field under the first of its names that is stored.
func (w *twin) read(name string) (text string, stored bool) {
	for _, n := range append([]string{name}, twinnedField(name).was...) {
		if text, stored = w.hash[n]; stored {
			return text, true
		}
	}
	return twinnedField(name).lacking, false
}

func (w *twin) write(name, text string) {
	if w.hash == nil {
		w.hash = map[string]string{}
	}
	w.hash[name] = text
	for _, old := range twinnedField(name).was {
		delete(w.hash, old)
	}
}

func (w *twin) drop(name string) {
	delete(w.hash, name)
	for _, old := range twinnedField(name).was {
		delete(w.hash, old)
	}
	w.tokenEnds = w.tokenEnds && name != "token"
}

func (w *twin) count() {
	old, _ := w.read("version")
	n, _ := strconv.ParseInt(old, 10, 64)
	w.write("version", strconv.FormatInt(n+1, 10))
}

func (w *twin) exists() bool { return len(w.hash) > 0 }

// get is the record, if a field of the struct is stored.
func (w *twin) get(id int64) (Member, error) {
	m, found, more := Member{ID: id}, false, maps.Clone(w.hash)
	number := func(name string) int64 {
		text, _ := w.read(name)
		n, _ := strconv.ParseInt(text, 10, 64)
		return n
	}
	maybe := func(name string) *string {
		if text, stored := w.read(name); stored {
			return &text
		}
		return nil
	}
	for _, f := range twinnedFields {
		for _, n := range append([]string{f.name}, f.was...) {
			_, there := more[n]
			found = found || there
			delete(more, n)
		}
	}
	if !found {
		return Member{}, pipectx.ErrNotFound
	}
	m.Owner, _ = w.read("owner")
	m.State, _ = w.read("state")
	m.Home.City, _ = w.read("home.city")
	m.Email, m.Home.Zip, m.Token = maybe("email"), maybe("home.zip"), maybe("token")
	m.Balance, m.Score, m.Version = number("balance"), number("score"), number("version")
	if len(more) > 0 {
		m.More = more
	}
	return m, nil
}

// texts are what Save stores of a record, but for the version.
func texts(m Member) map[string]string {
	all := map[string]string{"owner": m.Owner, "balance": strconv.FormatInt(m.Balance, 10), "state": m.State}
	for name, p := range map[string]*string{"email": m.Email, "home.zip": m.Home.Zip, "token": m.Token} {
		if p != nil {
			all[name] = *p
		}
	}
	if m.Score != 0 {
		all["score"] = strconv.FormatInt(m.Score, 10)
	}
	if m.Home.City != "" {
		all["home.city"] = m.Home.City
	}
	return all
}

// put stores the fields that differ between two records, and their others.
func (w *twin) put(was, now map[string]string) {
	for _, f := range twinnedFields {
		old, had := was[f.name]
		switch text, has := now[f.name]; {
		case had && !has:
			w.drop(f.name)
		case has && (!had || text != old):
			w.write(f.name, text)
		}
	}
}

func (w *twin) create(m Member) (Member, error) {
	if m.Email == nil {
		m.Email = new("none@example.org")
	}
	if m.Balance == 0 {
		m.Balance = 10
	}
	if m.State == "" {
		m.State = "open"
	}
	m.Version = 1
	switch {
	case m.Balance < 0:
		return Member{}, &model.ValidationError{}
	case w.exists():
		return Member{}, model.ErrExists
	}
	w.put(nil, texts(m))
	maps.Copy(w.hash, m.More)
	w.write("version", "1")
	return m, nil
}

func (w *twin) save(m Member) (Member, error) {
	stored, _ := w.read("version")
	switch {
	case m.Balance < 0:
		return Member{}, &model.ValidationError{}
	case stored != strconv.FormatInt(m.Version, 10):
		return Member{}, &model.ConflictError{}
	}
	now := texts(m)
	for _, f := range twinnedFields {
		if text, there := now[f.name]; there {
			w.write(f.name, text)
		} else if f.name != "version" {
			w.drop(f.name)
		}
	}
	maps.Copy(w.hash, m.More)
	w.count()
	m.Version++
	return m, nil
}

// A motion is one change of a field, as the twin makes it.
type motion struct {
	name string
	what string // set, absent, clear, add
	text string
	n    int64
}

// change makes changes, all or none, and answers how many fields differ.
func (w *twin) change(motions []motion) (n int, err error) {
	after := twin{maps.Clone(w.hash), w.expires, w.tokenEnds}
	for _, m := range motions {
		old, stored := after.read(m.name)
		switch m.what {
		case "absent":
			if !stored {
				after.write(m.name, m.text)
				n++
			}
		case "set":
			if !stored || old != m.text {
				after.write(m.name, m.text)
				n++
			}
		case "clear":
			if stored {
				after.drop(m.name)
				n++
			}
		case "add":
			sum, _ := strconv.ParseInt(old, 10, 64)
			if sum += m.n; sum < 0 && m.name == "balance" {
				return 0, &model.SumError{}
			}
			if text := strconv.FormatInt(sum, 10); !stored || text != old {
				after.write(m.name, text)
				n++
			}
		}
	}
	*w = after
	return n, nil
}

func (w *twin) update(motions []motion) (int, error) {
	if !w.exists() {
		return 0, pipectx.ErrNotFound
	}
	n, err := w.change(motions)
	if n > 0 {
		w.count()
	}
	return n, err
}

func (w *twin) upsert(motions []motion) (bool, error) {
	if w.exists() {
		_, err := w.update(motions)
		return false, err
	}
	w.hash = map[string]string{"owner": "", "email": "none@example.org", "balance": "10", "state": "open"}
	for _, m := range motions {
		if m.what != "add" { // it says all of the field
			w.drop(m.name)
		}
	}
	if _, err := w.change(motions); err != nil {
		w.hash = nil
		// What a new record would break is found before anything is sent.
		return false, &model.ValidationError{}
	}
	w.count()
	return true, nil
}

func (w *twin) edit(id int64, fn func(*Member)) (Member, error) {
	m, err := w.get(id)
	if err != nil {
		return m, err
	}
	was, others := texts(m), maps.Clone(m.More)
	fn(&m)
	switch now := texts(m); {
	case maps.Equal(was, now) && maps.Equal(others, m.More):
		return m, nil
	case m.Balance < 0:
		return Member{}, &model.ValidationError{}
	default:
		w.put(was, now)
	}
	for name := range others {
		if _, there := m.More[name]; !there {
			delete(w.hash, name)
		}
	}
	for name, text := range m.More {
		if is, there := others[name]; !there || is != text {
			w.hash[name] = text
		}
	}
	w.count()
	m.Version++
	return m, nil
}

func (w *twin) pop(name string) (text string, err error) {
	if !w.exists() {
		return "", pipectx.ErrNotFound
	}
	text, stored := w.read(name)
	if stored {
		w.drop(name)
		w.count()
	}
	return text, nil
}

// deposit is the Lua method of that name.
func (w *twin) deposit(n int64) (int64, error) {
	if !w.exists() {
		return 0, pipectx.ErrNotFound
	}
	old, stored := w.read("balance")
	sum, _ := strconv.ParseInt(old, 10, 64)
	if sum += n; sum < 0 {
		return 0, errRange
	}
	if n != 0 || !stored {
		w.write("balance", strconv.FormatInt(sum, 10))
		w.count()
	}
	return sum, nil
}

var errRange = errors.New("RANGE")

// showMember writes a record with what its pointers point to.
func showMember(m Member) string {
	all := texts(m)
	for name, text := range m.More {
		all["+"+name] = text
	}
	return fmt.Sprint(m.ID, all, m.Version) // maps are printed in order
}
