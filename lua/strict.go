package lua

import (
	"context"

	"github.com/redmoon-go/redmoon/pipectx"
)

// Strict returns ctx with the wish that scripts called with it go with a shebang,
// `#!lua`. With one, servers of version 7 and later hold what scripts otherwise
// get away with: keys of different slots in one script are refused on a Cluster
// although one node holds them all, and so is every command when memory is short.
// It is for tests, on real servers: the embedded one cannot read it.
//
//	entry.On(db).Call(lua.Strict(t.Context()), in)
func Strict(ctx context.Context) context.Context {
	return context.WithValue(ctx, strictKey{}, true)
}

type strictKey struct{}

func isStrict(ctx context.Context) bool { return ctx.Value(strictKey{}) != nil }

// withShebang is the script with a shebang in place of its first comment, so
// that all lines keep their numbers.
func (s *Script) withShebang() *pipectx.Script {
	if strict := s.strict.Load(); strict != nil {
		return strict
	}
	flags := ""
	if s.ReadOnly {
		flags = " flags=no-writes"
	}
	strict := pipectx.NewScript("#!lua" + flags + "\n" + s.Body[len("-- "+s.name+"\n"):])
	strict.ReadOnly, strict.Resend = s.ReadOnly, s.Resend
	s.strict.Store(strict)
	return strict
}
