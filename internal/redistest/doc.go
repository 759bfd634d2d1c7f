// Package redistest starts real servers for tests: private, on the loopback,
// without persistence, and ended with the test that asked for them.
//
//	func TestMain(m *testing.M) { redistest.Main(m, redistest.WithCluster) }
//
//	func TestIncr(t *testing.T) {
//		client := redistest.Shared(t).Client(t)
//		rec := redistest.Record(client)
//		…
//		golden.Equal(t, "testdata/incr.txt", rec.String())
//	}
//
// What is cheap is private unless sharing is asked for, what is dear is shared
// unless a private one is asked for:
//
//	Server(t)       one server of the test's own, 15 ms
//	Shared(t)       a database of the test's own on one server
//	Embedded(t)     a miniredis of the test's own; needs no redis-server
//	Example()       a client of a miniredis, where there is no test
//	Each(t, fn)     a subtest on every server at hand, Redis and Valkey
//	Cluster(t)      the cluster all tests share, three masters and their replicas, 2.5 s
//	NewCluster(t)   a cluster to break
//	Sentinel(t)     a master, two replicas and three sentinels, 0.5 s
//	Record(client)  the commands a client sends, one round trip a line
//	NewProxy(t)     loses, refuses, holds or forges the replies of any of them
//	Until(t, …)     waits for a state that no reply tells of
//
// # Guarantees
//
//   - A server ends with its test, however that ends; on Linux also when the
//     test's process is killed.
//   - A test starts when its server is ready for anything: it answers, its
//     replicas are in step, every node and sentinel knows every other.
//   - Without redis-server a test skips and says why. Where the environment
//     variable CI is set it fails instead: a suite must not stay green by
//     running nothing.
//
// # Further servers
//
// REDMOON_SERVERS names further server binaries, separated by colons or
// commas; make servers obtains some and prints the line to export.
//
// # Keys
//
// Where REDMOON_KEYS names a folder, [Main] leaves there the keys that the tests
// of a package had real servers write, a file for each package: make test compares
// them with docs/keys.md.
package redistest
