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

// input is a topology that a command works on, with the files beside it.
type input struct {
	topology *topology.Topology
	arg      string // the file or directory as the user names it; "": standard input or an example

	links  render.Links // by the names of their files
	others []string     // other files in the folder of the links
	output string       // the path of the output directory in its repository; "": none

	rendering *render.Rendering // nil until openAll has made it

	unsure   []string     // links that could not be read completely
	overlaid map[int]bool // clusters with unknown objects, because an overlay is wrong; nil: no overlay is wrong
	empty    map[int]bool // clusters to check as if they had no objects
}

// readInputs parses the topologies that the arguments name. If they have findings, it
// returns all of them as one *invalid, with the ways in which the topologies may have
// been meant.
func readInputs(args []string, stdin io.Reader) ([]*input, error) {
	var ways [][]*input // for each topology
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
				"give each a different metadata.name: it names the directory"}
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

// readLinks reads the sealed links beside topologies into the inputs. If links have
// findings, it returns all of them as one error; the inputs then have the links that
// could be read. Standard input and an example have no links beside them. If
// links.source is not a file, nothing is read.
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

// readLinks reads the folder of links, except hidden files.
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

// linkFolder returns the folder of the links of a topology.
func (in *input) linkFolder() string {
	dir := in.arg
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		dir = filepath.Dir(dir)
	}
	return filepath.Join(dir, sealedDir, in.topology.Metadata.Name)
}

// overlayFolders returns the folders of the overlays, in the order of the topology. A
// path is relative to the topology's file; with standard input, it is relative to the
// working directory.
func (in *input) overlayFolders() []string {
	var folders []string
	for i := range in.topology.Spec.Overlays {
		o := &in.topology.Spec.Overlays[i]
		folders = append(folders, filepath.Join(filepath.Dir(in.topology.At("spec", "overlays", i).File), filepath.FromSlash(o.Folder())))
	}
	return folders
}

// authorities returns the file that kiali.ca names, or "". The path is relative to the
// topology's file, as the paths of overlays are.
func (in *input) authorities() string {
	t := in.topology
	if t.CAFile() == "" {
		return ""
	}
	return filepath.Join(filepath.Dir(t.At("spec", "kiali", "ca").File), filepath.FromSlash(t.CAFile()))
}

// readAuthorities replaces the file name in kiali.ca by the content of the file.
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

// paths returns the files and folders that a render reads.
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

// sources opens the files that a render reads. closed closes them. No path leads out
// of an overlay's folder, not even through a symbolic link.
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
			continue // the render reports it
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

// openAll renders the resources of topologies, once for all later uses. closed frees
// them. All findings about overlays are one error.
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

// collect keeps the findings of an overlay error, so that the findings of all
// topologies are reported together. It returns any other error.
func (e *invalid) collect(err error) error {
	var wrong *render.OverlayError
	if errors.As(err, &wrong) {
		e.findings = append(e.findings, wrong.Findings...)
		return nil
	}
	return err
}

// err returns the collected findings as an error, or nil.
func (e *invalid) err() error {
	if len(e.findings) == 0 {
		return nil
	}
	return &invalid{findings: e.findings.Sorted()}
}

// checked returns the input for the rules, rendered in a format.
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
