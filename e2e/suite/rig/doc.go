// Package rig starts real control planes for the stories of the suite, and
// drives the programs that a user drives.
//
// Everything runs in network, process and mount namespaces of its own: [Main],
// called by TestMain, runs the test binary a second time inside of them. There,
// it is process 1, so that the kernel ends whatever it started when it ends, in
// whatever way. The only interface is the loopback. It also has 10.240.0.0/12:
// each address from there can be listened on, as a pod's, a service's or an API
// server's, without being set up first. Files of a run are in the directory
// [Dir], in memory, unless SIGHTLINE_E2E_KEEP is set.
//
// A story has the two clusters from [Up], which starts them once. They have the
// addresses that the topology of the built-in example gives to its clusters, by
// an /etc/hosts of the suite. A [Cluster] is reached by its clients, or by
// programs with its Kubeconfig. It has the namespaces, and the definitions of
// [Definitions] where these can be read: [Cluster.Define] takes more.
//
// [Process] is for everything that runs on beside a test, and [Run] for what
// ends by itself. [Wait] is the only way of waiting: it has a limit, says what
// it waited for, and gives up at once when a process that it depends on is gone,
// with the last lines of its log.
//
// A program that the suite starts has a module in e2e/bin and a row in
// [Programs]; [Build] builds it, [Program.Path] is where it is.
package rig
