//go:build !unix

package tree

import "os"

func open(name string) (*os.File, error) { return os.Open(name) }
