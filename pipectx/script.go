package pipectx

import (
	"crypto/sha1"
	"encoding/hex"
	"strings"
	"sync"
	"unsafe"
)

// Script is a Lua script: its body and its SHA1, by which servers know it.
// Make it with [NewScript]; share it, it does not change.
type Script struct {
	SHA, Body string
	ReadOnly  bool // it writes nothing: it is called by EVALSHA_RO and may be sent again
	Resend    bool // to run it twice is to run it once: it may be sent again, see [Resend]
	name      string
}

// NewScript returns the script of a body. If its first line is a comment, as
// in "-- account.withdraw", errors name the script by it.
func NewScript(body string) *Script {
	sum := sha1.Sum(unsafe.Slice(unsafe.StringData(body), len(body))) // read only
	s := &Script{SHA: hex.EncodeToString(sum[:]), Body: body, name: "EVALSHA"}
	first, _, _ := strings.Cut(body, "\n")
	if comment, ok := strings.CutPrefix(first, "--"); ok {
		if words := strings.Fields(comment); len(words) > 0 {
			s.name = words[0]
		}
	}
	return s
}

// Command starts a call of the script with so many keys: add that many by Key,
// then the arguments. Where a node does not know the script yet its body goes
// along; a node that has forgotten it (NOSCRIPT) gets it again.
func (s *Script) Command(keys int) *Command {
	c := NewCommand(s.verb(), s.SHA)
	c.Int(int64(keys))
	c.script = s
	c.read = s.ReadOnly
	return c
}

// verb is the command that calls the script by its SHA1.
func (s *Script) verb() string {
	if s.ReadOnly {
		return "EVALSHA_RO"
	}
	return "EVALSHA"
}

// Words of commands that go-redis gets by their address.
var evalWord, evalROWord, askingWord = "EVAL", "EVAL_RO", "ASKING"

// eval is the command that calls the script by its body.
func (s *Script) eval() *string {
	if s.ReadOnly {
		return &evalROWord
	}
	return &evalWord
}

// known is what we believe a node's script cache holds. It may be wrong at any
// time (SCRIPT FLUSH, a restart, a failover, eviction): NOSCRIPT then says so,
// and the script goes again with its body. So it is only there to save bytes.
type known struct {
	mu   sync.Mutex
	shas map[string]struct{}
}

// mostKnown bounds the set. To forget a script costs its body once more.
const mostKnown = 10_000

func (k *known) has(sha string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	_, ok := k.shas[sha]
	return ok
}

func (k *known) add(sha string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.shas == nil || len(k.shas) == mostKnown { // bodies made at run time never end
		k.shas = map[string]struct{}{}
	}
	k.shas[sha] = struct{}{}
}

// forget empties the set: a new connection may reach another server.
func (k *known) forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	clear(k.shas)
}
