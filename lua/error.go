package lua

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A Finding is one thing that is wrong with a Lua text.
type Finding struct {
	File         string
	Line, Column int    // from 1, in bytes; 0 when the finding is about the file
	Source       string // the line
	Message      string
	Cure         string // what to do about it, if there is more to say
}

// Error shows the finding with its line and a mark below the place.
func (f Finding) Error() string {
	var b strings.Builder
	b.WriteString("lua: ")
	b.WriteString(f.File)
	if f.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", f.Line, f.Column)
	}
	fmt.Fprintf(&b, ": %s", f.Message)
	if f.Cure != "" {
		fmt.Fprintf(&b, "; %s", f.Cure)
	}
	if strings.TrimSpace(f.Source) != "" {
		// Tabs stay tabs, so that the mark is below its place.
		pad := strings.Map(func(r rune) rune {
			if r == '\t' {
				return r
			}
			return ' '
		}, f.Source[:min(max(f.Column-1, 0), len(f.Source))])
		fmt.Fprintf(&b, "\n\t%s\n\t%s^", f.Source, pad)
	}
	return b.String()
}

// Findings is the error of a text with something wrong, in the order of the
// text. errors.As finds the first [Finding].
type Findings []Finding

// Error shows all of them, one below the other.
func (fs Findings) Error() string {
	texts := make([]string, len(fs))
	for i, f := range fs {
		texts[i] = f.Error()
	}
	return strings.Join(texts, "\n")
}

// Unwrap returns the findings as errors.
func (fs Findings) Unwrap() []error {
	errs := make([]error, len(fs))
	for i, f := range fs {
		errs[i] = f
	}
	return errs
}

// didYouMean returns "did you mean x?" for the closest of names, or "". The
// order of names does not matter.
func didYouMean(word string, names []string) string {
	names = slices.Clone(names)
	slices.Sort(names)
	best, most := "", len(word)/3+1
	for _, name := range names {
		if d := distance(strings.ToLower(word), strings.ToLower(name)); d <= most && d < len(name) && name != word {
			best, most = name, d-1
		}
	}
	if best == "" {
		return ""
	}
	return "did you mean " + best + "?"
}

// oneOf tells which of names was meant, or which there are.
func oneOf(word string, names []string) string {
	if len(names) == 0 {
		return "it has none"
	}
	return cmp.Or(didYouMean(word, names), "it has "+strings.Join(names, ", "))
}

// distance is the Levenshtein distance. Source: Wagner and Fischer, "The
// String-to-String Correction Problem", JACM 21(1), 1974.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
