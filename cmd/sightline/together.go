package main

import (
	"bytes"
	"io"
	"sync"

	"github.com/sightline-mesh/sightline/internal/topology"
)

// atOnce is how many clusters are asked at the same time.
const atOnce = 20

// together calls do for every cluster, twenty at a time. The output to out is printed
// in the order of the clusters, after the clusters before are done. The output to
// progress is printed at once. It returns an error or nil for each cluster.
func together(clusters []*topology.Cluster, stderr io.Writer, do func(c *topology.Cluster, out, progress io.Writer) error) []error {
	progress := &lockedWriter{w: stderr}
	said := make([]bytes.Buffer, len(clusters))
	errs := make([]error, len(clusters))
	done := make([]chan struct{}, len(clusters))
	places := make(chan struct{}, atOnce)
	for i, c := range clusters {
		done[i] = make(chan struct{})
		go func() {
			defer close(done[i])
			places <- struct{}{}
			defer func() { <-places }()
			errs[i] = do(c, &said[i], progress)
		}()
	}
	for i := range clusters {
		<-done[i]
		_, _ = progress.Write(said[i].Bytes()) // as everywhere, an error of stderr is ignored
	}
	return errs
}

// lockedWriter is a writer for several goroutines.
type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}
