package lua51_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/redmoon-go/redmoon/internal/lua51"
)

var (
	mutants = flag.Int("mutants", 3000, "how many damaged scripts luac5.1 judges")
	seed    = flag.Uint64("seed", 51, "what they are made from")
)

// corpus returns the scripts in testdata by name.
func corpus(t testing.TB) map[string]string {
	t.Helper()
	files, err := filepath.Glob("testdata/*.lua")
	if err != nil || len(files) < 8 {
		t.Fatalf("corpus: %d files, %v", len(files), err)
	}
	scripts := make(map[string]string)
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		scripts[filepath.Base(f)] = string(text)
	}
	return scripts
}

// needLuac skips without luac5.1, except in CI, where its absence would turn
// the most telling test into a silent one.
func needLuac(t testing.TB) {
	t.Helper()
	if _, err := exec.LookPath("luac5.1"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("luac5.1 is needed in CI: install the package lua5.1")
		}
		t.Skip("luac5.1 is not installed (package lua5.1): nobody to judge by")
	}
}

// A verdict is what a reader of Lua thinks of a script.
type verdict struct {
	accepted bool
	line     int
	msg      string
}

var luacSays = regexp.MustCompile(`(?s)^luac5\.1: stdin:(\d+): (.*)\n$`)

// luac asks luac5.1.
func luac(src string) (verdict, error) {
	if strings.HasPrefix(src, "#") {
		src = " " + src // luac skips such a line of a file; a server does not
	}
	var stderr bytes.Buffer
	cmd := exec.Command("luac5.1", "-p", "-")
	cmd.Stdin, cmd.Stderr = strings.NewReader(src), &stderr
	err := cmd.Run()
	if err == nil {
		return verdict{accepted: true}, nil
	}
	said := luacSays.FindStringSubmatch(stderr.String())
	if said == nil {
		return verdict{}, fmt.Errorf("luac5.1: %w: %q", err, stderr.String())
	}
	line, _ := strconv.Atoi(said[1])
	return verdict{line: line, msg: said[2]}, nil
}

func ours(src string) verdict {
	_, err := lua51.Parse("stdin", src)
	var syntax *lua51.SyntaxError
	if errors.As(err, &syntax) {
		return verdict{line: syntax.Pos.Line, msg: syntax.Msg}
	}
	return verdict{accepted: err == nil}
}

// judge compares the two on each script and calls differ where they differ in
// anything. It returns how many verdicts, messages and lines were the same, of
// how many; messages and lines only of what both refuse.
func judge(t *testing.T, scripts []string, differ func(src string, ours, theirs verdict)) (verdicts, refused, messages, lines int) {
	t.Helper()
	type answer struct {
		theirs verdict
		err    error
	}
	answers := make([]answer, len(scripts))
	var wg sync.WaitGroup
	next := make(chan int)
	for range 2 * runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := range next {
				answers[i].theirs, answers[i].err = luac(scripts[i])
			}
		})
	}
	for i := range scripts {
		next <- i
	}
	close(next)
	wg.Wait()

	for i, src := range scripts {
		if answers[i].err != nil {
			t.Fatal(answers[i].err)
		}
		ours, theirs := ours(src), answers[i].theirs
		if ours.accepted == theirs.accepted {
			verdicts++
		}
		if !ours.accepted && !theirs.accepted {
			refused++
			if ours.msg == theirs.msg {
				messages++
			}
			if ours.line == theirs.line {
				lines++
			}
		}
		if ours != theirs {
			differ(src, ours, theirs)
		}
	}
	return verdicts, refused, messages, lines
}

// explained are the differences from luac5.1 that are meant: by the words in
// which the two refuse. A difference of verdict is never meant.
var explained = []struct {
	reason string
	ours   string // a regular expression
	theirs string
}{
	{"what is unfinished is reported where it begins", `^unfinished long`, `^unfinished long`},
	{"a break outside of a loop is quoted itself, not what follows it", `^no loop to break`, `^no loop to break`},
	{"a quoted token is cut to 40 bytes of one line", `\.\.\.'$`, ``},
	{"a quoted token shows its escapes as they are written", `near '.*\\`, `near '`},
	{"a letter outside of ASCII is shown whole, a stray byte by number", `near '([^\x00-\x7f]|char)`, `near '[^\x00-\x7f]`},
}

func isExplained(ours, theirs verdict) bool {
	for _, e := range explained {
		if regexp.MustCompile(e.ours).MatchString(ours.msg) && regexp.MustCompile(e.theirs).MatchString(theirs.msg) {
			return true
		}
	}
	return false
}

// We keep the promise that a text is accepted or refused as luac5.1 does, in
// its words and at its line: on whole scripts with one or two random wounds.
func TestLuacAgrees(t *testing.T) {
	t.Parallel()
	needLuac(t)
	n := *mutants
	if testing.Short() {
		n = min(n, 300)
	}
	t.Logf("seed %d, %d mutants", *seed, n)
	rnd := rand.New(rand.NewPCG(*seed, 1))
	var scripts []string
	whole := corpus(t)
	for _, name := range slices.Sorted(maps.Keys(whole)) {
		if v := ours(whole[name]); !v.accepted {
			t.Fatalf("%s is refused whole: %s", name, v.msg)
		}
		scripts = append(scripts, whole[name])
	}
	tokens := make([][]lua51.Token, len(scripts))
	for i, src := range scripts {
		tokens[i], _, _ = lua51.Tokens("", src)
	}
	var wounded []string
	for range n {
		i := rnd.IntN(len(scripts))
		wounded = append(wounded, wound(rnd, scripts[i], tokens[i], tokens[rnd.IntN(len(tokens))]))
	}
	agree(t, wounded)
}

// The same holds for short runs of pieces, more of which are accepted.
func TestLuacAgreesOnPieces(t *testing.T) {
	t.Parallel()
	needLuac(t)
	n := *mutants / 2
	if testing.Short() {
		n = min(n, 150)
	}
	t.Logf("seed %d, %d runs", *seed, n)
	rnd := rand.New(rand.NewPCG(*seed, 2))
	var scripts []string
	for range n {
		var b strings.Builder
		for range 1 + rnd.IntN(6) {
			b.WriteString(pieces[rnd.IntN(len(pieces))])
			b.WriteString([]string{" ", " ", "\n", ""}[rnd.IntN(4)])
		}
		scripts = append(scripts, b.String())
	}
	agree(t, scripts)
}

// agree fails unless we and luac5.1 say the same of nearly all scripts.
func agree(t *testing.T, scripts []string) {
	t.Helper()
	n, unexplained := len(scripts), 0
	verdicts, refused, messages, lines := judge(t, scripts, func(src string, ours, theirs verdict) {
		if ours.accepted == theirs.accepted && isExplained(ours, theirs) {
			return
		}
		if unexplained++; unexplained <= 10 {
			t.Logf("ours   %+v\ntheirs %+v\n%s", ours, theirs, around(src, ours.line, theirs.line))
		}
	})
	t.Logf("same verdict %d/%d; of %d refused same words %d, same line %d", verdicts, n, refused, messages, lines)
	if verdicts*1000 < n*999 {
		t.Errorf("same verdict on %d of %d: want 99.9 %%", verdicts, n)
	}
	if unexplained*1000 > n {
		t.Errorf("%d differences that no row of explained covers", unexplained)
	}
}

// salt is what a wound may put in: words, signs, and what readers stumble over.
var salt = strings.Fields(`and break do else elseif end false for function if in local nil not or repeat return then
	true until while goto self arg ... .. . , ; ;; : :: = == ~= ~ < <= > >= + - * / // % ^ # ( ) [ ] { } [[ ]] [=[ ]=] [=
	-- --[[ --[==[ ]==] ' " \ ! @ $ & | ? 0 1 1. .5 1e 1e+ 1e5 0x 0xg 0x1p4 0x1p 1..2 3x '\300' '\65' "\x" "\z" '\
	[[l]] [[a[[b]] {} () (...) nil,nil <eof> é ` + "\x01 \xff `")

// pieces are strung together: they make small programs now and then.
var pieces = strings.Split(strings.ReplaceAll(`a|f|f()|a.b|a:b|(|)|(1)|{}|{a=1}|{a|}|[1]|[|]|"s"|'s'|[[l]]|1|.5|0x1f|nil|...|not|-|#|..|^|==|=|= 1|= a
	|,|;|local|local a|local a = 1|function|function f() end|function a.b:c()|function(...)|end|do|if a then|elseif b then|else
	|while a do|repeat|until a|for i = 1, 2 do|for k in f do|for|in|return|return f|break|goto|--|--[[|]]|and|or|true
	|x|x = y|f(a)|(f)|(f)()|a[1]|a[1] = 2|a, b = 1|%|@|~=|1e|"\"|a.b.c = f`, "\n\t", "|"), "|")

// wound damages a script at one or two tokens.
func wound(rnd *rand.Rand, src string, tokens, others []lua51.Token) string {
	for range 1 + rnd.IntN(2) {
		t := tokens[rnd.IntN(len(tokens))]
		if t.End > len(src) {
			continue // the first wound took it away
		}
		from, to := t.Pos.Offset, t.End
		var piece string
		switch rnd.IntN(3) {
		case 0:
			piece = salt[rnd.IntN(len(salt))]
		case 1:
			piece = others[rnd.IntN(len(others))].Text
		case 2:
			piece = []string{"\n", "\r\n", "\n(", "\"\n(", "\r", ";", " ", "\n\r", "\\\n", "f\n(1)"}[rnd.IntN(10)]
		}
		switch rnd.IntN(4) {
		case 0: // delete
			piece = ""
		case 1: // insert
			to = from
			piece = " " + piece + " "
		case 2: // replace
		case 3: // duplicate
			from = to
			piece = " " + t.Text
		}
		src = src[:from] + piece + src[to:]
	}
	return src
}

// around returns the lines of src near the given ones.
func around(src string, lines ...int) string {
	var b strings.Builder
	for i, text := range strings.Split(src, "\n") {
		for _, line := range lines {
			if d := i + 1 - line; d >= -1 && d <= 1 {
				fmt.Fprintf(&b, "%4d| %q\n", i+1, text)
				break
			}
		}
	}
	return b.String()
}
