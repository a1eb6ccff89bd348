package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/sightline-mesh/sightline/internal/tree"
)

// saysUnfinished is the message about a directory that a killed render left half
// changed.
const saysUnfinished = "%s: a render was killed while it changed the directory, so it may have parts of two trees; render again\n"

// unfinished reports trees that a killed render left half changed, and returns errFound
// if there is one. verify does not know the output directory. So unfinished looks in
// the folder of the topology and in the folders below it.
func unfinished(w io.Writer, inputs []*input) error {
	var found error
	for _, in := range inputs {
		at := in.arg
		if at == "" {
			continue
		}
		if info, err := os.Stat(at); err != nil || !info.IsDir() {
			at = filepath.Dir(at)
		}
		entries, err := os.ReadDir(at)
		if err != nil && !errors.Is(err, os.ErrPermission) {
			return err
		}
		dirs := []string{at}
		for _, e := range entries {
			if below := filepath.Join(at, e.Name()); e.IsDir() {
				dirs = append(dirs, below, filepath.Join(below, in.topology.Metadata.Name)) // the directory of several topologies
			}
		}
		for _, dir := range dirs {
			if tree.IsUnfinished(dir, in.topology.Metadata.Name) {
				fmt.Fprintf(w, saysUnfinished, dir)
				found = errFound
			}
		}
	}
	return found
}
