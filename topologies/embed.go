// Package topologies holds the example topologies; the first one is part of
// the program.
package topologies

import _ "embed"

// EastWest is what a render without a topology renders. EastWestFile is the
// name that findings about it carry.
//
//go:embed east-west.yaml
var EastWest []byte

// EastWestFile names EastWest in messages.
const EastWestFile = "<built-in east-west>"
