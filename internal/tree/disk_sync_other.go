//go:build !linux

package tree

import "os"

// syncAll has the folder itself written to the disk: this system has no call for
// the file system that it is on.
func syncAll(root *os.Root) error { return syncFolder(root) }
