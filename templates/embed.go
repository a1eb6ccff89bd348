// Package templates holds the Jsonnet that defines every resource.
//
// main.jsonnet is called as a function of four arguments: the shape of a
// cluster, and the values of the topology, the cluster and one namespace. It
// returns phase -> component-resource -> object. A template may branch on the
// shape; values it only places, because they may be holes that stand for the
// values of any cluster.
package templates

import "embed"

// FS is the root that imports cannot leave.
//
//go:embed *.jsonnet *.libsonnet
var FS embed.FS
