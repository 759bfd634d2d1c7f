package golden

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write golden files instead of comparing with them")

// Equal compares got with the content of a file, and shows what differs line
// by line. With -update it writes the file:
//
//	golden.Equal(t, "testdata/encodings.txt", got)
//
//	go test ./field -update    # or make golden, for all packages
func Equal(t testing.TB, path, got string) {
	t.Helper()
	if *update {
		write(t, path, got)
		return
	}
	want, err := os.ReadFile(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		t.Errorf("golden: %s is missing: run the test with -update", path)
	case err != nil:
		t.Errorf("golden: %v", err)
	case string(want) != got:
		t.Errorf("golden: %s differs (- file, + got); if that is right, run the test with -update\n%s",
			path, diff(string(want), got))
	}
}

func write(t testing.TB, path, got string) {
	t.Helper()
	if old, err := os.ReadFile(path); err == nil && string(old) == got {
		return // unchanged files keep their times, and tests their cached results
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatalf("golden: %v", err)
	}
	if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
		t.Fatalf("golden: %v", err)
	}
	t.Logf("golden: %s written", path)
}

// context is how many equal lines are shown around a difference.
const context = 2

// diff returns the lines that differ, each with its number in the file, and a
// few equal ones around them.
func diff(want, got string) string {
	a, b := lines(want), lines(got)
	edits := compare(a, b)
	var out strings.Builder
	last := -1 // the last edit shown
	for i, e := range edits {
		if !near(edits, i) {
			continue
		}
		if i != last+1 {
			out.WriteString("   …\n")
		}
		last = i
		fmt.Fprintf(&out, "%5d %c %s\n", e.line, e.sign, e.text)
	}
	if last != len(edits)-1 {
		out.WriteString("   …\n")
	}
	return out.String()
}

// near reports whether an edit is within a few lines of a difference.
func near(edits []edit, i int) bool {
	for j := max(0, i-context); j <= min(len(edits)-1, i+context); j++ {
		if edits[j].sign != ' ' {
			return true
		}
	}
	return false
}

// lines splits text and keeps what a reader would not see: a last line without
// its end.
func lines(text string) []string {
	if text == "" {
		return nil
	}
	whole, ended := strings.CutSuffix(text, "\n")
	list := strings.Split(whole, "\n")
	if !ended {
		list[len(list)-1] += "⏎ missing"
	}
	return list
}

// An edit is one line on the way from a to b: kept (' '), dropped or added.
type edit struct {
	sign rune
	line int // in a, of the line itself or of the one before
	text string
}

// compare finds a shortest list of edits, by the table of longest common
// subsequences. What a and b begin and end with in common stays out of the
// table: its size is the square of what remains.
func compare(a, b []string) []edit {
	head := 0
	for head < min(len(a), len(b)) && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < min(len(a), len(b))-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	x, y := a[head:len(a)-tail], b[head:len(b)-tail]

	// common[i][j] is the length of the longest common subsequence of x[i:]
	// and y[j:].
	common := make([][]int, len(x)+1)
	common[len(x)] = make([]int, len(y)+1)
	for i := len(x) - 1; i >= 0; i-- {
		common[i] = make([]int, len(y)+1)
		for j := len(y) - 1; j >= 0; j-- {
			if x[i] == y[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}

	var edits []edit
	line := 0
	keep := func(text string) { line++; edits = append(edits, edit{' ', line, text}) }
	drop := func(text string) { line++; edits = append(edits, edit{'-', line, text}) }
	add := func(text string) { edits = append(edits, edit{'+', line, text}) }

	for _, text := range a[:head] {
		keep(text)
	}
	i, j := 0, 0
	for i < len(x) || j < len(y) {
		switch {
		case i < len(x) && j < len(y) && x[i] == y[j]:
			keep(x[i])
			i, j = i+1, j+1
		case j == len(y) || i < len(x) && common[i+1][j] >= common[i][j+1]:
			drop(x[i])
			i++
		default:
			add(y[j])
			j++
		}
	}
	for _, text := range a[len(a)-tail:] {
		keep(text)
	}
	return edits
}
