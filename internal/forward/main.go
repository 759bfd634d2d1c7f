// Command forward writes the verbs that a keyspace's Bound types have because their
// keys have them. What SetKey does, BoundSet does with an id behind the context:
//
//	func (b BoundSet[K, M]) Add(ctx context.Context, id K, members ...M) *pipectx.Ref[int64] {
//		return b.Key(id).Add(ctx, members...)
//	}
//
// It is run by go generate ./keyspace, after a verb of a Key type has come, gone, or
// changed its parameters or its comment; a test tells when that was forgotten. The
// verbs of BoundSet go to bound_set.go, those of all types, which handle has, to
// bound_key.go. A verb that the Bound type has by hand is left out: it takes several
// ids, or does without the text of the key.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if err := write("."); err != nil {
		fmt.Fprintln(os.Stderr, "forward:", err)
		os.Exit(1)
	}
}

// write puts the generated files of a package in the place of those it has.
func write(dir string) error {
	files, err := generate(dir)
	if err != nil {
		return err
	}
	old, err := generated(dir)
	if err != nil {
		return err
	}
	for name := range old {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}
