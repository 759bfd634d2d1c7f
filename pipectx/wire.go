package pipectx

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"unsafe"

	"github.com/redis/go-redis/v9"
)

// A wire is a command as go-redis sends it: once, whatever happens. judge decides
// what may be sent again, command by command.
//
// There are two kinds. A rawWire brings the reply as it came. A textWire brings the
// text that the reply is, which saves an allocation and a copy, but not what kind
// of reply it was; so it is for reads whose answer is a text, and not within MULTI.
//
// Wires are used again: that of a command of go-redis's own has 150 bytes to be
// cleared, and these have four fields.
type rawWire struct {
	redis.RawCmd
	words
}

type textWire struct {
	redis.StringCmd
	words
}

// words are those of a wire. Its names and arguments are asked for here.
type words struct {
	args    []any // *string each
	written bool
	start   *start // of the batch, where the caller may leave
}

// A start settles who was first, the first word of a batch or the end of its
// caller's context: what was not sent by then is not sent any more.
type start struct{ atomic.Int32 }

const (
	begun int32 = iota + 1
	calledOff
)

func (s *start) begin() bool   { return s.CompareAndSwap(0, begun) || s.Load() == begun }
func (s *start) callOff() bool { return s.CompareAndSwap(0, calledOff) || s.Load() == calledOff }

// unwritable is a word that go-redis fails to write, and then closes the
// connection.
type unwritable struct{}

func (unwritable) MarshalBinary() ([]byte, error) { return nil, ErrNotSent }

var calledOffArgs = []any{unwritable{}}

func (w *words) startBy(s *start) { w.start = s }

// NoRetry keeps go-redis from resending.
func (*words) NoRetry() bool { return true }

// Args is where go-redis asks for the words to write them. Before that nothing
// of the command has left us, whatever failed: the dial, TLS, the handshake. (A
// hook that looks at the arguments asks too; then we only know less.)
func (w *words) Args() []any {
	if w.start != nil && !w.start.begin() {
		return calledOffArgs
	}
	w.written = true
	return w.args
}

// Name and the others are for hooks.
func (w *words) Name() string { return strings.ToLower(*w.args[0].(*string)) }

func (w *words) FullName() string {
	name := w.Name()
	if len(w.args) > 1 && (name == "cluster" || name == "command") { // as go-redis has it
		name += " " + *w.args[1].(*string)
	}
	return name
}

func (w *words) line() string {
	var b strings.Builder
	for i, word := range w.args {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(*word.(*string))
	}
	return b.String()
}

func (w *rawWire) String() string  { return shown(w.line(), string(w.Val()), w.Err()) }
func (w *textWire) String() string { return shown(w.line(), w.Val(), w.Err()) }

func shown(line, reply string, err error) string {
	if err != nil {
		reply = err.Error()
	}
	return line + ": " + reply
}

// outcomeOf reads what became of a wire; err is that of the whole pipeline.
func outcomeOf(wire redis.Cmder, err error) outcome {
	if w, ok := wire.(*textWire); ok {
		return w.outcome(err)
	}
	return wire.(*rawWire).outcome(err)
}

func (w *rawWire) outcome(err error) outcome {
	o := outcome{frame: w.Val(), err: w.Err()}
	switch {
	case len(o.frame) > 0 && (o.err == nil || whole(o.frame)):
		o.err = nil // answered, though go-redis gives the error of a later loss to all
	case o.err == nil && err != nil: // a hook kept it from being sent
		o.err = err
	case o.err == nil:
		o.err = errNoReply
	}
	return w.lost(o)
}

// lost notes whether what has no reply was sent.
func (w *words) lost(o outcome) outcome {
	if o.err != nil {
		o.unsent = !w.written || refusal(o.err) != nil // replies are no errors here: it is the handshake's
	}
	return o
}

// whole tells whether a frame was read to its end. go-redis makes room for a text
// before it reads it, so one that was cut has its full length, and zeros where
// the line's end would be.
func whole(frame []byte) bool {
	return bytes.HasSuffix(frame, []byte("\r\n")) && frameLen(frame) == len(frame)
}

// unanswered is the value of a textWire until its reply is read.
var unanswered = strings.Clone("no reply")

var nullFrame = []byte("_\r\n")

func (w *textWire) outcome(err error) outcome {
	text, o := w.Val(), outcome{err: w.Err()}
	switch {
	case unsafe.StringData(text) == unsafe.StringData(unanswered): // not answered
		switch {
		case o.err == nil && err != nil: // a hook kept it from being sent
			o.err = err
		case o.err == nil:
			o.err = errNoReply
		}
	case o.err == nil, text != "":
		return outcome{frame: unsafe.Slice(unsafe.StringData(text), len(text)), text: true}
	case o.err == redis.Nil:
		return outcome{frame: nullFrame}
	case w.written && refusal(o.err) != nil:
		return outcome{frame: []byte("-" + refusal(o.err).Error() + "\r\n")}
	}
	return w.lost(o)
}

// refusal is the server's error within err, or nil. (On its own, because the
// variable costs an allocation wherever it stands.)
func refusal(err error) redis.Error {
	var e redis.Error
	if errors.As(err, &e) {
		return e
	}
	return nil
}

// wires are those of one chunk, in two lists. A list does not move while it is in
// use: what is pointed to must stay.
type wires struct {
	raw   []rawWire
	texts []textWire
	order []bool // which of both comes next: a text
}

func (ws *wires) add(args []any, text bool) {
	ws.order = append(ws.order, text)
	if text {
		ws.texts = grown(ws.texts)
		w := &ws.texts[len(ws.texts)-1]
		w.args = args
		w.SetVal(unanswered)
		return
	}
	ws.raw = grown(ws.raw)
	ws.raw[len(ws.raw)-1].args = args
}

// grown is list with one more, which is empty: what is behind the end is.
func grown[T any](list []T) []T {
	if n := len(list); n < cap(list) {
		return list[:n+1]
	}
	var empty T
	return append(list, empty)
}

// append adds the wires, in order, to cmds.
func (ws *wires) append(cmds []redis.Cmder) []redis.Cmder {
	raw, text := 0, 0
	for _, isText := range ws.order {
		if isText {
			cmds = append(cmds, &ws.texts[text])
			text++
		} else {
			cmds = append(cmds, &ws.raw[raw])
			raw++
		}
	}
	return cmds
}

// reset empties the wires that were used.
func (ws *wires) reset() {
	for i := range ws.raw {
		w := &ws.raw[i]
		w.words = words{}
		w.SetErr(nil)
		w.SetVal(nil)
	}
	for i := range ws.texts {
		w := &ws.texts[i]
		w.words = words{}
		w.SetErr(nil)
		w.SetVal("")
	}
	ws.raw, ws.texts, ws.order = ws.raw[:0], ws.texts[:0], ws.order[:0]
}

// sendOnce sends one command that no pipeline is made for, and returns its reply.
func sendOnce(ctx context.Context, to executor, word *string) ([]byte, error) {
	w := &rawWire{words: words{args: []any{word}}}
	err := to.Process(ctx, w)
	o := w.outcome(err)
	return o.frame, o.err
}

var errNoReply = errors.New("no reply")
