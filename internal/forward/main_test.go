package main

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The verbs of keyspace's Bound types are those that its keys have now.
func TestKeyspace(t *testing.T) {
	const dir, cure = "../../keyspace", "run go generate ./keyspace"
	want, err := generate(dir)
	if err != nil {
		t.Fatal(err)
	}
	have, err := generated(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(want) == 0 {
		t.Errorf("nothing is generated from the files of %s", dir)
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if !bytes.Equal(have[name], want[name]) {
			t.Errorf("%s is not what its Key type asks for; %s", name, cure)
		}
	}
	for name := range have {
		if _, ok := want[name]; !ok {
			t.Errorf("%s is of a type that has gone; %s", name, cure)
		}
	}
}

const declared = `package x

import (
	"context"
	"iter"
	"time"

	"example.org/ref"
)

func (b BoundBag[K, M]) Key(id K) BagKey[M] { return BagKey[M]{} }

func (b BoundBag[K, M]) Fast(ctx context.Context, id K) error { return nil }

func (b bound[K]) handle(id K) handle { return handle{} }
`

// plant makes a package of declared and verbs.
func plant(t *testing.T, verbs string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"bag.go":       declared + verbs,
		"bag_test.go":  "package x\n\nfunc (k BagKey[M]) Tested(ctx context.Context) error { return nil }\n",
		"bound_old.go": header + "\n\npackage x\n\nfunc (b BoundBag[K, M]) Add(ctx context.Context, id K) {}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// A verb of a key is one of its Bound type, with the id behind the context; what is
// no verb, or is there by hand, is not, and what was generated before does not count.
func TestGenerate(t *testing.T) {
	dir := plant(t, `
// Add adds.
//
// Cost: 1 command.
func (k BagKey[M]) Add(ctx context.Context, members ...M) *ref.Ref[int64] { return nil }

// Each walks, see [BagKey.Add].
func (k BagKey[M]) Each(ctx context.Context, from, to int64, d time.Duration) iter.Seq2[M, error] { return nil }

func (k BagKey[M]) Fast(ctx context.Context) error { return nil }
func (k BagKey[M]) Name() string                   { return "" }
func (k BagKey[M]) quiet(ctx context.Context)      {}

// Del deletes.
func (h handle) Del(ctx context.Context) *ref.Ref[bool] { return nil }
`)
	if err := write(dir); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"bound_bag.go": header + `

package x

import (
	"context"
	"iter"
	"time"

	"example.org/ref"
)

// Add adds.
//
// Cost: 1 command.
func (b BoundBag[K, M]) Add(ctx context.Context, id K, members ...M) *ref.Ref[int64] {
	return b.Key(id).Add(ctx, members...)
}

// Each walks, see [BagKey.Add].
func (b BoundBag[K, M]) Each(ctx context.Context, id K, from, to int64, d time.Duration) iter.Seq2[M, error] {
	return b.Key(id).Each(ctx, from, to, d)
}
`,
		"bound_key.go": header + `

package x

import (
	"context"

	"example.org/ref"
)

// Del deletes.
func (b bound[K]) Del(ctx context.Context, id K) *ref.Ref[bool] {
	return b.handle(id).Del(ctx)
}
`,
	} {
		if text, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(text) != want {
			t.Errorf("%s (%v):\n%s", name, err, text)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "bound_old.go")); !os.IsNotExist(err) {
		t.Errorf("the file of a type that has gone is still there (%v)", err)
	}
}

// What cannot be forwarded is refused, with its place.
func TestGenerateRefuses(t *testing.T) {
	for want, verb := range map[string]string{
		"the receiver of Add is BagKey[V]": "func (k BagKey[V]) Add(ctx context.Context, v V) *ref.Ref[bool] { return nil }",
		"Add has a parameter id":           "func (k BagKey[M]) Add(ctx context.Context, id int64) *ref.Ref[bool] { return nil }",
		"Add has a parameter b":            "func (k BagKey[M]) Add(ctx context.Context, a, b int64) *ref.Ref[bool] { return nil }",
		"bag.go:":                          "func (",
	} {
		if _, err := generate(plant(t, verb)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", verb, err, want)
		}
	}
}
