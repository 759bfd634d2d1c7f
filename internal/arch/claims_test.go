package arch_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What the README claims, a test holds: each item of these sections, or the section
// where it is no list, names at least one beside it.
//
//	<!-- test: pipectx/run_test.go:TestRunNests -->
func TestClaimsNameTests(t *testing.T) {
	holds(t, claims(root, "What holds", "Limits", "What it costs", "On Sentinel and Cluster"))
}

var claim = regexp.MustCompile(`<!-- test: (.*?) -->`)

func claims(root string, sections ...string) (findings []string) {
	const page = "README.md"
	text, err := os.ReadFile(filepath.Join(root, page))
	if err != nil {
		return []string{fmt.Sprintf("%s: %v", page, err)}
	}
	for _, section := range sections {
		_, held, found := strings.Cut(string(text), "\n## "+section+"\n")
		if !found {
			findings = append(findings, fmt.Sprintf("%s: no section %q", page, section))
			continue
		}
		held, _, _ = strings.Cut(held, "\n## ")
		items := strings.Split(held, "\n- ")[1:]
		if len(items) == 0 {
			items = []string{section + "\n" + held}
		}
		for _, item := range items {
			at, _, _ := strings.Cut(item, "\n")
			at = page + ": " + at
			tests := claim.FindAllStringSubmatch(item, -1)
			if tests == nil {
				findings = append(findings, at+": no test is named beside it")
			}
			for _, test := range tests {
				if missing := missingTest(root, test[1]); missing != "" {
					findings = append(findings, at+": "+missing)
				}
			}
		}
	}
	return findings
}

// The test of this file finds what it is for.
func TestClaimsFindings(t *testing.T) {
	dir := plantAt(t, map[string]string{
		"pipectx/run_test.go": "package x\n\nfunc TestRun(t *testing.T) {}\n",
		"README.md": "# redmoon\n\n## What holds\n\n" +
			"- One\n  thing. <!-- test: pipectx/run_test.go:TestRun --> <!-- test: pipectx/run_test.go:TestGone -->\n" +
			"- Another. <!-- test: pipectx/run_test.go -->\n" +
			"- A third.\n\n## Costs\n\n| verb | 1 |\n\n## Limits\n\nNone. <!-- test: pipectx/run_test.go:TestRun -->\n\n## License\n\n- None that a test could hold.\n",
	})
	finds(t, claims(dir, "What holds", "Costs", "Limits"),
		"README.md: One: `pipectx/run_test.go:TestGone`: there is no func TestGone",
		"README.md: Another. <!-- test: pipectx/run_test.go -->: `pipectx/run_test.go` is not of the form",
		"README.md: A third.: no test",
		"README.md: Costs: no test",
	)
	finds(t, claims(plantAt(t, map[string]string{"README.md": "# redmoon\n"}), "What holds"), "README.md: no section")
	finds(t, claims(t.TempDir(), "What holds"), "README.md: ")
}
