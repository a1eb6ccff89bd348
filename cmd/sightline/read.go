package main

import (
	"cmp"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/sightline-mesh/sightline/internal/check"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/internal/tree"
)

// readTopology reads a file, a directory, or standard input for "-".
func readTopology(arg string, stdin io.Reader) (*topology.Topology, finding.Findings, error) {
	if arg == "-" {
		data, err := readAll(stdin)
		if err != nil {
			return nil, nil, fmt.Errorf("standard input: %w", err)
		}
		if in, ok := stdin.(*standardInput); ok {
			in.topology = data
		}
		t, findings := check.Parse(displayName(arg), data)
		return t, findings, nil
	}
	if info, err := os.Stat(arg); err == nil && info.IsDir() {
		sources, err := readDirectory(arg)
		if err != nil {
			return nil, nil, err
		}
		t, findings := check.ParseDirectory(arg, sources)
		return t, findings, nil
	}
	data, err := readFile(arg)
	if err != nil {
		return nil, nil, err
	}
	t, findings := check.Parse(arg, data)
	return t, findings, nil
}

// What stands at the top of a topology's directory and is no part of the
// topology: what seal makes, and overlays of its own.
const (
	sealedDir   = "sealed"
	overlaysDir = "overlays"
)

// readDirectory reads the YAML files of a directory and those below it, but for
// hidden ones, as the shell has them, and for folders that render has written.
func readDirectory(dir string) ([]topology.Source, error) {
	if tree.HasMarker(dir) {
		return nil, &hinted{fmt.Errorf("%s is an output directory: its file .sightline says so", dir),
			"name the topology that it is rendered from; if that lies in it too, move it to a folder of its own"}
	}
	var sources []topology.Source
	top := dir + string(filepath.Separator) // of a link, what it points to
	err := filepath.WalkDir(top, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path == top:
			return nil
		case strings.HasPrefix(entry.Name(), "."),
			entry.IsDir() && (path == filepath.Join(dir, sealedDir) || path == filepath.Join(dir, overlaysDir)):
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		case entry.IsDir() && tree.HasMarker(path):
			return fs.SkipDir
		case entry.IsDir(), !slices.Contains([]string{".yaml", ".yml"}, filepath.Ext(path)):
			return nil
		}
		data, err := readFile(path)
		if err != nil {
			return err
		}
		sources = append(sources, topology.Source{Name: path, Data: data})
		return nil
	})
	if err == nil && len(sources) == 0 {
		return nil, &hinted{fmt.Errorf("%s has no YAML files", dir), "name a topology, or a directory with one and its clusters"}
	}
	return sources, err
}

// readFile reads a file, and nothing else: to open a pipe would wait for
// somebody to write, and a device may have no end.
func readFile(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, fmt.Errorf("%s is a folder, expected a file", path)
	case !info.Mode().IsRegular() && !fromShell(path):
		return nil, &hinted{fmt.Errorf("%s is a pipe, a socket or a device, expected a file", path),
			`a topology is read from standard input with "-"`}
	}
	return readAll(f)
}

// readFolder lists what is in a folder, and opens nothing else.
func readFolder(path string) ([]fs.DirEntry, error) {
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		return nil, cmp.Or(err, fmt.Errorf("%s is not a folder", path))
	}
	return os.ReadDir(path)
}

// fromShell tells whether a path is one that a shell has made for the output of
// a command, as <(…) does.
func fromShell(path string) bool {
	return path == "/dev/stdin" || strings.HasPrefix(path, "/dev/fd/")
}

// readAll reads one byte more than a topology may have, which is enough for
// the parser to refuse it.
func readAll(in io.Reader) ([]byte, error) {
	return io.ReadAll(io.LimitReader(in, topology.MaxSize+1))
}

func displayName(arg string) string {
	if arg == "-" {
		return "<stdin>"
	}
	return arg
}
