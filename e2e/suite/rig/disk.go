package rig

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// Disk is a file system of limited size.
type Disk struct{ Dir string }

// NewDisk makes an empty disk until the test ends. Limits are options of tmpfs:
// size=64k for the bytes, nr_inodes=20 for the number of files.
func NewDisk(t testing.TB, limits string) Disk {
	t.Helper()
	disk := Disk{Dir: filepath.Join(t.TempDir(), "disk")}
	if err := os.Mkdir(disk.Dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", disk.Dir, "tmpfs", 0, limits); err != nil {
		t.Fatalf("mount of %s: %v", disk.Dir, err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(disk.Dir, 0); err != nil {
			t.Errorf("%s is still in use: %v", disk.Dir, err)
		}
	})
	return disk
}

// Resize gives the disk other limits, and keeps its files.
func (d Disk) Resize(t testing.TB, limits string) {
	t.Helper()
	if err := unix.Mount("tmpfs", d.Dir, "tmpfs", unix.MS_REMOUNT, limits); err != nil {
		t.Fatalf("%s of %s: %v", limits, d.Dir, err)
	}
}

// Used returns the number of used bytes.
func (d Disk) Used(t testing.TB) int {
	t.Helper()
	var stat unix.Statfs_t
	if err := unix.Statfs(d.Dir, &stat); err != nil {
		t.Fatal(err)
	}
	return int(stat.Blocks-stat.Bfree) * int(stat.Bsize)
}
