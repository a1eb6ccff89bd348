package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// scratch is a temporary folder of one run. It is removed when the run ends, also by
// a signal. After kill -9, a later run removes it.
type scratch struct {
	dir  string
	mu   sync.Mutex
	gone bool
}

// scratchFolder is how the names of these folders begin.
const scratchFolder = "sightline-diff-"

// forgotten is the age from which a folder counts as left by a killed run.
const forgotten = 24 * time.Hour

// newScratch makes the folder. remove removes it.
func newScratch(ctx context.Context) (*scratch, error) {
	removeForgotten(os.TempDir())
	dir, err := os.MkdirTemp("", scratchFolder)
	if err != nil {
		return nil, err
	}
	s := &scratch{dir: dir}
	return s, atEnd(ctx, s.remove)
}

// remove removes the folder. After that, write writes nothing.
func (s *scratch) remove() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gone = true
	_ = os.RemoveAll(s.dir) // a later run removes it
}

// write writes a file and the folders above it, unless the run is over.
func (s *scratch) write(ctx context.Context, name string, content []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone {
		return ctx.Err()
	}
	at := filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
		return err
	}
	return os.WriteFile(at, content, 0o600)
}

// removeForgotten removes the folders that killed runs of this user have left.
func removeForgotten(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err == nil && entry.IsDir() && strings.HasPrefix(entry.Name(), scratchFolder) && time.Since(info.ModTime()) > forgotten {
			_ = os.RemoveAll(filepath.Join(dir, entry.Name())) // fails for the folder of another user
		}
	}
}
