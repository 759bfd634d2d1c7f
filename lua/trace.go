package lua

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/redmoon-go/redmoon/pipectx"
)

// Error is a script that failed. Code is the first word of what was raised or
// returned:
//
//	fail("FUNDS", "have 70")          FUNDS
//	error({err = "FUNDS have 70"})    FUNDS; likewise redis.error_reply
//	redis.call that failed            the server's own: WRONGTYPE, OOM, ERR
//	error("boom"), a bug              ERR
//	a result of another type than     TYPE
//	declared
//	an error of the server's          its own: the script has not run
//
// Ask for it by errors.As, and branch by its Code:
//
//	var refused *lua.Error
//	if errors.As(err, &refused) && refused.Code == "FUNDS" { … }
//
// %+v prints the Lua traceback behind the message. What the function wrote by
// redis.call before it failed stays written; Partial and the text say so: validate first,
// write after.
type Error struct {
	Code    string
	Message string
	Script  string  // accounts.transfer
	Trace   []Frame // innermost first; empty when the server gave no line

	// Partial says that something was written before the script failed, and
	// stays written. A redis.pcall that failed counts as a write, and so does a
	// command that the script computes.
	Partial bool
}

// Frame is one level of a Lua traceback, in the author's file and line. An include
// that brought a line in is one too, behind it and without a Func.
type Frame struct {
	File   string
	Line   int
	Func   string // the function it is in: accounts.transfer
	Source string // the line, without indentation
}

// Error is one line: script, code, message, innermost place, and whether what was
// written before stays.
func (e *Error) Error() string {
	text := fmt.Sprintf("lua: %s: %s", e.Script, e.Code)
	if e.Message != "" {
		text += " " + e.Message
	}
	if len(e.Trace) > 0 {
		text += fmt.Sprintf(" (%s:%d)", e.Trace[0].File, e.Trace[0].Line)
	}
	if e.Partial {
		text += "; what it wrote before that stays written"
	}
	return text
}

// Is makes errors.Is hold with [pipectx.ErrNotFound] for the code NOTFOUND, and
// with [pipectx.ErrUnsupported] for UNSUPPORTED, by which functions of records
// refuse too.
func (e *Error) Is(target error) bool {
	return target == pipectx.ErrNotFound && e.Code == "NOTFOUND" || target == pipectx.ErrUnsupported && e.Code == "UNSUPPORTED"
}

// RedisError marks the error as one of the server's, as go-redis does.
func (e *Error) RedisError() {}

// Format prints the traceback too for %+v.
func (e *Error) Format(s fmt.State, verb rune) {
	_, _ = io.WriteString(s, e.Error())
	if verb == 'v' && s.Flag('+') && len(e.Trace) > 0 {
		_, _ = io.WriteString(s, "\n"+e.Traceback())
	}
}

// Traceback shows the frames, outermost first, each with its source line.
func (e *Error) Traceback() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Lua traceback of %s (most recent call last):", e.Script)
	for i := len(e.Trace) - 1; i >= 0; i-- {
		f := e.Trace[i]
		fmt.Fprintf(&b, "\n  %s:%d", f.File, f.Line)
		if f.Func != "" {
			fmt.Fprintf(&b, " in %s", f.Func)
		}
		fmt.Fprintf(&b, "\n      %s", f.Source)
	}
	return b.String()
}

var (
	// trailer is what the wrapper's handler appends.
	trailer = regexp.MustCompile(`(?:^| )\{lua(\+?)((?: \d+)*)\}$`)
	// position is what Lua puts before a message: the chunk's name on the server
	// at hand, which the embedded one leaves empty, and the line.
	position = regexp.MustCompile(`^(?:@?user_script)?: ?\d+: `)
	// inside is the same, further on in a message that was caught and raised
	// again.
	inside = regexp.MustCompile(`@?user_script: ?(\d+):`)
)

// hoisted are codes of redis.call that Redis 6.2 and the embedded server put
// behind ERR.
var hoisted = wordSet(`ERR WRONGTYPE OOM READONLY NOPERM MISCONF BUSYGROUP NOGROUP CROSSSLOT NOREPLICAS BUSYKEY`)

// fault makes an Error of a server's reply to the script.
func (s *Script) fault(reply *pipectx.ServerError) error {
	e := &Error{Code: reply.Code, Message: reply.Message, Script: s.name}
	at := trailer.FindStringSubmatch(e.Message)
	if at == nil && s.ReadOnly && reply.Code == "ERR" && strings.HasPrefix(strings.ToLower(reply.Message), "unknown command") {
		return &pipectx.UnsupportedError{Needs: "Redis 7 or Valkey, for @readonly"}
	}
	if at == nil {
		return e // not raised in the script: NOPERM, OOM, BUSY
	}
	e.Message = strings.TrimSuffix(e.Message, at[0])
	e.Partial = at[1] == "+"
	e.Trace = s.trace(strings.Fields(at[2]))
	if e.Code == "ERR" {
		e.Message = strings.TrimPrefix(e.Message, position.FindString(e.Message))
		bare := e.Message // raised again, it has more than one
		for at := position.FindString(bare); at != ""; at = position.FindString(bare) {
			bare = bare[len(at):]
		}
		if code, rest, ok := strings.Cut(bare, " "); ok && hoisted[code] {
			e.Code, e.Message = code, rest
		}
	}
	e.Message = inside.ReplaceAllStringFunc(e.Message, func(text string) string {
		line, _ := strconv.Atoi(inside.FindStringSubmatch(text)[1])
		if frames := s.at(line); len(frames) > 0 {
			return fmt.Sprintf("%s:%d:", frames[0].File, frames[0].Line)
		}
		return text
	})
	return e
}

// trace maps the lines of a traceback. The includes that brought a line in stand
// behind it, once for lines in a row that came by the same.
func (s *Script) trace(lines []string) (trace []Frame) {
	var last []Frame
	flush := func(next []Frame) {
		if len(last) > 1 && (len(next) == 0 || !slices.Equal(last[1:], next[1:])) {
			trace = append(trace, last[1:]...)
		}
	}
	for _, n := range lines {
		line, _ := strconv.Atoi(n)
		frames := s.at(line)
		// Some servers tell the line of a C function's caller twice.
		if len(frames) == 0 || last != nil && frames[0] == last[0] {
			continue
		}
		flush(frames)
		trace, last = append(trace, frames[0]), frames
	}
	flush(nil)
	return trace
}
