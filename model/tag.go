package model

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
)

// A tag is what a struct field's `redis` tag says: the form of go-redis,
// `redis:"name,option,option"`.
type tag struct {
	name    string
	key     bool
	version bool
	lives   bool          // its values may have a time to live of their own
	life    time.Duration // which a write begins anew; 0 for one that is kept
	codec   []string      // options that choose the text form
}

// codecOptions are handed on to package field.
var codecOptions = []string{"ascii", "commas", "emptyfalse", "gzip", "json", "list", "nan", "unix", "unixms", "unixus", "uuid", "zstd"}

// tagOptions are all.
var tagOptions = append([]string{"key", "version", "ttl"}, codecOptions...)

// parseTag reads a field's tag; ok is false for fields that are not stored.
func parseTag(f reflect.StructField) (t tag, ok bool, err error) {
	text, ok := f.Tag.Lookup("redis")
	if !ok {
		return t, false, nil
	}
	words := strings.Split(text, ",")
	t.name = words[0]
	switch {
	case text == "-":
		return t, false, nil
	case t.name == "" || t.name == "-":
		return t, false, fmt.Errorf("the tag `redis:%q` has no name; write `redis:\"%s\"`, or `redis:\"-\"` for a field that is not stored", text, strings.ToLower(f.Name))
	case !f.IsExported():
		return t, false, fmt.Errorf("the field is tagged `redis:%q` but not exported; begin its name with a capital, or drop the tag", text)
	}
	for _, option := range words[1:] {
		switch {
		case option == "key":
			t.key = true
		case option == "version":
			t.version = true
		case option == "ttl":
			t.lives = true
		case strings.HasPrefix(option, "ttl="):
			t.lives = true
			if t.life, err = time.ParseDuration(option[len("ttl="):]); err != nil || t.life < time.Millisecond {
				return t, false, fmt.Errorf("the tag `redis:%q`: %s is not a time to live; write `ttl=30m`, at least a millisecond, or `ttl` for one that ExpireField sets", text, option)
			}
		case option == "omitempty":
			return t, false, fmt.Errorf("the tag `redis:%q` has the option omitempty, and zero is a value here; make the field a pointer or field.Optional, which may be absent, and drop the option", text)
		case slices.Contains(codecOptions, option):
			t.codec = append(t.codec, option)
		default:
			return t, false, fmt.Errorf("the tag `redis:%q` has an unknown option %q; %s", text, option, suggest(option, tagOptions, "the options are "))
		}
	}
	return t, true, nil
}

// misspelt finds tags that were meant to be redis or validate tags and are
// not: reflect says nothing of them, and the field would just not be stored.
func misspelt(tag reflect.StructTag) error {
	for rest := strings.TrimLeft(string(tag), " "); rest != ""; rest = strings.TrimLeft(rest, " ") {
		name, after, ok := strings.Cut(rest, ":")
		if !ok || !strings.HasPrefix(after, `"`) || name == "" || strings.ContainsAny(name, " \"") {
			return fmt.Errorf("the tag `%s` is malformed; tags are `key:\"value\"`, without a space behind the colon, and a space between two", tag)
		}
		for _, ours := range []string{"redis", "validate"} {
			if name != ours && distance(strings.ToLower(name), ours) < 2 {
				return fmt.Errorf("the tag `%s` has the key %q; did you mean %s?", tag, name, ours)
			}
		}
		end := 1
		for end < len(after) && after[end] != '"' {
			if after[end] == '\\' {
				end++
			}
			end++
		}
		if end >= len(after) {
			return fmt.Errorf("the tag `%s` is malformed; the value of %s has no closing quote", tag, name)
		}
		rest = after[end+1:]
	}
	return nil
}

// suggest names the closest of words, or all of them.
func suggest(word string, words []string, all string) string {
	best, least := "", min(3, len(word)/2+1)
	for _, w := range words {
		if d := distance(strings.ToLower(word), strings.ToLower(w)); d < least {
			best, least = w, d
		}
	}
	if best != "" {
		return "did you mean " + best + "?"
	}
	return all + strings.Join(words, ", ")
}

// distance is how many letters must be dropped, added, changed, or swapped with
// their neighbour to make b of a. Source: the optimal string alignment distance;
// Damerau, "A technique for computer detection and correction of spelling
// errors", CACM 7(3), 1964.
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d := min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, rows[i-2][j-2]+1)
			}
			rows[i][j] = d
		}
	}
	return rows[len(a)][len(b)]
}
