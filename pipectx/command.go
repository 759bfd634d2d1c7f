package pipectx

import (
	"strconv"
	"sync"
	"unsafe"
)

// Command is one Redis command under construction: what a verb fills and
// passes to [Send]. Its words are bytes from the start, so a value that cannot
// be encoded is known at the call and later changes of the caller's variables
// are not sent.
//
//	c := pipectx.NewCommand("HINCRBY")
//	c.Key(key)
//	c.Word("balance")
//	c.Int(5)
//	return pipectx.Send(ctx, db, c, pipectx.Reply.Int)
//
// A Command belongs to Send once passed to it, and must be passed to it once.
type Command struct {
	buf    []byte    // all words but the fixed ones, end to end
	ends   []int     // where each word ends; ^i stands for fixed[i]
	fixed  []*string // words that are not copied
	keys   []int     // which words are keys
	size   int       // of the fixed words
	script *Script
	fault  func(*ServerError) error
	wait   *wait // of one that blocks
	read   bool
	text   bool
	err    error
}

var commands = sync.Pool{New: func() any { return new(Command) }}

// NewCommand starts a command with its name; a name of two words is two
// arguments ("OBJECT", "ENCODING").
func NewCommand(name ...string) *Command {
	c := commands.Get().(*Command)
	for _, word := range name {
		c.Word(word)
	}
	return c
}

func (c *Command) free() {
	if cap(c.buf) > 64<<10 || cap(c.ends) > 8<<10 { // one large command must not stay for ever
		return
	}
	c.buf, c.ends, c.keys, c.fixed = c.buf[:0], c.ends[:0], c.keys[:0], c.fixed[:0]
	c.read, c.text, c.size = false, false, 0
	if c.script != nil || c.fault != nil || c.err != nil || c.wait != nil { // most have none, and a pointer's store is dear
		c.script, c.fault, c.err, c.wait = nil, nil, nil, nil
	}
	commands.Put(c)
}

// Read declares that the command changes nothing, so that it may be sent again
// when its answer was lost.
func (c *Command) Read() *Command {
	c.read = true
	return c
}

// ReadText is Read for a command whose reply is one text, or null: it is read with
// one allocation less. Whatever the reply was on the wire, an integer or a status
// too, is a text for decode then.
func (c *Command) ReadText() *Command {
	c.read, c.text = true, true
	return c
}

// OnError maps an error reply of the server to the error that the Ref answers.
func (c *Command) OnError(fault func(*ServerError) error) { c.fault = fault }

// Fail makes the command one that cannot be sent: its Ref answers err, and the
// innermost Run is poisoned. The first failure counts.
func (c *Command) Fail(err error) {
	if c.err == nil {
		c.err = err
	}
}

// Err is why the command cannot be sent; nil if it can.
func (c *Command) Err() error { return c.err }

// Name is the command's first word, or the name of its script.
func (c *Command) Name() string { return c.name() }

// Key adds a word that is a key: it decides the slot.
func (c *Command) Key(key string) {
	c.keys = append(c.keys, len(c.ends))
	c.Word(key)
}

// Word adds a word.
func (c *Command) Word(s string) {
	c.buf = append(c.buf, s...)
	c.ends = append(c.ends, len(c.buf))
}

// Fixed adds a word that never changes, such as the name of a field. It is not
// copied.
func (c *Command) Fixed(word *string) {
	c.ends = append(c.ends, ^len(c.fixed))
	c.fixed = append(c.fixed, word)
	c.size += len(*word)
}

// Int adds an integer in decimal.
func (c *Command) Int(n int64) {
	c.buf = strconv.AppendInt(c.buf, n, 10)
	c.ends = append(c.ends, len(c.buf))
}

// Float adds a float in its shortest exact form; infinities as Redis reads
// them, +inf and -inf.
func (c *Command) Float(f float64) {
	switch {
	case f > maxFloat:
		c.Word("+inf")
	case f < -maxFloat:
		c.Word("-inf")
	default:
		c.buf = strconv.AppendFloat(c.buf, f, 'g', -1, 64)
		c.ends = append(c.ends, len(c.buf))
	}
}

const maxFloat = 0x1p1023 * (1 + (1 - 0x1p-52))

// Tail is where the next word is appended, for codecs; pass what they return
// to Append or AppendKey:
//
//	c.Append(codec.Append(c.Tail(), value))
func (c *Command) Tail() []byte { return c.buf }

// Append adds the word that was appended to Tail; an error makes the command
// fail.
func (c *Command) Append(tail []byte, err error) {
	if err != nil {
		c.Fail(err)
		return
	}
	c.buf = tail
	c.ends = append(c.ends, len(tail))
}

// AppendKey is Append for a word that is a key.
func (c *Command) AppendKey(tail []byte, err error) {
	if err == nil {
		c.keys = append(c.keys, len(c.ends))
	}
	c.Append(tail, err)
}

func (c *Command) word(i int) []byte {
	end := c.ends[i]
	if end < 0 {
		return []byte(*c.fixed[^end])
	}
	from := 0
	for i--; i >= 0; i-- {
		if from = c.ends[i]; from >= 0 {
			break
		}
	}
	return c.buf[max(from, 0):end]
}

// name is the command's name for messages, key its first key.
func (c *Command) name() string {
	if c.script != nil {
		return c.script.name
	}
	if len(c.ends) == 0 {
		return ""
	}
	return string(c.word(0))
}

func (c *Command) key() string {
	if len(c.keys) == 0 {
		return ""
	}
	return string(c.word(c.keys[0]))
}

// slot returns the slot that all keys share, or -1 without keys.
func (c *Command) slot() (int, error) {
	slot := -1
	for n, k := range c.keys {
		word := c.word(k)
		s := Slot(unsafe.String(unsafe.SliceData(word), len(word))) // read only, and before buf changes
		if n > 0 && s != slot {
			return 0, &CrossSlotError{Command: c.name(), Key1: c.key(), Slot1: slot, Key2: string(word), Slot2: s}
		}
		slot = s
	}
	return slot, nil
}

// arena keeps the words of many commands in few allocations, which are used
// again when all of them are settled. Strings point into its chunks; a full
// chunk is left to what points into it.
type arena struct {
	bytes   []byte
	strings []string
	args    []any

	waves int  // under way that use it
	lost  bool // a goroutine may read its words for ever
}

var arenas = sync.Pool{New: func() any { return new(arena) }}

func (a *arena) free() {
	if a.waves > 0 || a.lost {
		return
	}
	if cap(a.bytes) > 256<<10 { // one large value must not stay for ever
		a.bytes = nil
	}
	clear(a.strings)
	clear(a.args)
	*a = arena{bytes: a.bytes[:0], strings: a.strings[:0], args: a.args[:0]}
	arenas.Put(a)
}

// add copies the words of c and returns them as pointers to strings: go-redis
// writes those without another allocation.
func (a *arena) add(c *Command) []any {
	a.bytes = room(a.bytes, len(c.buf), 256<<10)
	a.strings = room(a.strings, len(c.ends)-len(c.fixed), 8<<10)
	a.args = room(a.args, len(c.ends), 8<<10)

	base, first := len(a.bytes), len(a.args)
	a.bytes = append(a.bytes, c.buf...)
	from := 0
	for _, end := range c.ends {
		if end < 0 {
			a.args = append(a.args, c.fixed[^end])
			continue
		}
		word := a.bytes[base+from : base+end]
		a.strings = append(a.strings, unsafe.String(unsafe.SliceData(word), len(word)))
		a.args = append(a.args, &a.strings[len(a.strings)-1])
		from = end
	}
	return a.args[first:len(a.args):len(a.args)]
}

// room returns a slice with space for n more: s itself, or a new and larger
// chunk, of most elements if those are enough. The old chunk lives on in what
// points into it.
func room[T any](s []T, n, most int) []T {
	if cap(s)-len(s) >= n {
		return s
	}
	size := n
	if cap(s) > 0 { // a second command: there will be more
		size = max(n, min(2*cap(s), most), 64)
	}
	return make([]T, 0, size)
}
