// Package arch holds what is true of the module as a whole, as tests: which
// package may import which, that packages and exported names say what they are
// for, that documents name tests that exist.
//
// The tests read the files themselves. It is tempting to ask go list, but the
// test cache does not see what another program reads, and would keep a result
// that is no longer true.
package arch
