package arch_test

import (
	"flag"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var keysFrom = flag.String("keys", "", "the folder where the suites left the keys that servers were made to write, see redistest")

// docs/keys.md lists the keys that are written: each that the suites had real
// servers write has one of its shapes, and each of its shapes was written.
//
//	make test    # the suites, and this behind them
func TestKeysAreDocumented(t *testing.T) {
	if *keysFrom == "" {
		t.Skip("it needs the keys that all suites wrote: make test has them")
	}
	page, err := os.ReadFile(filepath.Join(root, "docs", "keys.md"))
	if err != nil {
		t.Fatal(err)
	}
	holds(t, undocumentedKeys(load(t, root), string(page), *keysFrom, byHand))
}

// byHand lists what tests write themselves, as other programs would: package →
// pattern of keys → why.
var byHand = map[string]map[string]string{
	"keyspace": {"[wn]_[abc]": "SORT reads weights and names there, by patterns that are the caller's"},
	"model": {
		"many":   "a hash of more fields than a script can pass on",
		"theirs": "what go-redis writes of a struct, to compare",
	},
	"cache": {"loads{*}": "loaders count how often they ran"},
}

// undocumentedKeys compares a page with the keys in a folder.
func undocumentedKeys(tr *tree, page, folder string, byHand map[string]map[string]string) (findings []string) {
	shapes, err := shapesOf(page)
	if err != nil {
		return []string{err.Error()}
	}
	for _, p := range tr.packages {
		sections := p.writes(shapes)
		if !slices.Contains(sections, p.path) && !strings.HasPrefix(p.path, "examples/") {
			continue // who writes the keys that it is given, as pipectx and lua
		}
		keys, err := os.ReadFile(filepath.Join(folder, strings.ReplaceAll(p.path, "/", ".")))
		if err != nil {
			findings = append(findings, fmt.Sprintf("%s: its suite left no keys: go clean -testcache, then make test (%v)", p.path, err))
			continue
		}
		declared, adopted := p.literals()
		var hands []string
		for line := range strings.Lines(string(keys)) {
			typ, text, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
			key, err := strconv.Unquote(text)
			if err != nil {
				findings = append(findings, fmt.Sprintf("%s: %q is no line of keys: %v", p.path, line, err))
				continue
			}
			found := false
			for pattern := range byHand[p.path] {
				if match, err := path.Match(pattern, key); match && err == nil {
					hands, found = append(hands, pattern), true
				}
			}
			for _, s := range shapes {
				if (typ == "" || typ == s.typ) && slices.Contains(sections, s.section) && s.is(key, declared) {
					found = true
				}
			}
			if !found && !slices.ContainsFunc(adopted, func(is func(string) bool) bool { return is(key) }) {
				findings = append(findings, fmt.Sprintf("%s: it writes the %s key %q, which is of no shape in docs/keys.md", p.path, typ, key))
			}
		}
		for pattern := range byHand[p.path] {
			if !slices.Contains(hands, pattern) {
				findings = append(findings, fmt.Sprintf("keys_test.go: %s does not write %q by hand any more: take it out of byHand", p.path, pattern))
			}
		}
	}
	placed := map[string]bool{}
	for _, s := range shapes {
		if len(s.met) == 0 {
			findings = append(findings, fmt.Sprintf("docs/keys.md: no suite wrote %s of package %s as a %s: is it still written?", s.text, s.section, s.typ))
		}
		for _, form := range s.forms {
			if s.text == "P{id}" {
				placed[form.text] = placed[form.text] || s.met[form.text]
			}
		}
	}
	for form, met := range placed {
		if !met {
			findings = append(findings, fmt.Sprintf("docs/keys.md: no suite wrote %s: is it still a placement?", form))
		}
	}
	return findings
}

// The test of this file finds what it is for.
func TestKeysFindings(t *testing.T) {
	const page = "# Keys\n\n| placement | shape | example | slot |\n|---|---|---|---|\n| (none) | `P{id}` | `a{1}` | one |\n" +
		"| composite id | `P{slot}:rest` | `a{x}:1` | one |\n| `OneSlot(\"T\")` | `P{T}:id` | `a{t}:1` | one |\n" +
		"| `Buckets(\"T\", n)` | `P{T.b}:id` | `a{t.7}:1` | one |\n\n" +
		"## keyspace\n\n| shape | type | of |\n|---|---|---|\n| `P{id}` | string | a |\n| `P{id}` | hash | b |\n| `P{id}` | hash | b again |\n| `P{id}` | set | c |\n\n" +
		"## model\n\n| shape | type | of |\n|---|---|---|\n| `P{id}` | hash | a |\n| `P#counter` | string | a |\n\n" +
		"## lock\n\n| shape | type | of |\n|---|---|---|\n| `P{name}`, `P{T}:name` | hash | a |\n| `P{name}:queue` | list | a |\n"
	tr := plant(t, map[string]string{
		"keyspace/keyspace.go":  "package keyspace\n",
		"keyspace/a_test.go":    "package x_test\n\nvar a = New(\"a\", OneSlot(\"t\"))\nvar b = New(\"b\", Template(\"old:%s\"))\n",
		"model/model.go":        "package model\n",
		"model/a_test.go":       "package x_test\n\nimport _ \"" + module + "/keyspace\"\nvar a = Sprintf(\"rec%d\", 7)\n",
		"lock/lock.go":          "package lock\n",
		"lock/a_test.go":        "package x_test\n\nvar a = New(`job`, Options{Slot: \"here\"})\n",
		"lua/a_test.go":         "package x_test\n",
		"examples/bank/bank.go": "package main\n\nimport _ \"" + module + "/lock\"\n",
	})
	folder := plantAt(t, map[string]string{
		"keyspace": "string\t\"a{1}\"\nhash\t\"a{t}:1\"\n\t\"a{x}:2\"\nzset\t\"a{2}\"\nstring\t\"old:7\"\nstring\t\"other{1}\"\nlist\t\"raw\"\n",
		"model":    "hash\t\"rec7{1}\"\nstring\t\"rec#counter\"\nstring\t\"rec#index{1}\"\nlist\t\"rec{1}:queue\"\n",
		"lock":     "hash\t\"job{1}\"\nhash\t\"job{here}:1\"\nset\t\"job{1}\"\nhash\t\"job{there}:1\"\n",
	})
	finds(t, undocumentedKeys(tr, page, folder, map[string]map[string]string{"keyspace": {"ra?": "a reason", "gone": "a reason"}}),
		`keyspace: it writes the zset key "a{2}"`,
		`keyspace: it writes the string key "other{1}"`,
		`model: it writes the string key "rec#index{1}"`,
		`model: it writes the list key "rec{1}:queue"`,
		`lock: it writes the set key "job{1}"`,
		`lock: it writes the hash key "job{there}:1"`,
		"examples/bank: its suite left no keys",
		`keys_test.go: keyspace does not write "gone"`,
		"docs/keys.md: no suite wrote P{name}:queue of package lock as a list",
		"docs/keys.md: no suite wrote P{T.b}:id: is it still a placement?",
	)
	finds(t, undocumentedKeys(tr, "# Keys\n", folder, nil), "docs/keys.md: no section")
}
