package luatest

import (
	"fmt"
	"strings"
)

// Command is one call of redis.call or redis.pcall.
type Command struct {
	Script string   // whose it was: stock.take
	Words  []string // its name and arguments, as the server gets them
	Reply  any      // nil, string, int64, Status or []any
	Err    string   // the error it was answered by, "" if by none
}

// Status is a reply such as OK.
type Status string

// String is the command with its reply, as in `GET item{7} → "5"`.
func (c Command) String() string {
	words := make([]string, len(c.Words))
	for i, w := range c.Words {
		words[i] = word(w)
	}
	reply := show(c.Reply)
	if c.Err != "" {
		reply = "error " + c.Err
	}
	return strings.Join(words, " ") + " → " + reply
}

// word is a word without quotes, if that is clear.
func word(w string) string {
	if q := fmt.Sprintf("%q", w); w == "" || strings.Contains(w, " ") || q != `"`+w+`"` {
		return q
	}
	return w
}

func show(v any) string {
	switch v := v.(type) {
	case nil:
		return "nil"
	case string:
		return fmt.Sprintf("%q", v)
	case []any:
		items := make([]string, len(v))
		for i, item := range v {
			items[i] = show(item)
		}
		return "[" + strings.Join(items, " ") + "]"
	}
	return fmt.Sprint(v)
}

// command reads a call that before.lua noted.
func command(script string, v value) Command {
	c := Command{Script: script}
	for _, w := range v.items[0].items {
		c.Words = append(c.Words, string(w.text))
	}
	if reply := v.items[2]; string(v.items[1].text) == "e" {
		c.Err = string(reply.text)
	} else {
		c.Reply = reply.goValue()
	}
	return c
}

// goValue is what a reply to redis.call is in Go.
func (v *value) goValue() any {
	switch {
	case v.null || v.kind == '_':
		return nil
	case v.kind == '+':
		return Status(v.text)
	case v.kind == ':':
		return v.number()
	case v.kind == '$':
		return string(v.text)
	}
	items := make([]any, len(v.items))
	for i := range v.items {
		items[i] = v.items[i].goValue()
	}
	return items
}
