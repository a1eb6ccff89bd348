package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/sightline-mesh/sightline/internal/tree"
)

// saysUnfinished is what a killed render has left in a directory.
const saysUnfinished = "%s: a render was ended while it changed the directory, so it may have parts of two trees; render again\n"

// unfinished tells of trees that killed renders have left half changed, and returns
// errFound if there are some. It looks where a topology lies and in the folders
// there, since verify is not told where its tree is.
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
				dirs = append(dirs, below, filepath.Join(below, in.topology.Metadata.Name)) // of several topologies
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
