//go:build unix && !linux

package tree

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// entries lists the folder, in no order.
func (f folder) entries() ([]entry, error) {
	syscall.ForkLock.RLock() // so no other program gets the descriptor
	fd, err := unix.Dup(f.fd)
	if err == nil {
		unix.CloseOnExec(fd)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, err
	}
	file := os.NewFile(uintptr(fd), ".")
	defer file.Close()
	there, err := file.ReadDir(-1)
	entries := make([]entry, len(there))
	for i, e := range there {
		entries[i] = entry{e.Name(), e.Type()}
	}
	return entries, err
}
