//go:build !(darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd)

package tree

import "os"

// lockFile says that there is no lock: this system has none for folders.
func lockFile(*os.File) (none bool, err error) { return true, nil }
