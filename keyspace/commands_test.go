package keyspace_test

import (
	"fmt"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

const commandsPage = "../docs/commands.md"

// interfaces are those of go-redis that docs/commands.md follows, with the types whose
// verbs stand for them.
var interfaces = map[string]struct {
	theirs reflect.Type
	ours   []any
}{
	"GenericCmdable":     {reflect.TypeFor[redis.GenericCmdable](), []any{Names.On(nil), Tags.On(nil)}},
	"StringCmdable":      {reflect.TypeFor[redis.StringCmdable](), []any{Names.On(nil)}},
	"HashCmdable":        {reflect.TypeFor[redis.HashCmdable](), []any{Stock.On(nil)}},
	"BitMapCmdable":      {reflect.TypeFor[redis.BitMapCmdable](), []any{Seen.On(nil)}},
	"HyperLogLogCmdable": {reflect.TypeFor[redis.HyperLogLogCmdable](), []any{Callers.On(nil)}},
	"ListCmdable":        {reflect.TypeFor[redis.ListCmdable](), []any{Queues.On(nil)}},
	"SetCmdable":         {reflect.TypeFor[redis.SetCmdable](), []any{Tags.On(nil)}},
	"SortedSetCmdable":   {reflect.TypeFor[redis.SortedSetCmdable](), []any{Visits.On(nil)}},
	"GeoCmdable":         {reflect.TypeFor[redis.GeoCmdable](), []any{Shops.On(nil)}},
	"StreamCmdable":      {reflect.TypeFor[redis.StreamCmdable](), []any{Sales.On(nil)}},
}

// A command is a row of docs/commands.md.
type command struct{ method, verb, status string }

var (
	tableTitle = regexp.MustCompile("^## .*\\(`(\\w+)`\\)$")
	inCode     = regexp.MustCompile("`(\\w+)`")
)

// commandTables reads docs/commands.md: the rows of each table by its interface.
func commandTables(t *testing.T) map[string][]command {
	t.Helper()
	text, err := os.ReadFile(commandsPage)
	if err != nil {
		t.Fatal(err)
	}
	tables, in := map[string][]command{}, ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "## ") {
			if in = ""; tableTitle.MatchString(line) {
				in = tableTitle.FindStringSubmatch(line)[1]
				tables[in] = nil
			}
		}
		cells := strings.Split(line, "|")
		if in == "" || len(cells) != 6 || !strings.HasPrefix(line, "| `") {
			continue
		}
		tables[in] = append(tables[in], command{strings.Trim(cells[1], " `"), strings.TrimSpace(cells[3]), strings.TrimSpace(cells[4])})
	}
	return tables
}

// Every command of go-redis's interfaces has a verb, or a reason why not, and every
// verb stands in a table.
func TestCommands(t *testing.T) {
	tables := commandTables(t)
	named := map[string]map[string]bool{} // interface → the verbs in its table
	for name, about := range interfaces {
		named[name] = map[string]bool{}
		rows := map[string]command{}
		for _, row := range tables[name] {
			if _, twice := rows[row.method]; twice {
				t.Errorf("%s: %s has two rows", name, row.method)
			}
			rows[row.method] = row
			if _, ok := about.theirs.MethodByName(row.method); !ok {
				t.Errorf("%s has no method %s", name, row.method)
			}
		}
		for m := range about.theirs.Methods() {
			row, ok := rows[m.Name]
			verbs := inCode.FindAllStringSubmatch(row.verb, -1)
			switch {
			case !ok:
				t.Errorf("%s: %s has no row in %s", name, m.Name, commandsPage)
			case row.status == "here" && len(verbs) == 0:
				t.Errorf("%s: %s is here, and its row names no verb", name, m.Name)
			case row.status == "refused" && len(row.verb) < len("a reason of some words"):
				t.Errorf("%s: %s is refused without a reason", name, m.Name)
			case !slices.Contains([]string{"here", "refused"}, row.status):
				t.Errorf("%s: %s has the status %q; it is here or refused", name, m.Name, row.status)
			}
			for _, v := range verbs {
				named[name][v[1]] = true
				if !slices.ContainsFunc(about.ours, func(on any) bool { return hasVerb(on, v[1]) }) {
					t.Errorf("%s: %s: there is no verb %s", name, m.Name, v[1])
				}
			}
		}
	}
	for name, about := range interfaces {
		if name == "GenericCmdable" { // whose verbs all types have
			continue
		}
		for verb := range verbs(about.ours[0]) {
			if !named[name][verb] && !named["GenericCmdable"][verb] {
				t.Errorf("%T: %s stands in no table of %s", about.ours[0], verb, commandsPage)
			}
		}
	}
	if missing := slices.DeleteFunc(slices.Collect(maps.Keys(interfaces)), func(name string) bool { return tables[name] != nil }); len(missing) > 0 {
		t.Errorf("%s has no tables of %v", commandsPage, missing)
	}
}

func hasVerb(on any, name string) bool {
	_, ok := reflect.TypeOf(on).MethodByName(name)
	return ok
}

// embeddedNotes is what docs/commands.md says of the embedded server.
func embeddedNotes(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(commandsPage)
	if err != nil {
		t.Fatal(err)
	}
	_, notes, ok := strings.Cut(string(text), "## The embedded server")
	if !ok {
		t.Fatal(fmt.Errorf("%s says nothing of the embedded server", commandsPage))
	}
	return notes
}
