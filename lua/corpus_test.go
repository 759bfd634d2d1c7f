package lua_test

import (
	"io/fs"
	"os"
	"path"
	"regexp"
	"testing"
	"testing/fstest"

	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Ensure that scripts of the wide world compile: all commands in a folder of
// BullMQ's, which is not part of this project, give scripts that a server takes.
//
//	REDMOON_BULLMQ=node_modules/bullmq/dist/cjs/commands go test ./lua -run Corpus -v
func TestCorpus(t *testing.T) {
	dir := os.Getenv("REDMOON_BULLMQ")
	if dir == "" {
		t.Skip("REDMOON_BULLMQ names no folder of BullMQ's commands")
	}
	mods, err := lua.LoadAllFS(undeclaredFS(os.DirFS(dir)))
	if err != nil {
		t.Fatal(err)
	}
	db := newDB(t, redistest.Server(t))
	command := regexp.MustCompile(`-\d+$`)
	commands := 0
	for name, mod := range mods {
		entry, err := lua.TryBind[struct{}, struct{}](mod, "main")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want(t, name, pipectx.Do[string](t.Context(), db, "SCRIPT", "LOAD", entry.Script().Body), entry.Script().SHA)
		if command.MatchString(name) {
			commands++
		}
	}
	t.Logf("%d files, %d commands loaded", len(mods), commands)
}

// undeclaredFS is a folder of scripts with a line behind each that says that it
// makes keys itself, as BullMQ's do.
func undeclaredFS(fsys fs.FS) fs.FS {
	files := fstest.MapFS{}
	_ = fs.WalkDir(fsys, ".", func(file string, d fs.DirEntry, err error) error {
		if err == nil && path.Ext(file) == ".lua" {
			text, _ := fs.ReadFile(fsys, file)
			files[file] = &fstest.MapFile{Data: append(text, "\n--- @undeclared"...)}
		}
		return err
	})
	return files
}
