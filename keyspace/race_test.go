//go:build race

package keyspace_test

// million is how many a test of many takes: the race detector makes each some ten times
// as slow.
const million = 20_000
