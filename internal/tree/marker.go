package tree

import (
	"errors"
	"fmt"
	"strings"
)

// markerName is the file at the top of an output directory that says whose it is.
const markerName = ".sightline"

// markerLimit is far above what a marker needs: a larger file is not one.
const markerLimit = 4096

// Marker names the owner of an output directory: the topology that is rendered
// into it and the format. It is stored in the file `.sightline` at its top.
type Marker struct {
	Topology, Format string
}

// String returns the marker for messages.
func (m Marker) String() string {
	return fmt.Sprintf("topology %q in format %s", m.Topology, m.Format)
}

// check refuses names that would not survive being written and read back.
func (m Marker) check() error {
	if !markerValue(m.Topology) {
		return fmt.Errorf("topology name %q cannot be stored in %s, expected letters, digits, '-', '.' and '_'", m.Topology, markerName)
	}
	if !markerValue(m.Format) {
		return fmt.Errorf("format name %q cannot be stored in %s, expected letters, digits, '-', '.' and '_'", m.Format, markerName)
	}
	return nil
}

// text returns the file's content.
func (m Marker) text() []byte {
	return []byte("# Written by `sightline render`, which owns this directory: it overwrites edits\n" +
		"# and removes files that are not its own. Change the topology and render again.\n" +
		"topology: " + m.Topology + "\n" +
		"format: " + m.Format + "\n")
}

// parseMarker reads what text wrote and little else. It is read by hand, since
// the file decides whether a directory may be emptied: whatever YAML could make
// of an unexpected one, it is not ours.
func parseMarker(text []byte) (Marker, error) {
	var m Marker
	for i, line := range strings.Split(string(text), "\n") {
		line = strings.TrimSuffix(line, "\r") // a checkout on Windows
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key, value, _ := strings.Cut(line, ": ")
		var field *string
		switch key {
		case "topology":
			field = &m.Topology
		case "format":
			field = &m.Format
		default:
			return Marker{}, fmt.Errorf("line %d: expected \"topology: NAME\" or \"format: NAME\", got %q", i+1, line)
		}
		if *field != "" {
			return Marker{}, fmt.Errorf("line %d: %s is there twice", i+1, key)
		}
		if !markerValue(value) {
			return Marker{}, fmt.Errorf("line %d: %s has the bad name %q", i+1, key, value)
		}
		*field = value
	}
	if m.Topology == "" {
		return Marker{}, errors.New("it names no topology")
	}
	if m.Format == "" {
		return Marker{}, errors.New("it names no format")
	}
	return m, nil
}

func markerValue(s string) bool {
	if s == "" || len(s) > 253 {
		return false
	}
	for _, c := range []byte(s) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '.', c == '_':
		default:
			return false
		}
	}
	return true
}
