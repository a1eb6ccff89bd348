package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// scratch is a folder for one run, which is gone when the run ends, also by a
// signal. What kill -9 leaves, a later run removes.
type scratch struct {
	dir  string
	mu   sync.Mutex
	gone bool
}

// scratchFolder begins the names of these folders.
const scratchFolder = "sightline-diff-"

// forgotten is how old the folder of a killed run is at least.
const forgotten = 24 * time.Hour

// newScratch makes the folder; remove removes it.
func newScratch(ctx context.Context) (*scratch, error) {
	removeForgotten(os.TempDir())
	dir, err := os.MkdirTemp("", scratchFolder)
	if err != nil {
		return nil, err
	}
	s := &scratch{dir: dir}
	return s, atEnd(ctx, s.remove)
}

// remove removes the folder; nothing is written to it any more.
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

// removeForgotten removes the folders of runs that were killed, of this user.
func removeForgotten(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err == nil && entry.IsDir() && strings.HasPrefix(entry.Name(), scratchFolder) && time.Since(info.ModTime()) > forgotten {
			_ = os.RemoveAll(filepath.Join(dir, entry.Name())) // that of another user stays
		}
	}
}
