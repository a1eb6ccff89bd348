package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// pathInRepository returns the path of a directory in its Git work tree, with slashes.
// It returns "" if the directory is in no work tree. The directory need not exist.
func pathInRepository(dir string) string {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return ""
	}
	// The nearest existing folder may be a symbolic link into the work tree.
	there, rest := dir, ""
	for {
		real, err := filepath.EvalSymlinks(there)
		if err == nil {
			dir = filepath.Join(real, rest)
			break
		}
		if !errors.Is(err, fs.ErrNotExist) || filepath.Dir(there) == there {
			return ""
		}
		there, rest = filepath.Dir(there), filepath.Join(filepath.Base(there), rest)
	}
	for top := dir; ; top = filepath.Dir(top) {
		if _, err := os.Stat(filepath.Join(top, ".git")); err == nil {
			inside, err := filepath.Rel(top, dir)
			if err != nil {
				return ""
			}
			return filepath.ToSlash(inside)
		}
		if filepath.Dir(top) == top {
			return ""
		}
	}
}
