package golden_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redmoon-go/redmoon/internal/golden"
)

// TestMain has these tests compare also when all golden files are updated.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("update", "false"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// probe stands for the test that calls Equal, and keeps what it is told.
type probe struct {
	testing.TB
	told string
}

func (p *probe) Helper()                           {}
func (p *probe) Logf(string, ...any)               {}
func (p *probe) Errorf(format string, args ...any) { p.told += fmt.Sprintf(format, args...) }
func (p *probe) Fatalf(format string, args ...any) { p.told += fmt.Sprintf(format, args...) }

// Equal says nothing when nothing differs, and shows what does, line by line,
// with a little of what stands around it.
func TestEqual(t *testing.T) {
	long := "1\n2\n3\n4\n5\n6\n7\n8\n9\n"
	for _, c := range []struct{ name, file, got, diff string }{
		{"same", "a\nb\n", "a\nb\n", ""},
		{"both empty", "", "", ""},
		{"a line changed", "a\nb\nc\n", "a\nB\nc\n", "    1   a\n    2 - b\n    2 + B\n    3   c\n"},
		{"a line added", "a\nc\n", "a\nb\nc\n", "    1   a\n    1 + b\n    2   c\n"},
		{"a line dropped", "a\nb\nc\n", "a\nc\n", "    1   a\n    2 - b\n    3   c\n"},
		{"moved", "a\nb\n", "b\na\n", "    1 - a\n    2   b\n    2 + a\n"},
		{"the end of a line", "a\n", "a", "    1 - a\n    1 + a⏎ missing\n"},
		{"from nothing", "", "a\n", "    0 + a\n"},
		{"to nothing", "a\n", "", "    1 - a\n"},
		{"far from both ends", long, strings.Replace(long, "5", "five", 1),
			"   …\n    3   3\n    4   4\n    5 - 5\n    5 + five\n    6   6\n    7   7\n   …\n"},
		{"at both ends", long, "0\n" + long + "10\n",
			"    0 + 0\n    1   1\n    2   2\n   …\n    8   8\n    9   9\n    9 + 10\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "golden.txt")
			if err := os.WriteFile(path, []byte(c.file), 0o644); err != nil {
				t.Fatal(err)
			}
			p := &probe{TB: t}
			golden.Equal(p, path, c.got)
			head, diff, _ := strings.Cut(p.told, "\n")
			if diff != c.diff {
				t.Errorf("shows\n%swant\n%s", diff, c.diff)
			}
			if c.diff != "" && (!strings.Contains(head, path) || !strings.Contains(head, "-update")) {
				t.Errorf("says %q, want the file and the cure", head)
			}
		})
	}
}

// A file that is missing fails, and the message has the cure.
func TestEqualMissing(t *testing.T) {
	p := &probe{TB: t}
	golden.Equal(p, filepath.Join(t.TempDir(), "golden.txt"), "a\n")
	if !strings.Contains(p.told, "missing") || !strings.Contains(p.told, "-update") {
		t.Errorf("says %q", p.told)
	}
}

// With -update the file is written, its folders too, and left alone when it
// has the same content.
func TestUpdate(t *testing.T) {
	if err := flag.Set("update", "true"); err != nil {
		t.Fatal(err)
	}
	defer flag.Set("update", "false")
	path := filepath.Join(t.TempDir(), "testdata", "wire", "golden.txt")
	p := &probe{TB: t}
	golden.Equal(p, path, "a\n")
	if got, err := os.ReadFile(path); string(got) != "a\n" || err != nil {
		t.Errorf("written %q, %v", got, err)
	}
	long := time.Now().Add(-time.Hour)
	if err := os.Chtimes(path, long, long); err != nil {
		t.Fatal(err)
	}
	golden.Equal(p, path, "a\n")
	if info, err := os.Stat(path); err != nil || time.Since(info.ModTime()) < time.Minute {
		t.Errorf("the same content was written again: %v", err)
	}
	golden.Equal(p, path, "b\n")
	if got, err := os.ReadFile(path); string(got) != "b\n" || err != nil {
		t.Errorf("written %q, %v", got, err)
	}
	if p.told != "" {
		t.Errorf("says %q", p.told)
	}
}
