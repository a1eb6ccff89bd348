package main

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// readLink reads the file of a link. It returns nil if there is no such file.
func readLink(file string) (*topology.SealedLink, finding.Findings, error) {
	data, err := readFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	l, findings := topology.ParseSealedLink(file, data)
	return l, findings, nil
}

// writeLink writes a link, and makes its folder.
func writeLink(file string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return writeWhole(file, content)
}

// writeWhole replaces a file in one step. If the run is killed, a hidden file with
// another name may stay, which no render reads.
func writeWhole(file string, content []byte) (err error) {
	failed := func(err error) error { return &fs.PathError{Op: "write", Path: file, Err: errors.Unwrap(err)} }
	temp, err := os.CreateTemp(filepath.Dir(file), ".sealing.*")
	if err != nil {
		return failed(err)
	}
	defer func() {
		if err != nil {
			os.Remove(temp.Name())
		}
	}()
	_, err = temp.Write(content)
	if err := cmp.Or(err, temp.Chmod(0o644), temp.Sync(), temp.Close()); err != nil {
		return failed(err)
	}
	return os.Rename(temp.Name(), file)
}
