package tree

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// markerName is the file at the top of an output directory that names its owner.
const markerName = ".sightline"

// markerLimit is the highest size of a marker in bytes. Real markers are far smaller.
const markerLimit = 1 << 20

// copies is the folder of a tree that may have copies of the user's files: the files
// with the patches of an overlay. They have no first line of ours, so the marker has a
// digest of each.
const copies = "overlays/"

// Marker names the owner of an output directory: the topology, the format, and the
// version of Sightline that wrote it. It is in the file `.sightline` at the top.
//
// The marker keeps two topologies out of one directory, and says whether the tree
// is complete. It is no proof that a file is ours: the first line of the file is the
// proof (see Sign).
type Marker struct {
	Topology, Format, Version string
}

// String returns the marker for messages.
func (m Marker) String() string {
	return fmt.Sprintf("topology %q in format %s", m.Topology, m.Format)
}

// check refuses names that a marker cannot store.
func (m Marker) check() error {
	const want = "expected letters, digits, and - . _ + ( )"
	for what, value := range map[string]string{"topology": m.Topology, "format": m.Format, "version": m.Version} {
		if !markerValue(value) {
			return fmt.Errorf("%s name %q cannot be stored in %s, %s", what, value, markerName, want)
		}
	}
	return nil
}

// record is the content of a marker's file.
type record struct {
	Marker                  // without a version if the tree has no first lines
	writing bool            // a run changes the tree, or was killed while it did
	copies  map[string]bool // by digest and path, as copyOf gives them
}

// text returns the text of the file.
func (r record) text() []byte {
	var b strings.Builder
	b.WriteString("# Written by `sightline render`, which replaces and removes only files that say in their first\n" +
		"# line that it generated them, and the copies listed here. Change the topology and render again.\n")
	fmt.Fprintf(&b, "topology: %s\nformat: %s\n", r.Topology, r.Format)
	if r.Version != "" {
		fmt.Fprintf(&b, "version: %s\n", r.Version)
	}
	if r.writing {
		b.WriteString("state: writing\n")
	}
	for _, c := range slices.Sorted(maps.Keys(r.copies)) {
		fmt.Fprintf(&b, "copy: %s\n", c)
	}
	return []byte(b.String())
}

// copyOf returns the entry of a copy in a marker: its SHA-256 in hexadecimal, and its path.
func copyOf(p string, content []byte) string {
	return fmt.Sprintf("%x %s", sha256.Sum256(content), p)
}

// copiesIn lists the copies of a tree.
func copiesIn(files []File) map[string]bool {
	list := map[string]bool{}
	for _, f := range files {
		if f.Copy {
			list[copyOf(f.Path, f.Content)] = true
		}
	}
	return list
}

// parseMarker reads the text of a marker, and little else. A file with other lines is of a
// later version, damaged, or not ours.
func parseMarker(text []byte) (record, error) {
	r := record{copies: map[string]bool{}}
	for i, line := range strings.Split(string(text), "\n") {
		line = strings.TrimSuffix(line, "\r") // a checkout on Windows
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if err := r.parse(line); err != nil {
			return record{}, fmt.Errorf("line %d: %v", i+1, err)
		}
	}
	if r.Topology == "" {
		return record{}, errors.New("it names no topology")
	}
	if r.Format == "" {
		return record{}, errors.New("it names no format")
	}
	return r, nil
}

func (r *record) parse(line string) error {
	key, value, _ := strings.Cut(line, ": ")
	var field *string
	switch {
	case key == "topology":
		field = &r.Topology
	case key == "format":
		field = &r.Format
	case key == "version":
		field = &r.Version
	case line == "state: writing":
		r.writing = true
		return nil
	case key == "copy":
		digest, p, _ := strings.Cut(value, " ")
		if len(digest) != 64 || strings.Trim(digest, "0123456789abcdef") != "" || !strings.HasPrefix(p, copies) || badPath(p) != "" {
			return fmt.Errorf("expected \"copy: SHA256 %s…\", got %q", copies, line)
		}
		r.copies[value] = true
		return nil
	default:
		return fmt.Errorf("expected \"topology: NAME\" or another line of a marker, got %q", line)
	}
	if *field != "" {
		return fmt.Errorf("%s is there twice", key)
	}
	if !markerValue(value) {
		return fmt.Errorf("%s has the bad name %q", key, value)
	}
	*field = value
	return nil
}

func markerValue(s string) bool {
	if s == "" || len(s) > 253 {
		return false
	}
	return strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._+()") == ""
}
