//go:build !race

package keyspace_test

// million is how many a test of many takes.
const million = 1_000_000
