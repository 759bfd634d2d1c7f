package pipectx

// Keys tells of a command's words which ones are keys, by their indexes, and
// whether the command only reads. Of a word that is not known yet any text will
// do. A command that has no place in a pipeline has no keys here.
func Keys(words ...string) (keys []int, reads bool) {
	c := NewCommand(words...)
	defer c.free()
	if len(words) == 0 {
		return nil, false
	}
	c.findKeys()
	return append([]int(nil), c.keys...), c.read
}

// Arg adds a word of any type that has one plain text: a string, []byte, integer,
// float or bool.
func (c *Command) Arg(arg any) { c.any(arg) }

// Any is the reply by its own kind: a string, int64, float64, bool, or []any of
// these, nil and errors.
func (r Reply) Any() (any, error) { return r.natural(0) }
