package keyspace

import (
	"errors"
	"fmt"
	"time"

	"github.com/redmoon-go/redmoon/pipectx"
)

// An Expiry says when what a verb writes or reads shall end: [For], [Until],
// [KeepTTL] or [NoTTL]. In a verb that writes it stands in place of the default TTL.
type Expiry struct {
	kind expiryKind
	d    time.Duration
	t    time.Time
}

type expiryKind int

const (
	noExpiry expiryKind = iota
	endsAfter
	endsAt
	keepTTL
	noTTL
)

// For is an end after d, at least a millisecond.
func For(d time.Duration) Expiry { return Expiry{kind: endsAfter, d: d} }

// Until is an end at t, to the millisecond by the server's clock.
func Until(t time.Time) Expiry { return Expiry{kind: endsAt, t: t} }

// KeepTTL leaves the end that there is.
func KeepTTL() Expiry { return Expiry{kind: keepTTL} }

// NoTTL is no end.
func NoTTL() Expiry { return Expiry{kind: noTTL} }

// String is the Expiry as it is written in Go.
func (e Expiry) String() string {
	switch e.kind {
	case endsAfter:
		return fmt.Sprintf("For(%v)", e.d)
	case endsAt:
		return fmt.Sprintf("Until(%v)", e.t)
	case keepTTL:
		return "KeepTTL()"
	case noTTL:
		return "NoTTL()"
	}
	return "Expiry{}"
}

// ends adds the words of a write's end: what the caller says, else the default TTL.
func ends(c *pipectx.Command, ttl time.Duration, expiry []Expiry) {
	switch {
	case len(expiry) == 0 && ttl == 0:
	case len(expiry) == 0:
		c.Word("PX")
		c.Int(ttl.Milliseconds())
	case len(expiry) > 1:
		c.Fail(fmt.Errorf("keyspace: two ends of one value, %v and %v; give one", expiry[0], expiry[1]))
	default:
		expiry[0].write(c, "KEEPTTL", "")
	}
}

// write adds the words of the Expiry; keep and none are what the command calls
// KeepTTL and NoTTL, "" where they are what it does anyway.
func (e Expiry) write(c *pipectx.Command, keep, none string) {
	word := ""
	switch e.kind {
	case endsAfter:
		if e.d < time.Millisecond {
			c.Fail(fmt.Errorf("keyspace: %v: Redis counts milliseconds; give at least one", e))
		}
		c.Word("PX")
		c.Int(e.d.Milliseconds())
	case endsAt:
		if e.t.UnixMilli() < 1 {
			c.Fail(fmt.Errorf("keyspace: %v: Redis counts from 1970; give a later time, or NoTTL()", e))
		}
		c.Word("PXAT")
		c.Int(e.t.UnixMilli())
	case keepTTL:
		word = keep
	case noTTL:
		word = none
	default:
		c.Fail(errors.New("keyspace: an Expiry that says nothing; give For, Until, KeepTTL or NoTTL"))
	}
	if word != "" {
		c.Word(word)
	}
}
