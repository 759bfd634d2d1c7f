package keyspace

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redmoon-go/redmoon/lua"
)

// Option is what a keyspace or a model may be declared with beside its prefix:
// a [Placement], [TTL], [Connection].
type Option interface {
	// Apply changes the settings, or says why it cannot.
	Apply(*Settings) error
}

// Settings are what Options make together.
type Settings struct {
	Placement  Placement
	TTL        time.Duration // 0: keys do not expire
	Connection string        // "": the connection without a name
	Lua        *lua.Mod      // nil: none
}

// NewSettings applies options in order.
func NewSettings(options ...Option) (Settings, error) {
	var s Settings
	for _, o := range options {
		if o == nil {
			return s, errors.New("an option is nil")
		}
		if err := o.Apply(&s); err != nil {
			return s, err
		}
	}
	return s, nil
}

// String is the settings as the options are written in Go.
func (s Settings) String() string {
	var options []string
	if s.Placement != (Placement{}) {
		options = append(options, s.Placement.String())
	}
	if s.TTL != 0 {
		options = append(options, fmt.Sprintf("TTL(%v)", s.TTL))
	}
	if s.Connection != "" {
		options = append(options, fmt.Sprintf("Connection(%q)", s.Connection))
	}
	if s.Lua != nil {
		options = append(options, fmt.Sprintf("Lua(%s)", s.Lua.Name()))
	}
	return strings.Join(options, ", ")
}

type option func(*Settings) error

func (o option) Apply(s *Settings) error { return o(s) }

// TTL gives each key a time to live, renewed by every write. It is kept in
// milliseconds, and must be at least one.
func TTL(d time.Duration) Option {
	return option(func(s *Settings) error {
		if s.TTL != 0 {
			return fmt.Errorf("two TTLs, %v and %v; give one", s.TTL, d)
		}
		if d < time.Millisecond {
			return fmt.Errorf("TTL(%v): Redis counts milliseconds; give at least one", d)
		}
		s.TTL = d
		return nil
	})
}

// Connection declares the named connection of the DB that the keys live on.
func Connection(name string) Option {
	return option(func(s *Settings) error {
		if s.Connection != "" && s.Connection != name {
			return fmt.Errorf("two connections, %q and %q; give one", s.Connection, name)
		}
		s.Connection = name
		return nil
	})
}
