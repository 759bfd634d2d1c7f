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

// linked are the scripts of this process that are in use. It keeps none alive.
var linked struct {
	mu      sync.Mutex
	scripts []weak.Pointer[Script]
	sweepAt int
}

func remember(s *Script) {
	linked.mu.Lock()
	defer linked.mu.Unlock()
	if len(linked.scripts) >= linked.sweepAt { // entries made at run time come and go
		linked.scripts = slices.DeleteFunc(linked.scripts, func(p weak.Pointer[Script]) bool { return p.Value() == nil })
		linked.sweepAt = 2*len(linked.scripts) + 64
	}
	linked.scripts = append(linked.scripts, weak.Make(s))
}

// inUse are those that are.
func inUse() (scripts []*Script) {
	linked.mu.Lock()
	defer linked.mu.Unlock()
	for _, p := range linked.scripts {
		if s := p.Value(); s != nil {
			scripts = append(scripts, s)
		}
	}
	return scripts
}

// scriptOf finds a script by its body.
func scriptOf(body string) *Script {
	sha := pipectx.NewScript(body).SHA
	for _, s := range inUse() {
		if s.SHA == sha {
			return s
		}
	}
	return nil
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
	for _, s := range inUse() {
		if strings.HasPrefix(s.name, prefix) {
			bySHA[s.SHA] = s
		}
	}
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
