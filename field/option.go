package field

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// optionWords are all tag words, with what they are for.
var optionWords = map[string]string{
	"ascii":      "strings without marshaling methods",
	"commas":     "[]string",
	"emptyfalse": "bool",
	"gzip":       longTexts,
	"json":       "types that encoding/json reads and writes",
	"list":       "[]string",
	"nan":        "float32 and float64",
	"oneof":      "strings and integers without marshaling methods",
	"unix":       "time.Time",
	"unixms":     "time.Time",
	"unixus":     "time.Time",
	"uuid":       "[16]byte",
	"zstd":       longTexts,
}

const longTexts = "texts that may be long: strings, bytes, lists, JSON, and what types write themselves"

// A choice is what the options of a type ask for: at most one form, and at most
// one compression of it.
type choice struct{ form, compression string }

func choose(t reflect.Type, words []string) (c choice, err error) {
	for _, word := range words {
		name, _, valued := strings.Cut(word, "=")
		if optionWords[name] == "" || valued && name != "oneof" {
			return c, unknown(word, t)
		}
		place := &c.form
		if compressions[name] != nil {
			place = &c.compression
		}
		if *place != "" {
			return c, fmt.Errorf("field: options %s of %s exclude each other; keep one", strings.Join(words, ","), t)
		}
		*place = word
	}
	return c, nil
}

func unknown(word string, t reflect.Type) error {
	known := make([]string, 0, len(optionWords))
	for name := range optionWords {
		if name == "oneof" {
			name = "oneof=a b c"
		}
		known = append(known, name)
	}
	slices.Sort(known)
	return fmt.Errorf("field: unknown option %q of %s; there are %s", word, t, strings.Join(known, ", "))
}

func misfit(option string, t reflect.Type) error {
	name, _, _ := strings.Cut(option, "=")
	return fmt.Errorf("field: option %q does not fit %s; it is for %s", option, t, optionWords[name])
}
