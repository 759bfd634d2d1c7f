package arch_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The table of what redmoon carries over names, for each row, tests that
// exist, or says why there are none: what no test holds is not carried over.
func TestSeedsNameTests(t *testing.T) {
	holds(t, seeds(root))
}

var (
	// mention is what a row says in backquotes about a test file.
	mention = regexp.MustCompile("`([^`]*_test\\.go[^`]*)`")
	// reference is what it should say: path/to_test.go:TestName/subtest.
	reference = regexp.MustCompile(`^([\w./-]+_test\.go):((?:Test|Fuzz|Example|Benchmark)\w*)(?:/.+)?$`)
)

func seeds(root string) (findings []string) {
	const page = "docs/seeds.md"
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(page)))
	if err != nil {
		return []string{fmt.Sprintf("%s: %v", page, err)}
	}
	named := 0
	rows := strings.Split(string(text), "\n")
	for i, row := range rows {
		if !strings.HasPrefix(row, "|") || strings.HasPrefix(row, "|---") || i+1 < len(rows) && strings.HasPrefix(rows[i+1], "|---") {
			continue
		}
		at := fmt.Sprintf("%s:%d", page, i+1)
		mentions := mention.FindAllStringSubmatch(row, -1)
		if mentions == nil && !strings.Contains(row, "not yet (") && !strings.Contains(row, "not carried over") {
			findings = append(findings, at+": the row names no test, and does not say why")
		}
		for _, m := range mentions {
			if missing := missingTest(root, m[1]); missing != "" {
				findings = append(findings, at+": "+missing)
				continue
			}
			named++
		}
	}
	if named == 0 {
		findings = append(findings, page+": no row names a test")
	}
	return findings
}

// missingTest says what is wrong with the name of a test, or nothing.
func missingTest(root, name string) string {
	ref := reference.FindStringSubmatch(name)
	if ref == nil {
		return fmt.Sprintf("`%s` is not of the form path/to_test.go:TestName", name)
	}
	source, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(ref[1])))
	switch {
	case err != nil:
		return fmt.Sprintf("`%s`: there is no file %s", name, ref[1])
	case !strings.Contains(string(source), "\nfunc "+ref[2]+"("):
		return fmt.Sprintf("`%s`: there is no func %s in that file", name, ref[2])
	}
	return ""
}

// The test of this file finds what it is for.
func TestSeedsFindings(t *testing.T) {
	test := "package x\n\nfunc TestRun(t *testing.T) {}\n\nfunc FuzzRun(f *testing.F) {}\n"
	dir := plantAt(t, map[string]string{
		"pipectx/run_test.go": test,
		"docs/seeds.md": "# Seeds: `old_test.go`\n\n" +
			"| feature | test |\n|---|---|\n" +
			"| nesting | `pipectx/run_test.go:TestRun/nested in a child` and `pipectx/run_test.go:FuzzRun` |\n" +
			"| gone | `pipectx/run_test.go:TestRunner` |\n" +
			"| a beginning | `pipectx/run_test.go:TestRu` |\n" +
			"| elsewhere | `pipectx/ref_test.go:TestRef` |\n" +
			"| vague | `pipectx/run_test.go` |\n" +
			"| no test | `Run` |\n" +
			"| later | not yet (lock) |\n" +
			"| never | not carried over |\n",
	})
	finds(t, seeds(dir),
		"docs/seeds.md:6: `pipectx/run_test.go:TestRunner`: there is no func TestRunner",
		"docs/seeds.md:7: `pipectx/run_test.go:TestRu`: there is no func TestRu ",
		"docs/seeds.md:8: `pipectx/ref_test.go:TestRef`: there is no file",
		"docs/seeds.md:9: `pipectx/run_test.go` is not of the form",
		"docs/seeds.md:10: the row names no test, and does not say why",
	)
	finds(t, seeds(plantAt(t, map[string]string{"docs/seeds.md": "| feature |\n|---|\n"})), "docs/seeds.md: no row names a test")
	finds(t, seeds(t.TempDir()), "docs/seeds.md: ")
}
