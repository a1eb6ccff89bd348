// Package templates holds the Jsonnet that defines every resource.
//
// main.jsonnet is called as a function. Its arguments are the shape of a
// cluster, the values of the topology and the cluster, and the values of one
// namespace, one link and one token, for resources that are repeated for these.
// It returns phase -> component-resource -> object. argocd.jsonnet and
// flux.jsonnet return the delivery objects. A template may branch on the shape.
// It only places values, because a value may be a hole that stands for the
// values of any cluster.
package templates

import "embed"

// FS is the root that imports cannot leave.
//
//go:embed *.jsonnet *.libsonnet
var FS embed.FS
