package keyspace

import (
	"fmt"
	"strings"

	"github.com/redmoon-go/redmoon/pipectx"
)

// A Placement says how keys are made from a prefix and an id, and so which
// keys share a Cluster slot. It is declared once, where a keyspace or model is
// defined, and is part of the stored layout: changing it is a migration. The
// zero Placement is a slot for each id:
//
//	NewString[int64, string]("name")                        name{42}
//	NewString[int64, string]("name", OneSlot("users"))      name{users}:42
//	NewString[int64, string]("name", Buckets("users", 64))  name{users.0}:42
//	NewString[Member, string]("name")                       name{acme}:42
//	NewString[int64, string]("name", Template("u:%s:name")) u:42:name
//
// Member is a composite id, a struct one of whose fields is tagged slot: all
// ids with one value of that field share a slot.
type Placement struct {
	kind    placeKind
	tag     string // OneSlot, Buckets
	buckets int
	pattern string // Template
}

type placeKind int

const (
	perID placeKind = iota
	oneSlot
	inBuckets
	byTemplate
)

// OneSlot puts every key into the slot of tag, so that everything placed with
// the same tag can meet in one command, script or transaction. All of it lives
// on one node of a Cluster.
func OneSlot(tag string) Placement { return Placement{kind: oneSlot, tag: tag} }

// Buckets spreads keys over n slots by a hash of their id; what has the same
// tag, n and id shares a slot. Changing n is a migration.
func Buckets(tag string, n int) Placement { return Placement{kind: inBuckets, tag: tag, buckets: n} }

// Template adopts keys that exist already: pattern is a key with one %s, for
// the id as it is. It promises nothing about slots.
func Template(pattern string) Placement { return Placement{kind: byTemplate, pattern: pattern} }

// Apply makes a Placement an [Option].
func (p Placement) Apply(s *Settings) error {
	if s.Placement != (Placement{}) {
		return fmt.Errorf("two placements, %v and %v; give one", s.Placement, p)
	}
	s.Placement = p
	return p.check()
}

func (p Placement) check() error {
	switch p.kind {
	case oneSlot, inBuckets:
		if p.tag == "" || strings.ContainsAny(p.tag, "{}") {
			return fmt.Errorf("%v: the tag must not be empty or contain braces: it becomes the hash tag of the keys", p)
		}
		if p.kind == inBuckets && (p.buckets < 2 || p.buckets > pipectx.Slots) {
			return fmt.Errorf("%v: the number of buckets must be from 2 to %d; for one use OneSlot", p, pipectx.Slots)
		}
	case byTemplate:
		before, after, ok := strings.Cut(p.pattern, "%s")
		if !ok || strings.ContainsRune(before+after, '%') {
			return fmt.Errorf("%v: the pattern must contain %%s once, for the id, and no other %%", p)
		}
	}
	return nil
}

// String is the placement as it is written in Go.
func (p Placement) String() string {
	switch p.kind {
	case oneSlot:
		return fmt.Sprintf("OneSlot(%q)", p.tag)
	case inBuckets:
		return fmt.Sprintf("Buckets(%q, %d)", p.tag, p.buckets)
	case byTemplate:
		return fmt.Sprintf("Template(%q)", p.pattern)
	}
	return "a slot for each id"
}
