package faults_test

import (
	"errors"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"strconv"
	"strings"
)

// key and boxKey are the full keys; the names are those of keyspaces.
func key(name, tag string) string          { return name + "{" + tag + "}" }
func boxKey(tag string, worker int) string { return key("box", tag) + ":" + strconv.Itoa(worker) }
func opID(k kind, tag string, worker, seq int) string {
	return fmt.Sprintf("%s/%s/w%d.%d", k, tag, worker, seq)
}

// belongs tells whether an id names an operation of that kind and tag.
func belongs(id string, k kind, tag string) bool {
	return strings.HasPrefix(id, string(k)+"/"+tag+"/w")
}

// seal makes a value that names its key and the operation that writes it, and
// tells if a byte of it changes.
func seal(key, id string, size int, rng *rand.Rand) string {
	var b strings.Builder
	b.WriteString(key + "|" + id + "|")
	for range size {
		b.WriteByte(byte('a' + rng.IntN(26)))
	}
	return fmt.Sprintf("%s|%08x", b.String(), crc32.ChecksumIEEE([]byte(b.String())))
}

// unseal checks a value that was read from key and returns who wrote it.
func unseal(key, value string) (id string, err error) {
	body, sum, ok := cutLast(value, "|")
	if !ok || sum != fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(body))) {
		return "", errors.New("the value is damaged")
	}
	parts := strings.SplitN(body, "|", 3)
	if len(parts) != 3 || parts[0] != key {
		return "", fmt.Errorf("the value is one of %s", parts[0])
	}
	return parts[1], nil
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}
