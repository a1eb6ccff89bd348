// Package rig starts real control planes for the stories of the suite, and
// drives the programs that a user drives.
//
// Everything runs in separate namespaces for networks, processes and mounts.
// TestMain calls [Main], which runs the test binary a second time inside them.
// There it is process 1. However it ends, the kernel then ends everything that it
// started. The only interface is the loopback. It also has 10.240.0.0/12: a test
// can listen on each of these addresses, as a pod, a service or an API server,
// without a set-up. The files of a run are in the directory [Dir], in memory.
// With SIGHTLINE_E2E_KEEP, they are on disk.
//
// A story uses the two clusters of [Up], which starts them once. An /etc/hosts of
// the suite gives them the addresses of the clusters in the built-in example. Use
// the clients of a [Cluster], or programs with its Kubeconfig. A cluster has the
// namespaces, and the definitions of [Definitions] if they are there.
// [Cluster.Define] adds more.
//
// Use [Process] for a program that runs during a test, and [Run] for one that ends
// by itself. Always wait with [Wait]: it has a limit, and its failure names what it
// waited for. If a process that it depends on is gone, it fails at once, with the
// last lines of the log.
//
// A program that the suite starts has a module in e2e/bin and a row in
// [Programs]. [Build] builds it, and [Program.Path] returns its path.
package rig
