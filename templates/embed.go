// Package templates holds the Jsonnet that defines every resource.
//
// main.jsonnet is called as a function of the shape of a cluster, the values of
// the topology and the cluster, and those of one namespace, one link and one
// token, which some resources are repeated for. It returns phase ->
// component-resource -> object. argocd.jsonnet and flux.jsonnet return the
// objects of delivery. A template may branch on the shape; values it only
// places, because they may be holes that stand for the values of any cluster.
package templates

import "embed"

// FS is the root that imports cannot leave.
//
//go:embed *.jsonnet *.libsonnet
var FS embed.FS
