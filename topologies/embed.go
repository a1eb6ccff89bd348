// Package topologies holds the example topologies, which are part of the
// program.
package topologies

import (
	"embed"
	"strings"
)

//go:embed *.yaml
var files embed.FS

// Default is the example that is meant where none is named.
const Default = "east-west"

// EastWest is the default example. EastWestFile is the name that findings about
// it carry.
//
//go:embed east-west.yaml
var EastWest []byte

// EastWestFile names EastWest in messages.
const EastWestFile = "<built-in east-west>"

// Names lists the examples in the order of their names.
func Names() []string {
	entries, err := files.ReadDir(".")
	if err != nil {
		return nil // which nothing that is embedded can cause
	}
	names := make([]string, len(entries))
	for i, entry := range entries {
		names[i] = strings.TrimSuffix(entry.Name(), ".yaml")
	}
	return names
}

// Example returns an example by its name, and what findings about it call it;
// ok tells whether there is one.
func Example(name string) (text []byte, file string, ok bool) {
	text, err := files.ReadFile(name + ".yaml")
	return text, "<built-in " + name + ">", err == nil
}
