package lua

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"weak"

	"github.com/redmoon-go/redmoon/pipectx"
)

// bound are the scripts of all entries that are in use, for Preload.
var bound struct {
	mu      sync.Mutex
	scripts map[weak.Pointer[Script]]struct{}
	sweepAt int
}

func register(s *Script) {
	bound.mu.Lock()
	defer bound.mu.Unlock()
	if bound.scripts == nil {
		bound.scripts = map[weak.Pointer[Script]]struct{}{}
	}
	if len(bound.scripts) >= bound.sweepAt { // entries made at run time come and go
		for p := range bound.scripts {
			if p.Value() == nil {
				delete(bound.scripts, p)
			}
		}
		bound.sweepAt = 2*len(bound.scripts) + 64
	}
	bound.scripts[weak.Make(s)] = struct{}{}
}

// Preload loads the scripts of all entries whose names begin with prefix, as in
// "accounts.", into every node of db, and returns how many. It is never needed: a
// script's body goes along with its first call. It spares those bytes where the
// first calls come in a burst.
//
// Entries count that were bound before; "" means all of them.
//
// Cost: SCRIPT LOAD; 1 command a script and node; 1 round trip a node, all at once;
// refused inside Run.
func Preload(ctx context.Context, db *pipectx.DB, prefix string) (int, error) {
	bySHA := map[string]*Script{}
	bound.mu.Lock()
	for p := range bound.scripts {
		if s := p.Value(); s != nil && strings.HasPrefix(s.name, prefix) {
			bySHA[s.SHA] = s
		}
	}
	bound.mu.Unlock()
	scripts := make([]*pipectx.Script, 0, len(bySHA))
	for _, s := range bySHA {
		scripts = append(scripts, s.Script)
	}
	slices.SortFunc(scripts, func(a, b *pipectx.Script) int { return cmp.Compare(a.Body, b.Body) })
	if err := pipectx.Load(ctx, db, scripts...); err != nil {
		return 0, err
	}
	return len(scripts), nil
}
