//go:build !unix

package tree

import (
	"io"
	"os"
)

func open(name string) (*os.File, error) { return os.Open(name) }

// readSame fills dst with a file, if the file is as long as dst.
func readSame(name string, dst []byte) (same bool, err error) {
	f, err := os.Open(name)
	if err != nil {
		return false, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Size() != int64(len(dst)) {
		return false, err
	}
	if _, err = io.ReadFull(f, dst); err == io.EOF || err == io.ErrUnexpectedEOF {
		return false, nil // somebody has made the file shorter
	}
	return err == nil, err
}
