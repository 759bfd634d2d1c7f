package model

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
)

// A tag is what a struct field's `redis` tag says: the form of go-redis,
// `redis:"name,option,option"`.
type tag struct {
	name      string
	key       bool
	version   bool
	inline    bool
	extra     bool
	omitempty bool
	lives     bool          // its values may have a time to live of their own
	life      time.Duration // which a write begins anew; 0 for one that is kept
	was       []string
	preset    string   // behind default=
	codec     []string // options that choose the text form
}

// codecOptions are handed on to package field.
var codecOptions = []string{
	"ascii", "commas", "emptyfalse", "gzip", "json", "list", "nan", "oneof=a b c", "unix", "unixms", "unixus", "uuid", "zstd",
}

// tagOptions are all, as they are written.
var tagOptions = append([]string{"key", "version", "ttl", "ttl=30m", "inline", "extra", "omitempty", "was=name", "default=text"}, codecOptions...)

// parseTag reads a field's tag; ok is false for fields that are not stored.
func parseTag(f reflect.StructField) (t tag, ok bool, err error) {
	text, ok := f.Tag.Lookup("redis")
	if !ok || text == "-" {
		return t, false, nil
	}
	head, preset, given := strings.Cut(text, ",default=") // the last option: its text may have commas
	words := strings.Split(head, ",")
	t.name = words[0]
	for _, option := range words[1:] {
		if err := t.add(option); err != nil {
			return t, false, fmt.Errorf("the tag `redis:%q` %w", text, err)
		}
	}
	if t.preset = preset; given && preset == "" {
		return t, false, fmt.Errorf("the tag `redis:%q` has a default without a text; write default=text, or drop it: a field's zero needs none", text)
	}
	switch {
	case t.extra && t.name != "":
		return t, false, fmt.Errorf("the tag `redis:%q` names the field that holds what has other names; write `redis:\",extra\"`", text)
	case !t.extra && (t.name == "" || t.name == "-"):
		return t, false, fmt.Errorf("the tag `redis:%q` has no name; write `redis:\"%s\"`, or `redis:\"-\"` for a field that is not stored", text, strings.ToLower(f.Name))
	case !f.IsExported():
		return t, false, fmt.Errorf("the field is tagged `redis:%q` but not exported; begin its name with a capital, or drop the tag", text)
	}
	return t, true, nil
}

// add reads one option.
func (t *tag) add(option string) error {
	word, value, valued := strings.Cut(option, "=")
	bare := slices.Contains(tagOptions, word)
	withValue := slices.IndexFunc(tagOptions, func(o string) bool { return strings.HasPrefix(o, word+"=") })
	switch {
	case !bare && withValue < 0:
		return fmt.Errorf("has an unknown option %q; %s", option, suggestOption(word))
	case !valued && !bare:
		return fmt.Errorf("has the option %s without a value; write %s", word, tagOptions[withValue])
	case valued && withValue < 0:
		return fmt.Errorf("has the option %s with a value; write %s alone", word, word)
	}
	switch word {
	case "key":
		t.key = true
	case "version":
		t.version = true
	case "inline":
		t.inline = true
	case "extra":
		t.extra = true
	case "omitempty":
		t.omitempty = true
	case "ttl":
		t.lives = true
		if valued {
			return t.addLife(value)
		}
	case "was":
		if value == "" {
			return errors.New("has the option was= without a name; write was=name, the name that the field had")
		}
		t.was = append(t.was, value)
	default:
		t.codec = append(t.codec, option)
	}
	return nil
}

// addLife reads a time to live.
func (t *tag) addLife(text string) (err error) {
	if t.life, err = time.ParseDuration(text); err != nil || t.life < time.Millisecond {
		return fmt.Errorf("has the option ttl=%s, which is not a time to live; write `ttl=30m`, at least a millisecond, or `ttl` for one that ExpireField sets", text)
	}
	return nil
}

// only refuses options beside one that goes with no other.
func (t *tag) only(option string) error {
	others := slices.Clone(t.codec)
	if t.omitempty {
		others = append(others, "omitempty")
	}
	if t.lives {
		others = append(others, "ttl")
	}
	if t.was != nil {
		others = append(others, "was")
	}
	if t.preset != "" {
		others = append(others, "default")
	}
	for given, is := range map[string]bool{"key": t.key, "version": t.version, "inline": t.inline, "extra": t.extra} {
		if is && given != option {
			others = append(others, given)
		}
	}
	if others == nil {
		return nil
	}
	slices.Sort(others)
	return fmt.Errorf("the option %s goes with no other, and there is %s; drop it", option, strings.Join(others, ", "))
}

// suggestOption names the closest option, as it is written, or all of them.
func suggestOption(word string) string {
	names := make([]string, len(tagOptions))
	for i, o := range tagOptions {
		names[i], _, _ = strings.Cut(o, "=")
	}
	if i := closest(word, names); i >= 0 {
		return "did you mean " + tagOptions[i] + "?"
	}
	return "the options are " + strings.Join(tagOptions, ", ")
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
	if i := closest(word, words); i >= 0 {
		return "did you mean " + words[i] + "?"
	}
	return all + strings.Join(words, ", ")
}

// closest is the index of the word that is most like another, -1 if none is.
func closest(word string, words []string) int {
	best, least := -1, min(3, len(word)/2+1)
	for i, w := range words {
		if d := distance(strings.ToLower(word), strings.ToLower(w)); d < least {
			best, least = i, d
		}
	}
	return best
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
