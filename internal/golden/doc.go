// Package golden compares what a test got with a file beside it, and writes
// the file when the test is run with -update. Tests only.
package golden
