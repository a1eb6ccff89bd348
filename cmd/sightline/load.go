package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/check"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/render"
	"github.com/sightline-mesh/sightline/templates"
)

// input is a topology that a command works on, with what lies beside it.
type input struct {
	topology *topology.Topology
	arg      string // the file or directory as the user names it, "" where it is in none

	links  render.Links // by the names of their files
	others []string     // files beside the links that are no links
	output string       // the path of the directory that is written, in its repository; "": none

	rendering *render.Rendering // nil until openAll has made it

	unsure   []string     // links that could not be read as a whole
	overlaid map[int]bool // clusters whose objects nobody knows, because an overlay is wrong; nil: none is
	empty    map[int]bool // clusters to be looked at as if they had no objects
}

// readInputs parses what the arguments name, and returns all findings of
// all of them as one error, with the ways in which the topologies may be meant.
func readInputs(args []string, stdin io.Reader) ([]*input, error) {
	var ways [][]*input // in which each may have been meant
	var found invalid
	files := map[string]string{} // by the name of the topology in it
	var twice error
	for i, arg := range args {
		if arg == "-" && slices.Contains(args[:i], arg) {
			return nil, &hinted{errors.New("standard input is named twice"), "it can be read once"}
		}
		t, findings, err := readTopology(arg, stdin)
		if err != nil {
			return nil, err
		}
		found.findings = append(found.findings, findings...)
		meant := []*topology.Topology{t}
		if len(findings) > 0 {
			if meant = check.Meanings(t); len(meant) == 0 {
				if t != nil && len(t.Spec.Clusters) > 0 {
					found.unlooked = append(found.unlooked, displayName(arg))
				}
				continue
			}
		}
		name := meant[0].Metadata.Name
		if other, ok := files[name]; ok {
			twice = &hinted{fmt.Errorf("%s and %s are both named %q", other, displayName(arg), name),
				"give each a metadata.name of its own: it names the directory"}
			continue
		}
		files[name] = displayName(arg)
		of := make([]*input, len(meant))
		for i, t := range meant {
			of[i] = &input{topology: t}
			if arg != "-" {
				of[i].arg = arg
			}
		}
		ways = append(ways, of)
	}
	sets := meanings(ways)
	if len(found.findings) > 0 {
		found.findings, found.meanings = found.findings.Sorted(), sets
		return nil, &found
	}
	if len(sets) == 0 {
		return nil, twice
	}
	return sets[0], twice
}

// readInput reads one topology and the links beside it.
func readInput(arg string, stdin io.Reader) (*input, error) {
	inputs, err := readInputs([]string{arg}, stdin)
	if err == nil {
		err = readLinks(inputs)
	}
	if err != nil {
		return nil, err
	}
	return inputs[0], nil
}

// readLinks reads the sealed links beside topologies, and returns all findings
// of all of them as one error; what could be read is in the inputs all the same.
// There are none beside standard input and the built-in example. Where the links
// come from elsewhere, nobody looks.
func readLinks(inputs []*input) error {
	var found invalid
	for _, in := range inputs {
		if in.arg == "" || !in.topology.Spec.Kiali.Links.ByFile() {
			continue
		}
		findings, err := in.readLinks()
		if err != nil {
			return err
		}
		found.findings = append(found.findings, findings...)
	}
	return found.err()
}

// readLinks reads the folder of links, but for hidden files.
func (in *input) readLinks() (finding.Findings, error) {
	folder := in.linkFolder()
	entries, err := readFolder(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	in.links, in.others, in.unsure = render.Links{}, nil, nil
	var findings finding.Findings
	for _, entry := range entries {
		file := filepath.Join(folder, entry.Name())
		name, isLink := strings.CutSuffix(entry.Name(), ".yaml")
		switch {
		case strings.HasPrefix(entry.Name(), "."):
			continue
		case !isLink || entry.IsDir():
			in.others = append(in.others, file)
			continue
		}
		link, found, err := readLink(file)
		if err != nil {
			return nil, err
		}
		findings = append(findings, found...)
		if len(found) > 0 {
			in.unsure = append(in.unsure, name)
		}
		if link != nil {
			in.links[name] = link
		}
	}
	return findings, nil
}

// linkFolder is where the links of a topology are.
func (in *input) linkFolder() string {
	dir := in.arg
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		dir = filepath.Dir(dir)
	}
	return filepath.Join(dir, sealedDir, in.topology.Metadata.Name)
}

// overlayFolders are the folders of the overlays, in their order. A path is relative
// to the topology's file; for standard input that is the working directory.
func (in *input) overlayFolders() []string {
	var folders []string
	for i := range in.topology.Spec.Overlays {
		o := &in.topology.Spec.Overlays[i]
		folders = append(folders, filepath.Join(filepath.Dir(in.topology.At("spec", "overlays", i).File), filepath.FromSlash(o.Folder())))
	}
	return folders
}

// authorities is the file that kiali.ca names, "" where it names none. The path is
// relative to the topology's file, as those of overlays.
func (in *input) authorities() string {
	t := in.topology
	if t.CAFile() == "" {
		return ""
	}
	return filepath.Join(filepath.Dir(t.At("spec", "kiali", "ca").File), filepath.FromSlash(t.CAFile()))
}

// readAuthorities puts the content of that file in its place.
func (in *input) readAuthorities() (finding.Findings, error) {
	file := in.authorities()
	if file == "" {
		return nil, nil
	}
	content, err := readFile(file)
	if err != nil {
		return nil, &hinted{fmt.Errorf("spec.kiali.ca: %w", err), "the path is relative to the file of the topology"}
	}
	return in.topology.Trust(content), nil
}

// paths are the files and folders that a render reads.
func (in *input) paths() []string {
	paths := in.overlayFolders()
	if file := in.authorities(); file != "" {
		paths = append(paths, file)
	}
	if in.arg != "" {
		paths = append(paths, in.arg, in.linkFolder())
	}
	return paths
}

type templatesKey struct{}

// withTemplates gives a run the templates of the program. All topologies of the run,
// and all guesses about a topology with mistakes, share what they parse and evaluate.
func withTemplates(ctx context.Context, t *render.Templates) context.Context {
	return context.WithValue(ctx, templatesKey{}, t)
}

// shipped returns the templates of a run.
func shipped(ctx context.Context) *render.Templates {
	if t, ok := ctx.Value(templatesKey{}).(*render.Templates); ok {
		return t
	}
	return render.NewTemplates(templates.FS)
}

// sources opens what a render reads, until it is closed. Nothing leads out of an
// overlay's folder, a link neither.
func (in *input) sources(ctx context.Context) (from render.Sources, closed func(), err error) {
	from = render.Sources{Templates: shipped(ctx), Overlays: map[string]fs.FS{}, Links: in.links, Host: host(ctx)}
	var roots []*os.Root
	closed = func() {
		for _, root := range roots {
			root.Close()
		}
	}
	for i, dir := range in.overlayFolders() {
		name := in.topology.Spec.Overlays[i].Name
		if info, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() {
			continue // which is a finding of the render
		}
		root, err := os.OpenRoot(dir)
		if err != nil {
			closed()
			return from, nil, fmt.Errorf("overlay %q: %w", name, err)
		}
		roots = append(roots, root)
		from.Overlays[name] = root.FS()
	}
	return from, closed, nil
}

// openAll makes the resources of topologies, once for all that is done with them,
// until it is closed. What is wrong with their overlays is one error.
func openAll(ctx context.Context, inputs ...*input) (closed func(), err error) {
	var closing []func()
	closeAll := func() {
		for _, close := range closing {
			close()
		}
	}
	defer func() {
		if err != nil {
			closeAll()
		}
	}()
	var found invalid
	for _, in := range inputs {
		wrong, err := in.readAuthorities()
		if err != nil {
			return nil, err
		}
		if len(wrong) > 0 {
			found.findings = append(found.findings, wrong...)
			continue
		}
		from, close, err := in.sources(ctx)
		if err != nil {
			return nil, err
		}
		closing = append(closing, close)
		in.rendering, err = render.Open(in.topology, from)
		if err == nil {
			_, err = in.rendering.Clusters()
		}
		if err := found.collect(err); err != nil {
			if wrong := found.err(); wrong != nil {
				return nil, several{wrong, err}
			}
			return nil, err
		}
	}
	return closeAll, found.err()
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

// checked is the input as the rules look at it, rendered in a format.
func (in *input) checked(format render.Format) (check.Input, error) {
	clusters, err := in.rendering.Clusters()
	if err != nil {
		return check.Input{}, err
	}
	clusters = slices.Clone(clusters)
	out, err := in.rendering.Delivery(format)
	if err != nil {
		return check.Input{}, err
	}
	for i := range in.empty {
		clusters[i].Resources = nil
	}
	acm, err := in.rendering.ACM()
	if err != nil {
		return check.Input{}, err
	}
	to := check.Input{Topology: in.topology, Clusters: clusters, Delivery: out, ACM: acm, Links: in.links, Others: in.others,
		Written: in.output, Arg: in.arg, Origins: render.Origins, Decided: render.Decided}
	if len(in.topology.Spec.Overlays) > 0 {
		to.Stage = in.rendering.Stage
	}
	return to, nil
}
