package luatest

import (
	"bytes"
	"net"
	"strings"
)

// A conn is a connection on which scripts are exchanged for their watched forms
// on the way out, and their replies for those of the scripts on the way back.
// It is below the client, so that whatever reaches the server by whatever way, a
// pipeline or MULTI, is seen.
type conn struct {
	net.Conn
	watch *Watch
	out   []byte // of a command that is not complete
	in    []byte // of replies, not exchanged yet
	ready []byte // exchanged, not read yet
}

// Write sends the commands in p, which come in whole ones but for very large
// ones.
func (c *conn) Write(p []byte) (int, error) {
	c.out = append(c.out, p...)
	var send []byte
	for {
		v, rest, ok := parse(c.out)
		if !ok {
			break
		}
		send = append(send, c.watch.outward(v)...)
		c.out = rest
	}
	if len(send) > 0 {
		if _, err := c.Conn.Write(send); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// Read returns bytes of replies, each as soon as all of it is here.
func (c *conn) Read(p []byte) (int, error) {
	chunk := make([]byte, 16<<10)
	for len(c.ready) == 0 {
		if v, rest, ok := parse(c.in); ok {
			c.ready, c.in = c.watch.inward(nil, v), rest
			continue
		}
		n, err := c.Conn.Read(chunk)
		c.in = append(c.in, chunk[:n]...)
		if n == 0 && err != nil {
			return 0, err
		}
	}
	n := copy(p, c.ready)
	c.ready = c.ready[n:]
	return n, nil
}

// outward returns the bytes to send for a command.
func (w *Watch) outward(v value) []byte {
	words := make([][]byte, len(v.items))
	for i, item := range v.items {
		words[i] = item.text
	}
	if len(words) < 2 {
		return v.raw
	}
	switch strings.ToUpper(string(words[0])) {
	case "EVAL", "EVAL_RO":
		if s := w.see(string(words[1])); s != nil {
			words[1] = []byte(s.body)
			return appendWords(nil, append(words, w.stubWords()...))
		}
	case "EVALSHA", "EVALSHA_RO":
		if s := w.seen(string(words[1])); s != nil {
			words[1] = []byte(s.watchedSHA)
			return appendWords(nil, append(words, w.stubWords()...))
		}
	case "SCRIPT":
		switch sub := strings.ToUpper(string(words[1])); {
		case sub == "LOAD" && len(words) == 3:
			if s := w.see(string(words[2])); s != nil {
				words[2] = []byte(s.body)
			}
		case sub == "EXISTS":
			for i, word := range words[2:] {
				if s := w.seen(string(word)); s != nil {
					words[2+i] = []byte(s.watchedSHA)
				}
			}
		}
		return appendWords(nil, words)
	}
	return v.raw
}

// inward appends the bytes to read for a reply.
func (w *Watch) inward(dst []byte, v value) []byte {
	switch {
	case isReport(v):
		return w.report(dst, v)
	case v.kind == '$' && !v.null: // the SHA that SCRIPT LOAD answers
		if s := w.seen(string(v.text)); s != nil {
			return appendBulk(dst, []byte(s.sha))
		}
	case len(v.items) > 0: // of EXEC
		head := bytes.Index(v.raw, []byte("\r\n")) + 2
		dst = append(dst, v.raw[:head]...)
		for _, item := range v.items {
			dst = w.inward(dst, item)
		}
		return dst
	}
	return append(dst, v.raw...)
}
