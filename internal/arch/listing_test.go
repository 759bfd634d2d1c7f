package arch_test

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "copy listings into the documents instead of comparing them")

// listing marks a listing in a document: the next code block is a declaration,
// or the body of an Example with its output, of a Go file, or a whole file of
// another kind.
//
//	<!-- listing: examples/quickstart/atlas.go Atlas.CountryPage -->
var listing = regexp.MustCompile("(?s)<!-- listing: (\\S+)(?: (\\S+))? -->\n+```\\w*\n(.*?)```")

// Ensure that what documents show is code that is compiled and run.
func TestListingsAreTheCode(t *testing.T) {
	shown := 0
	for _, path := range documents(t, root) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		mended := listing.ReplaceAllStringFunc(string(text), func(block string) string {
			shown++
			part := listing.FindStringSubmatch(block)
			code, err := excerpt(part[1], part[2])
			if err != nil {
				t.Errorf("%s: %v", filepath.Base(path), err)
				return block
			}
			if code != part[3] && !*update {
				t.Errorf("%s: the listing of %s %s is not the code any more; run make docs", filepath.Base(path), part[1], part[2])
			}
			return strings.TrimSuffix(block, part[3]+"```") + code + "```"
		})
		for _, line := range unmarked(mended) {
			t.Errorf("%s:%d: code that no test runs: put <!-- listing: FILE NAME --> in front of it", filepath.Base(path), line)
		}
		if *update && mended != string(text) {
			if err := os.WriteFile(path, []byte(mended), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	if shown == 0 {
		t.Error("no document has a listing: does the marker still match?")
	}
}

// documents are the README and the pages of docs.
func documents(t *testing.T, root string) []string {
	t.Helper()
	pages, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	return append([]string{filepath.Join(root, "README.md")}, pages...)
}

// unmarked returns the lines where a document has Go or Lua that is no listing.
func unmarked(text string) (lines []int) {
	text = listing.ReplaceAllStringFunc(text, func(block string) string {
		return strings.Repeat("\n", strings.Count(block, "\n"))
	})
	for i, line := range strings.Split(text, "\n") {
		if code := strings.TrimSpace(line); code == "```go" || code == "```lua" {
			lines = append(lines, i+1)
		}
	}
	return lines
}

// Code without a marker is found, and what is marked, or no code, is not.
func TestUnmarked(t *testing.T) {
	text := "# Title\n\n<!-- listing: a.go X -->\n```go\nx\n```\n\n```sh\nmake\n```\n\n" +
		"```go\ny\n```\n\n* item\n\n  ```lua\n  z\n  ```\n"
	if got := unmarked(text); !slices.Equal(got, []int{12, 18}) {
		t.Errorf("code without a marker in lines %v, want 12 and 18", got)
	}
}

// excerpt returns the text of a declaration of a file, without its comment.
func excerpt(path, name string) (string, error) {
	src, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		return "", err
	}
	if name == "" {
		return strings.TrimSpace(string(src)) + "\n", nil
	}
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, path, src, parser.ParseComments)
	if err != nil {
		return "", err
	}
	cut := func(from, to token.Pos) string {
		return string(src[set.Position(from).Offset:set.Position(to).Offset])
	}
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if title(d) != name {
				continue
			}
			if strings.HasPrefix(name, "Example") {
				return withoutServer(dedent(cut(d.Body.Lbrace+1, d.Body.Rbrace))), nil
			}
			return cut(d.Pos(), d.End()) + "\n", nil
		case *ast.GenDecl:
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					if s.Name.Name == name {
						return cut(d.Pos(), d.End()) + "\n", nil
					}
				case *ast.ValueSpec:
					if s.Names[0].Name == name {
						return cut(d.Pos(), d.End()) + "\n", nil
					}
				}
			}
		}
	}
	return "", fmt.Errorf("%s declares no %s", path, name)
}

// title is a function's name, with its receiver's type before a dot.
func title(d *ast.FuncDecl) string {
	if d.Recv == nil {
		return d.Name.Name
	}
	t := d.Recv.List[0].Type
	if star, ok := t.(*ast.StarExpr); ok {
		t = star.X
	}
	if id, ok := t.(*ast.Ident); ok {
		return id.Name + "." + d.Name.Name
	}
	return d.Name.Name
}

// withoutServer drops the lines by which an Example gets its server: who reads a
// page has one.
func withoutServer(body string) string {
	for _, server := range []string{"db, end := exampleDB()\n", "client, end := redistest.Example()\n"} {
		body = strings.Replace(body, server+"defer end()\n", "", 1)
	}
	return strings.TrimLeft(body, "\n")
}

func dedent(body string) string {
	lines := strings.Split(strings.Trim(body, "\n"), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimPrefix(line, "\t")
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n\t ") + "\n"
}
