package luatest

import (
	"bytes"
	"strconv"
)

// A value is a reply or a request in the protocol: its bytes, and what we have
// to know of them.
type value struct {
	kind  byte    // its first byte: + - : $ * and those of RESP3
	text  []byte  // of a line or a bulk string
	null  bool    // $-1, *-1
	items []value // of an aggregate; of a map keys and values
	raw   []byte
}

// parse reads one value from the front of data. ok is false while some of it is
// missing.
func parse(data []byte) (v value, rest []byte, ok bool) {
	end := bytes.Index(data, []byte("\r\n"))
	if end < 1 {
		return v, nil, false
	}
	v = value{kind: data[0], text: data[1:end]}
	rest = data[end+2:]
	n, err := strconv.Atoi(string(v.text))
	switch v.kind {
	case '$', '=', '!': // a bulk string, a verbatim one, a bulk error
		if err != nil || n < 0 {
			v.null = true
			break
		}
		if len(rest) < n+2 {
			return v, nil, false
		}
		v.text, rest = rest[:n], rest[n+2:]
	case '*', '~', '>', '%', '|': // an array, a set, a push, a map, attributes
		if err != nil || n < 0 {
			v.null = true
			break
		}
		if v.kind == '%' || v.kind == '|' {
			n *= 2
		}
		for range n {
			var item value
			if item, rest, ok = parse(rest); !ok {
				return v, nil, false
			}
			v.items = append(v.items, item)
		}
	}
	v.raw = data[:len(data)-len(rest)]
	return v, rest, true
}

// number is what an integer reply says.
func (v *value) number() int64 {
	n, _ := strconv.ParseInt(string(v.text), 10, 64)
	return n
}

// appendWords appends a command.
func appendWords(dst []byte, words [][]byte) []byte {
	dst = append(strconv.AppendInt(append(dst, '*'), int64(len(words)), 10), "\r\n"...)
	for _, w := range words {
		dst = appendBulk(dst, w)
	}
	return dst
}

func appendBulk(dst, text []byte) []byte {
	dst = append(strconv.AppendInt(append(dst, '$'), int64(len(text)), 10), "\r\n"...)
	return append(append(dst, text...), "\r\n"...)
}
