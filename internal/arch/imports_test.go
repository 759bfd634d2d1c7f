package arch_test

import (
	"fmt"
	"go/ast"
	"slices"
	"strings"
	"testing"
)

// public are the packages that users import, in the order of their dependence.
var public = []string{"field", "pipectx", "lua", "keyspace", "model", "lock", "cache"}

// packages lists what each package may import from this module. A new arrow is a
// commit of its own that edits this table and says why.
var packages = map[string][]string{
	"field":    {},
	"pipectx":  {},
	"lua":      {"field", "pipectx", "internal/lua51"},
	"keyspace": {"field", "pipectx", "lua"},
	"model":    {"field", "pipectx", "lua", "keyspace"},
	"lock":     {"pipectx", "lua"},
	"cache":    {"field", "pipectx", "lua", "keyspace", "lock"},

	"lua/luatest": {"lua", "pipectx"},
	"cmd/redmoon": {"lua", "pipectx"},

	"internal/lua51":     {},
	"internal/redistest": {}, // real servers know nothing of what is tested on them
	"internal/luacover":  {"lua/luatest", "pipectx"},
	"internal/golden":    {},
	"internal/faults":    {}, // tests only
	"internal/arch":      {},
	"internal/forward":   {}, // it reads files
	"internal/demo":      public,

	".":    {}, // nothing but documentation
	"docs": {}, // tests only: what the guides show
}

// mayImport returns what a package may import from this module. Examples, each
// a folder of its own, use what users use.
func mayImport(path string) (list []string, ok bool) {
	if strings.HasPrefix(path, "examples/") {
		return append(slices.Clone(public), "internal/demo"), true
	}
	list, ok = packages[path]
	return list, ok
}

// foreign lists modules of others that not every package may import, with those
// that may.
var foreign = map[string][]string{
	// A server inside the program is for tests, demonstrations and the command
	// line: a program that stores something has a server.
	"github.com/alicebob/miniredis": {"internal/demo", "internal/redistest", "lua/luatest", "cmd/redmoon"},
}

// noRedis are packages that know of no server.
var noRedis = []string{"field", "internal/lua51", "internal/golden", "internal/arch"}

// Imports follow the table: arrows point downward only. Test files may import
// anything.
func TestImports(t *testing.T) {
	tr := load(t, root)
	if len(tr.packages) < 3 {
		t.Fatalf("read %d packages of the module", len(tr.packages))
	}
	holds(t, arrows(tr))
}

func arrows(tr *tree) (findings []string) {
	report := func(at, format string, args ...any) {
		findings = append(findings, at+": "+fmt.Sprintf(format, args...))
	}
	for _, p := range tr.packages {
		allowed, known := mayImport(p.path)
		if !known {
			report(p.path, "not in the table of packages (internal/arch/imports_test.go): add it there and say what it may import")
		}
		for _, f := range p.files {
			if f.test() {
				continue
			}
			f.imports(func(spec *ast.ImportSpec, name string) {
				at := tr.at(f, spec.Pos())
				if pkg, ours := strings.CutPrefix(name, module); ours && (pkg == "" || pkg[0] == '/') {
					pkg = strings.TrimPrefix(pkg, "/")
					if pkg == "" {
						pkg = "."
					}
					if known && !slices.Contains(allowed, pkg) {
						report(at, "%s → %s is no arrow of the table (%s)", p.path, pkg, list(p.path, allowed))
					}
				}
				if strings.HasPrefix(name, "github.com/redis/") && slices.Contains(noRedis, p.path) {
					report(at, "%s → %s: %s knows of no server", p.path, name, p.path)
				}
				for prefix, may := range foreign {
					if strings.HasPrefix(name, prefix) && !slices.Contains(may, p.path) {
						report(at, "%s → %s: only %s may import that", p.path, name, strings.Join(may, ", "))
					}
				}
			})
		}
	}
	return findings
}

func list(path string, allowed []string) string {
	if len(allowed) == 0 {
		return path + " imports nothing of this module"
	}
	return path + " may import " + strings.Join(allowed, ", ")
}

// The table itself points downward: no package can be reached from itself.
func TestImportsHaveNoCircle(t *testing.T) {
	var visit func(pkg string, way []string)
	visit = func(pkg string, way []string) {
		if slices.Contains(way, pkg) {
			t.Fatalf("a circle: %s", strings.Join(append(way, pkg), " → "))
		}
		for _, next := range packages[pkg] {
			if _, known := packages[next]; !known {
				t.Errorf("%s → %s: the table has no pkg %s", pkg, next, next)
			}
			visit(next, append(slices.Clone(way), pkg))
		}
	}
	for pkg := range packages {
		visit(pkg, nil)
	}
}

// Names that promise nothing gather everything.
func TestNoRoomWithoutAnIdea(t *testing.T) {
	holds(t, vague(load(t, root)))
}

func vague(tr *tree) (findings []string) {
	names := []string{"util", "utils", "common", "types", "helper", "helpers"}
	for _, p := range tr.packages {
		for part := range strings.SplitSeq(p.path, "/") {
			if slices.Contains(names, part) {
				findings = append(findings, fmt.Sprintf("%s: what packages share has a name and a pkg, or is three lines twice", p.path))
			}
		}
	}
	return findings
}

// The tests of this file find what they are for.
func TestImportsFindings(t *testing.T) {
	imports := func(name string, paths ...string) string {
		var b strings.Builder
		fmt.Fprintf(&b, "package %s\n", name)
		for _, p := range paths {
			fmt.Fprintf(&b, "import _ %q\n", p)
		}
		return b.String()
	}
	tr := plant(t, map[string]string{
		"model/model.go":          imports("model", "fmt", module+"/field", module+"/keyspace"),
		"model/hook.go":           imports("model", module+"/cache"),
		"model/hook_test.go":      imports("model_test", module+"/cache", module+"/internal/redistest"),
		"field/codec.go":          imports("field", "github.com/redis/go-redis/v9"),
		"lock/lock.go":            imports("lock", module+"/internal/lua51", module, module+"er/elsewhere"),
		"pipectx/open.go":         imports("pipectx", "github.com/alicebob/miniredis/v2"),
		"lua/helpers/x.go":        imports("helpers"),
		"lua/testdata/x.go":       imports("x", module+"/cache"),
		"examples/bank/main.go":   imports("main", module+"/cache", module+"/internal/demo", module+"/internal/lua51"),
		"internal/demo/demo.go":   imports("demo", module+"/pipectx", "github.com/alicebob/miniredis/v2"),
		"internal/bench/go.mod":   "module bench\n",
		"internal/bench/bench.go": imports("bench", module+"/internal/lua51"),
		".hidden/x.go":            imports("x", module+"/cache"),
		"_old/x.go":               imports("x", module+"/cache"),
	})
	finds(t, arrows(tr),
		"model/hook.go:2: model → cache is no arrow of the table (model may import field, pipectx, lua, keyspace)",
		"field/codec.go:2: field → github.com/redis/go-redis/v9: field knows of no server",
		"lock/lock.go:2: lock → internal/lua51 is no arrow",
		"lock/lock.go:3: lock → . is no arrow",
		"pipectx/open.go:2: pipectx → github.com/alicebob/miniredis/v2: only internal/demo,",
		"lua/helpers: not in the table",
		"examples/bank/main.go:4: examples/bank → internal/lua51 is no arrow",
	)
	finds(t, vague(tr), "lua/helpers: ")
}
