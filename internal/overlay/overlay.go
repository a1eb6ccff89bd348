// Package overlay reads what users lay over the rendered resources: folders
// with a kustomization, and Jsonnet functions. It refuses whatever would break
// the names by which the resources of several clusters find each other.
//
// An overlay's files come from an [fs.FS] whose root is the overlay's own
// folder, so nothing beside it is ever read.
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

// The rules about overlays. What is wrong with the text of a file has the
// rules of package topology.
const (
	RuleField  = "OV01" // a field that a kustomize overlay may not have
	RuleObject = "OV02" // an object would be renamed, moved or removed
	RuleTarget = "OV03" // a patch reaches no object
	RulePatch  = "OV04" // a patch cannot be applied
	RuleScript = "OV05" // a Jsonnet overlay fails, or returns no resource
)

// Overlay is one overlay of a topology, with its files read: a Component or a
// Script.
type Overlay struct {
	*topology.Overlay
	At        finding.Position // of the line of the topology that names its files
	Component *Component
	Script    *Script
}

// Host is what surrounds the evaluation of Jsonnet overlays. What it leaves out
// does nothing.
type Host struct {
	Trace    io.Writer                  // has the lines of std.trace
	Evaluate func(root fs.FS) Evaluator // makes what evaluates the files of a folder; nil: this process does
}

// Evaluator evaluates Jsonnet as [template.VM] does.
type Evaluator interface {
	Tailstrict(file string) (place string, err error)
	Type(file string) (string, error)
	Call(file string, args map[string]any) ([]byte, error)
}

// EndError is an evaluation that took more than it may have. With it the run
// ends: what the other overlays make, nobody knows.
type EndError struct {
	At   finding.Position // of the overlay in the topology
	What string           // of the overlay was evaluated
	*template.EndError
}

func (e *EndError) Error() string { return fmt.Sprintf("%s: %s: %s", e.At, e.What, e.Message) }

// EndOf is the EndError of what an evaluation returned, or nil.
func EndOf(err error, at finding.Position, what string) error {
	var ended *template.EndError
	if errors.As(err, &ended) {
		return &EndError{at, what, ended}
	}
	return nil
}

// Read reads the overlays of a topology that had no findings. folders has the
// folder of each by its name, as far as there is one. The error is an *EndError.
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
	copies   int    // that its patches make
	dir      string // what messages call the root
	findings *finding.Findings
	objects  *objects // of the scripts
	ended    error    // an *EndError
}

// ends tells whether an evaluation was ended, and notes it.
func (r *reader) ends(overlay string, at finding.Position, err error) bool {
	r.ended = EndOf(err, at, fmt.Sprintf("overlay %q", overlay))
	return r.ended != nil
}

func (r *reader) add(at finding.Position, rule, hint, format string, args ...any) {
	*r.findings = append(*r.findings, finding.Finding{Position: at, Rule: rule, Message: fmt.Sprintf(format, args...), Hint: hint})
}

// read returns a file's content, or says at the place that names the file why
// there is none.
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
			"the line has %s in it, which would stand in Git", leaks.what)
	case errors.As(err, &refused):
		r.add(from, topology.RuleValue, cmp.Or(refused.hint, hint), "%s %s", shown, refused.message)
	case errors.Is(err, fs.ErrNotExist):
		r.add(from, topology.RuleValue, hint, "there is no file %s", shown)
	default:
		r.add(from, topology.RuleValue, "an overlay has only what is in its own folder; a link does not lead out of it", "%s cannot be read: %v",
			shown, reason(err))
	}
	return nil, false
}

// reason is an error without the path, which the message has already.
func reason(err error) error {
	var inPath *fs.PathError
	if errors.As(err, &inPath) {
		return inPath.Err
	}
	return err
}
