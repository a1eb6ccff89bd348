//go:build !linux

package tree

import "os"

// syncAll writes the names in the folder to the disk: this system has no call for the
// whole file system.
func syncAll(root *os.Root) error { return syncFolder(root) }
