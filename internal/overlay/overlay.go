// Package overlay reads the overlays of a topology: folders with a
// kustomization, and Jsonnet functions. It refuses everything that would change
// a name, because the resources of several clusters refer to each other by name.
//
// The root of an overlay's [fs.FS] is the folder of the overlay, so no other
// file is read.
package overlay

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/template"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// The rules about overlays. Findings about the text of a file have the rules of
// package topology.
const (
	RuleField  = "OV01" // a field that a kustomize overlay may not have
	RuleObject = "OV02" // an object would be renamed, moved or removed
	RuleTarget = "OV03" // a patch finds no object
	RulePatch  = "OV04" // a patch cannot be applied
	RuleScript = "OV05" // a Jsonnet overlay fails, or returns no resource
)

// Overlay is an overlay of a topology after its files were read. It has a
// Component or a Script.
type Overlay struct {
	*topology.Overlay
	At        finding.Position // of its files in the topology
	Component *Component
	Script    *Script
}

// Host is the environment in which Jsonnet overlays are evaluated. A zero field
// has no effect.
type Host struct {
	Trace    io.Writer                  // gets the lines of std.trace
	Evaluate func(root fs.FS) Evaluator // makes an evaluator for the files of a folder; nil: this process evaluates
}

// Evaluator evaluates Jsonnet like [template.VM].
type Evaluator interface {
	Tailstrict(file string) (place string, err error)
	Type(file string) (string, error)
	Call(file string, args map[string]any) ([]byte, error)
}

// EndError is an evaluation that exceeded its limits. It ends the run, because
// the results of the other overlays are unknown.
type EndError struct {
	At   finding.Position // of the overlay in the topology
	What string           // the part of the overlay that was evaluated
	*template.EndError
}

func (e *EndError) Error() string { return fmt.Sprintf("%s: %s: %s", e.At, e.What, e.Message) }

// EndOf returns the EndError for the error of an evaluation, or nil if there is
// none.
func EndOf(err error, at finding.Position, what string) error {
	var ended *template.EndError
	if errors.As(err, &ended) {
		return &EndError{at, what, ended}
	}
	return nil
}

// Read reads the overlays of a topology without findings. folders has the folder
// of each overlay by name, or no entry if the folder does not exist. The error is
// an *EndError.
func Read(t *topology.Topology, folders map[string]fs.FS, host Host) ([]Overlay, finding.Findings, error) {
	var findings finding.Findings
	overlays, known := make([]Overlay, len(t.Spec.Overlays)), newObjects(len(t.Spec.Clusters))
	for i := range t.Spec.Overlays {
		o := &t.Spec.Overlays[i]
		key, file := "kustomize", o.Kustomize
		if o.Jsonnet != "" {
			key, file = "jsonnet", o.Jsonnet
		}
		at := t.At("spec", "overlays", i, key)
		r := reader{
			dir:      path.Join(path.Dir(at.File), o.Folder()),
			host:     host,
			findings: &findings,
			objects:  known,
		}
		if root := folders[o.Name]; root != nil {
			r.root = folder{root}
		}
		overlays[i] = Overlay{Overlay: o, At: at}
		switch {
		case path.IsAbs(file):
			r.add(at, topology.RuleValue, "write it relative to the topology's file, so that it means the same on every machine",
				"overlay %q: found the absolute path %s", o.Name, file)
		case hidden(file):
			r.add(at, topology.RuleValue, "keep overlays in a folder whose name does not begin with a dot", "overlay %q: found the hidden path %s",
				o.Name, file)
		case r.root == nil:
			r.add(at, topology.RuleValue, "a path is relative to the topology's file", "overlay %q: there is no folder %s", o.Name, r.dir)
		case o.Jsonnet != "":
			overlays[i].Script = r.script(o.Name, path.Base(file), at)
			if r.ended != nil {
				return nil, findings, r.ended
			}
		default:
			overlays[i].Component = r.component(o.Name, at)
		}
	}
	return overlays, findings, nil
}

// reader reads the files of one overlay.
type reader struct {
	root     fs.FS
	host     Host
	copies   int    // operations of its patches that copy
	dir      string // the name of root in messages
	findings *finding.Findings
	objects  *objects // that scripts get and return
	ended    error    // an *EndError
}

// ends tells whether an error is the end of an evaluation. If so, it sets ended.
func (r *reader) ends(overlay string, at finding.Position, err error) bool {
	r.ended = EndOf(err, at, fmt.Sprintf("overlay %q", overlay))
	return r.ended != nil
}

func (r *reader) add(at finding.Position, rule, hint, format string, args ...any) {
	*r.findings = append(*r.findings, finding.Finding{Position: at, Rule: rule, Message: fmt.Sprintf(format, args...), Hint: hint})
}

// read returns the content of a file. If it cannot be read, read adds a finding
// at from, the place that names the file.
func (r *reader) read(name string, from finding.Position, hint string) ([]byte, bool) {
	shown := path.Join(r.dir, name)
	data, err := fs.ReadFile(r.root, name)
	var (
		refused *refusal
		leaks   *leak
	)
	switch {
	case err == nil:
		return data, true
	case errors.As(err, &leaks):
		r.add(finding.Position{File: shown, Line: leaks.line, Col: 1}, topology.RuleCredential, topology.CredentialHint,
			"the line contains %s, which would be in Git", leaks.what)
	case errors.As(err, &refused):
		r.add(from, topology.RuleValue, cmp.Or(refused.hint, hint), "%s %s", shown, refused.message)
	case errors.Is(err, fs.ErrNotExist):
		r.add(from, topology.RuleValue, hint, "there is no file %s", shown)
	default:
		r.add(from, topology.RuleValue, "an overlay reads only files in its own folder, and follows no link out of it", "%s cannot be read: %v",
			shown, reason(err))
	}
	return nil, false
}

// reason returns an error without its path, because the message already has the
// path.
func reason(err error) error {
	var inPath *fs.PathError
	if errors.As(err, &inPath) {
		return inPath.Err
	}
	return err
}
