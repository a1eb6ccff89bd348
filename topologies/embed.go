// Package topologies holds the example topologies, which are part of the
// program.
package topologies

import (
	"embed"
	"strings"
)

//go:embed *.yaml
var files embed.FS

// Default is the name of the example that commands take if none is named.
const Default = "east-west"

// EastWest is the default example.
//
//go:embed east-west.yaml
var EastWest []byte

// EastWestFile is the name of EastWest in messages.
const EastWestFile = "<built-in east-west>"

// Names returns the names of the examples, sorted.
func Names() []string {
	entries, err := files.ReadDir(".")
	if err != nil {
		return nil // embedded files always have a root
	}
	names := make([]string, len(entries))
	for i, entry := range entries {
		names[i] = strings.TrimSuffix(entry.Name(), ".yaml")
	}
	return names
}

// Example returns an example by its name, and the name of its file in findings. ok
// is false if there is no such example.
func Example(name string) (text []byte, file string, ok bool) {
	text, err := files.ReadFile(name + ".yaml")
	return text, "<built-in " + name + ">", err == nil
}
