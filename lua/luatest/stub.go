package luatest

import (
	"fmt"
	"strconv"
)

// Stub is a command that a script gets a canned answer to: see [Watch.When].
type Stub struct {
	watch *Watch
	words []string
	reply [][]byte // kind and text of each value, as before.lua reads it
}

// When begins a stub: calls of redis.call and redis.pcall that begin with these
// words are answered by what is said next, and do not reach the server. Of
// several stubs that fit, the last counts. Stubs hold until [Watch.Reset].
//
//	w.When("GET", "item{7}").Reply("5")
//	w.When("DECRBY").Fail("OOM command not allowed when used memory > 'maxmemory'.")
func (w *Watch) When(command ...string) *Stub {
	w.t.Helper()
	if len(command) == 0 {
		w.t.Fatal("luatest: When needs a command: w.When(\"GET\", key).Reply(…)")
	}
	return &Stub{watch: w, words: command}
}

// Reply answers by a value as a server has them: nil, a string, an int, an
// int64, a [Status], or a list of such, []any or []string.
func (s *Stub) Reply(reply any) {
	s.watch.t.Helper()
	if err := s.append(reply); err != nil {
		s.watch.t.Fatalf("luatest: When(%q): %v", s.words, err)
	}
	s.add()
}

// Fail answers by an error, its code first: redis.call raises it.
func (s *Stub) Fail(text string) {
	s.put("e", text)
	s.add()
}

func (s *Stub) add() {
	s.watch.mu.Lock()
	defer s.watch.mu.Unlock()
	s.watch.stubs = append(s.watch.stubs, s)
}

func (s *Stub) put(kind, text string) { s.reply = append(s.reply, []byte(kind), []byte(text)) }

func (s *Stub) append(reply any) error {
	switch v := reply.(type) {
	case nil:
		s.put("z", "")
	case string:
		s.put("s", v)
	case Status:
		s.put("k", string(v))
	case int:
		s.put("i", strconv.Itoa(v))
	case int64:
		s.put("i", strconv.FormatInt(v, 10))
	case []string:
		s.put("l", strconv.Itoa(len(v)))
		for _, item := range v {
			s.put("s", item)
		}
	case []any:
		s.put("l", strconv.Itoa(len(v)))
		for _, item := range v {
			if err := s.append(item); err != nil {
				return err
			}
		}
	default:
		return fmt.Errorf("a server never answers a %T; reply a string, int, int64, luatest.Status, nil, []string or []any", reply)
	}
	return nil
}

// stubWords are the words behind ARGV by which a watched script learns of the
// stubs.
func (w *Watch) stubWords() [][]byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	var words [][]byte
	for _, s := range w.stubs {
		words = append(words, []byte(strconv.Itoa(len(s.words))))
		for _, word := range s.words {
			words = append(words, []byte(word))
		}
		words = append(words, s.reply...)
	}
	return append(words, []byte(strconv.Itoa(len(words))))
}
