// Package demo gives the examples a server: the one REDIS_URL names, or an
// embedded one, so that each runs with no set-up and then, unchanged, on a
// single server or a Cluster.
package demo
