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

// readTopology reads a topology from a file, a directory, or standard input ("-").
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

// Folders at the top of a topology's directory that are no part of the topology: the
// sealed links and the overlays.
const (
	sealedDir   = "sealed"
	overlaysDir = "overlays"
)

// readDirectory reads the YAML files of a directory and of the folders below it. It
// skips hidden files and folders, and folders that render has written.
func readDirectory(dir string) ([]topology.Source, error) {
	if tree.HasMarker(dir) {
		return nil, &hinted{fmt.Errorf("%s is an output directory: its file .sightline says so", dir),
			"name the topology from which it is rendered; if the topology is in this directory, move it to another one"}
	}
	var sources []topology.Source
	top := dir + string(filepath.Separator) // follows a symbolic link
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
		return nil, &hinted{fmt.Errorf("%s has no YAML files", dir), "name the file of a topology, or a directory with such files"}
	}
	return sources, err
}

// readFile reads a regular file. It refuses a pipe or a device: opening a pipe waits
// for a writer, and a device may have no end.
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
			`to read a topology from standard input, name it "-"`}
	}
	return readAll(f)
}

// readFolder lists a folder. It refuses anything else.
func readFolder(path string) ([]fs.DirEntry, error) {
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		return nil, cmp.Or(err, fmt.Errorf("%s is not a folder", path))
	}
	return os.ReadDir(path)
}

// fromShell tells whether a shell has made a path for the output of a command, as
// <(…) does.
func fromShell(path string) bool {
	return path == "/dev/stdin" || strings.HasPrefix(path, "/dev/fd/")
}

// readAll reads at most one byte more than a topology may have. Then the parser
// refuses a longer one.
func readAll(in io.Reader) ([]byte, error) {
	return io.ReadAll(io.LimitReader(in, topology.MaxSize+1))
}

func displayName(arg string) string {
	if arg == "-" {
		return "<stdin>"
	}
	return arg
}
