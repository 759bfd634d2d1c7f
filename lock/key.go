package lock

import (
	"errors"
	"slices"
	"strings"
)

var (
	inBraces = strings.NewReplacer("%", "%25", "{", "%7B", "}", "%7D")
	inSlot   = strings.NewReplacer("%", "%25", "{", "%7B", "}", "%7D", ":", "%3A")
)

// key is the key of a name's state: P{name}, or P{slot}:name.
func key(prefix, slot, name string) (string, error) {
	switch {
	case name == "":
		return "", errors.New("the name of a lock is empty; say what is locked, such as an id")
	case slot == "":
		return prefix + "{" + inBraces.Replace(name) + "}", nil
	}
	return prefix + "{" + slot + "}:" + inSlot.Replace(name), nil
}

// tag is the hash tag of a key of ours.
func tag(key string) string {
	_, rest, _ := strings.Cut(key, "{")
	t, _, _ := strings.Cut(rest, "}")
	return t
}

// keys are those of names, each once, in the one order in which all take them.
func (d *definition) keys(names []string) ([]string, error) {
	if len(names) == 0 {
		return nil, errors.New("no names; say what is locked")
	}
	all := make([]string, len(names))
	for i, name := range names {
		var err error
		if all[i], err = key(d.prefix, d.options.Slot, name); err != nil {
			return nil, err
		}
	}
	if len(all) > 1 {
		slices.Sort(all)
		all = slices.Compact(all)
	}
	return all, nil
}
