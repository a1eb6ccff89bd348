package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/sightline-mesh/sightline/internal/cluster"
	"github.com/sightline-mesh/sightline/internal/discover"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/observe"
	"github.com/sightline-mesh/sightline/internal/resource"
)

// noSource returns the error of init without clusters. Its hint lists the contexts.
func (o *initOptions) noSource() error {
	const needs = "init needs the clusters of the mesh: --context for each, or --from with dumps"
	hint := "name dumps with --from DIR"
	if contexts, err := cluster.ReadContexts(o.kubeconfig); err == nil && len(contexts.Names()) > 0 {
		hint = "the contexts of the kubeconfig are " + finding.List(contexts.Names(), listed)
	} else if err == nil {
		hint = "the kubeconfig has no contexts; name another with --kubeconfig FILE, or dumps with --from DIR"
	}
	return &hinted{errors.New(needs), hint}
}

// source is a context to read, with the name that the user gives to the cluster.
type source struct{ context, given string }

// sources returns the contexts that the flags name: exact names before patterns.
func (o *initOptions) sources(contexts *cluster.Contexts) ([]source, error) {
	var all []source
	var wrong several
	add := func(s source) {
		if !slices.ContainsFunc(all, func(other source) bool { return other.context == s.context }) {
			all = append(all, s)
		}
	}
	for _, flag := range o.contexts {
		given, context, ok := strings.Cut(flag, "=")
		switch {
		case contexts.Has(flag): // contexts of EKS and others may have any character
			add(source{flag, ""})
		case ok:
			if _, err := openContext(contexts, "--context "+given+"=NAME", context); err != nil {
				wrong = append(wrong, err)
			}
			add(source{context, given})
		case strings.ContainsAny(flag, "*?"):
			before := len(all)
			for _, name := range contexts.Names() {
				if pattern(flag).MatchString(name) {
					add(source{name, ""})
				}
			}
			if len(all) == before {
				wrong = append(wrong, &hinted{fmt.Errorf("no context matches the pattern %q", flag), "the contexts are " +
					finding.List(contexts.Names(), listed)})
			}
		default:
			_, err := openContext(contexts, "--context NAME", flag)
			wrong = append(wrong, err)
		}
	}
	return all, wrong.err()
}

// pattern compiles a pattern: * matches any characters, also a slash, and ? matches
// one character.
func pattern(glob string) *regexp.Regexp {
	text := regexp.QuoteMeta(glob)
	text = strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(text)
	return regexp.MustCompile("^" + text + "$")
}

// live reads clusters, twenty at a time. A cluster that cannot be read is an error.
// The other clusters are in the topology nevertheless.
func (o *initOptions) live(ctx context.Context, stderr io.Writer) ([]*discover.Snapshot, error, error) {
	contexts, err := cluster.ReadContexts(o.kubeconfig)
	if err != nil {
		return nil, nil, err
	}
	sources, err := o.sources(contexts)
	if err != nil {
		return nil, nil, err
	}
	if err := endsItself(ctx); err != nil {
		return nil, nil, err
	}
	read := make([]*discover.Snapshot, len(sources))
	errs := make([]error, len(sources))
	say := newProgress(stderr, len(sources))
	say.begin()
	var group errgroup.Group
	group.SetLimit(atOnce)
	for i, s := range sources {
		group.Go(func() error {
			c, err := contexts.Open(s.context, cluster.Options{Timeout: requestTimeout})
			if err == nil {
				read[i], err = observe.Snapshot(ctx, c, s.given)
			}
			if err != nil {
				errs[i] = &aboutCluster{s.context, err}
			}
			say.done(s.context)
			return nil
		})
	}
	_ = group.Wait()
	say.end()
	if ctx.Err() != nil {
		return nil, nil, &hinted{errors.New("interrupted"), ""}
	}
	var failed several
	for _, err := range errs {
		if err != nil {
			failed = append(failed, err)
		}
	}
	read = slices.DeleteFunc(read, func(s *discover.Snapshot) bool { return s == nil })
	if len(read) == 0 {
		return nil, nil, failed
	}
	return read, failed.err(), nil
}

// dumps reads a directory with a folder for each cluster. A directory without folders
// is one cluster.
func (o *initOptions) dumps(stderr io.Writer) ([]*discover.Snapshot, error, error) {
	entries, err := readFolder(o.from)
	if err != nil {
		return nil, nil, fmt.Errorf("--from: %w", err)
	}
	folders := map[string]string{} // by label
	for _, e := range entries {
		path := filepath.Join(o.from, e.Name())
		if info, err := os.Stat(path); err == nil && info.IsDir() && !strings.HasPrefix(e.Name(), ".") {
			folders[e.Name()] = path
		}
	}
	if len(folders) == 0 {
		folders[filepath.Base(filepath.Clean(o.from))] = o.from
	}
	var mutex sync.Mutex
	var findings finding.Findings
	var read []*discover.Snapshot
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for label, folder := range folders {
		group.Go(func() error {
			files, err := dumpFiles(folder)
			if err != nil || len(files) == 0 {
				return err
			}
			s, found := discover.Dump(label, files)
			mutex.Lock()
			defer mutex.Unlock()
			findings = append(findings, found...)
			read = append(read, s)
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, nil, err
	}
	if len(read) == 0 {
		return nil, nil, &hinted{fmt.Errorf("%s has no files of YAML or JSON", o.from),
			"make a folder for each cluster, with the output of kubectl get -o yaml; " + finding.Pages + "adopt.md has the commands"}
	}
	slices.SortFunc(read, func(a, b *discover.Snapshot) int { return strings.Compare(a.Label, b.Label) })
	if len(findings) == 0 {
		return read, nil, nil
	}
	for _, f := range findings.Sorted() {
		fmt.Fprintln(stderr, f)
	}
	return read, errFound, nil
}

// printReaders prints the roles that init needs on a cluster.
func printReaders(stdout io.Writer) error {
	roles, secrets := discover.Rights()
	text := fmt.Appendf(nil, "# What sightline init reads on a cluster, for the users of the group %s.\n", discover.Readers)
	for _, o := range roles {
		text = resource.Encode(append(text, "---\n"...), o)
	}
	text = append(text, `# init asks for the names, labels and annotations of Secrets only. RBAC has no such
# right: this role lets the group read the data as well. Without it the links are
# questions in the topology.
`...)
	for _, o := range secrets {
		text = resource.Encode(append(text, "---\n"...), o)
	}
	_, err := stdout.Write(text)
	return err
}

// longestDump is the largest size of a file of a dump, in bytes.
const longestDump = 1 << 30

// dumpFiles reads the files of a folder and of the folders below it, except hidden
// files.
func dumpFiles(folder string) ([]discover.Source, error) {
	var files []discover.Source
	err := filepath.WalkDir(folder+string(filepath.Separator), func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case strings.HasPrefix(e.Name(), ".") && e.IsDir() && filepath.Clean(path) != filepath.Clean(folder):
			return fs.SkipDir
		case e.IsDir(), strings.HasPrefix(e.Name(), "."), !slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(path)):
			return nil
		}
		info, err := os.Stat(path)
		switch {
		case err != nil:
			return err
		case !info.Mode().IsRegular():
			return fmt.Errorf("%s is no file", path)
		case info.Size() > longestDump:
			return fmt.Errorf("%s has more than 1 GiB", path)
		}
		data, err := os.ReadFile(path)
		files = append(files, discover.Source{Name: path, Data: data})
		return err
	})
	return files, err
}
