package arch_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Links of documents lead to files that are there, and to headings in them.
func TestLinksLeadSomewhere(t *testing.T) {
	for _, page := range documents(t, root) {
		holds(t, deadLinks(t, page))
	}
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.+)$`)
	notSlug = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

func deadLinks(t *testing.T, page string) (findings []string) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range link.FindAllStringSubmatch(fenced.ReplaceAllString(string(text), ""), -1) {
		if strings.Contains(m[1], "://") {
			continue
		}
		file, anchor, _ := strings.Cut(m[1], "#")
		to := page
		if file != "" {
			to = filepath.Join(filepath.Dir(page), filepath.FromSlash(file))
		}
		if !exists(to) {
			findings = append(findings, fmt.Sprintf("%s: the link %s leads to no file", filepath.Base(page), m[1]))
		} else if anchor != "" && !hasHeading(t, to, anchor) {
			findings = append(findings, fmt.Sprintf("%s: the link %s leads to no heading", filepath.Base(page), m[1]))
		}
	}
	return findings
}

// hasHeading tells whether a document has a heading that is linked to by anchor.
func hasHeading(t *testing.T, page, anchor string) bool {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range heading.FindAllStringSubmatch(fenced.ReplaceAllString(string(text), ""), -1) {
		slug := notSlug.ReplaceAllString(strings.ToLower(m[1]), "")
		if strings.ReplaceAll(slug, " ", "-") == anchor {
			return true
		}
	}
	return false
}

// The test of this file finds what it is for.
func TestLinksFindings(t *testing.T) {
	dir := plantAt(t, map[string]string{
		"docs/a.md": "# Title\n\n## On `x/y`, and _z\n\n[1](b.md) [2](#on-xy-and-_z) [3](b.md#two) [4](https://example.org/c.md)\n" +
			"[5](c.md) [6](#three) [7](b.md#one)\n```sh\n# One\nls [8](d.md)\n```\n",
		"docs/b.md": "## Two\n```sh\n# One\n```\n",
	})
	finds(t, deadLinks(t, filepath.Join(dir, "docs", "a.md")),
		"a.md: the link c.md leads to no file",
		"a.md: the link #three leads to no heading",
		"a.md: the link b.md#one leads to no heading")
}
