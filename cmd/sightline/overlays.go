package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/render"
	"github.com/sightline-mesh/sightline/templates"
)

// openSources opens what a render of a topology reads, until it is closed. The
// paths of overlays are relative to the topology's file; for standard input
// that is the working directory. Nothing leads out of an overlay's folder, a
// link neither.
func openSources(ctx context.Context, t *topology.Topology, links render.Links) (from render.Sources, closed func(), err error) {
	from = render.Sources{Templates: render.NewTemplates(templates.FS), Overlays: map[string]fs.FS{}, Links: links, Host: host(ctx)}
	var roots []*os.Root
	closed = func() {
		for _, root := range roots {
			root.Close()
		}
	}
	for i := range t.Spec.Overlays {
		o, dir := &t.Spec.Overlays[i], overlayFolder(t, i)
		if info, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() {
			continue // which is a finding of the render
		}
		root, err := os.OpenRoot(dir)
		if err != nil {
			closed()
			return from, nil, fmt.Errorf("overlay %q: %w", o.Name, err)
		}
		roots = append(roots, root)
		from.Overlays[o.Name] = root.FS()
	}
	return from, closed, nil
}

func overlayFolder(t *topology.Topology, i int) string {
	return filepath.Join(filepath.Dir(t.At("spec", "overlays", i).File), filepath.FromSlash(t.Spec.Overlays[i].Folder()))
}

// inputs are the files and folders that a render of a topology reads.
func inputs(t *topology.Topology, b beside) []string {
	var paths []string
	for i := range t.Spec.Overlays {
		paths = append(paths, overlayFolder(t, i))
	}
	if b.arg != "" {
		paths = append(paths, b.arg, linkFolder(b.arg, t))
	}
	return paths
}

// openAll makes the resources of topologies, once for all that is done with them.
// What is wrong with their overlays is one error.
func openAll(ctx context.Context, parsed []*topology.Topology, besides []beside) (opened []*render.Rendering, closed func(), err error) {
	var closing []func()
	closed = func() {
		for _, close := range closing {
			close()
		}
	}
	defer func() {
		if err != nil {
			closed()
		}
	}()
	var found invalid
	for i, t := range parsed {
		from, close, err := openSources(ctx, t, besides[i].links)
		if err != nil {
			return nil, nil, err
		}
		closing = append(closing, close)
		r, err := render.Open(t, from)
		if err == nil {
			_, err = r.Clusters()
		}
		if err := found.collect(err); err != nil {
			return nil, nil, err
		}
		opened = append(opened, r)
	}
	return opened, closed, found.err()
}

// collect keeps findings for later, so that those of all topologies are
// reported at once. Any other error it returns.
func (e *invalid) collect(err error) error {
	var wrong *render.OverlayError
	if errors.As(err, &wrong) {
		e.findings = append(e.findings, wrong.Findings...)
		return nil
	}
	return err
}

// err is the error of what was collected.
func (e *invalid) err() error {
	if len(e.findings) == 0 {
		return nil
	}
	return &invalid{findings: e.findings.Sorted()}
}
