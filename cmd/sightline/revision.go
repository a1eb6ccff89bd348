package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/internal/tree"
	"github.com/sightline-mesh/sightline/render"
)

// revision renders the topology, its overlays and its links as they are at a revision
// of their repository. The files are in a temporary folder during the render.
func (o *diffOptions) revision(ctx context.Context, t *topology.Topology, arg string, format render.Format, stderr io.Writer) (
	[]tree.File, error) {
	git, err := openRepository(ctx, arg, o.against)
	if err != nil {
		return nil, err
	}
	work, err := newScratch(ctx)
	if err != nil {
		return nil, err
	}
	defer work.remove()
	there, err := git.write(ctx, work, git.topology)
	if err != nil {
		return nil, err
	}
	if !there {
		fmt.Fprintf(stderr, "%s is not in %s, so everything is new\n", arg, o.against)
		return nil, nil
	}
	files, err := git.render(ctx, work, format)
	return files, git.named(err, work.dir)
}

// repository is a Git repository at a revision.
type repository struct {
	top      string // the top folder of the work tree
	commit   string
	ref      string // the revision as the user names it
	topology string // the path of the topology in the repository
}

// openRepository finds the repository of a topology and the commit of a revision.
func openRepository(ctx context.Context, arg, ref string) (*repository, error) {
	if _, err := exec.LookPath("git"); err != nil {
		return nil, &hinted{errors.New("--against needs the program git, and there is none in $PATH"),
			"install git, or compare with a rendered directory: -o DIR"}
	}
	at, err := filepath.Abs(arg)
	if err != nil {
		return nil, err
	}
	folder := filepath.Dir(at)
	if info, err := os.Stat(at); err == nil && info.IsDir() {
		folder = at
	}
	r := &repository{top: folder, ref: ref}
	out, err := r.git(ctx, nil, "rev-parse", "--show-toplevel")
	if err != nil {
		return nil, &hinted{fmt.Errorf("%s is in no Git repository: %w", arg, err), "compare with a rendered directory: -o DIR"}
	}
	prefix, err := r.git(ctx, nil, "rev-parse", "--show-prefix")
	if err != nil {
		return nil, err
	}
	r.topology = strings.TrimSuffix(line(prefix), "/")
	if folder != at {
		r.topology = path.Join(r.topology, filepath.Base(at))
	}
	r.top = line(out)
	if commit, err := r.git(ctx, nil, "rev-parse", "--verify", "--quiet", "--end-of-options", ref+"^{commit}"); err == nil {
		r.commit = line(commit)
		return r, nil
	}
	hint := "git branch --all and git tag list the revisions"
	if shallow, err := r.git(ctx, nil, "rev-parse", "--is-shallow-repository"); err == nil && line(shallow) == "true" {
		hint = "the clone is shallow, so it has the newest commits only: git fetch --unshallow, or have CI fetch all (fetch-depth: 0 on " +
			"GitHub, GIT_DEPTH: 0 on GitLab)"
	}
	return nil, &hinted{fmt.Errorf("%s has no revision %q", r.top, ref), hint}
}

func line(out []byte) string { return strings.TrimSuffix(string(out), "\n") }

// git runs git in the repository. The error has git's message.
func (r *repository) git(ctx context.Context, stdin io.Reader, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-C", r.top, "--literal-pathspecs"}, args...)...)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &stdout, &stderr
	if err := cmd.Run(); err != nil {
		said, _, _ := strings.Cut(strings.TrimSpace(stderr.String()), "\n")
		if said == "" {
			said = err.Error()
		}
		return nil, fmt.Errorf("git %s: %s", args[0], said)
	}
	return stdout.Bytes(), nil
}

// write writes the files that the revision has at paths into a folder. A path is a
// file or a folder. write returns whether there was a file.
func (r *repository) write(ctx context.Context, work *scratch, paths ...string) (bool, error) {
	for i, p := range paths {
		if p == "" {
			paths[i] = "." // the top
		}
	}
	out, err := r.git(ctx, nil, append([]string{"ls-tree", "-r", "-z", "--full-tree", r.commit, "--"}, paths...)...)
	if err != nil {
		return false, err
	}
	var names []string
	var wanted bytes.Buffer
	for entry := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		about, name, ok := strings.Cut(entry, "\t")
		fields := strings.Fields(about) // mode, type, object
		if !ok || len(fields) != 3 || fields[1] != "blob" || !wantedFile(name) {
			continue
		}
		if fields[0] == "120000" {
			return false, fmt.Errorf("%s:%s is a symbolic link, expected a file", r.ref, name)
		}
		names = append(names, name)
		wanted.WriteString(fields[2] + "\n")
	}
	if len(names) == 0 {
		return false, nil
	}
	blobs, err := r.git(ctx, &wanted, "cat-file", "--batch")
	if err != nil {
		return false, err
	}
	in := bufio.NewReader(bytes.NewReader(blobs))
	for _, name := range names {
		content, err := blob(in)
		if err != nil {
			return false, fmt.Errorf("git cat-file: %s: %w", name, err)
		}
		if !filepath.IsLocal(filepath.FromSlash(name)) {
			return false, fmt.Errorf("git ls-tree: %q leaves the repository", name)
		}
		if err := work.write(ctx, filepath.FromSlash(name), content); err != nil {
			return false, err
		}
	}
	return true, nil
}

// wantedFile refuses hidden files and files in hidden folders, because render does not
// read them.
func wantedFile(name string) bool {
	return !strings.HasPrefix(name, ".") && !strings.Contains(name, "/.")
}

// blob reads one answer of git cat-file --batch: a line with the size, and then the
// content.
func blob(in *bufio.Reader) ([]byte, error) {
	head, err := in.ReadString('\n')
	if err != nil {
		return nil, err
	}
	fields := strings.Fields(head)
	if len(fields) != 3 {
		return nil, fmt.Errorf("%s", strings.TrimSpace(head))
	}
	size, err := strconv.Atoi(fields[2])
	if err != nil {
		return nil, err
	}
	content := make([]byte, size)
	if _, err := io.ReadFull(in, content); err != nil {
		return nil, err
	}
	_, err = in.Discard(1)
	return content, err
}

// render reads and renders the topology of the revision.
func (r *repository) render(ctx context.Context, work *scratch, format render.Format) ([]tree.File, error) {
	arg := filepath.Join(work.dir, filepath.FromSlash(r.topology))
	inputs, err := readInputs([]string{arg}, nil)
	if err != nil {
		return nil, err
	}
	beside := []string{r.inRepository(work.dir, inputs[0].linkFolder())}
	for _, dir := range inputs[0].overlayFolders() {
		beside = append(beside, r.inRepository(work.dir, dir))
	}
	if file := inputs[0].authorities(); file != "" {
		beside = append(beside, r.inRepository(work.dir, file))
	}
	if _, err := r.write(ctx, work, beside...); err != nil {
		return nil, err
	}
	if err := readLinks(inputs); err != nil {
		return nil, err
	}
	return renderTree(ctx, inputs[0], format)
}

func (r *repository) inRepository(work, file string) string {
	rel, err := filepath.Rel(work, file)
	if err != nil {
		return file
	}
	return filepath.ToSlash(rel)
}

// named replaces the paths of temporary files in an error by the names that git uses,
// such as main:mesh.yaml.
func (r *repository) named(err error, work string) error {
	if err == nil {
		return nil
	}
	rename := func(s string) string { return strings.ReplaceAll(s, work+string(filepath.Separator), r.ref+":") }
	var found *invalid
	if !errors.As(err, &found) {
		return errors.New(rename(err.Error()))
	}
	renamed := &invalid{}
	for _, f := range found.findings {
		f.File, f.Message, f.Hint = rename(f.File), rename(f.Message), rename(f.Hint)
		renamed.findings = append(renamed.findings, f)
	}
	return renamed
}
